"""Board placement: which jobs get a card and which a row of a board."""

from __future__ import annotations

import asyncio

import pytest

from tests.bot.board_harness import A, B, BoardHarness, C, boards_enabled, table_rows

pytestmark = pytest.mark.anyio
harness = boards_enabled


async def test_two_jobs_of_one_command_share_a_board(harness: BoardHarness) -> None:
    """There is one post with a row per job, and both are followed."""
    before = len(harness.slack.calls)
    board = await harness.request_card(f"/job deploys:{A} deploys:{B}")
    assert board.text.startswith("0 of 2 done.")
    assert {row[4] for row in table_rows(board)} == {f"deploys:{A}", f"deploys:{B}"}
    assert [c.method for c in harness.slack.calls[before:]] == ["chat.postMessage"]
    assert len(await harness.watches()) == 2


async def test_single_job_gets_a_card(harness: BoardHarness) -> None:
    """A card shows more than a board with one row."""
    card = await harness.request_card(f"/job deploys:{A}")
    assert "is running" in card.text
    assert "data_table" not in str(card.blocks)


async def test_each_job_gets_a_card_if_boards_are_disabled(harness: BoardHarness) -> None:
    """The channel settings decide."""
    await harness.says(f"@jobthread {A} {B}", channel="general")
    await harness.slack.until(lambda: len(harness.bot_messages("general")) == 2)


async def test_second_request_within_a_minute_turns_card_into_board(
    harness: BoardHarness,
) -> None:
    """The message stays in place, and the requester gets its link."""
    card = await harness.request_card(f"/job deploys:{A}")
    await harness.clock.advance(20)
    await harness.says(f"/job deploys:{B}")
    said = await harness.wait_for_ephemeral("your board")
    assert card.ts.replace(".", "") in str(said.blocks)
    board = await harness.wait_for_card(card, "Running: ")
    assert len(table_rows(board)) == 2
    assert [m.ts for m in harness.bot_messages()] == [card.ts]


async def test_unposted_card_becomes_a_board(harness: BoardHarness) -> None:
    """Two simultaneous commands make one board, even if Slack is slow."""
    harness.slack.faults.rate_limit("chat.postMessage", retry_after=5)
    await asyncio.gather(harness.says(f"/job deploys:{A}"), harness.says(f"/job deploys:{B}"))
    await harness.wait_for_ephemeral("your board")
    await harness.settle()
    [board] = harness.bot_messages()
    await harness.wait_for_card(board, "Running: ")
    await harness.change_status(B, "SUCCEEDED")
    await harness.wait_for_reply(board, "succeeded")
    assert {row[4] for row in table_rows(harness.current(board))} == {
        f"deploys:{A}",
        f"deploys:{B}",
    }
    assert {watch.card_ts for watch in await harness.watches_on(board)} == {board.ts}


async def test_simultaneous_commands_join_one_board(harness: BoardHarness) -> None:
    """Placement is serialised: the second transaction sees the first."""
    lines = [f"/job deploys:{id_}" for id_ in (A, B, C)]
    await asyncio.gather(*(harness.says(line) for line in lines))
    await harness.slack.until(lambda: len(harness.bot_messages()) == 1)
    await harness.settle()
    [board] = harness.bot_messages()
    assert len(table_rows(await harness.wait_for_card(board, "0 of 3 done"))) == 3


async def test_third_job_joins_the_board(harness: BoardHarness) -> None:
    """There is no second message."""
    board = await harness.request_card(f"/job deploys:{A} deploys:{B}")
    await harness.clock.advance(40)
    await harness.says(f"/job deploys:{C}")
    await harness.wait_for_card(board, "0 of 3 done")
    await harness.settle()
    assert [m.ts for m in harness.bot_messages()] == [board.ts]


async def test_job_requested_after_a_minute_gets_a_card(harness: BoardHarness) -> None:
    """The join window is over."""
    await harness.request_card(f"/job deploys:{A} deploys:{B}")
    await harness.clock.advance(61)
    assert "is running" in (await harness.request_card(f"/job deploys:{C}")).text


async def test_another_users_job_gets_a_card(harness: BoardHarness) -> None:
    """A board belongs to one user."""
    await harness.request_card(f"/job deploys:{A} deploys:{B}")
    card = await harness.request_card(f"/job deploys:{C}", user="ben")
    assert "is running" in card.text


async def test_request_in_another_thread_does_not_join_the_board(harness: BoardHarness) -> None:
    """It is answered in that thread."""
    board = await harness.request_card(f"/job deploys:{A} deploys:{B}")
    root = (await harness.slack.says("the release")).message
    assert root is not None
    await harness.says(f"@jobthread {C}", thread_ts=root.ts)
    await harness.wait_for_reply(root, "is running")
    assert len(table_rows(harness.current(board))) == 2


