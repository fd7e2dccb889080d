"""Digests after quiet hours and beyond the hourly limit, through the real bot."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.notifications import deferred
from bot.store import WatchState
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.store import DecisionRecord
    from localslack.state.messages import Message
    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
THIRD = "JOB37cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))


def channel_key(harness: BotHarness) -> tuple[str, str]:
    """Return the ids of the workspace and the channel."""
    workspace = harness.slack.workspace
    return workspace.team.id, workspace.channel("deploys").id


async def change_settings(harness: BotHarness, **values: Any) -> None:
    """Change the channel settings and wake the workers."""
    now = harness.clock.now()
    async with harness.bot.store.begin() as tx:
        await tx.channel_settings.replace(*channel_key(harness), values, "U1", now)
        await deferred.reevaluate(tx, harness.bot.notifier, *channel_key(harness), now)
    harness.bot.wake()


def quiet_hours(harness: BotHarness, minutes: int = 30, **more: Any) -> dict[str, Any]:
    """Return quiet hours that have begun and end in this many minutes."""
    now = harness.clock.now()
    end = now + timedelta(minutes=minutes)
    hours = {"begins": f"{now - timedelta(hours=1):%H:%M}", "ends": f"{end:%H:%M}"}
    return {**hours, "zone": "UTC", **more}


async def follow(harness: BotHarness, id_: str = ID) -> Message:
    """Follow a long job in the channel."""
    harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await harness.request_card(f"/job deploys:{id_}")


async def end_job(harness: BotHarness, id_: str = ID, native_status: str = "SUCCEEDED") -> None:
    """End a job and poll it."""
    if native_status == "FAILED":
        harness.servicestage.fail(id_, 0, "disk full")
    else:
        harness.servicestage.finish(id_, native_status)
    await harness.poll_times(1)
    await harness.settle()


async def advance(harness: BotHarness, minutes: float) -> None:
    """Advance the clock in steps of 15 seconds, with the bot at rest after each."""
    for _ in range(round(minutes * 4)):
        await harness.clock.advance(15)
        await harness.settle()


def digests(harness: BotHarness) -> list[Message]:
    """Return the bot's digests in the channel."""
    return [
        m
        for m in harness.slack.messages()
        if m.user == harness.slack.workspace.bot.id and " done" in m.text.split("\n")[0][:20]
    ]


async def deferred_records(harness: BotHarness) -> list[DecisionRecord]:
    """Return the deferred decisions."""
    async with harness.bot.store.begin() as tx:
        return await tx.decisions.deferred(*channel_key(harness))


async def test_quiet_hours_end_with_one_digest(harness: BotHarness) -> None:
    """It has the counts, then one line for each job with a link to its card; no thread replies."""
    cards = [await follow(harness), await follow(harness, OTHER), await follow(harness, THIRD)]
    await change_settings(harness, quiet_hours=quiet_hours(harness))
    await end_job(harness)
    await end_job(harness, OTHER, "FAILED")
    await harness.clock.advance(20 * 60)
    assert digests(harness) == []
    await advance(harness, 12)
    [digest] = digests(harness)
    assert digest.text.startswith("2 of 2 done, 1 failed: ")
    assert "at step PREPARE" in digest.text.split("\n")[0]
    assert f"<@{harness.slack.workspace.user('ada').id}>" in digest.text
    assert "Quiet hours until" in digest.text
    for card in cards[:2]:
        assert card.ts.replace(".", "") in str(digest.blocks)
    assert [harness.thread(card) for card in cards] == [[], [], []]
    assert await deferred_records(harness) == []


async def test_failures_may_be_posted_during_quiet_hours(harness: BotHarness) -> None:
    """They are posted in their thread at once, and not again in the digest."""
    card = await follow(harness)
    other = await follow(harness, OTHER)
    await change_settings(harness, quiet_hours=quiet_hours(harness, allow_failures=True))
    await end_job(harness, ID, "FAILED")
    await end_job(harness, OTHER)
    await harness.wait_for_reply(card, "failed")
    await advance(harness, 32)
    [digest] = digests(harness)
    assert digest.text.startswith("1 of 1 done.")
    assert harness.thread(other) == []


