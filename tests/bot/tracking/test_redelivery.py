"""Redelivery: a thread that becomes reachable gets one reply with all missed updates."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.store import WatchState
from bot.tracking.redelivery import OPERATOR, order
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from bot.store import Watch
    from localslack.state.messages import Message
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))


async def follow_job(stage: Stage, id_: str = ID) -> Message:
    """Follow a long job in the channel; return its card."""
    stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await stage.asks(f"/job deploys:{id_}")


async def change_job(stage: Stage, id_: str, word: str) -> None:
    """Change a job, and wait until the bot has polled it and tried to post."""
    stage.servicestage.finish(id_, word)
    await stage.looks(1)
    await stage.at_rest()


async def unreachable(stage: Stage) -> list[tuple[Watch, int]]:
    """Return the unreachable watches, with the number of their dead letters."""
    async with stage.bot.store.begin() as tx:
        return await tx.parked.watches()


async def wait_for_rejection(stage: Stage) -> None:
    """Wait until Slack has rejected the retry, without advancing the clock."""
    async with asyncio.timeout(5):
        while [watch.state for watch, _ in await unreachable(stage)] != [WatchState.PARKED]:
            await stage.clock.advance(0)


async def advance(stage: Stage, seconds: int) -> None:
    """Advance the clock in steps of a minute."""
    for _ in range(seconds // 60):
        await stage.clock.advance(60)
        await stage.at_rest()


async def direct_messages(stage: Stage) -> list[Message]:
    """Return the direct messages from the bot to Ada."""
    return [m for m in stage.slack.messages("im") if m.user == stage.slack.workspace.bot.id]


async def test_hourly_probe_posts_all_missed_updates_once(
    stage: Stage,
) -> None:
    """One reply lists three changes, one of which was not polled before."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    stage.servicestage.finish(ID, "ROLLBACKED")
    await advance(stage, 3_700)
    [reply] = stage.thread(card)
    assert "ROLLBACKING" in reply.text
    assert "Now:" in reply.text
    assert "rolled back" in reply.text
    assert await stage.watches() == []
    assert await unreachable(stage) == []


async def test_missed_outcome_is_posted(stage: Stage) -> None:
    """The outcome reaches the thread and the card."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "SUCCEEDED")
    [(watch, kept)] = await unreachable(stage)
    assert (watch.state, kept > 0) == (WatchState.ENDED, True)
    stage.slack.workspace.unarchive("deploys")
    await advance(stage, 3_700)
    [reply] = stage.thread(card)
    assert "succeeded" in reply.text
    assert "Stop following" not in str(reply.blocks)
    assert "succeeded" in str(stage.now(card).blocks)


async def test_mention_in_the_channel_retries_its_threads_at_once(stage: Stage) -> None:
    """A new invitation of the bot needs no wait for the hourly probe."""
    card = await follow_job(stage)
    stage.slack.remove_bot("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    stage.slack.workspace.join("deploys", stage.slack.workspace.bot.id)
    await advance(stage, 60)
    await stage.says("@jobthread help")
    await stage.heard(card, "ROLLBACKING")
    assert await unreachable(stage) == []


async def test_redelivered_watch_stays_active(stage: Stage) -> None:
    """The next change is an ordinary reply."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    await advance(stage, 3_700)
    await change_job(stage, ID, "ROLLBACKED")
    first, second = stage.thread(card)
    assert "could not post" in first.text
    assert "could not post" not in second.text


async def test_one_probe_an_hour_while_the_channel_is_archived(
    stage: Stage,
) -> None:
    """A hundred unreachable threads cost one call an hour and no second notice."""
    await follow_job(stage)
    await follow_job(stage, OTHER)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    await change_job(stage, OTHER, "ROLLBACKING")
    before = len(await direct_messages(stage))
    calls = len(stage.slack.called("chat.postMessage"))
    await advance(stage, 3 * 3_600 + 120)
    assert len(stage.slack.called("chat.postMessage")) - calls in (2, 3)
    assert len(await direct_messages(stage)) == before == 2
    assert len(await unreachable(stage)) == 2


