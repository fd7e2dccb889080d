"""A board that Slack rejects, and its redelivery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.store import WatchState
from tests.bot.board_harness import A, B, BoardHarness, boards_enabled, table_rows

if TYPE_CHECKING:
    from localslack.state.messages import Message

pytestmark = pytest.mark.anyio
harness = boards_enabled


async def board_with_two_jobs(harness: BoardHarness) -> Message:
    """Post a board with two long jobs."""
    return await harness.request_card(f"/job deploys:{A} deploys:{B}")


async def direct_messages(harness: BoardHarness) -> list[Message]:
    """Return the direct messages from the bot to Ada."""
    return [m for m in harness.slack.messages("im") if m.user == harness.slack.workspace.bot.id]


async def states(harness: BoardHarness) -> list[WatchState]:
    """Return the states of all watches."""
    async with harness.bot.store.begin() as tx:
        count = await tx.watches.count()
    return [state for state, number in count.items() for _ in range(number)]


async def advance(harness: BoardHarness, seconds: int) -> None:
    """Advance the clock in steps of a minute."""
    for _ in range(seconds // 60):
        await harness.clock.advance(60)
        await harness.settle()


async def test_board_that_cannot_be_posted_ends_its_watches(
    harness: BoardHarness,
) -> None:
    """The asker gets one notice, and polling stops."""
    await harness.enable_boards("private-ops")
    await harness.says(f"/job deploys:{A} deploys:{B}", channel="private-ops")
    await harness.wait_for_ephemeral("/invite @jobthread")
    await harness.settle()
    assert await states(harness) == [WatchState.ENDED] * 2
    assert len(harness.slack.ephemerals("ada")) == 1
    asked = len(harness.servicestage.calls)
    await harness.clock.advance(60)
    assert len(harness.servicestage.calls) == asked


@pytest.mark.parametrize("failure", ["archived", "deleted"])
async def test_rejected_board_makes_its_watches_unreachable(
    harness: BoardHarness, failure: str
) -> None:
    """The asker gets one notice for the whole board."""
    board = await board_with_two_jobs(harness)
    if failure == "archived":
        harness.slack.archive("deploys")
    else:
        harness.slack.delete(board)
    await harness.change_status(A, "ROLLBACKING")
    assert await states(harness) == [WatchState.UNREACHABLE] * 2
    [said] = await direct_messages(harness)
    assert "the 2 jobs of your board" in said.text


async def test_redelivered_board_shows_all_missed_updates(harness: BoardHarness) -> None:
    """The same message is updated, and each job gets one reply."""
    board = await board_with_two_jobs(harness)
    harness.slack.archive("deploys")
    await harness.change_status(A, "ROLLBACKING")
    harness.slack.workspace.unarchive("deploys")
    harness.servicestage.finish(B)
    await advance(harness, 3_900)
    assert [m.ts for m in harness.bot_messages()] == [board.ts]
    shown = harness.current(board)
    assert "1 of 2 done" in shown.text
    assert {row[0] for row in table_rows(shown)} == {"▶️ rolling back (ROLLBACKING)", "✅ succeeded"}
    first, second = sorted(m.text for m in harness.thread(board))
    assert first.startswith("deploy-1")
    assert second.startswith("deploy-2")
    assert await states(harness) == [WatchState.ACTIVE, WatchState.ENDED]


async def test_failed_board_probes_send_no_second_notice(
    harness: BoardHarness,
) -> None:
    """The hourly probe is silent while the channel stays archived."""
    await board_with_two_jobs(harness)
    harness.slack.archive("deploys")
    await harness.change_status(A, "ROLLBACKING")
    await advance(harness, 2 * 3_600 + 240)
    assert len(await direct_messages(harness)) == 1
    assert await states(harness) == [WatchState.UNREACHABLE] * 2


async def test_jobs_of_a_deleted_board_can_be_requested_again(harness: BoardHarness) -> None:
    """The old board is closed, and a new one replaces it."""
    board = await board_with_two_jobs(harness)
    known = await harness.board(board)
    harness.slack.delete(board)
    await harness.change_status(A, "ROLLBACKING")
    await harness.clock.advance(120)
    again = await harness.request_card(f"/job deploys:{A} deploys:{B}")
    assert len(table_rows(again)) == 2
    async with harness.bot.store.begin() as tx:
        old = await tx.boards.get(known.id)
    assert old is not None
    assert old.closed_at is not None


async def test_board_redrawn_while_rejected_sends_one_notice(
    harness: BoardHarness,
) -> None:
    """A pending newer drawing causes no second notice."""
    await board_with_two_jobs(harness)
    harness.slack.faults.delay("chat.update", milliseconds=3_000)
    harness.slack.faults.refuse("cant_update_message", "chat.update", times=None)
    harness.servicestage.finish(A, "ROLLBACKING")
    await harness.clock.advance(10)
    harness.servicestage.finish(B, "ROLLBACKING")
    await harness.clock.advance(2)
    await advance(harness, 180)
    assert len(await direct_messages(harness)) == 1
