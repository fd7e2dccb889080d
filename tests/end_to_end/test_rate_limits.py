"""Slack's rate limits: no invisible updates; a 429 delays every affected message."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.providers.renderer import JobRenderer
from bot.sdk.cards.job_card import MAX_DETAILS
from bot.sdk.models import Detail, JobRef
from bot.tracking.job_updates import JobUpdates, PollResult
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.delivery.test_dispatcher import bot_messages

if TYPE_CHECKING:
    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
JOB = JobScript(ID, (JobStep("PREPARE", 30), JobStep("UPGRADE", 90)), queued_seconds=0)


async def test_card_without_a_visible_change_is_not_updated(harness: BotHarness) -> None:
    """Slack's update limit is not spent on invisible changes."""
    harness.servicestage.add(JOB)
    await harness.request_card(f"/job deploys:{ID}")
    async with harness.bot.store.begin() as tx:
        ref = JobRef(connection="deploys", id=ID)
        workspace = harness.slack.workspace.team.id
        watched = (await tx.jobs.get(workspace, [ref]))[ref]
        assert watched.snapshot is not None
        # A detail beyond those that a card shows.
        details = tuple(Detail(label=f"L{n}", value="v") for n in range(MAX_DETAILS))
        hidden = watched.snapshot.replace(details=(*details, Detail(label="one", value="more")))
        due = harness.clock.now() + timedelta(hours=1)
        await tx.jobs.compare_and_set(watched, hidden, due_at=due, now=harness.clock.now())
        before = (await tx.jobs.get(workspace, [ref]))[ref]
        other = hidden.replace(details=(*details, Detail(label="one", value="other")))
        await JobUpdates(10).apply(
            tx, JobRenderer(), [PollResult(before, other, harness.clock.now())]
        )
        after = (await tx.jobs.get(workspace, [ref]))[ref]
        assert after.revision == before.revision + 1
        assert (await tx.metrics.messages()).count == 0


async def wait_for_flights(harness: BotHarness) -> None:
    """Wait for messages in flight, so that advancing the clock ends none of them."""
    while in_flight := set(harness.bot.dispatcher._tasks):
        await asyncio.wait(in_flight)


async def test_look_up_with_a_429_is_retried_after_the_delay(harness: BotHarness) -> None:
    """The message is then found instead of posted twice."""
    harness.servicestage.add(JOB)
    harness.slack.faults.lose_answer("chat.postMessage")
    harness.slack.faults.rate_limit("conversations.history", retry_after=30)
    await harness.says(f"/job deploys:{ID}")
    await harness.slack.until(lambda: bot_messages(harness))
    while len(harness.slack.calls_of("conversations.history")) < 2:
        await wait_for_flights(harness)
        await harness.clock.advance(1)
    first, second = harness.slack.calls_of("conversations.history")
    assert (second.received_at - first.received_at).total_seconds() >= 30
    await harness.settle()
    assert len([m for m in bot_messages(harness) if m.thread_ts is None]) == 1


async def test_thread_reply_survives_minutes_of_429(
    harness: BotHarness,
) -> None:
    """Neither lost nor repeated: four requests in six minutes, each after its Retry-After."""
    harness.servicestage.add(JOB)
    card = await harness.request_card(f"/job deploys:{ID}")
    before = len(harness.slack.calls_of("chat.postMessage"))
    harness.slack.faults.rate_limit("chat.postMessage", times=3, retry_after=120)
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    limited_since = harness.clock.now()
    while not harness.thread(card):
        await wait_for_flights(harness)
        await harness.clock.advance(5)
    assert harness.clock.now() - limited_since >= timedelta(minutes=6)
    await harness.settle()
    assert len(harness.thread(card)) == 1
    assert len(harness.slack.calls_of("chat.postMessage")) - before == 4
