"""Delivery is exactly once when Slack rejects, delays or loses a response."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.commands.request import Request, RequestKind
from bot.sdk.models import Job, JobRef, Message, Status
from bot.sdk.testing.faults import Fault
from bot.store import Claim, MessageKind, NewMessage
from plugins.servicestage.script import JobScript, JobStep
from tests.harness import bot_harness

if TYPE_CHECKING:
    from pathlib import Path

    from localslack.state.messages import Message as Said
    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
JOB = JobScript(ID, (JobStep("PREPARE", 30), JobStep("UPGRADE", 90)), queued_seconds=0)


def bot_messages(harness: BotHarness) -> list[Said]:
    """Return all messages of the bot, thread replies included."""
    channel = harness.slack.workspace.channel("deploys").id
    bot = harness.slack.workspace.bot.id
    return [m for m in harness.slack.workspace.messages(channel) if m.user == bot]


async def wait_for_retries(harness: BotHarness, seconds: float = 40) -> None:
    """Advance the clock past the retry delays."""
    for _ in range(int(seconds)):
        await harness.clock.advance(1)


async def test_post_with_lost_response_is_found_and_not_repeated(
    harness: BotHarness,
) -> None:
    """The card is looked up by its idempotency key before it would be sent again."""
    harness.servicestage.add(JOB)
    harness.slack.faults.lose_answer("chat.postMessage")
    await harness.says(f"/job deploys:{ID}")
    await harness.slack.until(lambda: bot_messages(harness))
    while not harness.slack.calls_of("conversations.history"):
        await harness.clock.advance(1)
    harness.servicestage.finish(ID)
    await harness.poll_times(1)
    await harness.wait_for_reply(bot_messages(harness)[0], "succeeded")
    assert len(harness.slack.calls_of("chat.postMessage")) == 2
    assert len(bot_messages(harness)) == 2


async def test_reply_with_lost_response_is_found_in_its_thread(harness: BotHarness) -> None:
    """A reply is looked up among the replies of its thread."""
    harness.servicestage.add(JOB)
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.slack.faults.lose_answer("chat.postMessage")
    harness.servicestage.finish(ID)
    await harness.poll_times(1)
    await harness.wait_for_unconfirmed_reply(card, "succeeded")
    while not harness.slack.calls_of("conversations.replies"):
        await harness.clock.advance(1)
    await wait_for_retries(harness)
    assert len(harness.thread(card)) == 1


@pytest.mark.parametrize("status", [500, 503])
async def test_post_is_retried_after_a_server_error(harness: BotHarness, status: int) -> None:
    """A server error of Slack is transient."""
    harness.servicestage.add(JOB)
    harness.slack.faults.fail("chat.postMessage", status=status)
    await harness.says(f"/job deploys:{ID}")
    while not bot_messages(harness):
        await harness.clock.advance(1)
    assert len(bot_messages(harness)) == 1


async def test_rate_limited_post_waits_for_retry_after(harness: BotHarness) -> None:
    """Retry-After is respected."""
    harness.servicestage.add(JOB)
    harness.slack.faults.rate_limit("chat.postMessage", retry_after=30)
    await harness.says(f"/job deploys:{ID}")
    await harness.slack.until(lambda: harness.slack.faults.injected)
    start = harness.clock.now()
    while not bot_messages(harness):
        await harness.clock.advance(1)
    assert (harness.clock.now() - start).total_seconds() >= 29


async def test_rejected_blocks_are_sent_in_classic_form(tmp_path: Path) -> None:
    """The card falls back to classic blocks, and the next one starts with them."""
    async with bot_harness(tmp_path, refused_blocks={"plan", "table"}) as harness:
        harness.servicestage.add(JOB)
        card = await harness.request_card(f"/job deploys:{ID}")
        assert "plan" not in {block["type"] for block in card.blocks or ()}
        assert "PREPARE" in str(card.blocks)
        harness.servicestage.finish(ID)
        await harness.advance_poll()
        await harness.wait_for_card(card, "succeeded")
        assert len(harness.slack.calls_of("chat.update")) == 1


async def test_event_delivered_twice_is_answered_once(harness: BotHarness) -> None:
    """A duplicate event from Slack gets no second answer."""
    harness.servicestage.add(JOB)
    harness.slack.faults.deliver_twice()
    await harness.request_card(f"@jobthread {ID}")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    await harness.wait_for_reply(bot_messages(harness)[0], "succeeded")
    assert len(bot_messages(harness)) == 2


async def test_request_of_a_dead_process_is_answered_after_restart(
    harness: BotHarness,
) -> None:
    """An acknowledged request is answered by any live process."""
    harness.servicestage.add(JOB)
    slack = harness.slack.workspace
    ask = Request(
        kind=RequestKind.COMMAND,
        user=slack.user("ada").id,
        channel=slack.channel("deploys").id,
        requested_at=harness.clock.now(),
        text=f"deploys:{ID}",
    )
    async with harness.bot.store.begin() as tx:
        await tx.inbox.add(
            workspace=slack.team.id,
            key="command:left",
            kind=ask.kind,
            body=ask.model_dump(mode="json"),
            now=harness.clock.now(),
            lease_until=harness.clock.now(),
        )
    await harness.clock.advance(6)
    await harness.slack.until(lambda: bot_messages(harness))


async def test_change_during_downtime_is_posted_once_after_restart(
    harness: BotHarness,
) -> None:
    """A restart neither opens a new thread nor forgets the old one."""
    harness.servicestage.add(JOB)
    card = await harness.request_card(f"/job deploys:{ID}")
    await harness.bot.__aexit__(None, None, None)
    harness.servicestage.finish(ID)
    await harness.clock.advance(600)
    async with Bot(harness.settings, clock=harness.clock) as harness.bot:
        await harness.wait_for_reply(card, "succeeded")
    assert len(harness.thread(card)) == 1


async def test_archived_channel_makes_the_watch_unreachable(
    harness: BotHarness,
) -> None:
    """The asker gets a direct message about it."""
    harness.servicestage.add(JOB)
    await harness.request_card(f"/job deploys:{ID}")
    harness.slack.archive("deploys")
    harness.servicestage.finish(ID)
    await harness.advance_poll()
    await harness.slack.until(
        lambda: any("no longer post" in m.text for m in harness.slack.messages("im"))
    )


async def test_unconfirmed_card_waits_until_the_bot_is_invited(harness: BotHarness) -> None:
    """The card may be in Slack already; after the invitation it is found and followed."""
    harness.servicestage.add(JOB)
    harness.slack.faults.lose_answer("chat.postMessage")
    await harness.says(f"/job deploys:{ID}")
    await harness.slack.until(lambda: bot_messages(harness))
    workspace = harness.slack.workspace
    workspace.leave("deploys", workspace.bot.id)
    while not harness.slack.calls_of("conversations.history"):
        await harness.clock.advance(1)
    await harness.clock.advance(1)
    workspace.join("deploys", workspace.bot.id)
    async with asyncio.timeout(5):
        while len(harness.slack.calls_of("conversations.history")) < 2:
            await harness.clock.advance(5)
    harness.servicestage.finish(ID)
    await harness.poll_times(1)
    await harness.wait_for_reply(bot_messages(harness)[0], "succeeded")
    assert len(harness.slack.calls_of("chat.postMessage")) == 2


async def test_slow_call_delays_no_other_channel(harness: BotHarness) -> None:
    """Delivery ticks continue while one message waits for Slack."""
    harness.servicestage.add(JOB)
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.slack.faults.delay("chat.postMessage", milliseconds=600_000, times=1)
    await harness.says("help", channel="im")
    while not harness.slack.faults.injected:
        await harness.clock.advance(0.1)
    await harness.clock.advance(16)
    harness.servicestage.finish(ID)
    asked = len(harness.servicestage.calls)
    while len(harness.servicestage.calls) == asked:
        await harness.advance_poll()
    await harness.wait_for_unconfirmed_reply(card, "succeeded")
    await harness.clock.advance(600)  # ends the slow call


async def test_messages_of_one_thread_keep_their_order(harness: BotHarness) -> None:
    """A later reply waits for the one before it, however often Slack rejects that."""
    harness.servicestage.add(JOB)
    card = await harness.request_card(f"/job deploys:{ID}")
    harness.slack.faults.rate_limit("chat.postMessage", times=2, retry_after=20)
    harness.servicestage.finish(ID, "ROLLBACKING")
    await harness.advance_poll()
    await harness.slack.until(lambda: harness.slack.faults.injected)
    harness.servicestage.finish(ID, "ROLLBACKED")
    await harness.advance_poll()
    while len(harness.thread(card)) < 2:
        await harness.clock.advance(1)
    assert ["ROLLBACKING" in m.text for m in harness.thread(card)] == [True, False]


async def test_late_provider_response_does_not_revert_a_thread(
    harness: BotHarness,
) -> None:
    """Another request is answered late, after the job moved on: the old state is not posted."""
    harness.servicestage.add(JOB)
    card = await harness.request_card(f"/job deploys:{ID}")
    old = {"job": {"execution_status": "RUNNING", "job_id": ID, "job_type": "PROVISION"}}
    harness.servicestage.faults.plan(Fault(200, old, after_seconds=60))
    asked = len(harness.servicestage.calls)
    await harness.says(f"/job deploys:{ID}", channel="general")
    while len(harness.servicestage.calls) == asked:
        await harness.clock.advance(0.1)
    harness.servicestage.finish(ID, "ROLLBACKING")
    await harness.poll_times(1)
    await harness.wait_for_reply(card, "ROLLBACKING")
    await wait_for_retries(harness, 60)
    while not harness.slack.messages("general"):
        await harness.clock.advance(1)
    [other] = harness.slack.messages("general")
    assert "ROLLBACKING" in other.text
    assert ["ROLLBACKING" in m.text for m in harness.thread(card)] == [True]
    assert harness.thread(other) == []


async def test_late_first_poll_of_an_ended_job_shows_its_end(
    harness: BotHarness,
) -> None:
    """Another process has followed the job to its end: no watch is added."""
    harness.servicestage.add(JOB)
    old = {"job": {"execution_status": "RUNNING", "job_id": ID, "job_type": "PROVISION"}}
    harness.servicestage.faults.plan(Fault(200, old, after_seconds=60))
    await harness.says(f"/job deploys:{ID}")
    while not harness.servicestage.calls:
        await harness.clock.advance(0.1)
    ref, now = JobRef(connection="deploys", id=ID), harness.clock.now()
    ended = Job(ref=ref, name="PROVISION", status=Status.SUCCEEDED)
    async with harness.bot.store.begin() as tx:
        await tx.jobs.track(harness.slack.workspace.team.id, ended, due_at=now, now=now)
        await tx.jobs.sleep_unwatched()
    while not harness.slack.messages():
        await harness.clock.advance(1)
    [card] = harness.slack.messages()
    assert "succeeded" in card.text
    async with harness.bot.store.begin() as tx:
        assert await tx.watches.list_open() == []
        assert await tx.jobs.connections() == []


async def test_claims_of_a_dead_process_expire_soon_after_restart(
    harness: BotHarness,
) -> None:
    """They last only as long as Slack may still process the call."""
    harness.servicestage.add(JOB)
    slack, now = harness.slack.workspace, harness.clock.now()
    left = NewMessage(
        idempotency_key="left",
        workspace=slack.team.id,
        channel=slack.channel("deploys").id,
        ordering_key="left",
        kind=MessageKind.POST,
        body={"message": Message(text="hello").model_dump()},
        due_at=now,
    )
    far = Claim(now + timedelta(seconds=300), now + timedelta(seconds=300))
    async with harness.bot.store.begin() as tx:
        await tx.outbox.add_claimed(left, far, now)
    await harness.bot.__aexit__(None, None, None)
    async with (
        Bot(harness.settings, clock=harness.clock) as harness.bot,
        harness.bot.store.begin() as tx,
    ):
        for seconds, keys in ((4, []), (6, ["left"])):
            then = now + timedelta(seconds=seconds)
            due = await tx.outbox.due(lanes=(0, 1), now=then, limit=9)
            assert [post.idempotency_key for post in due] == keys


async def test_ephemeral_sent_as_direct_message_is_looked_up(harness: BotHarness) -> None:
    """The bot is not in the channel, and the response to the direct message is lost."""
    slack, now = harness.slack.workspace, harness.clock.now()
    harness.slack.remove_bot("deploys")
    harness.slack.faults.lose_answer("chat.postMessage")
    ephemeral = NewMessage(
        idempotency_key="ephemeral",
        workspace=slack.team.id,
        channel=slack.channel("deploys").id,
        ordering_key="ephemeral",
        kind=MessageKind.EPHEMERAL,
        body={"message": Message(text="psst").model_dump(), "asker": slack.user("ada").id},
        due_at=now,
    )
    async with harness.bot.store.begin() as tx:
        await tx.outbox.add([ephemeral], now)
    harness.bot.dispatcher.wake()
    while not harness.slack.calls_of("conversations.history"):
        await harness.clock.advance(1)
    await harness.settle()
    assert [said.text for said in harness.slack.messages("im")] == ["psst"]
