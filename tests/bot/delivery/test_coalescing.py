"""A thread that was blocked for minutes gets all its updates in one message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.delivery.coalescing import is_late
from bot.store import MessageKind, MessageState, OutboxMessage
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from localslack.state.messages import Message
    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
STEPS = (JobStep("UPGRADE", 90_000),)


async def follow_job(harness: BotHarness, id_: str = ID) -> Message:
    """Follow a long job in the channel; return its card."""
    harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await harness.request_card(f"/job deploys:{id_}")


async def change_job(harness: BotHarness, word: str, id_: str = ID) -> None:
    """Change a job and wait until its reply is in the outbox."""
    before = await harness.pending_messages()
    harness.servicestage.finish(id_, word)
    async with asyncio.timeout(10):
        while await harness.pending_messages() == before:
            await harness.advance_poll()


async def advance(harness: BotHarness, seconds: int) -> None:
    """Advance the clock in steps of 10 seconds."""
    for _ in range(seconds // 10):
        await harness.clock.advance(10)


def block_posts(harness: BotHarness) -> None:
    """Make Slack answer every post with 429."""
    harness.slack.faults.rate_limit("chat.postMessage", times=None, retry_after=30)


async def unblock_posts(harness: BotHarness) -> None:
    """Let Slack accept posts again, and wait until the outbox is empty."""
    harness.slack.faults.clear()
    async with asyncio.timeout(10):
        while await harness.pending_messages():
            await harness.clock.advance(5)


async def test_changes_during_an_outage_are_one_reply(harness: BotHarness) -> None:
    """It lists every change, in order, and mentions the asker."""
    card = await follow_job(harness)
    block_posts(harness)
    for word in ("ROLLBACKING", "VERIFYING", "FAILED"):
        await change_job(harness, word)
    await advance(harness, 90)
    await unblock_posts(harness)
    [reply] = harness.thread(card)
    places = [reply.text.index(word) for word in ("ROLLBACKING", "VERIFYING", " failed")]
    assert places == sorted(places)
    assert f"<@{harness.slack.workspace.user('ada').id}>" in reply.text
    assert reply.broadcast


async def test_reply_that_waits_briefly_is_not_merged(harness: BotHarness) -> None:
    """A Retry-After of 30 seconds is common."""
    card = await follow_job(harness)
    block_posts(harness)
    await change_job(harness, "ROLLBACKING")
    await change_job(harness, "VERIFYING")
    await unblock_posts(harness)
    assert ["ROLLBACKING" in said.text for said in harness.thread(card)] == [True, False]


async def test_single_late_change_is_an_ordinary_reply(harness: BotHarness) -> None:
    """There is nothing to merge it with."""
    card = await follow_job(harness)
    block_posts(harness)
    await change_job(harness, "ROLLBACKING")
    await advance(harness, 120)
    await unblock_posts(harness)
    [reply] = harness.thread(card)
    assert "📬" not in reply.text


async def test_unconfirmed_reply_is_not_changed(harness: BotHarness) -> None:
    """It is looked up as it was sent; later replies are merged after it."""
    card = await follow_job(harness)
    harness.slack.faults.lose_answer("chat.postMessage")
    harness.slack.faults.fail("conversations.replies", times=12)
    for word in ("ROLLBACKING", "VERIFYING", "FAILED"):
        await change_job(harness, word)
    await advance(harness, 120)
    await unblock_posts(harness)
    first, second = harness.thread(card)
    assert "ROLLBACKING" in first.text
    assert "📬" in second.text
    assert "ROLLBACKING" not in second.text


async def test_merged_reply_is_merged_again(harness: BotHarness) -> None:
    """A merged reply that Slack rejects is merged with later ones."""
    card = await follow_job(harness)
    block_posts(harness)
    await change_job(harness, "ROLLBACKING")
    await change_job(harness, "VERIFYING")
    await advance(harness, 120)
    await change_job(harness, "FAILED")
    await advance(harness, 60)
    await unblock_posts(harness)
    [reply] = harness.thread(card)
    assert [reply.text.count(word) for word in ("ROLLBACKING", "VERIFYING", " failed")] == [1, 1, 1]


async def test_merged_reply_carries_the_newest_metadata(
    harness: BotHarness,
) -> None:
    """Its metadata is the last state that the thread has seen."""
    card = await follow_job(harness)
    block_posts(harness)
    await change_job(harness, "ROLLBACKING")
    await change_job(harness, "VERIFYING")
    await advance(harness, 90)
    await unblock_posts(harness)
    [reply] = harness.thread(card)
    payload = (reply.metadata or {})["event_payload"]
    assert (payload["native"], payload["over"]) == ("VERIFYING", False)


async def test_card_metadata_waits_for_pending_replies(harness: BotHarness) -> None:
    """Pending replies are lost with the database, so recovery must send them again."""
    card = await follow_job(harness)
    known = (card.metadata or {})["event_payload"]["revision"]
    block_posts(harness)
    for word in ("ROLLBACKING", "VERIFYING", "PAUSED"):
        await change_job(harness, word)
    await advance(harness, 60)
    shown = await harness.wait_for_card(card, "PAUSED")
    assert (shown.metadata or {})["event_payload"]["revision"] == known


async def test_refreshed_card_metadata_waits_for_pending_replies(harness: BotHarness) -> None:
    """The outcome is pending as well, so the card must not carry it."""
    card = await follow_job(harness)
    known = (card.metadata or {})["event_payload"]["revision"]
    block_posts(harness)
    await change_job(harness, "ROLLBACKING")
    await change_job(harness, "FAILED")
    await harness.slack.click(await harness.wait_for_card(card, "Failed"), "refresh")
    await advance(harness, 60)
    carried = (harness.current(card).metadata or {})["event_payload"]
    assert (carried["revision"], carried["over"]) == (known, False)


@pytest.mark.parametrize(
    ("seconds", "late"), [(0, False), (60, False), (61, True), (-1, True), (-3_600, True)]
)
def test_reply_is_late_after_a_minute_or_a_clock_step(seconds: int, *, late: bool) -> None:
    """A clock set back during an outage must not flood the thread."""
    post = OutboxMessage(
        id=1,
        lane=0,
        state=MessageState.SENDING,
        version=1,
        created_at=NOON,
        workspace="T1",
        channel="C1",
        ordering_key="watch:1",
        idempotency_key="1:2",
        kind=MessageKind.POST,
        body={},
        watch_id="1",
        due_at=NOON,
    )
    assert is_late(post, NOON + timedelta(seconds=seconds)) == late
    assert not is_late(replace(post, unconfirmed=True), NOON + timedelta(seconds=seconds))


async def test_merged_reply_is_posted_once_after_a_crash(harness: BotHarness) -> None:
    """The merged reply is in the store, and its parts are not sent separately."""
    card = await follow_job(harness)
    block_posts(harness)
    await change_job(harness, "ROLLBACKING")
    await change_job(harness, "FAILED")
    await advance(harness, 90)
    await harness.bot.__aexit__(None, None, None)
    async with Bot(harness.settings, clock=harness.clock) as bot:
        harness.bot = bot
        await unblock_posts(harness)
        [reply] = harness.thread(card)
        assert "ROLLBACKING" in reply.text
        assert " failed" in reply.text
