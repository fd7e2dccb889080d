"""Recovery rebuilds the watches from Slack after a loss of the database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.cli.recover import Recovered, living, recover, unfinished
from bot.delivery import message_metadata
from bot.sdk.errors import SettingsError, StoreError
from bot.sdk.models import JobRef
from bot.settings import SlackSettings, StoreSettings
from bot.slack.web_api import EVENT_TYPE
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from bot.settings import Settings
    from localslack.state.messages import Message
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))
REF = JobRef(connection="deploys", id=ID)


async def follow_job(stage: Stage, text: str = f"/job deploys:{ID}", **where: Any) -> Message:
    """Follow a long job; return its card."""
    stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    return await stage.asks(text, **where)


async def change_job(stage: Stage, word: str) -> None:
    """Change the job, and wait for the bot's reply."""
    stage.servicestage.finish(ID, word)
    await stage.looks(1)
    await stage.at_rest()


async def lose_database(stage: Stage) -> Settings:
    """Stop the bot; return settings with an empty database."""
    await stage.bot.__aexit__(None, None, None)
    store = StoreSettings(url=stage.settings.store.url.replace("jobthread.db", "new.db"))
    return stage.settings.model_copy(update={"store": store})


async def recover_channels(stage: Stage, settings: Settings, *channels: str) -> list[Recovered]:
    """Recover the channels, by default `deploys`."""
    ids = [stage.slack.workspace.channel(name).id for name in channels or ("deploys",)]
    since = stage.clock.now() - timedelta(days=30)
    return await recover(settings, ids, since, stage.clock)


async def test_change_after_the_loss_is_posted_in_the_old_thread(stage: Stage) -> None:
    """Nothing is repeated, and no second card appears."""
    card = await follow_job(stage)
    await change_job(stage, "ROLLBACKING")
    settings = await lose_database(stage)
    stage.servicestage.finish(ID, "ROLLBACKED")
    [done] = await recover_channels(stage, settings)
    assert (done.living, done.begun, done.strange) == (1, 1, ())
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(card, "rolled back")
        await stage.polls()
        await stage.at_rest()
    assert ["rolling back" in m.text for m in stage.thread(card)] == [True, False]
    assert "rolled back" in stage.now(card).text


def test_digest_is_no_card() -> None:
    """Its metadata is only its idempotency key."""
    payload = {"event_type": EVENT_TYPE, "event_payload": {"key": "digest:0123"}}
    assert living("T1", "C1", [{"ts": "1.0", "metadata": payload}]) == []


async def test_known_state_is_not_posted_again(stage: Stage) -> None:
    """A job that did not change since the loss gets no reply."""
    card = await follow_job(stage)
    await change_job(stage, "ROLLBACKING")
    settings = await lose_database(stage)
    await recover_channels(stage, settings)
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.looks(2)
        await stage.at_rest()
        assert await stage.watches() == [REF]
    assert len(stage.thread(card)) == 1


async def test_card_without_replies_is_recovered(stage: Stage) -> None:
    """The card itself carries the state that its thread has seen."""
    card = await follow_job(stage)
    settings = await lose_database(stage)
    stage.servicestage.finish(ID, "SUCCEEDED")
    await recover_channels(stage, settings)
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(card, "succeeded")
    assert len(stage.thread(card)) == 1


async def test_card_in_a_thread_is_recovered_there(stage: Stage) -> None:
    """A mention in a thread is answered and followed in that thread."""
    await stage.says("What about the deployment?")
    question = stage.slack.messages()[-1]
    stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    await stage.says(f"@jobthread {ID}", thread_ts=question.ts)
    await stage.slack.until(lambda: len(stage.thread(question)) == 2)
    await stage.at_rest()
    settings = await lose_database(stage)
    stage.servicestage.finish(ID, "SUCCEEDED")
    assert [done.begun for done in await recover_channels(stage, settings)] == [1]
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(question, "succeeded")


