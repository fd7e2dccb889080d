"""Redelivery: a thread that becomes reachable gets one reply with all missed updates."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.store import WatchState
from bot.tracking.redelivery import OPERATOR_TASK, request_retry
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from bot.store import Watch
    from localslack.state.messages import Message
    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))


async def follow_job(harness: BotHarness, id_: str = ID) -> Message:
    """Follow a long job in the channel; return its card."""
    harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await harness.request_card(f"/job deploys:{id_}")


async def change_job(harness: BotHarness, id_: str, word: str) -> None:
    """Change a job, and wait until the bot has polled it and tried to post."""
    harness.servicestage.finish(id_, word)
    await harness.poll_times(1)
    await harness.settle()


async def unreachable(harness: BotHarness) -> list[tuple[Watch, int]]:
    """Return the unreachable watches, with the number of their dead letters."""
    async with harness.bot.store.begin() as tx:
        return await tx.dead_letters.watches()


async def wait_for_rejection(harness: BotHarness) -> None:
    """Wait until Slack has rejected the retry, without advancing the clock."""
    async with asyncio.timeout(5):
        while [watch.state for watch, _ in await unreachable(harness)] != [WatchState.UNREACHABLE]:
            await harness.clock.advance(0)


async def advance(harness: BotHarness, seconds: int) -> None:
    """Advance the clock in steps of a minute."""
    for _ in range(seconds // 60):
        await harness.clock.advance(60)
        await harness.settle()


async def direct_messages(harness: BotHarness) -> list[Message]:
    """Return the direct messages from the bot to Ada."""
    return [m for m in harness.slack.messages("im") if m.user == harness.slack.workspace.bot.id]


async def test_hourly_probe_posts_all_missed_updates_once(
    harness: BotHarness,
) -> None:
    """One reply lists three changes, one of which was not polled before."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    harness.servicestage.finish(ID, "ROLLBACKED")
    await advance(harness, 3_700)
    [reply] = harness.thread(card)
    assert "ROLLBACKING" in reply.text
    assert "Now:" in reply.text
    assert "rolled back" in reply.text
    assert await harness.watches() == []
    assert await unreachable(harness) == []


async def test_missed_outcome_is_posted(harness: BotHarness) -> None:
    """The outcome reaches the thread and the card."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "SUCCEEDED")
    [(watch, kept)] = await unreachable(harness)
    assert (watch.state, kept > 0) == (WatchState.ENDED, True)
    harness.slack.workspace.unarchive("deploys")
    await advance(harness, 3_700)
    [reply] = harness.thread(card)
    assert "succeeded" in reply.text
    assert "Stop following" not in str(reply.blocks)
    assert "succeeded" in str(harness.current(card).blocks)


async def test_mention_in_the_channel_retries_its_threads_at_once(harness: BotHarness) -> None:
    """A new invitation of the bot needs no wait for the hourly probe."""
    card = await follow_job(harness)
    harness.slack.remove_bot("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    harness.slack.workspace.join("deploys", harness.slack.workspace.bot.id)
    await advance(harness, 60)
    await harness.says("@jobthread help")
    await harness.wait_for_unconfirmed_reply(card, "ROLLBACKING")
    assert await unreachable(harness) == []


async def test_redelivered_watch_stays_active(harness: BotHarness) -> None:
    """The next change is an ordinary reply."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    await advance(harness, 3_700)
    await change_job(harness, ID, "ROLLBACKED")
    first, second = harness.thread(card)
    assert "could not post" in first.text
    assert "could not post" not in second.text


async def test_one_probe_an_hour_while_the_channel_is_archived(
    harness: BotHarness,
) -> None:
    """A hundred unreachable threads cost one call an hour and no second notice."""
    await follow_job(harness)
    await follow_job(harness, OTHER)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    await change_job(harness, OTHER, "ROLLBACKING")
    before = len(await direct_messages(harness))
    calls = len(harness.slack.calls_of("chat.postMessage"))
    await advance(harness, 3 * 3_600 + 120)
    assert len(harness.slack.calls_of("chat.postMessage")) - calls in (2, 3)
    assert len(await direct_messages(harness)) == before == 2
    assert len(await unreachable(harness)) == 2


