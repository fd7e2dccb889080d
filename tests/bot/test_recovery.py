"""The database is lost, the threads are not: what living cards promise is kept all the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot import told
from bot.app import Bot
from bot.errors import SettingsError, StoreError
from bot.models import JobRef
from bot.recovery import Recovered, living, recover, unfinished
from bot.settings import SlackSettings, StoreSettings
from bot.slack.outgoing import EVENT_TYPE
from plugins.servicestage.script import JobScript, JobStep

if TYPE_CHECKING:
    from bot.playground.messages import Message
    from bot.settings import Settings
    from tests.bot.conftest import Stage

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB27cb1778-07b1-4c8f-a183-c86cffbe8f9e"
STEPS = (JobStep("PREPARE", 30_000), JobStep("UPGRADE", 90_000))
REF = JobRef(connection="deploys", id=ID)


async def followed(stage: Stage, text: str = f"/job deploys:{ID}", **where: Any) -> Message:
    """Let a long job be followed."""
    stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    return await stage.asks(text, **where)


async def turned(stage: Stage, word: str) -> None:
    """Let the job change, and the bot tell it."""
    stage.servicestage.finish(ID, word)
    await stage.looks(1)
    await stage.at_rest()


async def lost(stage: Stage) -> Settings:
    """Stop the bot, and forget all that its database held."""
    await stage.bot.__aexit__(None, None, None)
    store = StoreSettings(url=stage.settings.store.url.replace("jobthread.db", "new.db"))
    return stage.settings.model_copy(update={"store": store})


async def recovered(stage: Stage, settings: Settings, *channels: str) -> list[Recovered]:
    """Recover the channels, `deploys` unless others are named."""
    ids = [stage.slack.workspace.channel(name).id for name in channels or ("deploys",)]
    since = stage.clock.now() - timedelta(days=30)
    return await recover(settings, ids, since, stage.clock)


async def test_a_change_after_the_loss_is_told_once_in_the_old_thread(stage: Stage) -> None:
    """Nothing is repeated, and no second card appears."""
    card = await followed(stage)
    await turned(stage, "ROLLBACKING")
    settings = await lost(stage)
    stage.servicestage.finish(ID, "ROLLBACKED")
    [done] = await recovered(stage, settings)
    assert (done.living, done.begun, done.strange) == (1, 1, ())
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(card, "rolled back")
        await stage.polls()
        await stage.at_rest()
    assert ["rolling back" in m.text for m in stage.thread(card)] == [True, False]
    assert "rolled back" in stage.now(card).text


def test_a_digest_is_no_card_and_stands_for_no_watch() -> None:
    """It carries its key, by which it is found after a crash, and nothing else."""
    payload = {"event_type": EVENT_TYPE, "event_payload": {"key": "digest:0123"}}
    assert living("T1", "C1", [{"ts": "1.0", "metadata": payload}]) == []


async def test_what_the_thread_knows_is_not_told_again(stage: Stage) -> None:
    """A job that did not change since the loss is followed in silence."""
    card = await followed(stage)
    await turned(stage, "ROLLBACKING")
    settings = await lost(stage)
    await recovered(stage, settings)
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.looks(2)
        await stage.at_rest()
        assert await stage.watches() == [REF]
    assert len(stage.thread(card)) == 1


async def test_a_card_without_a_follow_up_is_recovered_too(stage: Stage) -> None:
    """The card itself carries what its thread knows."""
    card = await followed(stage)
    settings = await lost(stage)
    stage.servicestage.finish(ID, "SUCCEEDED")
    await recovered(stage, settings)
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(card, "succeeded")
    assert len(stage.thread(card)) == 1


async def test_a_card_in_somebodys_thread_is_recovered_there(stage: Stage) -> None:
    """A mention in a thread is answered and followed in that thread."""
    await stage.says("What about the deployment?")
    question = stage.slack.messages()[-1]
    stage.servicestage.add(JobScript(ID, STEPS, queued_seconds=0))
    await stage.says(f"@jobthread {ID}", thread_ts=question.ts)
    await stage.slack.until(lambda: len(stage.thread(question)) == 2)
    await stage.at_rest()
    settings = await lost(stage)
    stage.servicestage.finish(ID, "SUCCEEDED")
    assert [done.begun for done in await recovered(stage, settings)] == [1]
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(question, "succeeded")


async def test_a_job_that_was_told_to_its_end_is_not_followed_again(stage: Stage) -> None:
    """Its thread is complete."""
    card = await followed(stage)
    stage.servicestage.finish(ID)
    await stage.looks(1)
    await stage.replied(card, "succeeded")
    settings = await lost(stage)
    assert [done.living for done in await recovered(stage, settings)] == [0]


async def test_a_watch_that_its_asker_stopped_is_not_followed_again(stage: Stage) -> None:
    """The card carries that, too."""
    await followed(stage)
    await stage.says(f"/job unwatch deploys:{ID}")
    await stage.whispered("no longer")
    await stage.at_rest()
    settings = await lost(stage)
    assert [done.living for done in await recovered(stage, settings)] == [0]


async def test_a_job_of_two_channels_is_recovered_in_both(stage: Stage) -> None:
    """One row for the job, a watch for each thread."""
    cards = [await followed(stage), await followed(stage, channel="general")]
    settings = await lost(stage)
    done = await recovered(stage, settings, "deploys", "general")
    assert [one.begun for one in done] == [1, 1]
    stage.servicestage.finish(ID, "SUCCEEDED")
    async with Bot(settings, clock=stage.clock) as stage.bot:
        for card in cards:
            await stage.replied(card, "succeeded")
    assert [len(stage.thread(card)) for card in cards] == [1, 1]


async def test_a_thread_that_lagged_behind_another_hears_what_it_missed(stage: Stage) -> None:
    """What one thread was told before the loss, the other is told after it, each once."""
    cards = [await followed(stage), await followed(stage, channel="general")]
    stage.slack.faults.rate_limit("chat.postMessage", retry_after=3_000)
    stage.servicestage.finish(ID, "ROLLBACKING")
    while not stage.slack.faults.done:
        await stage.clock.advance(0.1)
    await stage.slack.until(lambda: sum(len(stage.thread(card)) for card in cards) == 1)
    settings = await lost(stage)
    stage.slack.faults.clear()
    await recovered(stage, settings, "deploys", "general")
    async with Bot(settings, clock=stage.clock) as stage.bot:
        for card in cards:
            await stage.replied(card, "rolling back")
        await stage.looks(1)
        await stage.at_rest()
    assert [len(stage.thread(card)) for card in cards] == [1, 1]


async def test_recovering_twice_adds_nothing(stage: Stage) -> None:
    """Nobody needs to know how far the first time came."""
    await followed(stage)
    settings = await lost(stage)
    await recovered(stage, settings)
    [again] = await recovered(stage, settings)
    assert (again.living, again.begun) == (1, 0)


async def test_a_connection_that_is_gone_is_named(stage: Stage) -> None:
    """Its jobs could not be looked at."""
    await followed(stage)
    settings = (await lost(stage)).model_copy(update={"connections": {}})
    [done] = await recovered(stage, settings)
    assert (done.begun, done.strange) == (0, ("deploys",))


async def test_beside_a_running_bot_nothing_is_recovered(stage: Stage) -> None:
    """The lock says so before Slack is asked."""
    with pytest.raises(StoreError, match="Another jobthread"):
        await recovered(stage, stage.settings)


async def test_without_a_token_nothing_is_recovered(stage: Stage) -> None:
    """All missing secrets are named."""
    settings = stage.settings.model_copy(update={"slack": SlackSettings()})
    with pytest.raises(SettingsError, match="bot_token"):
        await recovered(stage, settings)


async def test_slacks_limits_are_waited_for(stage: Stage) -> None:
    """A page that comes late is a page."""
    await followed(stage)
    settings = await lost(stage)
    stage.slack.faults.fail("conversations.history", status=503)
    stage.slack.faults.rate_limit("conversations.replies", retry_after=30)
    work = asyncio.ensure_future(recovered(stage, settings))
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


def test_the_newest_of_what_a_thread_was_told_counts() -> None:
    """Messages may have been found in any order."""
    later = sent("3.0", watch="w1", revision=7, status="waiting", native="PAUSE")
    earlier = sent("2.0", watch="w1", revision=4, status="queued")
    [found] = living("T1", "C1", [sent("1.0", **CARD), later, earlier])
    assert (found.revision, found.job.status, found.job.native_status) == (7, "waiting", "PAUSE")


def test_tasks_that_were_told_to_have_failed_are_not_told_again() -> None:
    """Their ids are all that is needed."""
    later = sent("2.0", watch="w1", revision=2, status="running", failed=["T1"], ended=["R1"])
    [found] = living("T1", "C1", [sent("1.0", **CARD), later])
    assert [task.id for task in found.job.failed_tasks] == ["T1"]
    assert [task.id for task in found.job.tasks if task.announced] == ["R1"]


@pytest.mark.parametrize(
    "strange",
    [
        {"ts": "1.0"},
        {"ts": "1.0", "metadata": {"event_type": "somebody_else", "event_payload": CARD}},
        {"ts": "1.0", "metadata": {"event_type": EVENT_TYPE, "event_payload": ["card"]}},
        sent("1.0", **{**CARD, "workspace": "T2"}),
        sent("1.0", **{**CARD, "job": ""}),
        sent("1.0", **{**CARD, "status": "a word of tomorrow"}),
        sent("1.0", key="only a key"),
    ],
)
def test_what_is_no_card_of_ours_is_left_alone(strange: dict[str, Any]) -> None:
    """Old versions, newer ones, and other people's apps."""
    assert living("T1", "C1", [strange]) == []


