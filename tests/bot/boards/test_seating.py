"""Who gets a card of their own, and who a row of a board."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.bot.boards.stage import A, B, BoardStage, C, boarded, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[BoardStage]:
    """A channel that wants boards."""
    async with boarded(tmp_path) as everything:
        yield everything


async def test_two_jobs_of_one_command_share_one_message(stage: BoardStage) -> None:
    """One post, a row for each job, and both are followed."""
    before = len(stage.slack.calls)
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    assert board.text.startswith("0 of 2 done.")
    assert {row[4] for row in table(board)} == {f"deploys:{A}", f"deploys:{B}"}
    assert [c.method for c in stage.slack.calls[before:]] == ["chat.postMessage"]
    assert len(await stage.watches()) == 2


async def test_one_job_alone_has_a_card(stage: BoardStage) -> None:
    """A board of one would be a poorer card."""
    card = await stage.asks(f"/job deploys:{A}")
    assert "is running" in card.text
    assert "data_table" not in str(card.blocks)


async def test_where_no_board_is_wanted_each_job_has_its_card(stage: BoardStage) -> None:
    """The channel decides."""
    await stage.says(f"@jobthread {A} {B}", channel="general")
    await stage.slack.until(lambda: len(stage.said("general")) == 2)


async def test_a_job_asked_for_within_a_minute_turns_the_card_into_a_board(
    stage: BoardStage,
) -> None:
    """The message stays where it is, and the asker is pointed to it."""
    card = await stage.asks(f"/job deploys:{A}")
    await stage.clock.advance(20)
    await stage.says(f"/job deploys:{B}")
    said = await stage.whispered("your board")
    assert card.ts.replace(".", "") in str(said.blocks)
    board = await stage.shown(card, "Running: ")
    assert len(table(board)) == 2
    assert [m.ts for m in stage.said()] == [card.ts]


async def test_a_card_that_is_still_on_its_way_becomes_a_board_as_well(stage: BoardStage) -> None:
    """Two commands at the same moment are one board, whatever Slack takes its time for."""
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


async def test_commands_at_the_same_moment_join_one_board(stage: BoardStage) -> None:
    """Whoever is written down second sees the first."""
    lines = [f"/job deploys:{id_}" for id_ in (A, B, C)]
    await asyncio.gather(*(stage.says(line) for line in lines))
    await stage.slack.until(lambda: len(stage.said()) == 1)
    await stage.at_rest()
    [board] = stage.said()
    assert len(table(await stage.shown(board, "0 of 3 done"))) == 3


async def test_a_third_job_joins_the_board(stage: BoardStage) -> None:
    """No second message."""
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    await stage.clock.advance(40)
    await stage.says(f"/job deploys:{C}")
    await stage.shown(board, "0 of 3 done")
    await stage.at_rest()
    assert [m.ts for m in stage.said()] == [board.ts]


async def test_after_a_minute_the_next_job_has_a_card_of_its_own(stage: BoardStage) -> None:
    """What is asked later is another matter."""
    await stage.asks(f"/job deploys:{A} deploys:{B}")
    await stage.clock.advance(61)
    assert "is running" in (await stage.asks(f"/job deploys:{C}")).text


async def test_somebody_elses_job_has_a_card_of_its_own(stage: BoardStage) -> None:
    """A board is one person's."""
    await stage.asks(f"/job deploys:{A} deploys:{B}")
    card = await stage.asks(f"/job deploys:{C}", user="ben")
    assert "is running" in card.text


async def test_another_thread_is_another_place(stage: BoardStage) -> None:
    """What was asked in a thread is answered in that thread."""
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    question = (await stage.slack.says("the release")).message
    assert question is not None
    await stage.says(f"@jobthread {C}", thread_ts=question.ts)
    await stage.replied(question, "is running")
    assert len(table(stage.now(board))) == 2


async def test_a_board_asked_for_in_a_thread_stands_there_with_its_follow_ups(
    stage: BoardStage,
) -> None:
    """Nothing of it is in the channel itself."""
    question = (await stage.slack.says("the release")).message
    assert question is not None
    await stage.says(f"@jobthread {A} {B}", thread_ts=question.ts)
    await stage.replied(question, "0 of 2 done")
    await stage.moves(A, "SUCCEEDED")
    await stage.replied(question, "succeeded")
    assert stage.said() == []


async def test_a_finished_job_has_a_row_and_is_not_looked_at(stage: BoardStage) -> None:
    """The board is complete, and polling is for the living."""
    stage.servicestage.finish(A)
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    assert [row[0].split()[1] for row in table(board)] == ["running", "succeeded"]
    assert [ref.id for ref in await stage.watches()] == [B]


async def test_a_board_of_finished_jobs_is_closed_at_once(stage: BoardStage) -> None:
    """There is nothing to stop and nothing to wait for."""
    for id_ in (A, B):
        stage.servicestage.finish(id_)
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    assert "2 of 2 done" in board.text
    assert "board_stop" not in str(board.blocks)
    assert (await stage.board(board)).closed_at is not None


async def test_a_job_that_is_followed_here_already_gets_no_second_row(stage: BoardStage) -> None:
    """Its asker gets the link, the other job a card."""
    card = await stage.asks(f"/job deploys:{A}", user="ben")
    other = await stage.asks(f"/job deploys:{A} deploys:{B}")
    said = await stage.whispered("followed here already")
    assert card.ts.replace(".", "") in str(said.blocks)
    assert "is running" in other.text


async def test_a_stopped_job_that_is_asked_for_anew_has_one_row(stage: BoardStage) -> None:
    """The row is followed again."""
    board = await stage.asks(f"/job deploys:{A} deploys:{B}")
    await stage.says(f"/job unwatch deploys:{A}")
    await stage.shown(board, "not followed")
    await stage.says(f"/job deploys:{A}")
    await stage.whispered("your board")
    await stage.at_rest()
    assert sorted(row[4] for row in table(stage.now(board))) == [f"deploys:{A}", f"deploys:{B}"]
    assert "not followed" not in str(stage.now(board).blocks)


async def test_a_board_takes_fifty_jobs_and_the_next_has_its_own_message(
    stage: BoardStage,
) -> None:
    """Slack takes all fifty in one message; the fifty-first begins anew."""
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


async def test_a_question_that_is_delivered_twice_makes_one_board(stage: BoardStage) -> None:
    """Slack repeats what it thinks was lost."""
    stage.slack.faults.deliver_twice()
    await stage.asks(f"@jobthread {A} {B}")
    assert len(stage.said()) == 1


async def test_a_post_whose_answer_was_lost_makes_one_board(stage: BoardStage) -> None:
    """It is looked up before it is sent again."""
    stage.slack.faults.lose_answer("chat.postMessage")
    await stage.says(f"/job deploys:{A} deploys:{B}")
    await stage.slack.until(stage.said)
    await stage.at_rest()
    [board] = stage.said()
    await stage.moves(A, "SUCCEEDED")
    await stage.replied(board, "succeeded")