async def test_successful_probe_retries_the_other_threads(stage: Stage) -> None:
    """The first accepted reply makes the channel reachable."""
    cards = [await follow_job(stage), await follow_job(stage, OTHER)]
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    await change_job(stage, OTHER, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    await advance(stage, 3_900)
    assert [len(stage.thread(card)) for card in cards] == [1, 1]


async def test_updates_kept_over_several_retries_are_posted_once(stage: Stage) -> None:
    """A rejected catch-up reply becomes part of the next one."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    await advance(stage, 3_700)
    stage.servicestage.finish(ID, "ROLLBACKED")
    await advance(stage, 3_700)
    stage.slack.workspace.unarchive("deploys")
    await advance(stage, 3_700)
    [reply] = stage.thread(card)
    assert reply.text.count("ROLLBACKING") == 1
    assert reply.text.count("could not post this sooner") == 1
    assert "rolled back" in reply.text


async def test_two_retries_in_one_second_lose_nothing(stage: Stage) -> None:
    """Slack rejects the first catch-up at once; the second has a new idempotency key."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    [(watch, _)] = await unreachable(stage)
    await stage.bot.revival.revive([watch])
    await wait_for_rejection(stage)
    stage.slack.workspace.unarchive("deploys")
    await stage.bot.revival.revive([watch])
    await advance(stage, 3_700)
    [reply] = stage.thread(card)
    assert reply.text.count("ROLLBACKING") == 1


async def test_card_metadata_waits_for_the_catch_up(stage: Stage) -> None:
    """Otherwise recovery would skip a catch-up that was lost with the database."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "SUCCEEDED")
    stage.slack.workspace.unarchive("deploys")
    stage.slack.faults.rate_limit("chat.postMessage", times=None, retry_after=30)
    [(watch, _)] = await unreachable(stage)
    await stage.bot.revival.revive([watch])
    shown = await stage.shown(card, "succeeded")
    payload = (shown.metadata or {})["event_payload"]
    assert payload["status"] != "succeeded"


async def test_second_failure_sends_a_second_notice(stage: Stage) -> None:
    """The watch was reachable in between."""
    await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    await advance(stage, 3_700)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKED")
    assert len(await direct_messages(stage)) == 2


async def test_deleted_card_is_not_probed_and_is_replaced(stage: Stage) -> None:
    """The next request for the job posts a new card."""
    card = await follow_job(stage)
    stage.slack.delete(card)
    await change_job(stage, ID, "ROLLBACKING")
    calls = len(stage.slack.called("chat.postMessage"))
    await advance(stage, 3_700)
    assert len(stage.slack.called("chat.postMessage")) == calls
    await stage.asks(f"/job deploys:{ID}")
    assert await unreachable(stage) == []


async def test_operator_can_retry_a_watch_at_once(stage: Stage) -> None:
    """The request of `jobthread retry` runs within seconds."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    [(watch, _)] = await unreachable(stage)
    async with stage.bot.store.begin() as tx:
        await order(tx, watch.id, stage.clock.now())
    await stage.clock.advance(6)
    await stage.heard(card, "ROLLBACKING")
    async with stage.bot.store.begin() as tx:
        assert (await tx.gauges.questions()).count == 0


async def test_operator_retry_survives_a_restart(
    stage: Stage,
) -> None:
    """The request waits in the inbox for the next process."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    async with stage.bot.store.begin() as tx:
        await order(tx, None, stage.clock.now())
    await stage.bot.__aexit__(None, None, None)
    async with Bot(stage.settings, clock=stage.clock) as stage.bot:
        await stage.heard(card, "ROLLBACKING")
    assert OPERATOR == "operator"


async def test_unfollowed_watch_is_not_redelivered(
    stage: Stage,
) -> None:
    """The asker stopped it while it was unreachable."""
    card = await follow_job(stage)
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    await stage.says(f"/job unwatch deploys:{ID}")
    await stage.whispered("no longer")
    await advance(stage, 3_700)
    assert stage.thread(card) == []


async def test_catch_up_obeys_the_notification_policy(stage: Stage) -> None:
    """A missed outcome neither mentions nor broadcasts where the channel's settings forbid it."""
    card = await follow_job(stage)
    channel = stage.slack.workspace.channel("deploys").id
    async with stage.bot.store.begin() as tx:
        own = {"broadcast": "never", "mention": "nobody"}
        await tx.contracts.set(stage.slack.workspace.team.id, channel, own, "U1", stage.clock.now())
    stage.slack.archive("deploys")
    await change_job(stage, ID, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    stage.servicestage.finish(ID, "FAILED")
    await advance(stage, 3_700)
    [reply] = stage.thread(card)
    assert " failed" in reply.text
    assert "<@" not in reply.text
    assert not reply.broadcast
