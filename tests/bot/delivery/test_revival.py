"""Threads that could not be told for a while come back, each with one follow-up and the truth."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.delivery.revival import OPERATOR, order
from bot.store import WatchState
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from bot.playground.messages import Message
    from bot.store import Watch
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))


async def followed(stage: Stage, id_: str = ID) -> Message:
    """Let a long job be followed in the channel."""
    stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await stage.asks(f"/job deploys:{id_}")


async def turned(stage: Stage, id_: str, word: str) -> None:
    """Let a job change, and the bot see it and try to tell it."""
    stage.servicestage.finish(id_, word)
    await stage.looks(1)
    await stage.at_rest()


async def silent(stage: Stage) -> list[tuple[Watch, int]]:
    """Return what is parked."""
    async with stage.bot.store.begin() as tx:
        return await tx.parked.watches()


async def refused_again(stage: Stage) -> None:
    """Let Slack refuse what is tried, while no time passes."""
    async with asyncio.timeout(5):
        while [watch.state for watch, _ in await silent(stage)] != [WatchState.PARKED]:
            await stage.clock.advance(0)


async def passes(stage: Stage, seconds: int) -> None:
    """Let the time pass, and the bot do what it does."""
    for _ in range(seconds // 60):
        await stage.clock.advance(60)
        await stage.at_rest()


async def told_by_mouth(stage: Stage) -> list[Message]:
    """Return what Ada was told directly."""
    return [m for m in stage.slack.messages("im") if m.user == stage.slack.workspace.bot.id]


async def test_an_hour_after_the_channel_came_back_the_thread_hears_all_of_it_once(
    stage: Stage,
) -> None:
    """Three changes, one of which nobody looked at: one follow-up that names them."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    stage.servicestage.finish(ID, "ROLLBACKED")
    await passes(stage, 3_700)
    [told] = stage.thread(card)
    assert "ROLLBACKING" in told.text
    assert "Now:" in told.text
    assert "rolled back" in told.text
    assert await stage.watches() == []
    assert await silent(stage) == []


async def test_a_job_that_ended_while_its_thread_was_silent_is_told_too(stage: Stage) -> None:
    """The outcome is the last thing that may be lost."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "SUCCEEDED")
    [(watch, kept)] = await silent(stage)
    assert (watch.state, kept > 0) == (WatchState.ENDED, True)
    stage.slack.workspace.unarchive("deploys")
    await passes(stage, 3_700)
    [told] = stage.thread(card)
    assert "succeeded" in told.text
    assert "Stop following" not in str(told.blocks)
    assert "succeeded" in str(stage.now(card).blocks)


async def test_a_mention_in_the_channel_wakes_its_threads_at_once(stage: Stage) -> None:
    """Whoever invites the bot again does not wait for an hour."""
    card = await followed(stage)
    stage.slack.remove_bot("deploys")
    await turned(stage, ID, "ROLLBACKING")
    stage.slack.workspace.join("deploys", stage.slack.workspace.bot.id)
    await passes(stage, 60)
    await stage.says("@jobthread help")
    await stage.heard(card, "ROLLBACKING")
    assert await silent(stage) == []


async def test_a_watch_that_came_back_goes_on(stage: Stage) -> None:
    """The next change is an ordinary follow-up."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    await passes(stage, 3_700)
    await turned(stage, ID, "ROLLBACKED")
    first, second = stage.thread(card)
    assert "could not post" in first.text
    assert "could not post" not in second.text


async def test_while_the_channel_stays_closed_one_thread_is_tried_an_hour_and_nobody_is_told(
    stage: Stage,
) -> None:
    """A hundred dead threads are not a hundred requests, and the asker heard it already."""
    await followed(stage)
    await followed(stage, OTHER)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    await turned(stage, OTHER, "ROLLBACKING")
    before = len(await told_by_mouth(stage))
    calls = len(stage.slack.called("chat.postMessage"))
    await passes(stage, 3 * 3_600 + 120)
    assert len(stage.slack.called("chat.postMessage")) - calls in (2, 3)
    assert len(await told_by_mouth(stage)) == before == 2
    assert len(await silent(stage)) == 2


