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

    from bot.store import Decided
    from localslack.state.messages import Message
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
THIRD = "JOB37cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))


def channel_key(stage: Stage) -> tuple[str, str]:
    """Return the ids of the workspace and the channel."""
    workspace = stage.slack.workspace
    return workspace.team.id, workspace.channel("deploys").id


async def change_settings(stage: Stage, **values: Any) -> None:
    """Change the channel settings and wake the workers."""
    now = stage.clock.now()
    async with stage.bot.store.begin() as tx:
        await tx.contracts.set(*channel_key(stage), values, "U1", now)
        await deferred.redecide(tx, stage.bot.notices, *channel_key(stage), now)
    stage.bot.ring()


def quiet_hours(stage: Stage, minutes: int = 30, **more: Any) -> dict[str, Any]:
    """Return quiet hours that have begun and end in this many minutes."""
    now = stage.clock.now()
    end = now + timedelta(minutes=minutes)
    hours = {"begins": f"{now - timedelta(hours=1):%H:%M}", "ends": f"{end:%H:%M}"}
    return {**hours, "zone": "UTC", **more}


async def follow(stage: Stage, id_: str = ID) -> Message:
    """Follow a long job in the channel."""
    stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await stage.asks(f"/job deploys:{id_}")


async def end_job(stage: Stage, id_: str = ID, native_status: str = "SUCCEEDED") -> None:
    """End a job and poll it."""
    if native_status == "FAILED":
        stage.servicestage.fail(id_, 0, "disk full")
    else:
        stage.servicestage.finish(id_, native_status)
    await stage.looks(1)
    await stage.at_rest()


async def advance(stage: Stage, minutes: float) -> None:
    """Advance the clock in steps of 15 seconds, with the bot at rest after each."""
    for _ in range(round(minutes * 4)):
        await stage.clock.advance(15)
        await stage.at_rest()


def digests(stage: Stage) -> list[Message]:
    """Return the bot's digests in the channel."""
    return [
        m
        for m in stage.slack.messages()
        if m.user == stage.slack.workspace.bot.id and " done" in m.text.split("\n")[0][:20]
    ]


async def deferred(stage: Stage) -> list[Decided]:
    """Return the deferred decisions."""
    async with stage.bot.store.begin() as tx:
        return await tx.decisions.held(*channel_key(stage))


async def test_quiet_hours_end_with_one_digest(stage: Stage) -> None:
    """It has the counts, then one line for each job with a link to its card; no thread replies."""
    cards = [await follow(stage), await follow(stage, OTHER), await follow(stage, THIRD)]
    await change_settings(stage, quiet_hours=quiet_hours(stage))
    await end_job(stage)
    await end_job(stage, OTHER, "FAILED")
    await stage.clock.advance(20 * 60)
    assert digests(stage) == []
    await advance(stage, 12)
    [digest] = digests(stage)
    assert digest.text.startswith("2 of 2 done, 1 failed: ")
    assert "at step PREPARE" in digest.text.split("\n")[0]
    assert f"<@{stage.slack.workspace.user('ada').id}>" in digest.text
    assert "Quiet hours until" in digest.text
    for card in cards[:2]:
        assert card.ts.replace(".", "") in str(digest.blocks)
    assert [stage.thread(card) for card in cards] == [[], [], []]
    assert await deferred(stage) == []


async def test_failures_may_be_posted_during_quiet_hours(stage: Stage) -> None:
    """They are posted in their thread at once, and not again in the digest."""
    card = await follow(stage)
    other = await follow(stage, OTHER)
    await change_settings(stage, quiet_hours=quiet_hours(stage, failures_pass=True))
    await end_job(stage, ID, "FAILED")
    await end_job(stage, OTHER)
    await stage.replied(card, "failed")
    await advance(stage, 32)
    [digest] = digests(stage)
    assert digest.text.startswith("1 of 1 done.")
    assert stage.thread(other) == []


