"""Updates and closing of boards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from plugins.servicestage.script import JobScript, JobStep
from tests.bot.board_harness import A, B, BoardHarness, C, boards_enabled, table_rows

if TYPE_CHECKING:
    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio
harness = boards_enabled


async def board_with_two_jobs(harness: BoardHarness) -> Message:
    """Post a board with two long jobs."""
    return await harness.request_card(f"/job deploys:{A} deploys:{B}")


async def test_change_updates_the_board_and_posts_a_thread_reply(
    harness: BoardHarness,
) -> None:
    """The reply begins with the job's name; there is no card beside the board."""
    board = await board_with_two_jobs(harness)
    await harness.change_status(A, "ROLLBACKING")
    reply = await harness.wait_for_reply(board, "rolling back")
    assert reply.text.startswith("deploy-1")
    assert "deploy-1" in str(reply.blocks[0])
    assert [row[0] for row in table_rows(harness.current(board))] == [
        "▶️ rolling back (ROLLBACKING)",
        "▶️ running",
    ]
    assert len(harness.bot_messages()) == 1


async def test_ended_job_stays_on_the_board_and_others_continue(harness: BoardHarness) -> None:
    """The counts come first."""
    board = await board_with_two_jobs(harness)
    await harness.change_status(A, "SUCCEEDED")
    await harness.wait_for_reply(board, "succeeded")
    shown = await harness.wait_for_card(board, "1 of 2 done")
    assert "board_stop" in str(shown.blocks)
    assert [ref.id for ref in await harness.watches()] == [B]


async def test_failure_mentions_the_requester_and_is_on_the_board(harness: BoardHarness) -> None:
    """Failed jobs come first, with the failed task."""
    board = await board_with_two_jobs(harness)
    harness.servicestage.fail(B, 1, "disk full")
    await harness.poll_times(1)
    outcome = await harness.wait_for_reply(board, "failed")
    assert f"<@{harness.slack.workspace.user('ada').id}>" in outcome.text
    shown = await harness.wait_for_card(board, "1 of 2 done, 1 failed: deploy-2")
    assert "at step UPGRADE" in shown.text
    assert table_rows(shown)[0][0].startswith("❌ failed")


async def test_board_is_closed_when_its_last_job_has_ended(harness: BoardHarness) -> None:
    """The last update says so; no update or poll follows."""
    board = await board_with_two_jobs(harness)
    await harness.change_status(A, "SUCCEEDED")
    await harness.change_status(B, "SUCCEEDED")
    shown = await harness.wait_for_card(board, "does not change any more")
    assert "board_stop" not in str(shown.blocks)
    assert (await harness.board(board)).closed_at is not None
    await harness.settle()
    updates, asked = len(harness.slack.calls_of("chat.update")), len(harness.servicestage.calls)
    await harness.clock.advance(300)
    assert len(harness.slack.calls_of("chat.update")) == updates
    assert len(harness.servicestage.calls) == asked


async def test_progress_updates_the_board_without_a_thread_reply(harness: BoardHarness) -> None:
    """A successful task is no event."""
    quick = "JOB97cb1778-07b1-4c8f-a183-c86cffbe8f9e"
    harness.servicestage.add(
        JobScript(quick, (JobStep("ONE", 5), JobStep("TWO", 900)), queued_seconds=0)
    )
    board = await harness.request_card(f"/job deploys:{A} deploys:{quick}")
    await harness.poll_times(2)
    await harness.wait_for_card(board, "▰▰▰▱▱▱ 1 of 2 done")
    assert harness.thread(board) == []


async def test_unchanged_polls_cause_no_board_update(harness: BoardHarness) -> None:
    """They cost no Slack call."""
    board = await board_with_two_jobs(harness)
    await harness.poll_times(2)
    await harness.settle()
    updates = len(harness.slack.calls_of("chat.update"))
    await harness.poll_times(3)
    await harness.settle()
    assert len(harness.slack.calls_of("chat.update")) == updates
    assert len(table_rows(harness.current(board))) == 2


async def test_polling_failure_is_shown_on_the_board_until_recovery(harness: BoardHarness) -> None:
    """Rows do not look up to date while the provider is down."""
    board = await board_with_two_jobs(harness)
    harness.servicestage.fail_calls(times=None, status=503)
    await harness.poll_times(8)
    shown = await harness.wait_for_card(board, "2 jobs could not be checked")
    assert all("could not be checked" in row[0] for row in table_rows(shown))
    harness.servicestage.faults.clear()
    await harness.poll_times(2)
    await harness.settle()
    assert "could not be checked" not in str(harness.current(board).blocks)


