"""Recovery rebuilds the watches from Slack after a loss of the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.cli.recover import RecoveryResult, find_active, find_recoverable, recover
from bot.delivery import message_metadata
from bot.sdk.errors import SettingsError, StoreError
from bot.sdk.models import JobRef
from bot.settings import SlackSettings, StoreSettings
from bot.slack.web_api import EVENT_TYPE
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from bot.settings import Settings
    from localslack.state.messages import Message
    from tests.harness import BotHarness

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))
REF = JobRef(connection="deploys", id=ID)


async def follow_job(
    harness: BotHarness, text: str = f"/job deploys:{ID}", **where: Any
) -> Message:
    """Follow a long job; return its card."""
    harness.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    return await harness.request_card(text, **where)


async def change_job(harness: BotHarness, word: str) -> None:
    """Change the job, and wait for the bot's reply."""
    harness.servicestage.finish(ID, word)
    await harness.poll_times(1)
    await harness.settle()


async def lose_database(harness: BotHarness) -> Settings:
    """Stop the bot; return settings with an empty database."""
    await harness.bot.__aexit__(None, None, None)
    store = StoreSettings(url=harness.settings.store.url.replace("jobthread.db", "new.db"))
    return harness.settings.model_copy(update={"store": store})


async def recover_channels(
    harness: BotHarness, settings: Settings, *channels: str
) -> list[RecoveryResult]:
    """Recover the channels, by default `deploys`."""
    ids = [harness.slack.workspace.channel(name).id for name in channels or ("deploys",)]
    since = harness.clock.now() - timedelta(days=30)
    return await recover(settings, ids, since, harness.clock)


async def test_change_after_the_loss_is_posted_in_the_old_thread(harness: BotHarness) -> None:
    """Nothing is repeated, and no second card appears."""
    card = await follow_job(harness)
    await change_job(harness, "ROLLBACKING")
    settings = await lose_database(harness)
    harness.servicestage.finish(ID, "ROLLBACKED")
    [done] = await recover_channels(harness, settings)
    assert (done.active_cards, done.resumed, done.unknown_connections) == (1, 1, ())
    async with Bot(settings, clock=harness.clock) as harness.bot:
        await harness.wait_for_reply(card, "rolled back")
        await harness.advance_poll()
        await harness.settle()
    assert ["rolling back" in m.text for m in harness.thread(card)] == [True, False]
    assert "rolled back" in harness.current(card).text


def test_digest_is_no_card() -> None:
    """Its metadata is only its idempotency key."""
    payload = {"event_type": EVENT_TYPE, "event_payload": {"key": "digest:0123"}}
    assert find_active("T1", "C1", [{"ts": "1.0", "metadata": payload}]) == []


async def test_known_state_is_not_posted_again(harness: BotHarness) -> None:
    """A job that did not change since the loss gets no reply."""
    card = await follow_job(harness)
    await change_job(harness, "ROLLBACKING")
    settings = await lose_database(harness)
    await recover_channels(harness, settings)
    async with Bot(settings, clock=harness.clock) as harness.bot:
        await harness.poll_times(2)
        await harness.settle()
        assert await harness.watches() == [REF]
    assert len(harness.thread(card)) == 1


async def test_card_without_replies_is_recovered(harness: BotHarness) -> None:
    """The card itself carries the state that its thread has seen."""
    card = await follow_job(harness)
    settings = await lose_database(harness)
    harness.servicestage.finish(ID, "SUCCEEDED")
    await recover_channels(harness, settings)
    async with Bot(settings, clock=harness.clock) as harness.bot:
        await harness.wait_for_reply(card, "succeeded")
    assert len(harness.thread(card)) == 1


async def test_card_in_a_thread_is_recovered_there(harness: BotHarness) -> None:
    """A mention in a thread is answered and followed in that thread."""
    await harness.says("What about the deployment?")
    question = harness.slack.messages()[-1]
    harness.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    await harness.says(f"@jobthread {ID}", thread_ts=question.ts)
    await harness.slack.until(lambda: len(harness.thread(question)) == 2)
    await harness.settle()
    settings = await lose_database(harness)
    harness.servicestage.finish(ID, "SUCCEEDED")
    assert [done.resumed for done in await recover_channels(harness, settings)] == [1]
    async with Bot(settings, clock=harness.clock) as harness.bot:
        await harness.wait_for_reply(question, "succeeded")


async def test_job_with_a_posted_outcome_is_not_recovered(harness: BotHarness) -> None:
    """Its thread is complete."""
    card = await follow_job(harness)
    harness.servicestage.finish(ID)
    await harness.poll_times(1)
    await harness.wait_for_reply(card, "succeeded")
    settings = await lose_database(harness)
    assert [done.active_cards for done in await recover_channels(harness, settings)] == [0]


