"""Buttons and menu of a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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


async def board_with_three_jobs(stage: BoardStage) -> Message:
    """Post a board with three long jobs."""
    return await stage.asks(f"/job deploys:{A} deploys:{B} deploys:{C}")


async def choose_job(stage: BoardStage, board: Message, id_: str) -> Message:
    """Choose a job in the board's menu; return the ephemeral card."""
    [watch] = [watch for watch in await stage.seats(board) if watch.ref.id == id_]
    await stage.slack.choose(board, "board_show", watch.id)
    return await stage.whispered("Only you see this")


async def test_refresh_all_updates_the_board_and_posts_the_changes(
    stage: BoardStage,
) -> None:
    """A click does not wait for the next poll."""
    board = await board_with_three_jobs(stage)
    for id_ in (A, B):
        stage.servicestage.finish(id_)
    await stage.slack.click(board, "board_refresh")
    await stage.shown(board, "2 of 3 done")
    await stage.slack.until(lambda: len(stage.thread(board)) == 2)


async def test_refresh_all_reports_errors_to_the_user_who_clicked(stage: BoardStage) -> None:
    """The rows stay as they are."""
    board = await board_with_three_jobs(stage)
    stage.servicestage.refuse(times=None, status=503)
    await stage.slack.click(board, "board_refresh")
    await stage.whispered("3 jobs could not be checked")
    assert len(table(stage.now(board))) == 3


async def test_stop_following_all_ends_watches_and_closes_the_board(stage: BoardStage) -> None:
    """No reply follows."""
    board = await board_with_three_jobs(stage)
    await stage.slack.click(board, "board_stop")
    assert "3 jobs are no longer followed" in (await stage.whispered("no longer followed")).text
    shown = await stage.shown(board, "None of these jobs is followed here any more")
    assert "board_stop" not in str(shown.blocks)
    assert await stage.watches() == []
    stage.servicestage.finish(A)
    await stage.clock.advance(60)
    assert stage.thread(board) == []


async def test_one_jobs_card_is_shown_as_an_ephemeral_message(stage: BoardStage) -> None:
    """The card has all the job's tasks."""
    board = await board_with_three_jobs(stage)
    card = await choose_job(stage, board, B)
    assert f"deploys:{B}" in str(card.blocks)
    assert len(stage.said()) == 1


async def test_one_job_is_unfollowed_from_its_ephemeral_card(stage: BoardStage) -> None:
    """The other jobs stay followed."""
    board = await board_with_three_jobs(stage)
    await stage.slack.click(await choose_job(stage, board, B), "unfollow")
    await stage.shown(board, "not followed")
    assert {ref.id for ref in await stage.watches()} == {A, C}


async def test_large_board_is_shown_page_by_page(stage: BoardStage) -> None:
    """Pages are ephemeral; each replaces the one before."""
    ids = [f"JOB{n:08}-07b1-4c8f-a183-c86cffbe8f9e" for n in range(45)]
    stage.begin(*ids)
    for first in range(0, 45, 10):
        named = " ".join(f"deploys:{id_}" for id_ in ids[first : first + 10])
        await stage.says(f"/job {named}")
        await stage.slack.until(stage.said)
        await stage.at_rest()
    [board] = stage.said()
    await stage.slack.click(board, "board_page")
    page = await stage.whispered("Page 1 of 2")
    assert len(table(page)) == 25
    await stage.slack.click(page, "board_page_next")
    assert len(table(await stage.whispered("Page 2 of 2"))) == 20


async def test_click_on_a_pruned_board_gets_a_reply(stage: BoardStage) -> None:
    """The reply says that the board is unknown."""
    board = await board_with_three_jobs(stage)
    known = await stage.board(board)
    async with stage.bot.store.begin() as tx:
        await tx.boards.close(known.id, stage.clock.now())
        await tx.boards.prune(stage.clock.now().replace(year=2100))
    await stage.slack.click(board, "board_refresh")
    await stage.whispered("not known here any more")


async def test_old_refresh_button_works_after_a_card_became_a_board(
    stage: BoardStage,
) -> None:
    """A user can click before Slack has shown the update."""
    card = await stage.asks(f"/job deploys:{A}")
    stage.slack.faults.rate_limit("chat.update", retry_after=20)
    await stage.says(f"/job deploys:{B}")
    await stage.whispered("your board")
    await stage.slack.click(card, "refresh")
    await stage.clock.advance(25)
    await stage.at_rest()
    assert len(table(stage.now(card))) == 2
