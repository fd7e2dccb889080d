"""What becomes of a board that Slack refuses, and how it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store import WatchState
from tests.bot.boards.stage import A, B, BoardStage, boarded, table

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


async def two(stage: BoardStage) -> Message:
    """A board with two long jobs."""
    return await stage.asks(f"/job deploys:{A} deploys:{B}")


async def told_by_mouth(stage: BoardStage) -> list[Message]:
    """Return what Ada was told directly."""
    return [m for m in stage.slack.messages("im") if m.user == stage.slack.workspace.bot.id]


async def states(stage: BoardStage) -> list[WatchState]:
    """Return the states of all watches that there are."""
    async with stage.bot.store.begin() as tx:
        count = await tx.watches.count()
    return [state for state, number in count.items() for _ in range(number)]


async def passes(stage: BoardStage, seconds: int) -> None:
    """Let the time pass, and the bot do what it does."""
    for _ in range(seconds // 60):
        await stage.clock.advance(60)
        await stage.at_rest()


async def test_a_board_that_cannot_be_posted_ends_its_watches_and_the_asker_hears_once(
    stage: BoardStage,
) -> None:
    """Nobody is promised what cannot be kept."""
    await stage.wants_boards("private-ops")
    await stage.says(f"/job deploys:{A} deploys:{B}", channel="private-ops")
    await stage.whispered("/invite @jobthread")
    await stage.at_rest()
    assert await states(stage) == [WatchState.ENDED] * 2
    assert len(stage.slack.ephemerals("ada")) == 1
    asked = len(stage.servicestage.calls)
    await stage.clock.advance(60)
    assert len(stage.servicestage.calls) == asked


@pytest.mark.parametrize("trouble", ["archived", "deleted"])
async def test_a_board_that_cannot_be_drawn_parks_all_its_watches_and_the_asker_hears_once(
    stage: BoardStage, trouble: str
) -> None:
    """One message for the whole board, however many jobs it has."""
    board = await two(stage)
    if trouble == "archived":
        stage.slack.archive("deploys")
    else:
        stage.slack.delete(board)
    await stage.moves(A, "ROLLBACKING")
    assert await states(stage) == [WatchState.PARKED] * 2
    [said] = await told_by_mouth(stage)
    assert "the 2 jobs of your board" in said.text


async def test_a_board_comes_back_as_one_board_with_all_that_was_missed(stage: BoardStage) -> None:
    """The same message, each job's follow-up once, and the newest truth."""
    board = await two(stage)
    stage.slack.archive("deploys")
    await stage.moves(A, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    stage.servicestage.finish(B)
    await passes(stage, 3_900)
    assert [m.ts for m in stage.said()] == [board.ts]
    shown = stage.now(board)
    assert "1 of 2 done" in shown.text
    assert {row[0] for row in table(shown)} == {"▶️ rolling back (ROLLBACKING)", "✅ succeeded"}
    first, second = sorted(m.text for m in stage.thread(board))
    assert first.startswith("deploy-1")
    assert second.startswith("deploy-2")
    assert await states(stage) == [WatchState.ACTIVE, WatchState.ENDED]


async def test_while_the_channel_stays_closed_the_asker_hears_nothing_more(
    stage: BoardStage,
) -> None:
    """A try each hour, and no second complaint."""
    await two(stage)
    stage.slack.archive("deploys")
    await stage.moves(A, "ROLLBACKING")
    await passes(stage, 2 * 3_600 + 240)
    assert len(await told_by_mouth(stage)) == 1
    assert await states(stage) == [WatchState.PARKED] * 2


async def test_the_jobs_of_a_deleted_board_can_be_asked_for_anew(stage: BoardStage) -> None:
    """The old board makes room, and is closed."""
    board = await two(stage)
    known = await stage.board(board)
    stage.slack.delete(board)
    await stage.moves(A, "ROLLBACKING")
    await stage.clock.advance(120)
    again = await stage.asks(f"/job deploys:{A} deploys:{B}")
    assert len(table(again)) == 2
    async with stage.bot.store.begin() as tx:
        old = await tx.boards.get(known.id)
    assert old is not None
    assert old.closed_at is not None


async def test_a_board_that_is_drawn_again_while_slack_refuses_it_is_complained_of_once(
    stage: BoardStage,
) -> None:
    """A newer drawing that waits already does not make a second promise of it."""
    await two(stage)
    stage.slack.faults.delay("chat.update", milliseconds=3_000)
    stage.slack.faults.refuse("cant_update_message", "chat.update", times=None)
    stage.servicestage.finish(A, "ROLLBACKING")
    await stage.clock.advance(10)
    stage.servicestage.finish(B, "ROLLBACKING")
    await stage.clock.advance(2)
    await passes(stage, 180)
    assert len(await told_by_mouth(stage)) == 1
