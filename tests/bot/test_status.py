"""Status as text and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot import status
from bot.app import Bot
from bot.settings import WebSettings
from bot.slack.http_server import METRICS_PATH, STATUS_PATH
from bot.status import LiveStatus, StoredStatus
from bot.store import WatchState
from bot.store.metrics import QueueDepth
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOTHING = QueueDepth(0, None)
ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


def stored_status(**but: Any) -> StoredStatus:
    plain = {
        "at": NOON,
        "requests": NOTHING,
        "messages": NOTHING,
        "dead_letters": NOTHING,
        "overdue": NOTHING,
        "watches": dict.fromkeys(WatchState, 0),
    }
    return StoredStatus(**(plain | but))


def since(seconds: float, count: int = 1) -> QueueDepth:
    return QueueDepth(count, NOON - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("requests", status.MAX_REQUEST_AGE_SECONDS),
        ("messages", status.MAX_MESSAGE_AGE_SECONDS),
        ("overdue", status.MAX_OVERDUE_SECONDS),
    ],
)
def test_each_queue_has_its_age_limit(what: str, limit: float) -> None:
    """Up to the limit all lines are fine; above it, one is not."""
    assert all(line.ok for line in status.stored_lines(stored_status(**{what: since(limit)})))
    late = status.stored_lines(stored_status(**{what: since(limit + 1)}))
    assert [line.ok for line in late].count(False) == 1


def test_deferred_notifications_are_fine_until_overdue() -> None:
    """They are overdue five minutes after their time."""
    for late, well in ((-3600, True), (status.MAX_MESSAGE_AGE_SECONDS, True), (301, False)):
        until = NOON - timedelta(seconds=late)
        stored = stored_status(deferred=since(60, count=3), deferred_until=until)
        [*_, line] = status.stored_lines(stored)
        assert line.ok is well
        assert line.sentence.startswith("3 notifications deferred, the first until 22 Nov 2026")


def test_future_time_gives_age_zero() -> None:
    """A clock step back makes no age negative."""
    assert stored_status().age(since(-60)) == 0.0


def test_disconnected_bot_is_a_failure() -> None:
    """The status shows the connection to Slack first."""
    [slack, _] = status.live_lines(LiveStatus(connected=False))
    assert not slack.ok


def test_live_status_round_trips_through_json() -> None:
    """The command parses what the bot serves."""
    live = LiveStatus(
        connected=True, last_event_seconds=3.5, rate_limited=7, open_circuits={"deploys": 12.0}
    )
    assert status.parse_live(status.as_json(stored_status(), live)) == live


async def test_running_bot_serves_its_status_and_metrics(harness: BotHarness) -> None:
    """They include 429 responses, watches and the time since Slack's last event."""
    await harness.bot.__aexit__(None, None, None)
    settings = harness.settings.model_copy(update={"web": WebSettings(port=0)})
    async with Bot(settings, clock=harness.clock) as harness.bot:
        harness.servicestage.add(JobScript(ID, (JobStep("PREPARE", 3000),), queued_seconds=0))
        harness.slack.faults.rate_limit("chat.postMessage", retry_after=1)
        await harness.says(f"/job deploys:{ID}")
        await harness.slack.until(lambda: harness.slack.faults.injected)
        await harness.settle()
        status = await fetch(f"http://127.0.0.1:{harness.bot.http_server.port}{STATUS_PATH}")
        text = await fetch(f"http://127.0.0.1:{harness.bot.http_server.port}{METRICS_PATH}")
    assert status["slack"]["connected"] is True
    assert status["slack"]["rate_limited"] == 1
    assert status["slack"]["last_event_seconds"] is not None
    assert status["watches"]["active"] == 1
    assert 'jobthread_watches{state="active"} 1' in text


async def fetch(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        is_json = response.content_type == "application/json"
        return await response.json() if is_json else await response.text()
