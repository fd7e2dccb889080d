"""Board placement: which jobs get a card and which a row of a board."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.bot.board_harness import A, B, BoardStage, C, boarded, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[BoardStage]:
    """A bot with boards enabled in #deploys."""
    async with boarded(tmp_path) as running:
        yield running


async def test_two_jobs_of_one_command_share_a_board(stage: BoardStage) -> None:
    """There is one post with a row per job, and both are followed."""
    before = len(stage.slack.calls)
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    assert board.text.startswith("0 of 2 done.")
    assert {row[4] for row in table(board)} == {f"deploys:{A}", f"deploys:{B}"}
    assert [c.method for c in stage.slack.calls[before:]] == ["chat.postMessage"]
    assert len(await stage.watches()) == 2


async def test_single_job_gets_a_card(stage: BoardStage) -> None:
    """A card shows more than a board with one row."""
    card = await stage.asks(f"/job deploys:{A}")
    assert "is running" in card.text
    assert "data_table" not in str(card.blocks)


async def test_each_job_gets_a_card_if_boards_are_disabled(stage: BoardStage) -> None:
    """The channel settings decide."""
    await stage.says(f"@jobthread {A} {B}", channel="general")
    await stage.slack.until(lambda: len(stage.said("general")) == 2)


async def test_second_request_within_a_minute_turns_card_into_board(
    stage: BoardStage,
) -> None:
    """The message stays in place, and the requester gets its link."""
    card = await stage.asks(f"/job deploys:{A}")
    await stage.clock.advance(20)
    await stage.says(f"/job deploys:{B}")
    said = await stage.whispered("your board")
    assert card.ts.replace(".", "") in str(said.blocks)
    board = await stage.shown(card, "Running: ")
    assert len(table(board)) == 2
    assert [m.ts for m in stage.said()] == [card.ts]


async def test_unposted_card_becomes_a_board(stage: BoardStage) -> None:
    """Two simultaneous commands make one board, even if Slack is slow."""
    stage.slack.faults.rate_limit("chat.postMessage", retry_after=5)
    await asyncio.gather(stage.says(f"/job deploys:{A}"), stage.says(f"/job deploys:{B}"))
    await stage.whispered("your board")
    await stage.at_rest()
    [board] = stage.said()
    await stage.shown(board, "Running: ")
    await stage.moves(B, "SUCCEEDED")
    await stage.replied(board, "succeeded")
    assert {row[4] for row in table(stage.now(board))} == {f"deploys:{A}", f"deploys:{B}"}
    assert {watch.card_ts for watch in await stage.seats(board)} == {board.ts}


async def test_simultaneous_commands_join_one_board(stage: BoardStage) -> None:
    """Placement is serialised: the second transaction sees the first."""
    lines = [f"/job deploys:{id_}" for id_ in (A, B, C)]
    await asyncio.gather(*(stage.says(line) for line in lines))
    await stage.slack.until(lambda: len(stage.said()) == 1)
    await stage.at_rest()
    [board] = stage.said()
    assert len(table(await stage.shown(board, "0 of 3 done"))) == 3


async def test_third_job_joins_the_board(stage: BoardStage) -> None:
    """There is no second message."""
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    await stage.clock.advance(40)
    await stage.says(f"/job deploys:{C}")
    await stage.shown(board, "0 of 3 done")
    await stage.at_rest()
    assert [m.ts for m in stage.said()] == [board.ts]


async def test_job_requested_after_a_minute_gets_a_card(stage: BoardStage) -> None:
    """The join window is over."""
    await stage.asks(f"/job deploys:{A} deploys:{B}")
    await stage.clock.advance(61)
    assert "is running" in (await stage.asks(f"/job deploys:{C}")).text


async def test_another_users_job_gets_a_card(stage: BoardStage) -> None:
    """A board belongs to one user."""
    await stage.asks(f"/job deploys:{A} deploys:{B}")
    card = await stage.asks(f"/job deploys:{C}", user="ben")
    assert "is running" in card.text


