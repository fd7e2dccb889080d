"""A thread that Slack kept silent for minutes is told all of it in one message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.delivery.gathering import is_late
from bot.store import Post, PostKind, PostState
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from bot.playground.messages import Message
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
STEPS = (JobStep("UPGRADE", 90_000),)


async def followed(stage: Stage, id_: str = ID) -> Message:
    """Let a long job be followed in the channel."""
    stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    return await stage.asks(f"/job deploys:{id_}")


async def turned(stage: Stage, word: str, id_: str = ID) -> None:
    """Let a job change, and the bot write down what it cannot say now."""
    before = await stage.unsent()
    stage.servicestage.finish(id_, word)
    async with asyncio.timeout(10):
        while await stage.unsent() == before:
            await stage.polls()


async def passes(stage: Stage, seconds: int) -> None:
    """Let the time pass, and the bot do what it does."""
    for _ in range(seconds // 10):
        await stage.clock.advance(10)


def silence(stage: Stage) -> None:
    """Let Slack take no post."""
    stage.slack.faults.rate_limit("chat.postMessage", times=None, retry_after=30)


async def speech(stage: Stage) -> None:
    """Let Slack take posts again, and everything be said."""
    stage.slack.faults.clear()
    async with asyncio.timeout(10):
        while await stage.unsent():
            await stage.clock.advance(5)


async def test_what_happened_while_slack_took_nothing_is_one_follow_up(stage: Stage) -> None:
    """It names every change, in order, and calls whoever asked."""
    card = await followed(stage)
    silence(stage)
    for word in ("ROLLBACKING", "VERIFYING", "FAILED"):
        await turned(stage, word)
    await passes(stage, 90)
    await speech(stage)
    [told] = stage.thread(card)
    places = [told.text.index(word) for word in ("ROLLBACKING", "VERIFYING", " failed")]
    assert places == sorted(places)
    assert f"<@{stage.slack.workspace.user('ada').id}>" in told.text
    assert told.broadcast


async def test_a_follow_up_that_waits_a_moment_is_told_alone(stage: Stage) -> None:
    """Slack says "wait 30 seconds" often enough."""
    card = await followed(stage)
    silence(stage)
    await turned(stage, "ROLLBACKING")
    await turned(stage, "VERIFYING")
    await speech(stage)
    assert ["ROLLBACKING" in said.text for said in stage.thread(card)] == [True, False]


async def test_one_change_that_was_late_is_an_ordinary_follow_up(stage: Stage) -> None:
    """There is nothing to be told with it."""
    card = await followed(stage)
    silence(stage)
    await turned(stage, "ROLLBACKING")
    await passes(stage, 120)
    await speech(stage)
    [told] = stage.thread(card)
    assert "📬" not in told.text


async def test_a_post_that_slack_may_have_taken_is_not_made_another(stage: Stage) -> None:
    """It is looked up as it was sent; what waits behind it is told after it."""
    card = await followed(stage)
    stage.slack.faults.lose_answer("chat.postMessage")
    stage.slack.faults.fail("conversations.replies", times=12)
    for word in ("ROLLBACKING", "VERIFYING", "FAILED"):
        await turned(stage, word)
    await passes(stage, 120)
    await speech(stage)
    first, second = stage.thread(card)
    assert "ROLLBACKING" in first.text
    assert "📬" in second.text
    assert "ROLLBACKING" not in second.text


async def test_a_silence_in_two_parts_is_told_whole(stage: Stage) -> None:
    """What was gathered once, and refused again, is gathered with what came later."""
    card = await followed(stage)
    silence(stage)
    await turned(stage, "ROLLBACKING")
    await turned(stage, "VERIFYING")
    await passes(stage, 120)
    await turned(stage, "FAILED")
    await passes(stage, 60)
    await speech(stage)
    [told] = stage.thread(card)
    assert [told.text.count(word) for word in ("ROLLBACKING", "VERIFYING", " failed")] == [1, 1, 1]


async def test_what_a_silent_thread_was_told_is_known_after_the_loss_of_the_database(
    stage: Stage,
) -> None:
    """The message carries what the thread knows by then."""
    card = await followed(stage)
    silence(stage)
    await turned(stage, "ROLLBACKING")
    await turned(stage, "VERIFYING")
    await passes(stage, 90)
    await speech(stage)
    [told] = stage.thread(card)
    payload = (told.metadata or {})["event_payload"]
    assert (payload["native"], payload["over"]) == ("VERIFYING", False)


async def test_a_card_knows_no_more_than_a_silent_thread_was_told(stage: Stage) -> None:
    """What waits is lost with the database, and must be told again then."""
    card = await followed(stage)
    known = (card.metadata or {})["event_payload"]["revision"]
    silence(stage)
    for word in ("ROLLBACKING", "VERIFYING", "PAUSED"):
        await turned(stage, word)
    await passes(stage, 60)
    shown = await stage.shown(card, "PAUSED")
    assert (shown.metadata or {})["event_payload"]["revision"] == known


async def test_a_card_that_is_refreshed_knows_no_more_than_a_silent_thread(stage: Stage) -> None:
    """The outcome waits as well, so nobody may take it for told."""
    card = await followed(stage)
    known = (card.metadata or {})["event_payload"]["revision"]
    silence(stage)
    await turned(stage, "ROLLBACKING")
    await turned(stage, "FAILED")
    await stage.slack.click(await stage.shown(card, "Failed"), "refresh")
    await passes(stage, 60)
    carried = (stage.now(card).metadata or {})["event_payload"]
    assert (carried["revision"], carried["over"]) == (known, False)


@pytest.mark.parametrize(
    ("seconds", "late"), [(0, False), (60, False), (61, True), (-1, True), (-3_600, True)]
)
def test_a_follow_up_is_late_after_a_minute_or_when_it_seems_to_be_from_later(
    seconds: int, *, late: bool
) -> None:
    """A clock that was set back in a silence must not flood the thread."""
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


async def test_it_is_told_once_though_the_process_dies_in_the_silence(stage: Stage) -> None:
    """What was gathered is in the store, and what it tells is told nowhere else."""
    card = await followed(stage)
    silence(stage)
    await turned(stage, "ROLLBACKING")
    await turned(stage, "FAILED")
    await passes(stage, 90)
    await stage.bot.__aexit__(None, None, None)
    async with Bot(stage.settings, clock=stage.clock) as bot:
        stage.bot = bot
        await speech(stage)
        [told] = stage.thread(card)
        assert "ROLLBACKING" in told.text
        assert " failed" in told.text
