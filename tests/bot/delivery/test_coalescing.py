"""A thread that was blocked for minutes gets all its updates in one message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.delivery.coalescing import is_late
from bot.store import Post, PostKind, PostState
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from localslack.state.messages import Message
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
STEPS = (JobStep("UPGRADE", 90_000),)


async def follow_job(stage: Stage, id_: str = ID) -> Message:
    """Follow a long job in the channel; return its card."""
    stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await stage.asks(f"/job deploys:{id_}")


async def change_job(stage: Stage, word: str, id_: str = ID) -> None:
    """Change a job and wait until its reply is in the outbox."""
    before = await stage.unsent()
    stage.servicestage.finish(id_, word)
    async with asyncio.timeout(10):
        while await stage.unsent() == before:
            await stage.polls()


async def advance(stage: Stage, seconds: int) -> None:
    """Advance the clock in steps of 10 seconds."""
    for _ in range(seconds // 10):
        await stage.clock.advance(10)


def block_posts(stage: Stage) -> None:
    """Make Slack answer every post with 429."""
    stage.slack.faults.rate_limit("chat.postMessage", times=None, retry_after=30)


async def unblock_posts(stage: Stage) -> None:
    """Let Slack accept posts again, and wait until the outbox is empty."""
    stage.slack.faults.clear()
    async with asyncio.timeout(10):
        while await stage.unsent():
            await stage.clock.advance(5)


async def test_changes_during_an_outage_are_one_reply(stage: Stage) -> None:
    """It lists every change, in order, and mentions the asker."""
    card = await follow_job(stage)
    block_posts(stage)
    for word in ("ROLLBACKING", "VERIFYING", "FAILED"):
        await change_job(stage, word)
    await advance(stage, 90)
    await unblock_posts(stage)
    [reply] = stage.thread(card)
    places = [reply.text.index(word) for word in ("ROLLBACKING", "VERIFYING", " failed")]
    assert places == sorted(places)
    assert f"<@{stage.slack.workspace.user('ada').id}>" in reply.text
    assert reply.broadcast


async def test_reply_that_waits_briefly_is_not_merged(stage: Stage) -> None:
    """A Retry-After of 30 seconds is common."""
    card = await follow_job(stage)
    block_posts(stage)
    await change_job(stage, "ROLLBACKING")
    await change_job(stage, "VERIFYING")
    await unblock_posts(stage)
    assert ["ROLLBACKING" in said.text for said in stage.thread(card)] == [True, False]


async def test_single_late_change_is_an_ordinary_reply(stage: Stage) -> None:
    """There is nothing to merge it with."""
    card = await follow_job(stage)
    block_posts(stage)
    await change_job(stage, "ROLLBACKING")
    await advance(stage, 120)
    await unblock_posts(stage)
    [reply] = stage.thread(card)
    assert "📬" not in reply.text


async def test_unconfirmed_reply_is_not_changed(stage: Stage) -> None:
    """It is looked up as it was sent; later replies are merged after it."""
    card = await follow_job(stage)
    stage.slack.faults.lose_answer("chat.postMessage")
    stage.slack.faults.fail("conversations.replies", times=12)
    for word in ("ROLLBACKING", "VERIFYING", "FAILED"):
        await change_job(stage, word)
    await advance(stage, 120)
    await unblock_posts(stage)
    first, second = stage.thread(card)
    assert "ROLLBACKING" in first.text
    assert "📬" in second.text
    assert "ROLLBACKING" not in second.text


async def test_merged_reply_is_merged_again(stage: Stage) -> None:
    """A merged reply that Slack rejects is merged with later ones."""
    card = await follow_job(stage)
    block_posts(stage)
    await change_job(stage, "ROLLBACKING")
    await change_job(stage, "VERIFYING")
    await advance(stage, 120)
    await change_job(stage, "FAILED")
    await advance(stage, 60)
    await unblock_posts(stage)
    [reply] = stage.thread(card)
    assert [reply.text.count(word) for word in ("ROLLBACKING", "VERIFYING", " failed")] == [1, 1, 1]


async def test_merged_reply_carries_the_newest_metadata(
    stage: Stage,
) -> None:
    """Its metadata is the last state that the thread has seen."""
    card = await follow_job(stage)
    block_posts(stage)
    await change_job(stage, "ROLLBACKING")
    await change_job(stage, "VERIFYING")
    await advance(stage, 90)
    await unblock_posts(stage)
    [reply] = stage.thread(card)
    payload = (reply.metadata or {})["event_payload"]
    assert (payload["native"], payload["over"]) == ("VERIFYING", False)


async def test_card_metadata_waits_for_pending_replies(stage: Stage) -> None:
    """Pending replies are lost with the database, so recovery must send them again."""
    card = await follow_job(stage)
    known = (card.metadata or {})["event_payload"]["revision"]
    block_posts(stage)
    for word in ("ROLLBACKING", "VERIFYING", "PAUSED"):
        await change_job(stage, word)
    await advance(stage, 60)
    shown = await stage.shown(card, "PAUSED")
    assert (shown.metadata or {})["event_payload"]["revision"] == known


async def test_refreshed_card_metadata_waits_for_pending_replies(stage: Stage) -> None:
    """The outcome is pending as well, so the card must not carry it."""
    card = await follow_job(stage)
    known = (card.metadata or {})["event_payload"]["revision"]
    block_posts(stage)
    await change_job(stage, "ROLLBACKING")
    await change_job(stage, "FAILED")
    await stage.slack.click(await stage.shown(card, "Failed"), "refresh")
    await advance(stage, 60)
    carried = (stage.now(card).metadata or {})["event_payload"]
    assert (carried["revision"], carried["over"]) == (known, False)


@pytest.mark.parametrize(
    ("seconds", "late"), [(0, False), (60, False), (61, True), (-1, True), (-3_600, True)]
)
def test_reply_is_late_after_a_minute_or_a_clock_step(seconds: int, *, late: bool) -> None:
    """A clock set back during an outage must not flood the thread."""
    post = Post(
        id=1,
        lane=0,
        state=PostState.SENDING,
        version=1,
        created_at=NOON,
        workspace="T1",
        channel="C1",
        thread="watch:1",
        key="1:2",
        kind=PostKind.POST,
        body={},
        watch_id="1",
        due_at=NOON,
    )
    assert is_late(post, NOON + timedelta(seconds=seconds)) == late
    assert not is_late(replace(post, doubtful=True), NOON + timedelta(seconds=seconds))


async def test_merged_reply_is_posted_once_after_a_crash(stage: Stage) -> None:
    """The merged reply is in the store, and its parts are not sent separately."""
    card = await follow_job(stage)
    block_posts(stage)
    await change_job(stage, "ROLLBACKING")
    await change_job(stage, "FAILED")
    await advance(stage, 90)
    await stage.bot.__aexit__(None, None, None)
    async with Bot(stage.settings, clock=stage.clock) as bot:
        stage.bot = bot
        await unblock_posts(stage)
        [reply] = stage.thread(card)
        assert "ROLLBACKING" in reply.text
        assert " failed" in reply.text
