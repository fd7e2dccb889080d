"""Buttons and menu of a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.board_harness import A, B, BoardHarness, C, boards_enabled, table_rows

if TYPE_CHECKING:
    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio
harness = boards_enabled


async def board_with_three_jobs(harness: BoardHarness) -> Message:
    """Post a board with three long jobs."""
    return await harness.request_card(f"/job deploys:{A} deploys:{B} deploys:{C}")


async def choose_job(harness: BoardHarness, board: Message, id_: str) -> Message:
    """Choose a job in the board's menu; return the ephemeral card."""
    [watch] = [watch for watch in await harness.watches_on(board) if watch.ref.id == id_]
    await harness.slack.choose(board, "board_show", watch.id)
    return await harness.wait_for_ephemeral("Only you see this")


async def test_refresh_all_updates_the_board_and_posts_the_changes(
    harness: BoardHarness,
) -> None:
    """A click does not wait for the next poll."""
    board = await board_with_three_jobs(harness)
    for id_ in (A, B):
        harness.servicestage.finish(id_)
    await harness.slack.click(board, "board_refresh")
    await harness.wait_for_card(board, "2 of 3 done")
    await harness.slack.until(lambda: len(harness.thread(board)) == 2)


async def test_refresh_all_reports_errors_to_the_user_who_clicked(harness: BoardHarness) -> None:
    """The rows stay as they are."""
    board = await board_with_three_jobs(harness)
    harness.servicestage.fail_calls(times=None, status=503)
    await harness.slack.click(board, "board_refresh")
    await harness.wait_for_ephemeral("3 jobs could not be checked")
    assert len(table_rows(harness.current(board))) == 3


async def test_stop_following_all_ends_watches_and_closes_the_board(harness: BoardHarness) -> None:
    """No reply follows."""
    board = await board_with_three_jobs(harness)
    await harness.slack.click(board, "board_stop")
    assert (
        "3 jobs are no longer followed"
        in (await harness.wait_for_ephemeral("no longer followed")).text
    )
    shown = await harness.wait_for_card(board, "None of these jobs is followed here any more")
    assert "board_stop" not in str(shown.blocks)
    assert await harness.watches() == []
    harness.servicestage.finish(A)
    await harness.clock.advance(60)
    assert harness.thread(board) == []


async def test_one_jobs_card_is_shown_as_an_ephemeral_message(harness: BoardHarness) -> None:
    """The card has all the job's tasks."""
    board = await board_with_three_jobs(harness)
    card = await choose_job(harness, board, B)
    assert f"deploys:{B}" in str(card.blocks)
    assert len(harness.bot_messages()) == 1


async def test_one_job_is_unfollowed_from_its_ephemeral_card(harness: BoardHarness) -> None:
    """The other jobs stay followed."""
    board = await board_with_three_jobs(harness)
    await harness.slack.click(await choose_job(harness, board, B), "unfollow")
    await harness.wait_for_card(board, "not followed")
    assert {ref.id for ref in await harness.watches()} == {A, C}


async def test_large_board_is_shown_page_by_page(harness: BoardHarness) -> None:
    """Pages are ephemeral; each replaces the one before."""
    ids = [f"JOB{n:08}-07b1-4c8f-a183-c86cffbe8f9e" for n in range(45)]
    harness.start_jobs(*ids)
    for first in range(0, 45, 10):
        named = " ".join(f"deploys:{id_}" for id_ in ids[first : first + 10])
        await harness.says(f"/job {named}")
        await harness.slack.until(harness.bot_messages)
        await harness.settle()
    [board] = harness.bot_messages()
    await harness.slack.click(board, "board_page")
    page = await harness.wait_for_ephemeral("Page 1 of 2")
    assert len(table_rows(page)) == 25
    await harness.slack.click(page, "board_page:next")
    assert len(table_rows(await harness.wait_for_ephemeral("Page 2 of 2"))) == 20


async def test_click_on_a_pruned_board_gets_a_reply(harness: BoardHarness) -> None:
    """The reply says that the board is unknown."""
    board = await board_with_three_jobs(harness)
    known = await harness.board(board)
    async with harness.bot.store.begin() as tx:
        await tx.boards.close(known.id, harness.clock.now())
        await tx.boards.prune(harness.clock.now().replace(year=2100))
    await harness.slack.click(board, "board_refresh")
    await harness.wait_for_ephemeral("not known here any more")


async def test_old_refresh_button_works_after_a_card_became_a_board(
    harness: BoardHarness,
) -> None:
    """A user can click before Slack has shown the update."""
    card = await harness.request_card(f"/job deploys:{A}")
    harness.slack.faults.rate_limit("chat.update", retry_after=20)
    await harness.says(f"/job deploys:{B}")
    await harness.wait_for_ephemeral("your board")
    await harness.slack.click(card, "refresh")
    await harness.clock.advance(25)
    await harness.settle()
    assert len(table_rows(harness.current(card))) == 2
