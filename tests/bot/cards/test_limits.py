"""Slack's limits: nothing is spent on what nobody sees, and a 429 holds all whom it concerns."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.cards.cards import MAX_DETAILS
from bot.following import Following, Look
from bot.models import Detail, JobRef
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.delivery.test_delivery import own

if TYPE_CHECKING:
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
JOB = JobScript(ID, (JobStep("PREPARE", 30), JobStep("UPGRADE", 90)), queued_seconds=0)


async def test_a_card_on_which_nothing_visible_changed_is_not_drawn_again(stage: Stage) -> None:
    """Slack takes few updates; none is spent on what nobody can see."""
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


async def landed(stage: Stage) -> None:
    """Wait for what is on its way to Slack: no clock should run out for it meanwhile."""
    while flying := set(stage.bot.deliverer._flying):
        await asyncio.wait(flying)


async def test_a_429_for_a_look_up_is_answered_with_patience(stage: Stage) -> None:
    """The message waits as long as Slack says, and is then found instead of being repeated."""
    stage.servicestage.add(JOB)
    stage.slack.faults.lose_answer("chat.postMessage")
    stage.slack.faults.rate_limit("conversations.history", retry_after=30)
    await stage.says(f"/job deploys:{ID}")
    await stage.slack.until(lambda: own(stage))
    while len(stage.slack.called("conversations.history")) < 2:
        await landed(stage)
        await stage.clock.advance(1)
    first, second = stage.slack.called("conversations.history")
    assert (second.at - first.at).total_seconds() >= 30
    await stage.at_rest()
    assert len([m for m in own(stage) if m.thread_ts is None]) == 1


async def test_minutes_of_429_delay_a_follow_up_and_neither_lose_nor_repeat_it(
    stage: Stage,
) -> None:
    """Slack is asked again when it said, not before: four requests in six minutes."""
    stage.servicestage.add(JOB)
    card = await stage.asks(f"/job deploys:{ID}")
    before = len(stage.slack.called("chat.postMessage"))
    stage.slack.faults.rate_limit("chat.postMessage", times=3, retry_after=120)
    stage.servicestage.finish(ID)
    await stage.polls()
    refused_since = stage.clock.now()
    while not stage.thread(card):
        await landed(stage)
        await stage.clock.advance(5)
    assert stage.clock.now() - refused_since >= timedelta(minutes=6)
    await stage.at_rest()
    assert len(stage.thread(card)) == 1
    assert len(stage.slack.called("chat.postMessage")) - before == 4