async def test_digest_beyond_the_hourly_limit_is_updated_in_place(stage: Stage) -> None:
    """The first event is a thread reply, the others are one message."""
    card = await follow(stage)
    await follow(stage, OTHER)
    await follow(stage, THIRD)
    await change_settings(stage, posts_per_hour=1)
    await end_job(stage)
    await stage.replied(card, "succeeded")
    await end_job(stage, OTHER, "FAILED")
    await advance(stage, 1)
    [digest] = digests(stage)
    assert digest.text.startswith("1 of 1 done, 1 failed: ")
    assert "This channel takes 1 follow-up an hour" in digest.text
    await end_job(stage, THIRD)
    await advance(stage, 1)
    [updated] = digests(stage)
    assert updated.ts == digest.ts
    assert updated.text.startswith("2 of 2 done, 1 failed: ")


async def test_digest_is_not_extended_after_an_hour(stage: Stage) -> None:
    """Later events open the next digest."""
    ids = [f"JOB{n}7cb1778-07b1-4c8f-a183-c86cffbe8f9e" for n in range(4)]
    for id_ in ids:
        await follow(stage, id_)
    await change_settings(stage, posts_per_hour=1)
    for id_ in ids[:2]:
        await end_job(stage, id_)
    await advance(stage, 1)
    assert len(digests(stage)) == 1
    await advance(stage, 62)
    await end_job(stage, ids[2])
    await end_job(stage, ids[3])
    await advance(stage, 1)
    assert len(digests(stage)) == 2


async def test_digest_update_waits_for_the_first_message(stage: Stage) -> None:
    """Slack is slow with the first message; no second one is posted."""
    for id_ in (ID, OTHER, THIRD):
        await follow(stage, id_)
    await change_settings(stage, posts_per_hour=1)
    await end_job(stage)
    stage.slack.faults.rate_limit("chat.postMessage", retry_after=60)
    for id_ in (OTHER, THIRD):
        stage.servicestage.finish(id_)
        await stage.looks(1)
    await advance(stage, 2)
    [digest] = digests(stage)
    assert digest.text.startswith("2 of 2 done.")


async def test_digest_with_a_lost_response_is_not_repeated(stage: Stage) -> None:
    """The message is found by its idempotency key."""
    await follow(stage)
    await change_settings(stage, quiet_hours=quiet_hours(stage))
    await end_job(stage)
    stage.slack.faults.lose_answer("chat.postMessage")
    await advance(stage, 40)
    assert len(digests(stage)) == 1
    assert stage.slack.called("conversations.history")


async def test_digest_is_posted_after_a_downtime(
    stage: Stage,
) -> None:
    """One message is posted, however often the bot restarts."""
    card = await follow(stage)
    await follow(stage, OTHER)
    await change_settings(stage, quiet_hours=quiet_hours(stage))
    await end_job(stage)
    await end_job(stage, OTHER)
    await stage.bot.__aexit__(None, None, None)
    await stage.clock.advance(40 * 60)
    for _ in range(2):
        async with Bot(stage.settings, clock=stage.clock) as stage.bot:
            await advance(stage, 1)
    [digest] = digests(stage)
    assert digest.text.startswith("2 of 2 done.")
    assert stage.thread(card) == []


async def test_changed_configuration_applies_at_the_next_start(stage: Stage) -> None:
    """Deferred notifications are re-evaluated: without quiet hours they are posted."""
    card = await follow(stage)
    changed = stage.settings.model_copy(
        update={
            "notify": stage.settings.notify.model_copy(
                update={"channels": {channel_key(stage)[1]: {"quiet_hours": quiet_hours(stage)}}}
            )
        }
    )
    await stage.bot.__aexit__(None, None, None)
    async with Bot(changed, clock=stage.clock) as stage.bot:
        await end_job(stage)
        assert len(await deferred(stage)) == 1
    async with Bot(stage.settings, clock=stage.clock) as stage.bot:
        await stage.replied(card, "succeeded")
    assert len(stage.thread(card)) == 1