async def test_successful_probe_retries_the_other_threads(harness: BotHarness) -> None:
    """The first accepted reply makes the channel reachable."""
    cards = [await follow_job(harness), await follow_job(harness, OTHER)]
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    await change_job(harness, OTHER, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    await advance(harness, 3_900)
    assert [len(harness.thread(card)) for card in cards] == [1, 1]


async def test_updates_kept_over_several_retries_are_posted_once(harness: BotHarness) -> None:
    """A rejected catch-up reply becomes part of the next one."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    await advance(harness, 3_700)
    harness.servicestage.finish(ID, "ROLLBACKED")
    await advance(harness, 3_700)
    harness.slack.workspace.unarchive("deploys")
    await advance(harness, 3_700)
    [reply] = harness.thread(card)
    assert reply.text.count("ROLLBACKING") == 1
    assert reply.text.count("could not post this sooner") == 1
    assert "rolled back" in reply.text


async def test_two_retries_in_one_second_lose_nothing(harness: BotHarness) -> None:
    """Slack rejects the first catch-up at once; the second has a new idempotency key."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    [(watch, _)] = await unreachable(harness)
    await harness.bot.redelivery.redeliver([watch])
    await wait_for_rejection(harness)
    harness.slack.workspace.unarchive("deploys")
    await harness.bot.redelivery.redeliver([watch])
    await advance(harness, 3_700)
    [reply] = harness.thread(card)
    assert reply.text.count("ROLLBACKING") == 1


async def test_card_metadata_waits_for_the_catch_up(harness: BotHarness) -> None:
    """Otherwise recovery would skip a catch-up that was lost with the database."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "SUCCEEDED")
    harness.slack.workspace.unarchive("deploys")
    harness.slack.faults.rate_limit("chat.postMessage", times=None, retry_after=30)
    [(watch, _)] = await unreachable(harness)
    await harness.bot.redelivery.redeliver([watch])
    shown = await harness.wait_for_card(card, "succeeded")
    payload = (shown.metadata or {})["event_payload"]
    assert payload["status"] != "succeeded"


async def test_second_failure_sends_a_second_notice(harness: BotHarness) -> None:
    """The watch was reachable in between."""
    await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    await advance(harness, 3_700)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKED")
    assert len(await direct_messages(harness)) == 2


async def test_deleted_card_is_not_probed_and_is_replaced(harness: BotHarness) -> None:
    """The next request for the job posts a new card."""
    card = await follow_job(harness)
    harness.slack.delete(card)
    await change_job(harness, ID, "ROLLBACKING")
    calls = len(harness.slack.calls_of("chat.postMessage"))
    await advance(harness, 3_700)
    assert len(harness.slack.calls_of("chat.postMessage")) == calls
    await harness.request_card(f"/job deploys:{ID}")
    assert await unreachable(harness) == []


async def test_operator_can_retry_a_watch_at_once(harness: BotHarness) -> None:
    """The request of `jobthread retry` runs within seconds."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    [(watch, _)] = await unreachable(harness)
    async with harness.bot.store.begin() as tx:
        await request_retry(tx, watch.id, harness.clock.now())
    await harness.clock.advance(6)
    await harness.wait_for_unconfirmed_reply(card, "ROLLBACKING")
    async with harness.bot.store.begin() as tx:
        assert (await tx.metrics.requests()).count == 0


async def test_operator_retry_survives_a_restart(
    harness: BotHarness,
) -> None:
    """The request waits in the inbox for the next process."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    async with harness.bot.store.begin() as tx:
        await request_retry(tx, None, harness.clock.now())
    await harness.bot.__aexit__(None, None, None)
    async with Bot(harness.settings, clock=harness.clock) as harness.bot:
        await harness.wait_for_unconfirmed_reply(card, "ROLLBACKING")
    assert OPERATOR_TASK == "operator"


async def test_unfollowed_watch_is_not_redelivered(
    harness: BotHarness,
) -> None:
    """The asker stopped it while it was unreachable."""
    card = await follow_job(harness)
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    await harness.says(f"/job unwatch deploys:{ID}")
    await harness.wait_for_ephemeral("no longer")
    await advance(harness, 3_700)
    assert harness.thread(card) == []


async def test_catch_up_obeys_the_notification_policy(harness: BotHarness) -> None:
    """A missed outcome neither mentions nor broadcasts where the channel's settings forbid it."""
    card = await follow_job(harness)
    channel = harness.slack.workspace.channel("deploys").id
    async with harness.bot.store.begin() as tx:
        own = {"broadcast": "never", "mention": "nobody"}
        await tx.channel_settings.replace(
            harness.slack.workspace.team.id, channel, own, "U1", harness.clock.now()
        )
    harness.slack.archive("deploys")
    await change_job(harness, ID, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    harness.servicestage.finish(ID, "FAILED")
    await advance(harness, 3_700)
    [reply] = harness.thread(card)
    assert " failed" in reply.text
    assert "<@" not in reply.text
    assert not reply.broadcast
