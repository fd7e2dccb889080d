"""Updates and closing of boards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.board_harness import A, B, BoardStage, C, boarded, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[BoardStage]:
    """A bot with boards enabled in #deploys."""
    async with boarded(tmp_path) as running:
        yield running


async def board_with_two_jobs(stage: BoardStage) -> Message:
    """Post a board with two long jobs."""
    return await stage.asks(f"/job deploys:{A} deploys:{B}")


async def test_change_updates_the_board_and_posts_a_thread_reply(
    stage: BoardStage,
) -> None:
    """The reply begins with the job's name; there is no card beside the board."""
    board = await board_with_two_jobs(stage)
    await stage.moves(A, "ROLLBACKING")
    reply = await stage.replied(board, "rolling back")
    assert reply.text.startswith("deploy-1")
    assert "deploy-1" in str(reply.blocks[0])
    assert [row[0] for row in table(stage.now(board))] == [
        "▶️ rolling back (ROLLBACKING)",
        "▶️ running",
    ]
    assert len(stage.said()) == 1


async def test_ended_job_stays_on_the_board_and_others_continue(stage: BoardStage) -> None:
    """The counts come first."""
    board = await board_with_two_jobs(stage)
    await stage.moves(A, "SUCCEEDED")
    await stage.replied(board, "succeeded")
    shown = await stage.shown(board, "1 of 2 done")
    assert "board_stop" in str(shown.blocks)
    assert [ref.id for ref in await stage.watches()] == [B]


async def test_failure_mentions_the_requester_and_is_on_the_board(stage: BoardStage) -> None:
    """Failed jobs come first, with the failed task."""
    board = await board_with_two_jobs(stage)
    stage.servicestage.fail(B, 1, "disk full")
    await stage.looks(1)
    outcome = await stage.replied(board, "failed")
    assert f"<@{stage.slack.workspace.user('ada').id}>" in outcome.text
    shown = await stage.shown(board, "1 of 2 done, 1 failed: deploy-2")
    assert "at step UPGRADE" in shown.text
    assert table(shown)[0][0].startswith("❌ failed")


async def test_board_is_closed_when_its_last_job_has_ended(stage: BoardStage) -> None:
    """The last update says so; no update or poll follows."""
    board = await board_with_two_jobs(stage)
    await stage.moves(A, "SUCCEEDED")
    await stage.moves(B, "SUCCEEDED")
    shown = await stage.shown(board, "does not change any more")
    assert "board_stop" not in str(shown.blocks)
    assert (await stage.board(board)).closed_at is not None
    await stage.at_rest()
    updates, asked = len(stage.slack.called("chat.update")), len(stage.servicestage.calls)
    await stage.clock.advance(300)
    assert len(stage.slack.called("chat.update")) == updates
    assert len(stage.servicestage.calls) == asked


async def test_progress_updates_the_board_without_a_thread_reply(stage: BoardStage) -> None:
    """A successful task is no event."""
    quick = "JOB97cb1778-07b1-4c8f-a183-c86cffbe8f9e"
    stage.servicestage.add(
        JobScript(quick, (JobStep("ONE", 5), JobStep("TWO", 900)), queued_seconds=0)
    )
    board = await stage.asks(f"/job deploys:{A} deploys:{quick}")
    await stage.looks(2)
    await stage.shown(board, "▰▰▰▱▱▱ 1 of 2 done")
    assert stage.thread(board) == []


async def test_unchanged_polls_cause_no_board_update(stage: BoardStage) -> None:
    """They cost no Slack call."""
    board = await board_with_two_jobs(stage)
    await stage.looks(2)
    await stage.at_rest()
    updates = len(stage.slack.called("chat.update"))
    await stage.looks(3)
    await stage.at_rest()
    assert len(stage.slack.called("chat.update")) == updates
    assert len(table(stage.now(board))) == 2


async def test_polling_failure_is_shown_on_the_board_until_recovery(stage: BoardStage) -> None:
    """Rows do not look up to date while the provider is down."""
    board = await board_with_two_jobs(stage)
    stage.servicestage.refuse(times=None, status=503)
    await stage.looks(8)
    shown = await stage.shown(board, "2 jobs could not be checked")
    assert all("could not be checked" in row[0] for row in table(shown))
    stage.servicestage.faults.clear()
    await stage.looks(2)
    await stage.at_rest()
    assert "could not be checked" not in str(stage.now(board).blocks)