async def test_job_with_a_posted_outcome_is_not_recovered(stage: Stage) -> None:
    """Its thread is complete."""
    card = await follow_job(stage)
    stage.servicestage.finish(ID)
    await stage.looks(1)
    await stage.replied(card, "succeeded")
    settings = await lose_database(stage)
    assert [done.living for done in await recover_channels(stage, settings)] == [0]


async def test_unfollowed_watch_is_not_recovered(stage: Stage) -> None:
    """The card's metadata says that the watch has ended."""
    await follow_job(stage)
    await stage.says(f"/job unwatch deploys:{ID}")
    await stage.whispered("no longer")
    await stage.at_rest()
    settings = await lose_database(stage)
    assert [done.living for done in await recover_channels(stage, settings)] == [0]


async def test_job_of_two_channels_is_recovered_in_both(stage: Stage) -> None:
    """One row for the job, one watch per thread."""
    cards = [await follow_job(stage), await follow_job(stage, channel="general")]
    settings = await lose_database(stage)
    done = await recover_channels(stage, settings, "deploys", "general")
    assert [one.begun for one in done] == [1, 1]
    stage.servicestage.finish(ID, "SUCCEEDED")
    async with Bot(settings, clock=stage.clock) as stage.bot:
        for card in cards:
            await stage.replied(card, "succeeded")
    assert [len(stage.thread(card)) for card in cards] == [1, 1]


async def test_thread_behind_another_gets_what_it_missed(stage: Stage) -> None:
    """Each thread gets the change once, before or after the loss."""
    cards = [await follow_job(stage), await follow_job(stage, channel="general")]
    stage.slack.faults.rate_limit("chat.postMessage", retry_after=3_000)
    stage.servicestage.finish(ID, "ROLLBACKING")
    while not stage.slack.faults.done:
        await stage.clock.advance(0.1)
    await stage.slack.until(lambda: sum(len(stage.thread(card)) for card in cards) == 1)
    settings = await lose_database(stage)
    stage.slack.faults.clear()
    await recover_channels(stage, settings, "deploys", "general")
    async with Bot(settings, clock=stage.clock) as stage.bot:
        for card in cards:
            await stage.replied(card, "rolling back")
        await stage.looks(1)
        await stage.at_rest()
    assert [len(stage.thread(card)) for card in cards] == [1, 1]


async def test_second_recovery_adds_nothing(stage: Stage) -> None:
    """It can be repeated after an interruption."""
    await follow_job(stage)
    settings = await lose_database(stage)
    await recover_channels(stage, settings)
    [again] = await recover_channels(stage, settings)
    assert (again.living, again.begun) == (1, 0)


async def test_unknown_connection_is_named(stage: Stage) -> None:
    """Its jobs cannot be polled."""
    await follow_job(stage)
    settings = (await lose_database(stage)).model_copy(update={"connections": {}})
    [done] = await recover_channels(stage, settings)
    assert (done.begun, done.strange) == (0, ("deploys",))


async def test_recovery_is_refused_beside_a_running_bot(stage: Stage) -> None:
    """The lock fails before any call to Slack."""
    with pytest.raises(StoreError, match="Another jobthread"):
        await recover_channels(stage, stage.settings)


async def test_recovery_is_refused_without_a_token(stage: Stage) -> None:
    """All missing secrets are named."""
    settings = stage.settings.model_copy(update={"slack": SlackSettings()})
    with pytest.raises(SettingsError, match="bot_token"):
        await recover_channels(stage, settings)


async def test_recovery_waits_for_slacks_rate_limits(stage: Stage) -> None:
    """A failed or limited page is requested again."""
    await follow_job(stage)
    settings = await lose_database(stage)
    stage.slack.faults.fail("conversations.history", status=503)
    stage.slack.faults.rate_limit("conversations.replies", retry_after=30)
    work = asyncio.ensure_future(recover_channels(stage, settings))
    while not work.done():
        await stage.clock.advance(1)
        await asyncio.sleep(0)
    assert [done.begun for done in work.result()] == [1]


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
    [found] = living("T1", "C1", [sent("1.0", **CARD), later, earlier])
    assert (found.revision, found.job.status, found.job.native_status) == (7, "waiting", "PAUSE")