def test_what_a_message_carries_of_tasks_has_an_end() -> None:
    """Slack takes only so much; the newest ids are kept."""
    ids = [f"run-{number:06}" for number in range(10_000)]
    kept = told._ids(ids)
    assert kept == ids[-len(kept) :]
    assert sum(map(len, kept)) < told.MOST_CHARACTERS


async def test_a_board_is_followed_again_with_all_its_rows(stage: Stage) -> None:
    """Its one message stands for every job on it, also for those that are over."""
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
    settings = await lost(stage)
    stage.servicestage.finish(ID, "ROLLBACKING")
    [done] = await recovered(stage, settings)
    assert (done.living, done.begun) == (2, 2)
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(board, "rolling back")
        shown = await stage.shown(board, "1 of 3 done")
        assert all(id_ in str(shown.blocks) for id_ in (ID, OTHER, third))
        await stage.at_rest()
        assert {ref.id for ref in await stage.watches()} == {ID, OTHER}
    assert len(stage.thread(board)) == 2


def test_a_boards_row_that_is_not_understood_leaves_the_others() -> None:
    """What tomorrow's version writes is passed over."""
    rows = [["w1", "deploys", "J1", 1, False, "running"], ["w2"], "w3", ["w4", "d", "", 1, False]]
    payload = {"board": "b1", "workspace": "T1", "asker": "U1", "rows": rows}
    [found] = living("T1", "C1", [sent("1.0", **payload)])
    assert (found.watch.id, found.watch.board_id, found.watch.asker) == ("w1", "b1", "U1")


def test_a_board_that_is_over_is_not_followed_again() -> None:
    """All its rows say so."""
    rows = [["w1", "deploys", "J1", 3, True, "failed"], ["w2", "deploys", "J2", 3, True, "failed"]]
    payload = {"board": "b1", "workspace": "T1", "asker": "U1", "rows": rows}
    assert unfinished("T1", "C1", [sent("1.0", **payload)]) == []


async def test_what_a_board_shows_but_its_thread_was_not_told_is_told_after_the_loss(
    stage: Stage,
) -> None:
    """A board may be drawn again before the follow-up of one of its jobs arrives."""
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
    settings = await lost(stage)
    stage.slack.faults.clear()
    await recovered(stage, settings)
    async with Bot(settings, clock=stage.clock) as stage.bot:
        await stage.replied(board, "succeeded")
        await stage.replied(board, "rolling back")
    assert len(stage.thread(board)) == 2