async def test_digest_beyond_the_hourly_limit_is_updated_in_place(harness: BotHarness) -> None:
    """The first event is a thread reply, the others are one message."""
    card = await follow(harness)
    await follow(harness, OTHER)
    await follow(harness, THIRD)
    await change_settings(harness, posts_per_hour=1)
    await end_job(harness)
    await harness.wait_for_reply(card, "succeeded")
    await end_job(harness, OTHER, "FAILED")
    await advance(harness, 1)
    [digest] = digests(harness)
    assert digest.text.startswith("1 of 1 done, 1 failed: ")
    assert "This channel takes 1 follow-up an hour" in digest.text
    await end_job(harness, THIRD)
    await advance(harness, 1)
    [updated] = digests(harness)
    assert updated.ts == digest.ts
    assert updated.text.startswith("2 of 2 done, 1 failed: ")


async def test_digest_is_not_extended_after_an_hour(harness: BotHarness) -> None:
    """Later events open the next digest."""
    ids = [f"JOB{n}7cb1778-07b1-4c8f-a183-c86cffbe8f9e" for n in range(4)]
    for id_ in ids:
        await follow(harness, id_)
    await change_settings(harness, posts_per_hour=1)
    for id_ in ids[:2]:
        await end_job(harness, id_)
    await advance(harness, 1)
    assert len(digests(harness)) == 1
    await advance(harness, 62)
    await end_job(harness, ids[2])
    await end_job(harness, ids[3])
    await advance(harness, 1)
    assert len(digests(harness)) == 2


async def test_digest_update_waits_for_the_first_message(harness: BotHarness) -> None:
    """Slack is slow with the first message; no second one is posted."""
    for id_ in (ID, OTHER, THIRD):
        await follow(harness, id_)
    await change_settings(harness, posts_per_hour=1)
    await end_job(harness)
    harness.slack.faults.rate_limit("chat.postMessage", retry_after=60)
    for id_ in (OTHER, THIRD):
        harness.servicestage.finish(id_)
        await harness.poll_times(1)
    await advance(harness, 2)
    [digest] = digests(harness)
    assert digest.text.startswith("2 of 2 done.")


async def test_digest_with_a_lost_response_is_not_repeated(harness: BotHarness) -> None:
    """The message is found by its idempotency key."""
    await follow(harness)
    await change_settings(harness, quiet_hours=quiet_hours(harness))
    await end_job(harness)
    harness.slack.faults.lose_answer("chat.postMessage")
    await advance(harness, 40)
    assert len(digests(harness)) == 1
    assert harness.slack.calls_of("conversations.history")


async def test_digest_is_posted_after_a_downtime(
    harness: BotHarness,
) -> None:
    """One message is posted, however often the bot restarts."""
    card = await follow(harness)
    await follow(harness, OTHER)
    await change_settings(harness, quiet_hours=quiet_hours(harness))
    await end_job(harness)
    await end_job(harness, OTHER)
    await harness.bot.__aexit__(None, None, None)
    await harness.clock.advance(40 * 60)
    for _ in range(2):
        async with Bot(harness.settings, clock=harness.clock) as harness.bot:
            await advance(harness, 1)
    [digest] = digests(harness)
    assert digest.text.startswith("2 of 2 done.")
    assert harness.thread(card) == []


async def test_changed_configuration_applies_at_the_next_start(harness: BotHarness) -> None:
    """Deferred notifications are re-evaluated: without quiet hours they are posted."""
    card = await follow(harness)
    changed = harness.settings.model_copy(
        update={
            "notify": harness.settings.notify.model_copy(
                update={
                    "channels": {channel_key(harness)[1]: {"quiet_hours": quiet_hours(harness)}}
                }
            )
        }
    )
    await harness.bot.__aexit__(None, None, None)
    async with Bot(changed, clock=harness.clock) as harness.bot:
        await end_job(harness)
        assert len(await deferred_records(harness)) == 1
    async with Bot(harness.settings, clock=harness.clock) as harness.bot:
        await harness.wait_for_reply(card, "succeeded")
    assert len(harness.thread(card)) == 1