async def test_unfollowed_watch_is_not_recovered(harness: BotHarness) -> None:
    """The card's metadata says that the watch has ended."""
    await follow_job(harness)
    await harness.says(f"/job unwatch deploys:{ID}")
    await harness.wait_for_ephemeral("no longer")
    await harness.settle()
    settings = await lose_database(harness)
    assert [done.active_cards for done in await recover_channels(harness, settings)] == [0]


async def test_job_of_two_channels_is_recovered_in_both(harness: BotHarness) -> None:
    """One row for the job, one watch per thread."""
    cards = [await follow_job(harness), await follow_job(harness, channel="general")]
    settings = await lose_database(harness)
    done = await recover_channels(harness, settings, "deploys", "general")
    assert [one.resumed for one in done] == [1, 1]
    harness.servicestage.finish(ID, "SUCCEEDED")
    async with Bot(settings, clock=harness.clock) as harness.bot:
        for card in cards:
            await harness.wait_for_reply(card, "succeeded")
    assert [len(harness.thread(card)) for card in cards] == [1, 1]


async def test_thread_behind_another_gets_what_it_missed(harness: BotHarness) -> None:
    """Each thread gets the change once, before or after the loss."""
    cards = [await follow_job(harness), await follow_job(harness, channel="general")]
    harness.slack.faults.rate_limit("chat.postMessage", retry_after=3_000)
    harness.servicestage.finish(ID, "ROLLBACKING")
    while not harness.slack.faults.injected:
        await harness.clock.advance(0.1)
    await harness.slack.until(lambda: sum(len(harness.thread(card)) for card in cards) == 1)
    settings = await lose_database(harness)
    harness.slack.faults.clear()
    await recover_channels(harness, settings, "deploys", "general")
    async with Bot(settings, clock=harness.clock) as harness.bot:
        for card in cards:
            await harness.wait_for_reply(card, "rolling back")
        await harness.poll_times(1)
        await harness.settle()
    assert [len(harness.thread(card)) for card in cards] == [1, 1]


async def test_second_recovery_adds_nothing(harness: BotHarness) -> None:
    """It can be repeated after an interruption."""
    await follow_job(harness)
    settings = await lose_database(harness)
    await recover_channels(harness, settings)
    [again] = await recover_channels(harness, settings)
    assert (again.active_cards, again.resumed) == (1, 0)


async def test_unknown_connection_is_named(harness: BotHarness) -> None:
    """Its jobs cannot be polled."""
    await follow_job(harness)
    settings = (await lose_database(harness)).model_copy(update={"connections": {}})
    [done] = await recover_channels(harness, settings)
    assert (done.resumed, done.unknown_connections) == (0, ("deploys",))


async def test_recovery_is_refused_beside_a_running_bot(harness: BotHarness) -> None:
    """The lock fails before any call to Slack."""
    with pytest.raises(StoreError, match="Another jobthread"):
        await recover_channels(harness, harness.settings)


async def test_recovery_is_refused_without_a_token(harness: BotHarness) -> None:
    """All missing secrets are named."""
    settings = harness.settings.model_copy(update={"slack": SlackSettings()})
    with pytest.raises(SettingsError, match="bot_token"):
        await recover_channels(harness, settings)


async def test_recovery_waits_for_slacks_rate_limits(harness: BotHarness) -> None:
    """A failed or limited page is requested again."""
    await follow_job(harness)
    settings = await lose_database(harness)
    harness.slack.faults.fail("conversations.history", status=503)
    harness.slack.faults.rate_limit("conversations.replies", retry_after=30)
    work = asyncio.ensure_future(recover_channels(harness, settings))
    while not work.done():
        await harness.clock.advance(1)
        await asyncio.sleep(0)
    assert [done.resumed for done in work.result()] == [1]


def sent(ts: str, **payload: Any) -> dict[str, Any]:
    return {"ts": ts, "metadata": {"event_type": EVENT_TYPE, "event_payload": payload}}


CARD = {
    "card": True,
    "watch": "w1",
    "connection": "deploys",
    "job": "J1",
    "asker": "U1",
    "workspace": "T1",
    "status": "running",
    "revision": 1,
}


def test_newest_metadata_of_a_thread_counts() -> None:
    """The messages may be found in any order."""
    later = sent("3.0", watch="w1", revision=7, status="waiting", native="PAUSE")
    earlier = sent("2.0", watch="w1", revision=4, status="queued")
    [found] = find_active("T1", "C1", [sent("1.0", **CARD), later, earlier])
    assert (found.revision, found.job.status, found.job.native_status) == (7, "waiting", "PAUSE")


def test_reported_task_failures_are_not_reported_again() -> None:
    """The metadata carries the ids of the tasks."""
    later = sent("2.0", watch="w1", revision=2, status="running", failed=["T1"], ended=["R1"])
    [found] = find_active("T1", "C1", [sent("1.0", **CARD), later])
    assert [task.id for task in found.job.failed_tasks] == ["T1"]
    assert [task.id for task in found.job.tasks if task.announced] == ["R1"]


