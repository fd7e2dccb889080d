"""How far behind the bot is, in words, as JSON and as Prometheus reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot import backlog
from bot.app import Bot
from bot.backlog import Backlog, Live
from bot.settings import WebSettings
from bot.slack.web import METRICS_PATH, STATUS_PATH
from bot.store import WatchState
from bot.store.gauges import Waiting
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOTHING = Waiting(0, None)
ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


def waiting(**but: Any) -> Backlog:
    plain = {
        "at": NOON,
        "questions": NOTHING,
        "messages": NOTHING,
        "parked": NOTHING,
        "overdue": NOTHING,
        "watches": dict.fromkeys(WatchState, 0),
    }
    return Backlog(**(plain | but))


def since(seconds: float, count: int = 1) -> Waiting:
    return Waiting(count, NOON - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("questions", backlog.QUESTION_SECONDS),
        ("messages", backlog.MESSAGE_SECONDS),
        ("overdue", backlog.OVERDUE_SECONDS),
    ],
)
def test_each_kind_of_waiting_has_its_limit(what: str, limit: float) -> None:
    """Up to it all is well; beyond it nothing is."""
    assert all(line.well for line in backlog.lines(waiting(**{what: since(limit)})))
    late = backlog.lines(waiting(**{what: since(limit + 1)}))
    assert [line.well for line in late].count(False) == 1


def test_what_is_held_back_is_told_with_its_moment_and_is_well_until_then() -> None:
    """Quiet hours are no trouble; news that nobody tells five minutes after them are."""
    for late, well in ((-3600, True), (backlog.MESSAGE_SECONDS, True), (301, False)):
        until = NOON - timedelta(seconds=late)
        [*_, line] = backlog.lines(waiting(held=since(60, count=3), held_until=until))
        assert line.well is well
        assert line.sentence.startswith("3 pieces of news held back, the first until 22 Nov 2026")


def test_a_moment_in_the_future_is_no_age() -> None:
    """A clock that stepped back makes nothing younger than nothing."""
    assert waiting().age(since(-60)) == 0.0


def test_a_bot_that_slack_cannot_reach_is_not_well() -> None:
    """Whoever asks for the status wants to know that first."""
    [slack, _] = backlog.live_lines(Live(connected=False))
    assert not slack.well


def test_what_the_bot_says_as_json_is_read_back_as_it_was() -> None:
    """The command and the bot speak the same words."""
    live = Live(connected=True, last_event_seconds=3.5, limited=7, resting={"deploys": 12.0})
    assert backlog.live_of(backlog.as_json(waiting(), live)) == live


def test_prometheus_reads_a_sample_a_line_each_under_its_type() -> None:
    """The names of the figures and their labels are what alerts are written with."""
    live = Live(connected=True, last_event_seconds=3.5, limited=7, resting={"deploys": 12.0})
    text = backlog.exposition(waiting(messages=since(90, count=4)), live)
    assert text.endswith("\n")
    lines = text.splitlines()
    assert "# TYPE jobthread_slack_limited_total counter" in lines
    for sample in (
        "jobthread_messages_unsent 4",
        "jobthread_messages_unsent_oldest_seconds 90",
        'jobthread_watches{state="parked"} 0',
        "jobthread_slack_limited_total 7",
        'jobthread_connection_resting_seconds{connection="deploys"} 12',
    ):
        assert sample in lines


async def test_the_running_bot_serves_its_status_and_metrics(stage: Stage) -> None:
    """What Slack refused for its limits, what is followed, and when Slack last spoke."""
    await stage.bot.__aexit__(None, None, None)
    settings = stage.settings.model_copy(update={"web": WebSettings(port=0)})
    async with Bot(settings, clock=stage.clock) as stage.bot:
        stage.servicestage.add(JobScript(ID, (JobStep("PREPARE", 3000),), queued_seconds=0))
        stage.slack.faults.rate_limit("chat.postMessage", retry_after=1)
        await stage.says(f"/job deploys:{ID}")
        await stage.slack.until(lambda: stage.slack.faults.done)
        await stage.at_rest()
        said = await fetched(f"http://127.0.0.1:{stage.bot.web.port}{STATUS_PATH}")
        text = await fetched(f"http://127.0.0.1:{stage.bot.web.port}{METRICS_PATH}")
    assert said["slack"]["connected"] is True
    assert said["slack"]["limited"] == 1
    assert said["slack"]["last_event"] is not None
    assert said["watches"]["active"] == 1
    assert 'jobthread_watches{state="active"} 1' in text


async def fetched(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        is_json = response.content_type == "application/json"
        return await response.json() if is_json else await response.text()
