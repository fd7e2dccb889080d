"""Slack's rate limits: no invisible updates; a 429 delays every affected message."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.sdk.cards.job_card import MAX_DETAILS
from bot.sdk.models import Detail, JobRef
from bot.tracking.job_updates import Following, Look
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.delivery.test_dispatcher import bot_messages

if TYPE_CHECKING:
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
JOB = JobScript(ID, (JobStep("PREPARE", 30), JobStep("UPGRADE", 90)), queued_seconds=0)


async def test_card_without_a_visible_change_is_not_updated(stage: Stage) -> None:
    """Slack's update limit is not spent on invisible changes."""
    stage.servicestage.add(JOB)
    await stage.asks(f"/job deploys:{ID}")
    async with stage.bot.store.begin() as tx:
        ref = JobRef(connection="deploys", id=ID)
        workspace = stage.slack.workspace.team.id
        watched = (await tx.jobs.get(workspace, [ref]))[ref]
        assert watched.seen is not None
        # A detail beyond those that a card shows.
        details = tuple(Detail(label=f"L{n}", value="v") for n in range(MAX_DETAILS))
        hidden = watched.seen.but(details=(*details, Detail(label="one", value="more")))
        due = stage.clock.now() + timedelta(hours=1)
        await tx.jobs.changed(watched, hidden, due_at=due, now=stage.clock.now())
        before = (await tx.jobs.get(workspace, [ref]))[ref]
        other = hidden.but(details=(*details, Detail(label="one", value="other")))
        await Following(10).write(tx, None, [Look(before, other, stage.clock.now())])
        after = (await tx.jobs.get(workspace, [ref]))[ref]
        assert after.revision == before.revision + 1
        assert (await tx.gauges.messages()).count == 0


async def wait_for_flights(stage: Stage) -> None:
    """Wait for messages in flight, so that advancing the clock ends none of them."""
    while in_flight := set(stage.bot.deliverer._tasks):
        await asyncio.wait(in_flight)


async def test_look_up_with_a_429_is_retried_after_the_delay(stage: Stage) -> None:
    """The message is then found instead of posted twice."""
    stage.servicestage.add(JOB)
    stage.slack.faults.lose_answer("chat.postMessage")
    stage.slack.faults.rate_limit("conversations.history", retry_after=30)
    await stage.says(f"/job deploys:{ID}")
    await stage.slack.until(lambda: bot_messages(stage))
    while len(stage.slack.called("conversations.history")) < 2:
        await wait_for_flights(stage)
        await stage.clock.advance(1)
    first, second = stage.slack.called("conversations.history")
    assert (second.at - first.at).total_seconds() >= 30
    await stage.at_rest()
    assert len([m for m in bot_messages(stage) if m.thread_ts is None]) == 1


async def test_thread_reply_survives_minutes_of_429(
    stage: Stage,
) -> None:
    """Neither lost nor repeated: four requests in six minutes, each after its Retry-After."""
    stage.servicestage.add(JOB)
    card = await stage.asks(f"/job deploys:{ID}")
    before = len(stage.slack.called("chat.postMessage"))
    stage.slack.faults.rate_limit("chat.postMessage", times=3, retry_after=120)
    stage.servicestage.finish(ID)
    await stage.polls()
    limited_since = stage.clock.now()
    while not stage.thread(card):
        await wait_for_flights(stage)
        await stage.clock.advance(5)
    assert stage.clock.now() - limited_since >= timedelta(minutes=6)
    await stage.at_rest()
    assert len(stage.thread(card)) == 1
    assert len(stage.slack.called("chat.postMessage")) - before == 4