async def test_where_one_thread_gets_through_the_others_follow(stage: Stage) -> None:
    """The scout's success is enough."""
    cards = [await followed(stage), await followed(stage, OTHER)]
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    await turned(stage, OTHER, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    await passes(stage, 3_900)
    assert [len(stage.thread(card)) for card in cards] == [1, 1]


async def test_what_was_kept_through_several_tries_is_told_once(stage: Stage) -> None:
    """A catching-up that is refused is caught up with as well."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    await passes(stage, 3_700)
    stage.servicestage.finish(ID, "ROLLBACKED")
    await passes(stage, 3_700)
    stage.slack.workspace.unarchive("deploys")
    await passes(stage, 3_700)
    [told] = stage.thread(card)
    assert told.text.count("ROLLBACKING") == 1
    assert told.text.count("could not post this sooner") == 1
    assert "rolled back" in told.text


async def test_what_is_tried_twice_in_one_second_is_not_lost(stage: Stage) -> None:
    """Slack refuses the first catching-up at once; the second is another message."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    [(watch, _)] = await silent(stage)
    await stage.bot.revival.revive([watch])
    await refused_again(stage)
    stage.slack.workspace.unarchive("deploys")
    await stage.bot.revival.revive([watch])
    await passes(stage, 3_700)
    [told] = stage.thread(card)
    assert told.text.count("ROLLBACKING") == 1


async def test_a_card_knows_no_more_than_its_thread_was_told(stage: Stage) -> None:
    """Else a catching-up that is lost with the database would never be told."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "SUCCEEDED")
    stage.slack.workspace.unarchive("deploys")
    stage.slack.faults.rate_limit("chat.postMessage", times=None, retry_after=30)
    [(watch, _)] = await silent(stage)
    await stage.bot.revival.revive([watch])
    shown = await stage.shown(card, "succeeded")
    payload = (shown.metadata or {})["event_payload"]
    assert payload["status"] != "succeeded"


async def test_a_second_silence_is_told_to_the_asker_again(stage: Stage) -> None:
    """It is another promise that cannot be kept."""
    await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    await passes(stage, 3_700)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKED")
    assert len(await told_by_mouth(stage)) == 2


async def test_a_deleted_card_is_not_tried_by_itself_and_makes_room(stage: Stage) -> None:
    """Whoever asks for the job again gets a new card."""
    card = await followed(stage)
    stage.slack.delete(card)
    await turned(stage, ID, "ROLLBACKING")
    calls = len(stage.slack.called("chat.postMessage"))
    await passes(stage, 3_700)
    assert len(stage.slack.called("chat.postMessage")) == calls
    await stage.asks(f"/job deploys:{ID}")
    assert await silent(stage) == []


async def test_an_operator_can_have_a_watch_tried_at_once(stage: Stage) -> None:
    """What `jobthread retry` leaves in the inbox is done within seconds."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    [(watch, _)] = await silent(stage)
    async with stage.bot.store.begin() as tx:
        await order(tx, watch.id, stage.clock.now())
    await stage.clock.advance(6)
    await stage.heard(card, "ROLLBACKING")
    async with stage.bot.store.begin() as tx:
        assert (await tx.gauges.questions()).count == 0


async def test_what_an_operator_orders_while_no_bot_runs_is_done_by_the_next(
    stage: Stage,
) -> None:
    """An order is a question like others: it outlives processes."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    async with stage.bot.store.begin() as tx:
        await order(tx, None, stage.clock.now())
    await stage.bot.__aexit__(None, None, None)
    async with Bot(stage.settings, clock=stage.clock) as stage.bot:
        await stage.heard(card, "ROLLBACKING")
    assert OPERATOR == "operator"


async def test_a_watch_that_its_asker_stopped_while_it_was_parked_stays_silent(
    stage: Stage,
) -> None:
    """Nobody wants to hear of it any more."""
    card = await followed(stage)
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    await stage.says(f"/job unwatch deploys:{ID}")
    await stage.whispered("no longer")
    await passes(stage, 3_700)
    assert stage.thread(card) == []


async def test_a_thread_that_comes_back_is_as_loud_as_its_channel_wants(stage: Stage) -> None:
    """An outcome that nobody looked at before calls nobody and stays out of the channel, too."""
    card = await followed(stage)
    channel = stage.slack.workspace.channel("deploys").id
    async with stage.bot.store.begin() as tx:
        own = {"broadcast": "never", "mention": "nobody"}
        await tx.contracts.set(stage.slack.workspace.team.id, channel, own, "U1", stage.clock.now())
    stage.slack.archive("deploys")
    await turned(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    stage.servicestage.finish(ID, "FAILED")
    await passes(stage, 3_700)
    [told] = stage.thread(card)
    assert " failed" in told.text
    assert "<@" not in told.text
    assert not told.broadcast