async def test_missing_job_is_marked_on_the_board(harness: BoardHarness) -> None:
    """Its row says why it is not followed any more."""
    board = await board_with_two_jobs(harness)
    harness.servicestage.finish(B)
    await harness.poll_times(2)
    harness.servicestage.fail_calls(times=None, status=404)
    await harness.poll_times(5)
    await harness.wait_for_reply(board, "not found any more")
    shown = await harness.wait_for_card(board, "not found any more")
    assert (await harness.board(shown)).closed_at is not None


async def test_unwatch_of_one_job_keeps_the_others(harness: BoardHarness) -> None:
    """Its row stays, with its last status."""
    board = await board_with_two_jobs(harness)
    await harness.says(f"/job unwatch deploys:{A}")
    assert "Ask for it" in (await harness.wait_for_ephemeral("no longer followed")).text
    shown = await harness.wait_for_card(board, "not followed")
    assert "board_stop" in str(shown.blocks)
    assert [ref.id for ref in await harness.watches()] == [B]


async def test_unwatch_of_the_last_job_closes_the_board(harness: BoardHarness) -> None:
    """No watch of the board is left."""
    board = await board_with_two_jobs(harness)
    await harness.says(f"/job unwatch deploys:{A} deploys:{B}")
    await harness.wait_for_card(board, "does not change any more")
    assert (await harness.board(board)).closed_at is not None


async def test_job_on_a_board_and_a_card_updates_both(
    harness: BoardHarness,
) -> None:
    """Each channel has its own settings."""
    board = await board_with_two_jobs(harness)
    card = await harness.request_card(f"@jobthread {A}", channel="general")
    await harness.change_status(A, "SUCCEEDED")
    await harness.wait_for_reply(board, "deploy-1")
    await harness.wait_for_reply(card, "succeeded")
    assert "is running" not in harness.current(card).text
    assert "1 of 2 done" in harness.current(board).text


async def test_board_falls_back_to_a_plain_table(harness: BoardHarness) -> None:
    """It has the same rows if Slack rejects data tables."""
    harness.slack.workspace.refused_blocks.add("data_table")
    board = await board_with_two_jobs(harness)
    assert "'type': 'table'" in str(board.blocks)
    assert len(table_rows(board)) == 2


async def test_restart_before_the_post_makes_one_board(harness: BoardHarness) -> None:
    """The next process posts the stored message, once."""
    harness.slack.faults.rate_limit("chat.postMessage", retry_after=30)
    await harness.says(f"/job deploys:{A} deploys:{B}")
    await harness.slack.until(lambda: harness.slack.faults.injected)
    await harness.bot.__aexit__(None, None, None)
    async with Bot(harness.settings, clock=harness.clock) as harness.bot:
        await harness.clock.advance(35)
        await harness.slack.until(harness.bot_messages)
        await harness.settle()
        [board] = harness.bot_messages()
        await harness.change_status(A, "SUCCEEDED")
        await harness.wait_for_reply(board, "succeeded")


async def test_removed_connection_closes_its_boards(harness: BoardHarness) -> None:
    """Their watches end."""
    board = await board_with_two_jobs(harness)
    connections = {"releases": harness.settings.connections["deploys"]}
    renamed = harness.settings.model_copy(update={"connections": connections})
    await harness.bot.__aexit__(None, None, None)
    async with Bot(renamed, clock=harness.clock) as harness.bot:
        await harness.clock.advance(10)
        await harness.wait_for_reply(board, "no longer set up")
        await harness.wait_for_card(board, "does not change any more")


async def test_closed_board_is_pruned(harness: BoardHarness) -> None:
    """Its rows are deleted from the tables."""
    board = await board_with_two_jobs(harness)
    known = (await harness.board(board)).id
    for id_ in (A, B):
        await harness.change_status(id_, "SUCCEEDED")
    await harness.settle()
    async with harness.bot.store.begin() as tx:
        await tx.watches.prune(harness.clock.now() + timedelta(days=1))
        assert await tx.boards.prune(harness.clock.now() + timedelta(days=1)) == 1
        assert await tx.boards.get(known) is None


async def test_three_jobs_ending_at_once_get_three_thread_replies(
    harness: BoardHarness,
) -> None:
    """Board updates are coalesced, outcomes are not."""
    board = await harness.request_card(f"/job deploys:{A} deploys:{B} deploys:{C}")
    for id_ in (A, B, C):
        harness.servicestage.finish(id_)
    updates = len(harness.slack.calls_of("chat.update"))
    await harness.advance_poll()
    await harness.wait_for_card(board, "3 of 3 done")
    await harness.slack.until(lambda: len(harness.thread(board)) == 3)
    await harness.settle()
    assert len(harness.slack.calls_of("chat.update")) - updates <= 3