async def test_missing_job_is_marked_on_the_board(stage: BoardStage) -> None:
    """Its row says why it is not followed any more."""
    board = await board_with_two_jobs(stage)
    stage.servicestage.finish(B)
    await stage.looks(2)
    stage.servicestage.refuse(times=None, status=404)
    await stage.looks(5)
    await stage.replied(board, "not found any more")
    shown = await stage.shown(board, "not found any more")
    assert (await stage.board(shown)).closed_at is not None


async def test_unwatch_of_one_job_keeps_the_others(stage: BoardStage) -> None:
    """Its row stays, with its last status."""
    board = await board_with_two_jobs(stage)
    await stage.says(f"/job unwatch deploys:{A}")
    assert "Ask for it" in (await stage.whispered("no longer followed")).text
    shown = await stage.shown(board, "not followed")
    assert "board_stop" in str(shown.blocks)
    assert [ref.id for ref in await stage.watches()] == [B]


async def test_unwatch_of_the_last_job_closes_the_board(stage: BoardStage) -> None:
    """No watch of the board is left."""
    board = await board_with_two_jobs(stage)
    await stage.says(f"/job unwatch deploys:{A} deploys:{B}")
    await stage.shown(board, "does not change any more")
    assert (await stage.board(board)).closed_at is not None


async def test_job_on_a_board_and_a_card_updates_both(
    stage: BoardStage,
) -> None:
    """Each channel has its own settings."""
    board = await board_with_two_jobs(stage)
    card = await stage.asks(f"@jobthread {A}", channel="general")
    await stage.moves(A, "SUCCEEDED")
    await stage.replied(board, "deploy-1")
    await stage.replied(card, "succeeded")
    assert "is running" not in stage.now(card).text
    assert "1 of 2 done" in stage.now(board).text


async def test_board_falls_back_to_a_plain_table(stage: BoardStage) -> None:
    """It has the same rows if Slack rejects data tables."""
    stage.slack.workspace.refused_blocks.add("data_table")
    board = await board_with_two_jobs(stage)
    assert "'type': 'table'" in str(board.blocks)
    assert len(table(board)) == 2


async def test_restart_before_the_post_makes_one_board(stage: BoardStage) -> None:
    """The next process posts the stored message, once."""
    stage.slack.faults.rate_limit("chat.postMessage", retry_after=30)
    await stage.says(f"/job deploys:{A} deploys:{B}")
    await stage.slack.until(lambda: stage.slack.faults.done)
    await stage.bot.__aexit__(None, None, None)
    async with Bot(stage.settings, clock=stage.clock) as stage.bot:
        await stage.clock.advance(35)
        await stage.slack.until(stage.said)
        await stage.at_rest()
        [board] = stage.said()
        await stage.moves(A, "SUCCEEDED")
        await stage.replied(board, "succeeded")


async def test_removed_connection_closes_its_boards(stage: BoardStage) -> None:
    """Their watches end."""
    board = await board_with_two_jobs(stage)
    connections = {"releases": stage.settings.connections["deploys"]}
    renamed = stage.settings.model_copy(update={"connections": connections})
    await stage.bot.__aexit__(None, None, None)
    async with Bot(renamed, clock=stage.clock) as stage.bot:
        await stage.clock.advance(10)
        await stage.replied(board, "no longer set up")
        await stage.shown(board, "does not change any more")


async def test_closed_board_is_pruned(stage: BoardStage) -> None:
    """Its rows are deleted from the tables."""
    board = await board_with_two_jobs(stage)
    known = (await stage.board(board)).id
    for id_ in (A, B):
        await stage.moves(id_, "SUCCEEDED")
    await stage.at_rest()
    async with stage.bot.store.begin() as tx:
        await tx.watches.prune(stage.clock.now() + timedelta(days=1))
        assert await tx.boards.prune(stage.clock.now() + timedelta(days=1)) == 1
        assert await tx.boards.get(known) is None


async def test_three_jobs_ending_at_once_get_three_thread_replies(
    stage: BoardStage,
) -> None:
    """Board updates are coalesced, outcomes are not."""
    board = await stage.asks(f"/job deploys:{A} deploys:{B} deploys:{C}")
    for id_ in (A, B, C):
        stage.servicestage.finish(id_)
    updates = len(stage.slack.called("chat.update"))
    await stage.polls()
    await stage.shown(board, "3 of 3 done")
    await stage.slack.until(lambda: len(stage.thread(board)) == 3)
    await stage.at_rest()
    assert len(stage.slack.called("chat.update")) - updates <= 3
