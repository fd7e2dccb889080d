"""What the buttons and the menu of a board do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.boards.stage import A, B, BoardStage, C, boarded, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.playground.messages import Message

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[BoardStage]:
    """A channel that wants boards."""
    async with boarded(tmp_path) as everything:
        yield everything


async def three(stage: BoardStage) -> Message:
    """A board with three long jobs."""
    return await stage.asks(f"/job deploys:{A} deploys:{B} deploys:{C}")


async def chosen(stage: BoardStage, board: Message, id_: str) -> Message:
    """Choose a job in the board's menu, and read what only the clicker sees."""
    [watch] = [watch for watch in await stage.seats(board) if watch.ref.id == id_]
    await stage.slack.choose(board, "board_show", watch.id)
    return await stage.whispered("Only you see this")


async def test_refresh_all_shows_every_job_as_it_is_now_and_the_thread_hears_it(
    stage: BoardStage,
) -> None:
    """A click does not wait for the next poll."""
    board = await three(stage)
    for id_ in (A, B):
        stage.servicestage.finish(id_)
    await stage.slack.click(board, "board_refresh")
    await stage.shown(board, "2 of 3 done")
    await stage.slack.until(lambda: len(stage.thread(board)) == 2)


async def test_refresh_all_of_a_system_that_is_down_tells_the_clicker(stage: BoardStage) -> None:
    """The others stay as they are."""
    board = await three(stage)
    stage.servicestage.refuse(times=None, status=503)
    await stage.slack.click(board, "board_refresh")
    await stage.whispered("3 jobs could not be checked")
    assert len(table(stage.now(board))) == 3


async def test_stop_following_all_ends_every_watch_and_closes_the_board(stage: BoardStage) -> None:
    """One click, and all is quiet."""
    board = await three(stage)
    await stage.slack.click(board, "board_stop")
    assert "3 jobs are no longer followed" in (await stage.whispered("no longer followed")).text
    shown = await stage.shown(board, "None of these jobs is followed here any more")
    assert "board_stop" not in str(shown.blocks)
    assert await stage.watches() == []
    stage.servicestage.finish(A)
    await stage.clock.advance(60)
    assert stage.thread(board) == []


async def test_one_job_is_shown_to_the_clicker_alone(stage: BoardStage) -> None:
    """Its own card, with all its steps."""
    board = await three(stage)
    card = await chosen(stage, board, B)
    assert f"deploys:{B}" in str(card.blocks)
    assert len(stage.said()) == 1


async def test_one_job_is_stopped_from_its_card_and_the_others_go_on(stage: BoardStage) -> None:
    """What a row has no room for, the card of the job has."""
    board = await three(stage)
    await stage.slack.click(await chosen(stage, board, B), "unfollow")
    await stage.shown(board, "not followed")
    assert {ref.id for ref in await stage.watches()} == {A, C}


async def test_the_jobs_of_a_large_board_are_turned_page_by_page(stage: BoardStage) -> None:
    """Only the clicker sees the pages, one in the place of the other."""
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


async def test_a_click_on_a_board_that_is_forgotten_is_answered(stage: BoardStage) -> None:
    """Nobody clicks into the void."""
    board = await three(stage)
    known = await stage.board(board)
    async with stage.bot.store.begin() as tx:
        await tx.boards.close(known.id, stage.clock.now())
        await tx.boards.prune(stage.clock.now().replace(year=2100))
    await stage.slack.click(board, "board_refresh")
    await stage.whispered("not known here any more")


async def test_a_card_that_became_a_board_is_still_refreshed_by_its_old_button(
    stage: BoardStage,
) -> None:
    """Somebody may have clicked before the edit reached them."""
    card = await stage.asks(f"/job deploys:{A}")
    stage.slack.faults.rate_limit("chat.update", retry_after=20)
    await stage.says(f"/job deploys:{B}")
    await stage.whispered("your board")
    await stage.slack.click(card, "refresh")
    await stage.clock.advance(25)
    await stage.at_rest()
    assert len(table(stage.now(card))) == 2