async def test_unfollowed_job_is_in_no_digest(stage: Stage) -> None:
    """A user who unfollows during quiet hours gets no digest about the job."""
    card = await follow(stage)
    await change_settings(stage, quiet_hours=quiet_hours(stage))
    stage.servicestage.finish(ID, "ROLLBACKING")
    await stage.looks(1)
    await stage.slack.click(stage.now(card), "unfollow")
    await stage.whispered("no longer followed")
    await advance(stage, 32)
    assert digests(stage) == []
    async with stage.bot.store.begin() as tx:
        [decided] = await tx.decisions.since(*channel_key(stage), datetime.min.replace(tzinfo=UTC))
    assert decided.rule == "stopped"


async def test_digest_shows_the_current_status_of_a_job(stage: Stage) -> None:
    """Two changes of one job are one line with the newest status."""
    await follow(stage)
    await change_settings(stage, quiet_hours=quiet_hours(stage))
    await end_job(stage, ID, "ROLLBACKING")
    await end_job(stage, ID, "ROLLBACKED")
    await advance(stage, 32)
    [digest] = digests(stage)
    assert digest.text.startswith("1 of 1 done")
    assert "rolled back" in digest.text
    assert "rolling back" not in digest.text


async def test_rejected_digest_returns_to_its_threads(
    stage: Stage,
) -> None:
    """Each asker is notified once, and each thread catches up once."""
    card = await follow(stage)
    await change_settings(stage, quiet_hours=quiet_hours(stage))
    await end_job(stage, ID, "FAILED")
    stage.slack.archive("deploys")
    await advance(stage, 32)
    [said] = [m for m in stage.slack.messages("im") if "no longer post" in m.text]
    assert ID in said.text
    async with stage.bot.store.begin() as tx:
        [(_, parked)] = await tx.parked.watches()
    assert parked == 1
    stage.slack.workspace.unarchive("deploys")
    await advance(stage, 75)
    [digest] = stage.thread(card)
    assert "failed" in digest.text
    assert digests(stage) == []


async def test_deferred_reply_of_an_unreachable_thread_returns(stage: Stage) -> None:
    """The card was rejected before: no digest is tried, and the asker is notified once."""
    card = await follow(stage)
    await change_settings(stage, quiet_hours=quiet_hours(stage))
    stage.slack.archive("deploys")
    stage.servicestage.finish(ID, "ROLLBACKING")
    await stage.looks(1)
    await stage.at_rest()
    posts = len(stage.slack.called("chat.postMessage"))
    await advance(stage, 32)
    notices = [m for m in stage.slack.messages("im") if "no longer post" in m.text]
    assert (len(stage.slack.called("chat.postMessage")) - posts, len(notices)) == (0, 1)
    async with stage.bot.store.begin() as tx:
        [(watch, _)] = await tx.parked.watches()
    assert watch.state is WatchState.PARKED
    stage.slack.workspace.unarchive("deploys")
    await advance(stage, 75)
    [digest] = stage.thread(card)
    assert "ROLLBACKING" in digest.text


async def test_deleted_digest_is_posted_again_with_new_items(stage: Stage) -> None:
    """A deleted message cannot be updated, so a new one has all items."""
    for id_ in (ID, OTHER, THIRD):
        await follow(stage, id_)
    await change_settings(stage, posts_per_hour=1)
    await end_job(stage)
    await end_job(stage, OTHER)
    await advance(stage, 1)
    [digest] = digests(stage)
    stage.slack.delete(digest)
    await end_job(stage, THIRD)
    await advance(stage, 2)
    [new] = [m for m in digests(stage) if m.ts != digest.ts]
    assert new.text.startswith("2 of 2 done.")


@asynccontextmanager
async def restarted(stage: Stage) -> AsyncIterator[Stage]:
    """Restart the bot on the same database."""
    await stage.bot.__aexit__(None, None, None)
    async with Bot(stage.settings, clock=stage.clock) as stage.bot:
        yield stage


async def test_stored_digest_survives_a_restart(stage: Stage) -> None:
    """The next process sends it; its items are no longer deferred."""
    await follow(stage)
    await change_settings(stage, quiet_hours=quiet_hours(stage))
    await end_job(stage)
    stage.slack.faults.fail("chat.postMessage", status=503, times=3)
    await stage.clock.advance(30 * 60 + 1)
    assert await deferred(stage) == []
    async with restarted(stage):
        await advance(stage, 2)
    assert len(digests(stage)) == 1