async def test_request_in_another_thread_does_not_join_the_board(stage: BoardStage) -> None:
    """It is answered in that thread."""
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    root = (await stage.slack.says("the release")).message
    assert root is not None
    await stage.says(f"@jobthread {C}", thread_ts=root.ts)
    await stage.replied(root, "is running")
    assert len(table(stage.now(board))) == 2


async def test_board_requested_in_a_thread_stays_in_that_thread(
    stage: BoardStage,
) -> None:
    """Nothing is posted in the channel itself."""
    root = (await stage.slack.says("the release")).message
    assert root is not None
    await stage.says(f"@jobthread {A} {B}", thread_ts=root.ts)
    await stage.replied(root, "0 of 2 done")
    await stage.moves(A, "SUCCEEDED")
    await stage.replied(root, "succeeded")
    assert stage.said() == []


async def test_finished_job_gets_a_row_but_is_not_polled(stage: BoardStage) -> None:
    """The board is complete."""
    stage.servicestage.finish(A)
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    assert [row[0].split()[1] for row in table(board)] == ["running", "succeeded"]
    assert [ref.id for ref in await stage.watches()] == [B]


async def test_board_of_finished_jobs_is_closed_at_once(stage: BoardStage) -> None:
    """It has no stop button and no watches."""
    for id_ in (A, B):
        stage.servicestage.finish(id_)
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    assert "2 of 2 done" in board.text
    assert "board_stop" not in str(board.blocks)
    assert (await stage.board(board)).closed_at is not None


async def test_already_followed_job_gets_no_second_row(stage: BoardStage) -> None:
    """The reply links to its card; the other job gets a card."""
    card = await stage.asks(f"/job deploys:{A}", user="ben")
    other = await stage.asks(f"/job deploys:{A} deploys:{B}")
    said = await stage.whispered("followed here already")
    assert card.ts.replace(".", "") in str(said.blocks)
    assert "is running" in other.text


async def test_unfollowed_job_requested_again_has_one_row(stage: BoardStage) -> None:
    """The row is followed again."""
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    await stage.says(f"/job unwatch deploys:{A}")
    await stage.shown(board, "not followed")
    await stage.says(f"/job deploys:{A}")
    await stage.whispered("your board")
    await stage.at_rest()
    assert sorted(row[4] for row in table(stage.now(board))) == [f"deploys:{A}", f"deploys:{B}"]
    assert "not followed" not in str(stage.now(board).blocks)


async def test_board_has_at_most_fifty_jobs(
    stage: BoardStage,
) -> None:
    """Slack accepts fifty rows in one message; the next job gets its own."""
    ids = [f"JOB{n:08}-07b1-4c8f-a183-c86cffbe8f9e" for n in range(51)]
    stage.begin(*ids)
    for first in range(0, 50, 10):
        named = " ".join(f"deploys:{id_}" for id_ in ids[first : first + 10])
        await stage.says(f"/job {named}")
        await stage.slack.until(stage.said)
        await stage.at_rest()
    [board] = stage.said()
    shown = await stage.shown(board, "0 of 50 done")
    assert len(table(shown)) == 50
    card = await stage.asks(f"/job deploys:{ids[50]}")
    assert "is running" in card.text


async def test_request_delivered_twice_makes_one_board(stage: BoardStage) -> None:
    """Slack repeats events whose ack it did not get."""
    stage.slack.faults.deliver_twice()
    await stage.asks(f"@jobthread {A} {B}")
    assert len(stage.said()) == 1


async def test_post_with_a_lost_response_makes_one_board(stage: BoardStage) -> None:
    """The bot searches for the message before it sends it again."""
    stage.slack.faults.lose_answer("chat.postMessage")
    await stage.says(f"/job deploys:{A} deploys:{B}")
    await stage.slack.until(stage.said)
    await stage.at_rest()
    [board] = stage.said()
    await stage.moves(A, "SUCCEEDED")
    await stage.replied(board, "succeeded")