async def test_job_shown_by_a_reaction_does_not_become_a_board(harness: BoardHarness) -> None:
    """There is no message of the bot that could show the board."""
    await harness.enable_boards("general", reactions=True)
    root = (await harness.slack.says("look at this", channel="general")).message
    assert root is not None
    await harness.says(f"@jobthread {A}", channel="general", thread_ts=root.ts)
    await harness.slack.until(
        lambda: bool(harness.slack.thread(root.channel, root.ts)[1].reactions)
    )
    await harness.says(f"@jobthread {B} {C}", channel="general", thread_ts=root.ts)
    board = await harness.wait_for_reply(root, "0 of 2 done")
    assert {row[4] for row in table_rows(board)} == {f"deploys:{B}", f"deploys:{C}"}


async def test_board_requested_in_a_thread_stays_in_that_thread(
    harness: BoardHarness,
) -> None:
    """Nothing is posted in the channel itself."""
    root = (await harness.slack.says("the release")).message
    assert root is not None
    await harness.says(f"@jobthread {A} {B}", thread_ts=root.ts)
    await harness.wait_for_reply(root, "0 of 2 done")
    await harness.change_status(A, "SUCCEEDED")
    await harness.wait_for_reply(root, "succeeded")
    assert harness.bot_messages() == []


async def test_finished_job_gets_a_row_but_is_not_polled(harness: BoardHarness) -> None:
    """The board is complete."""
    harness.servicestage.finish(A)
    board = await harness.request_card(f"/job deploys:{A} deploys:{B}")
    assert [row[0].split()[1] for row in table_rows(board)] == ["running", "succeeded"]
    assert [ref.id for ref in await harness.watches()] == [B]


async def test_board_of_finished_jobs_is_closed_at_once(harness: BoardHarness) -> None:
    """It has no stop button and no watches."""
    for id_ in (A, B):
        harness.servicestage.finish(id_)
    board = await harness.request_card(f"/job deploys:{A} deploys:{B}")
    assert "2 of 2 done" in board.text
    assert "board_stop" not in str(board.blocks)
    assert (await harness.board(board)).closed_at is not None


async def test_already_followed_job_gets_no_second_row(harness: BoardHarness) -> None:
    """The reply links to its card; the other job gets a card."""
    card = await harness.request_card(f"/job deploys:{A}", user="ben")
    other = await harness.request_card(f"/job deploys:{A} deploys:{B}")
    said = await harness.wait_for_ephemeral("followed here already")
    assert card.ts.replace(".", "") in str(said.blocks)
    assert "is running" in other.text


async def test_unfollowed_job_requested_again_has_one_row(harness: BoardHarness) -> None:
    """The row is followed again."""
    board = await harness.request_card(f"/job deploys:{A} deploys:{B}")
    await harness.says(f"/job unwatch deploys:{A}")
    await harness.wait_for_card(board, "not followed")
    await harness.says(f"/job deploys:{A}")
    await harness.wait_for_ephemeral("your board")
    await harness.settle()
    assert sorted(row[4] for row in table_rows(harness.current(board))) == [
        f"deploys:{A}",
        f"deploys:{B}",
    ]
    assert "not followed" not in str(harness.current(board).blocks)


async def test_board_has_at_most_fifty_jobs(
    harness: BoardHarness,
) -> None:
    """Slack accepts fifty rows in one message; the next job gets its own."""
    ids = [f"JOB{n:08}-07b1-4c8f-a183-c86cffbe8f9e" for n in range(51)]
    harness.start_jobs(*ids)
    for first in range(0, 50, 10):
        named = " ".join(f"deploys:{id_}" for id_ in ids[first : first + 10])
        await harness.says(f"/job {named}")
        await harness.slack.until(harness.bot_messages)
        await harness.settle()
    [board] = harness.bot_messages()
    shown = await harness.wait_for_card(board, "0 of 50 done")
    assert len(table_rows(shown)) == 50
    card = await harness.request_card(f"/job deploys:{ids[50]}")
    assert "is running" in card.text


async def test_request_delivered_twice_makes_one_board(harness: BoardHarness) -> None:
    """Slack repeats events whose ack it did not get."""
    harness.slack.faults.deliver_twice()
    await harness.request_card(f"@jobthread {A} {B}")
    assert len(harness.bot_messages()) == 1


async def test_post_with_a_lost_response_makes_one_board(harness: BoardHarness) -> None:
    """The bot searches for the message before it sends it again."""
    harness.slack.faults.lose_answer("chat.postMessage")
    await harness.says(f"/job deploys:{A} deploys:{B}")
    await harness.slack.until(harness.bot_messages)
    await harness.settle()
    [board] = harness.bot_messages()
    await harness.change_status(A, "SUCCEEDED")
    await harness.wait_for_reply(board, "succeeded")
