"""Delivery is exactly once when Slack rejects, delays or loses a response."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.commands.request import Ask, Kind
from bot.sdk.models import Job, JobRef, Message, Status
from bot.sdk.testing.faults import Fault
from bot.store import Claim, NewPost, PostKind
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.conftest import staged

if TYPE_CHECKING:
    from pathlib import Path

    from localslack.state.messages import Message as Said
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
JOB = JobScript(ID, (JobStep("PREPARE", 30), JobStep("UPGRADE", 90)), queued_seconds=0)


def bot_messages(stage: Stage) -> list[Said]:
    """Return all messages of the bot, thread replies included."""
    channel = stage.slack.workspace.channel("deploys").id
    bot = stage.slack.workspace.bot.id
    return [m for m in stage.slack.workspace.said(channel) if m.user == bot]


async def wait_for_retries(stage: Stage, seconds: float = 40) -> None:
    """Advance the clock past the retry delays."""
    for _ in range(int(seconds)):
        await stage.clock.advance(1)


async def test_post_with_lost_response_is_found_and_not_repeated(
    stage: Stage,
) -> None:
    """The card is looked up by its idempotency key before it would be sent again."""
    stage.servicestage.add(JOB)
    stage.slack.faults.lose_answer("chat.postMessage")
    await stage.says(f"/job deploys:{ID}")
    await stage.slack.until(lambda: bot_messages(stage))
    while not stage.slack.called("conversations.history"):
        await stage.clock.advance(1)
    stage.servicestage.finish(ID)
    await stage.looks(1)
    await stage.replied(bot_messages(stage)[0], "succeeded")
    assert len(stage.slack.called("chat.postMessage")) == 2
    assert len(bot_messages(stage)) == 2


async def test_reply_with_lost_response_is_found_in_its_thread(stage: Stage) -> None:
    """A reply is looked up among the replies of its thread."""
    stage.servicestage.add(JOB)
    card = await stage.asks(f"/job deploys:{ID}")
    stage.slack.faults.lose_answer("chat.postMessage")
    stage.servicestage.finish(ID)
    await stage.looks(1)
    await stage.heard(card, "succeeded")
    while not stage.slack.called("conversations.replies"):
        await stage.clock.advance(1)
    await wait_for_retries(stage)
    assert len(stage.thread(card)) == 1


@pytest.mark.parametrize("status", [500, 503])
async def test_post_is_retried_after_a_server_error(stage: Stage, status: int) -> None:
    """A server error of Slack is transient."""
    stage.servicestage.add(JOB)
    stage.slack.faults.fail("chat.postMessage", status=status)
    await stage.says(f"/job deploys:{ID}")
    while not bot_messages(stage):
        await stage.clock.advance(1)
    assert len(bot_messages(stage)) == 1


async def test_rate_limited_post_waits_for_retry_after(stage: Stage) -> None:
    """Retry-After is respected."""
    stage.servicestage.add(JOB)
    stage.slack.faults.rate_limit("chat.postMessage", retry_after=30)
    await stage.says(f"/job deploys:{ID}")
    await stage.slack.until(lambda: stage.slack.faults.done)
    start = stage.clock.now()
    while not bot_messages(stage):
        await stage.clock.advance(1)
    assert (stage.clock.now() - start).total_seconds() >= 29


async def test_rejected_blocks_are_sent_in_classic_form(tmp_path: Path) -> None:
    """The card falls back to classic blocks, and the next one starts with them."""
    async with staged(tmp_path, refused_blocks={"plan", "table"}) as stage:
        stage.servicestage.add(JOB)
        card = await stage.asks(f"/job deploys:{ID}")
        assert "plan" not in {block["type"] for block in card.blocks or ()}
        assert "PREPARE" in str(card.blocks)
        stage.servicestage.finish(ID)
        await stage.polls()
        await stage.shown(card, "succeeded")
        assert len(stage.slack.called("chat.update")) == 1


async def test_event_delivered_twice_is_answered_once(stage: Stage) -> None:
    """A duplicate event from Slack gets no second answer."""
    stage.servicestage.add(JOB)
    stage.slack.faults.deliver_twice()
    await stage.asks(f"@jobthread {ID}")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.replied(bot_messages(stage)[0], "succeeded")
    assert len(bot_messages(stage)) == 2


async def test_request_of_a_dead_process_is_answered_after_restart(
    stage: Stage,
) -> None:
    """An acknowledged request is answered by any live process."""
    stage.servicestage.add(JOB)
    slack = stage.slack.workspace
    ask = Ask(
        kind=Kind.COMMAND,
        user=slack.user("ada").id,
        channel=slack.channel("deploys").id,
        at=stage.clock.now(),
        text=f"deploys:{ID}",
    )
    async with stage.bot.store.begin() as tx:
        await tx.inbox.add(
            workspace=slack.team.id,
            key="command:left",
            kind=ask.kind,
            body=ask.model_dump(mode="json"),
            now=stage.clock.now(),
            lease_until=stage.clock.now(),
        )
    await stage.clock.advance(6)
    await stage.slack.until(lambda: bot_messages(stage))


async def test_change_during_downtime_is_posted_once_after_restart(
    stage: Stage,
) -> None:
    """A restart neither opens a new thread nor forgets the old one."""
    stage.servicestage.add(JOB)
    card = await stage.asks(f"/job deploys:{ID}")
    await stage.bot.__aexit__(None, None, None)
    stage.servicestage.finish(ID)
    await stage.clock.advance(600)
    async with Bot(stage.settings, clock=stage.clock) as stage.bot:
        await stage.replied(card, "succeeded")
    assert len(stage.thread(card)) == 1


async def test_archived_channel_makes_the_watch_unreachable(
    stage: Stage,
) -> None:
    """The asker gets a direct message about it."""
    stage.servicestage.add(JOB)
    await stage.asks(f"/job deploys:{ID}")
    stage.slack.archive("deploys")
    stage.servicestage.finish(ID)
    await stage.polls()
    await stage.slack.until(
        lambda: any("no longer post" in m.text for m in stage.slack.messages("im"))
    )


async def test_unconfirmed_card_waits_until_the_bot_is_invited(stage: Stage) -> None:
    """The card may be in Slack already; after the invitation it is found and followed."""
    stage.servicestage.add(JOB)
    stage.slack.faults.lose_answer("chat.postMessage")
    await stage.says(f"/job deploys:{ID}")
    await stage.slack.until(lambda: bot_messages(stage))
    workspace = stage.slack.workspace
    workspace.leave("deploys", workspace.bot.id)
    while not stage.slack.called("conversations.history"):
        await stage.clock.advance(1)
    await stage.clock.advance(1)
    workspace.join("deploys", workspace.bot.id)
    async with asyncio.timeout(5):
        while len(stage.slack.called("conversations.history")) < 2:
            await stage.clock.advance(5)
    stage.servicestage.finish(ID)
    await stage.looks(1)
    await stage.replied(bot_messages(stage)[0], "succeeded")
    assert len(stage.slack.called("chat.postMessage")) == 2


async def test_slow_call_delays_no_other_channel(stage: Stage) -> None:
    """Delivery ticks continue while one message waits for Slack."""
    stage.servicestage.add(JOB)
    card = await stage.asks(f"/job deploys:{ID}")
    stage.slack.faults.delay("chat.postMessage", milliseconds=600_000, times=1)
    await stage.says("help", channel="im")
    while not stage.slack.faults.done:
        await stage.clock.advance(0.1)
    await stage.clock.advance(16)
    stage.servicestage.finish(ID)
    asked = len(stage.servicestage.calls)
    while len(stage.servicestage.calls) == asked:
        await stage.polls()
    await stage.heard(card, "succeeded")
    await stage.clock.advance(600)  # ends the slow call


async def test_messages_of_one_thread_keep_their_order(stage: Stage) -> None:
    """A later reply waits for the one before it, however often Slack rejects that."""
    stage.servicestage.add(JOB)
    card = await stage.asks(f"/job deploys:{ID}")
    stage.slack.faults.rate_limit("chat.postMessage", times=2, retry_after=20)
    stage.servicestage.finish(ID, "ROLLBACKING")
    await stage.polls()
    await stage.slack.until(lambda: stage.slack.faults.done)
    stage.servicestage.finish(ID, "ROLLBACKED")
    await stage.polls()
    while len(stage.thread(card)) < 2:
        await stage.clock.advance(1)
    assert ["ROLLBACKING" in m.text for m in stage.thread(card)] == [True, False]


async def test_late_provider_response_does_not_revert_a_thread(
    stage: Stage,
) -> None:
    """Another request is answered late, after the job moved on: the old state is not posted."""
    stage.servicestage.add(JOB)
    card = await stage.asks(f"/job deploys:{ID}")
    old = {"job": {"execution_status": "RUNNING", "job_id": ID, "job_type": "PROVISION"}}
    stage.servicestage.faults.plan(Fault(200, old, after_seconds=60))
    asked = len(stage.servicestage.calls)
    await stage.says(f"/job deploys:{ID}", channel="general")
    while len(stage.servicestage.calls) == asked:
        await stage.clock.advance(0.1)
    stage.servicestage.finish(ID, "ROLLBACKING")
    await stage.looks(1)
    await stage.replied(card, "ROLLBACKING")
    await wait_for_retries(stage, 60)
    while not stage.slack.messages("general"):
        await stage.clock.advance(1)
    [other] = stage.slack.messages("general")
    assert "ROLLBACKING" in other.text
    assert ["ROLLBACKING" in m.text for m in stage.thread(card)] == [True]
    assert stage.thread(other) == []


async def test_late_first_poll_of_an_ended_job_shows_its_end(
    stage: Stage,
) -> None:
    """Another process has followed the job to its end: no watch is added."""
    stage.servicestage.add(JOB)
    old = {"job": {"execution_status": "RUNNING", "job_id": ID, "job_type": "PROVISION"}}
    stage.servicestage.faults.plan(Fault(200, old, after_seconds=60))
    await stage.says(f"/job deploys:{ID}")
    while not stage.servicestage.calls:
        await stage.clock.advance(0.1)
    ref, now = JobRef(connection="deploys", id=ID), stage.clock.now()
    ended = Job(ref=ref, name="PROVISION", status=Status.SUCCEEDED)
    async with stage.bot.store.begin() as tx:
        await tx.jobs.track(stage.slack.workspace.team.id, ended, due_at=now, now=now)
        await tx.jobs.settle()
    while not stage.slack.messages():
        await stage.clock.advance(1)
    [card] = stage.slack.messages()
    assert "succeeded" in card.text
    async with stage.bot.store.begin() as tx:
        assert await tx.watches.living() == []
        assert await tx.jobs.connections() == []


async def test_claims_of_a_dead_process_expire_soon_after_restart(
    stage: Stage,
) -> None:
    """They last only as long as Slack may still process the call."""
    stage.servicestage.add(JOB)
    slack, now = stage.slack.workspace, stage.clock.now()
    left = NewPost(
        key="left",
        workspace=slack.team.id,
        channel=slack.channel("deploys").id,
        thread="left",
        kind=PostKind.POST,
        body={"message": Message(text="hello").model_dump()},
        due_at=now,
    )
    far = Claim(now + timedelta(seconds=300), now + timedelta(seconds=300))
    async with stage.bot.store.begin() as tx:
        await tx.outbox.add_claimed(left, far, now)
    await stage.bot.__aexit__(None, None, None)
    async with (
        Bot(stage.settings, clock=stage.clock) as stage.bot,
        stage.bot.store.begin() as tx,
    ):
        for seconds, keys in ((4, []), (6, ["left"])):
            then = now + timedelta(seconds=seconds)
            due = await tx.outbox.due(lanes=(0, 1), now=then, limit=9)
            assert [post.key for post in due] == keys


async def test_ephemeral_sent_as_direct_message_is_looked_up(stage: Stage) -> None:
    """The bot is not in the channel, and the response to the direct message is lost."""
    slack, now = stage.slack.workspace, stage.clock.now()
    stage.slack.remove_bot("deploys")
    stage.slack.faults.lose_answer("chat.postMessage")
    ephemeral = NewPost(
        key="ephemeral",
        workspace=slack.team.id,
        channel=slack.channel("deploys").id,
        thread="ephemeral",
        kind=PostKind.EPHEMERAL,
        body={"message": Message(text="psst").model_dump(), "asker": slack.user("ada").id},
        due_at=now,
    )
    async with stage.bot.store.begin() as tx:
        await tx.outbox.add([ephemeral], now)
    stage.bot.deliverer.ring()
    while not stage.slack.called("conversations.history"):
        await stage.clock.advance(1)
    await stage.at_rest()
    assert [said.text for said in stage.slack.messages("im")] == ["psst"]
