"""A board that Slack rejects, and its redelivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store import WatchState
from tests.bot.board_harness import A, B, BoardStage, boarded, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[BoardStage]:
    """A channel with boards enabled."""
    async with boarded(tmp_path) as everything:
        yield everything


async def board_with_two_jobs(stage: BoardStage) -> Message:
    """Post a board with two long jobs."""
    return await stage.asks(f"/job deploys:{A} deploys:{B}")


async def direct_messages(stage: BoardStage) -> list[Message]:
    """Return the direct messages from the bot to Ada."""
    return [m for m in stage.slack.messages("im") if m.user == stage.slack.workspace.bot.id]


async def states(stage: BoardStage) -> list[WatchState]:
    """Return the states of all watches."""
    async with stage.bot.store.begin() as tx:
        count = await tx.watches.count()
    return [state for state, number in count.items() for _ in range(number)]


async def advance(stage: BoardStage, seconds: int) -> None:
    """Advance the clock in steps of a minute."""
    for _ in range(seconds // 60):
        await stage.clock.advance(60)
        await stage.at_rest()


async def test_board_that_cannot_be_posted_ends_its_watches(
    stage: BoardStage,
) -> None:
    """The asker gets one notice, and polling stops."""
    await stage.wants_boards("private-ops")
    await stage.says(f"/job deploys:{A} deploys:{B}", channel="private-ops")
    await stage.whispered("/invite @jobthread")
    await stage.at_rest()
    assert await states(stage) == [WatchState.ENDED] * 2
    assert len(stage.slack.ephemerals("ada")) == 1
    asked = len(stage.servicestage.calls)
    await stage.clock.advance(60)
    assert len(stage.servicestage.calls) == asked


@pytest.mark.parametrize("failure", ["archived", "deleted"])
async def test_rejected_board_makes_its_watches_unreachable(
    stage: BoardStage, failure: str
) -> None:
    """The asker gets one notice for the whole board."""
    board = await board_with_two_jobs(stage)
    if failure == "archived":
        stage.slack.archive("deploys")
    else:
        stage.slack.delete(board)
    await stage.moves(A, "ROLLBACKING")
    assert await states(stage) == [WatchState.PARKED] * 2
    [said] = await direct_messages(stage)
    assert "the 2 jobs of your board" in said.text


async def test_redelivered_board_shows_all_missed_updates(stage: BoardStage) -> None:
    """The same message is updated, and each job gets one reply."""
    board = await board_with_two_jobs(stage)
    stage.slack.archive("deploys")
    await stage.moves(A, "ROLLBACKING")
    stage.slack.workspace.unarchive("deploys")
    stage.servicestage.finish(B)
    await advance(stage, 3_900)
    assert [m.ts for m in stage.said()] == [board.ts]
    shown = stage.now(board)
    assert "1 of 2 done" in shown.text
    assert {row[0] for row in table(shown)} == {"▶️ rolling back (ROLLBACKING)", "✅ succeeded"}
    first, second = sorted(m.text for m in stage.thread(board))
    assert first.startswith("deploy-1")
    assert second.startswith("deploy-2")
    assert await states(stage) == [WatchState.ACTIVE, WatchState.ENDED]


async def test_failed_board_probes_send_no_second_notice(
    stage: BoardStage,
) -> None:
    """The hourly probe is silent while the channel stays archived."""
    await board_with_two_jobs(stage)
    stage.slack.archive("deploys")
    await stage.moves(A, "ROLLBACKING")
    await advance(stage, 2 * 3_600 + 240)
    assert len(await direct_messages(stage)) == 1
    assert await states(stage) == [WatchState.PARKED] * 2


async def test_jobs_of_a_deleted_board_can_be_requested_again(stage: BoardStage) -> None:
    """The old board is closed, and a new one replaces it."""
    board = await board_with_two_jobs(stage)
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


async def test_board_redrawn_while_rejected_sends_one_notice(
    stage: BoardStage,
) -> None:
    """A pending newer drawing causes no second notice."""
    await board_with_two_jobs(stage)
    stage.slack.faults.delay("chat.update", milliseconds=3_000)
    stage.slack.faults.refuse("cant_update_message", "chat.update", times=None)
    stage.servicestage.finish(A, "ROLLBACKING")
    await stage.clock.advance(10)
    stage.servicestage.finish(B, "ROLLBACKING")
    await stage.clock.advance(2)
    await advance(stage, 180)
    assert len(await direct_messages(stage)) == 1