@pytest.mark.parametrize(
    "message",
    [
        {"ts": "1.0"},
        {"ts": "1.0", "metadata": {"event_type": "somebody_else", "event_payload": CARD}},
        {"ts": "1.0", "metadata": {"event_type": EVENT_TYPE, "event_payload": ["card"]}},
        sent("1.0", **{**CARD, "workspace": "T2"}),
        sent("1.0", **{**CARD, "job": ""}),
        sent("1.0", **{**CARD, "status": "a future status"}),
        sent("1.0", key="only a key"),
    ],
)
def test_unknown_messages_are_ignored(message: dict[str, Any]) -> None:
    """Old versions, newer ones, and other people's apps."""
    assert find_active("T1", "C1", [message]) == []


def test_task_ids_in_metadata_are_limited() -> None:
    """Slack accepts only so much; the newest ids are kept."""
    ids = [f"run-{number:06}" for number in range(10_000)]
    kept = message_metadata._ids(ids)
    assert kept == ids[-len(kept) :]
    assert sum(map(len, kept)) < message_metadata.MAX_ID_CHARACTERS


async def test_board_is_recovered_with_all_its_rows(harness: BotHarness) -> None:
    """Its one message stands for all its jobs, the ended ones included."""
    place = harness.slack.workspace.channel("deploys").id
    async with harness.bot.store.begin() as tx:
        team = harness.slack.workspace.team.id
        await tx.channel_settings.replace(team, place, {"board": True}, "U1", harness.clock.now())
    third = ID.replace("17cb", "37cb")
    for id_ in (ID, OTHER, third):
        harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    board = await harness.request_card(f"/job deploys:{ID} deploys:{OTHER} deploys:{third}")
    harness.servicestage.finish(third)
    await harness.advance_poll()
    await harness.wait_for_reply(board, "succeeded")
    await harness.wait_for_card(board, "1 of 3 done")
    settings = await lose_database(harness)
    harness.servicestage.finish(ID, "ROLLBACKING")
    [done] = await recover_channels(harness, settings)
    assert (done.active_cards, done.resumed) == (2, 2)
    async with Bot(settings, clock=harness.clock) as harness.bot:
        await harness.wait_for_reply(board, "rolling back")
        shown = await harness.wait_for_card(board, "1 of 3 done")
        assert all(id_ in str(shown.blocks) for id_ in (ID, OTHER, third))
        await harness.settle()
        assert {ref.id for ref in await harness.watches()} == {ID, OTHER}
    assert len(harness.thread(board)) == 2


def test_unknown_board_row_is_skipped() -> None:
    """Rows of a newer version do not affect the others."""
    rows = [["w1", "deploys", "J1", 1, False, "running"], ["w2"], "w3", ["w4", "d", "", 1, False]]
    payload = {"board": "b1", "workspace": "T1", "asker": "U1", "rows": rows}
    [found] = find_active("T1", "C1", [sent("1.0", **payload)])
    assert (found.watch.id, found.watch.board_id, found.watch.asker) == ("w1", "b1", "U1")


def test_ended_board_is_not_recovered() -> None:
    """All its rows have ended."""
    rows = [["w1", "deploys", "J1", 3, True, "failed"], ["w2", "deploys", "J2", 3, True, "failed"]]
    payload = {"board": "b1", "workspace": "T1", "asker": "U1", "rows": rows}
    assert find_recoverable("T1", "C1", [sent("1.0", **payload)]) == []


async def test_pending_replies_of_a_board_are_posted_after_the_loss(
    harness: BotHarness,
) -> None:
    """A board may be redrawn before the reply about one of its jobs is posted."""
    place, team = harness.slack.workspace.channel("deploys").id, harness.slack.workspace.team.id
    async with harness.bot.store.begin() as tx:
        await tx.channel_settings.replace(team, place, {"board": True}, "U1", harness.clock.now())
    for id_ in (ID, OTHER):
        harness.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    board = await harness.request_card(f"/job deploys:{ID} deploys:{OTHER}")
    harness.slack.faults.rate_limit("chat.postMessage", retry_after=3_000)
    harness.servicestage.finish(ID, "SUCCEEDED")
    await harness.clock.advance(10)
    await harness.wait_for_card(board, "1 of 2 done")
    harness.servicestage.finish(OTHER, "ROLLBACKING")
    await harness.clock.advance(20)
    await harness.wait_for_card(board, "rolling back")
    assert harness.thread(board) == []
    settings = await lose_database(harness)
    harness.slack.faults.clear()
    await recover_channels(harness, settings)
    async with Bot(settings, clock=harness.clock) as harness.bot:
        await harness.wait_for_reply(board, "succeeded")
        await harness.wait_for_reply(board, "rolling back")
    assert len(harness.thread(board)) == 2