def test_reported_task_failures_are_not_reported_again() -> None:
    """The metadata carries the ids of the tasks."""
    later = sent("2.0", watch="w1", revision=2, status="running", failed=["T1"], ended=["R1"])
    [found] = living("T1", "C1", [sent("1.0", **CARD), later])
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
    assert living("T1", "C1", [message]) == []


def test_task_ids_in_metadata_are_limited() -> None:
    """Slack accepts only so much; the newest ids are kept."""
    ids = [f"run-{number:06}" for number in range(10_000)]
    kept = message_metadata._ids(ids)
    assert kept == ids[-len(kept) :]
    assert sum(map(len, kept)) < message_metadata.MOST_CHARACTERS


async def test_board_is_recovered_with_all_its_rows(stage: Stage) -> None:
    """Its one message stands for all its jobs, the ended ones included."""
    place = stage.slack.workspace.channel("deploys").id
    async with stage.bot.store.begin() as tx:
        team = stage.slack.workspace.team.id
        await tx.contracts.set(team, place, {"board": True}, "U1", stage.clock.now())
    third = ID.replace("17cb", "37cb")
    for id_ in (ID, OTHER, third):
        stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    board = await stage.asks(f"/job deploys:{ID} deploys:{OTHER} deploys:{third}")
    stage.servicestage.finish(third)
    await stage.polls()
    await stage.replied(board, "succeeded")
    await stage.shown(board, "1 of 3 done")
    settings = await lose_database(stage)
    stage.servicestage.finish(ID, "ROLLBACKING")
    [done] = await recover_channels(stage, settings)
    assert (done.living, done.begun) == (2, 2)
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(board, "rolling back")
        shown = await stage.shown(board, "1 of 3 done")
        assert all(id_ in str(shown.blocks) for id_ in (ID, OTHER, third))
        await stage.at_rest()
        assert {ref.id for ref in await stage.watches()} == {ID, OTHER}
    assert len(stage.thread(board)) == 2


def test_unknown_board_row_is_skipped() -> None:
    """Rows of a newer version do not affect the others."""
    rows = [["w1", "deploys", "J1", 1, False, "running"], ["w2"], "w3", ["w4", "d", "", 1, False]]
    payload = {"board": "b1", "workspace": "T1", "asker": "U1", "rows": rows}
    [found] = living("T1", "C1", [sent("1.0", **payload)])
    assert (found.watch.id, found.watch.board_id, found.watch.asker) == ("w1", "b1", "U1")


def test_ended_board_is_not_recovered() -> None:
    """All its rows have ended."""
    rows = [["w1", "deploys", "J1", 3, True, "failed"], ["w2", "deploys", "J2", 3, True, "failed"]]
    payload = {"board": "b1", "workspace": "T1", "asker": "U1", "rows": rows}
    assert unfinished("T1", "C1", [sent("1.0", **payload)]) == []


async def test_pending_replies_of_a_board_are_posted_after_the_loss(
    stage: Stage,
) -> None:
    """A board may be redrawn before the reply about one of its jobs is posted."""
    place, team = stage.slack.workspace.channel("deploys").id, stage.slack.workspace.team.id
    async with stage.bot.store.begin() as tx:
        await tx.contracts.set(team, place, {"board": True}, "U1", stage.clock.now())
    for id_ in (ID, OTHER):
        stage.servicestage.add(JobScript(id_, STEPS, queued_seconds=0))
    board = await stage.asks(f"/job deploys:{ID} deploys:{OTHER}")
    stage.slack.faults.rate_limit("chat.postMessage", retry_after=3_000)
    stage.servicestage.finish(ID, "SUCCEEDED")
    await stage.clock.advance(10)
    await stage.shown(board, "1 of 2 done")
    stage.servicestage.finish(OTHER, "ROLLBACKING")
    await stage.clock.advance(20)
    await stage.shown(board, "rolling back")
    assert stage.thread(board) == []
    settings = await lose_database(stage)
    stage.slack.faults.clear()
    await recover_channels(stage, settings)
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(board, "succeeded")
        await stage.replied(board, "rolling back")
    assert len(stage.thread(board)) == 2
