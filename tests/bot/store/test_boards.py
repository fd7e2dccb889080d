"""The boards, in both stores: messages that tell of several jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.store import Board, BoardKind, Claim, PostKind

if TYPE_CHECKING:
    from bot.store import NewPost, Store
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


def board(given: Given, **fields: object) -> Board:
    """Return a board that Ada opened."""
    whole = Board(
        id="b1",
        workspace="T1",
        channel="C1",
        kind=BoardKind.BOARD,
        asker="U1",
        opened_at=given.now,
    )
    return replace(whole, **fields)


async def add(store: Store, *boards: Board) -> None:
    """Write boards down."""
    async with store.begin() as tx:
        for one in boards:
            await tx.boards.add(one)


async def test_a_board_comes_back_as_it_was_written(store: Store, given: Given) -> None:
    """Every field of a board survives; one that is not there is none."""
    whole = board(given, thread_ts="1.0", message_ts="2.0", closes_at=given.at(60))
    await add(store, whole)
    async with store.begin() as tx:
        assert await tx.boards.get("b1") == whole
        assert await tx.boards.get("b2") is None


async def test_the_newest_open_board_of_a_person_is_found(store: Store, given: Given) -> None:
    """Neither a closed one, nor another's, nor a digest."""
    older = board(given, id="older")
    newer = board(given, id="newer", opened_at=given.at(5))
    others = (
        board(given, id="closed", opened_at=given.at(9), closed_at=given.at(9)),
        board(given, id="grace's", opened_at=given.at(9), asker="U2"),
        board(given, id="digest", opened_at=given.at(9), kind=BoardKind.DIGEST),
    )
    await add(store, older, newer, *others)
    async with store.begin() as tx:
        assert await tx.boards.newest("T1", "C1", BoardKind.BOARD, "U1") == newer


async def test_a_board_is_closed_once(store: Store, given: Given) -> None:
    """Whoever closes it first did."""
    await add(store, board(given))
    async with store.begin() as tx:
        assert await tx.boards.close("b1", given.now)
        assert not await tx.boards.close("b1", given.now)


async def test_a_board_that_closes_by_the_clock_is_found_when_its_time_has_come(
    store: Store, given: Given
) -> None:
    """And before that, when it will be."""
    await add(store, board(given, closes_at=given.at(60)), board(given, id="b2"))
    async with store.begin() as tx:
        assert await tx.boards.next_closing() == given.at(60)
        assert await tx.boards.closing(given.at(59)) == []
        assert [one.id for one in await tx.boards.closing(given.at(60))] == ["b1"]


async def test_old_closed_boards_are_forgotten(store: Store, given: Given) -> None:
    """An open one never is."""
    await add(store, board(given, id="old", closed_at=given.now), board(given))
    async with store.begin() as tx:
        assert await tx.boards.prune(given.at(1)) == 1
        assert await tx.boards.get("b1") is not None


async def test_a_watch_on_a_board_has_the_board_s_message_for_its_card(
    store: Store, given: Given
) -> None:
    """Its follow-ups go into the thread of that."""
    watch = given.watch()
    await add(store, board(given, message_ts="2.0"))
    async with store.begin() as tx:
        await tx.jobs.track("T1", given.job(), due_at=given.now, now=given.now)
        await tx.watches.add(watch)
        await tx.boards.join(watch.id, "b1", "2.0")
        [(joined, job)] = await tx.watches.of_board("b1")
    assert (joined.board_id, joined.card_ts, job.ref) == ("b1", "2.0", watch.ref)


def drawn(given: Given, kind: PostKind) -> NewPost:
    """Return the message of the board, or a change of it."""
    return replace(given.post(f"b1:{kind}"), kind=kind, board_id="b1", thread=f"board:{kind}")


async def test_where_a_board_stands_is_known_once_it_is_sent(store: Store, given: Given) -> None:
    """To the board, to the watches on it, and to the updates that wait for it."""
    watch = given.watch(board_id="b1")
    await add(store, board(given))
    root = replace(drawn(given, PostKind.POST), roots_watch=True)
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.outbox.add([drawn(given, PostKind.UPDATE)], given.now)
        assert await tx.outbox.due(lanes=(0, 1), now=given.now, limit=9) == []
        post = await tx.outbox.add_claimed(root, Claim(given.at(9), given.at(9)), given.now)
        assert post is not None
        assert await tx.outbox.sent(post, ts="2.0", now=given.now)
        found = await tx.boards.get("b1")
        on_it = await tx.watches.get(watch.id)
        [update] = await tx.outbox.due(lanes=(0, 1), now=given.now, limit=9)
    assert found is not None
    assert on_it is not None
    assert {found.message_ts, on_it.card_ts, update.card_ts} == {"2.0"}