async def test_unfollowed_job_is_in_no_digest(harness: BotHarness) -> None:
    """A user who unfollows during quiet hours gets no digest about the job."""
    card = await follow(harness)
    await change_settings(harness, quiet_hours=quiet_hours(harness))
    harness.servicestage.finish(ID, "ROLLBACKING")
    await harness.poll_times(1)
    await harness.slack.click(harness.current(card), "unfollow")
    await harness.wait_for_ephemeral("no longer followed")
    await advance(harness, 32)
    assert digests(harness) == []
    async with harness.bot.store.begin() as tx:
        [decided] = await tx.decisions.since(
            *channel_key(harness), datetime.min.replace(tzinfo=UTC)
        )
    assert decided.rule == "stopped"


async def test_digest_shows_the_current_status_of_a_job(harness: BotHarness) -> None:
    """Two changes of one job are one line with the newest status."""
    await follow(harness)
    await change_settings(harness, quiet_hours=quiet_hours(harness))
    await end_job(harness, ID, "ROLLBACKING")
    await end_job(harness, ID, "ROLLBACKED")
    await advance(harness, 32)
    [digest] = digests(harness)
    assert digest.text.startswith("1 of 1 done")
    assert "rolled back" in digest.text
    assert "rolling back" not in digest.text


async def test_rejected_digest_returns_to_its_threads(
    harness: BotHarness,
) -> None:
    """Each asker is notified once, and each thread catches up once."""
    card = await follow(harness)
    await change_settings(harness, quiet_hours=quiet_hours(harness))
    await end_job(harness, ID, "FAILED")
    harness.slack.archive("deploys")
    await advance(harness, 32)
    [said] = [m for m in harness.slack.messages("im") if "no longer post" in m.text]
    assert ID in said.text
    async with harness.bot.store.begin() as tx:
        [(_, parked)] = await tx.dead_letters.watches()
    assert parked == 1
    harness.slack.workspace.unarchive("deploys")
    await advance(harness, 75)
    [digest] = harness.thread(card)
    assert "failed" in digest.text
    assert digests(harness) == []


async def test_deferred_reply_of_an_unreachable_thread_returns(harness: BotHarness) -> None:
    """The card was rejected before: no digest is tried, and the asker is notified once."""
    card = await follow(harness)
    await change_settings(harness, quiet_hours=quiet_hours(harness))
    harness.slack.archive("deploys")
    harness.servicestage.finish(ID, "ROLLBACKING")
    await harness.poll_times(1)
    await harness.settle()
    posts = len(harness.slack.calls_of("chat.postMessage"))
    await advance(harness, 32)
    notices = [m for m in harness.slack.messages("im") if "no longer post" in m.text]
    assert (len(harness.slack.calls_of("chat.postMessage")) - posts, len(notices)) == (0, 1)
    async with harness.bot.store.begin() as tx:
        [(watch, _)] = await tx.dead_letters.watches()
    assert watch.state is WatchState.UNREACHABLE
    harness.slack.workspace.unarchive("deploys")
    await advance(harness, 75)
    [digest] = harness.thread(card)
    assert "ROLLBACKING" in digest.text


async def test_deleted_digest_is_posted_again_with_new_items(harness: BotHarness) -> None:
    """A deleted message cannot be updated, so a new one has all items."""
    for id_ in (ID, OTHER, THIRD):
        await follow(harness, id_)
    await change_settings(harness, posts_per_hour=1)
    await end_job(harness)
    await end_job(harness, OTHER)
    await advance(harness, 1)
    [digest] = digests(harness)
    harness.slack.delete(digest)
    await end_job(harness, THIRD)
    await advance(harness, 2)
    [new] = [m for m in digests(harness) if m.ts != digest.ts]
    assert new.text.startswith("2 of 2 done.")


@asynccontextmanager
async def restarted(harness: BotHarness) -> AsyncIterator[BotHarness]:
    """Restart the bot on the same database."""
    await harness.bot.__aexit__(None, None, None)
    async with Bot(harness.settings, clock=harness.clock) as harness.bot:
        yield harness


async def test_stored_digest_survives_a_restart(harness: BotHarness) -> None:
    """The next process sends it; its items are no longer deferred."""
    await follow(harness)
    await change_settings(harness, quiet_hours=quiet_hours(harness))
    await end_job(harness)
    harness.slack.faults.fail("chat.postMessage", status=503, times=3)
    await harness.clock.advance(30 * 60 + 1)
    assert await deferred_records(harness) == []
    async with restarted(harness):
        await advance(harness, 2)
    assert len(digests(harness)) == 1
