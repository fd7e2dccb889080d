"""Boards, on both databases: which request joins which, and their message timestamps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.store import Board, BoardKind, Claim, MessageKind, WatchState

if TYPE_CHECKING:
    from bot.store import NewMessage, Store, Watch
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


def board(given: Given, id_: str = "b1", **changes: Any) -> Board:
    """Return a board of U1 in C1."""
    defaults = {"workspace": "T1", "channel": "C1", "kind": BoardKind.BOARD, "asker": "U1"}
    return Board(**({"id": id_, "opened_at": given.now} | defaults | changes))


async def latest_request(store: Store, given: Given, thread_ts: str | None = None) -> Watch | None:
    """Return the last request of U1 in C1 in the minute before noon."""
    async with store.begin() as tx:
        return await tx.boards.latest_request("T1", "C1", thread_ts, "U1", given.at(-60))


async def test_last_request_of_a_user_in_a_place_is_found(store: Store, given: Given) -> None:
    """Not those of others, of other threads, old ones or ended ones."""
    wanted = given.watch(ref=given.ref("J1"))
    others = [
        given.watch(ref=given.ref("J2"), requested_at=given.at(-1)),
        given.watch(ref=given.ref("J3"), asker="U2", requested_at=given.at(1)),
        given.watch(ref=given.ref("J4"), thread_ts="1.0", requested_at=given.at(1)),
        given.watch(ref=given.ref("J5"), channel="C2", requested_at=given.at(1)),
    ]
    async with store.begin() as tx:
        for watch in (wanted, *others):
            await tx.watches.add(watch)
    assert await latest_request(store, given) == wanted
    assert await latest_request(store, given, "1.0") == others[2]
    async with store.begin() as tx:
        await tx.watches.end([wanted.id], now=given.now, reason="over")
    assert await latest_request(store, given) == others[0]


async def test_request_older_than_a_minute_is_not_found(store: Store, given: Given) -> None:
    """The limit itself is excluded."""
    async with store.begin() as tx:
        await tx.watches.add(given.watch(requested_at=given.at(-60)))
    assert await latest_request(store, given) is None


async def test_requester_lock_serializes_concurrent_requests(store: Store, given: Given) -> None:
    """The second request sees the rows of the first."""
    seen: list[int] = []

    async def request(number: int) -> None:
        async with store.begin() as tx:
            await tx.boards.lock_requester("T1", "C1", "U1")
            seen.append(
                int(await tx.boards.latest_request("T1", "C1", None, "U1", given.at(-60)) is None)
            )
            await asyncio.sleep(0)
            await tx.watches.add(given.watch(ref=given.ref(f"J{number}")))

    await asyncio.gather(*(request(number) for number in range(4)))
    assert seen == [1, 0, 0, 0]


async def test_last_job_to_end_sees_that_the_others_have_ended(store: Store, given: Given) -> None:
    """Otherwise no transaction closes the board."""
    watches = [given.watch(ref=given.ref(f"J{n}"), board_id="b1") for n in range(3)]
    async with store.begin() as tx:
        await tx.boards.add(board(given))
        for watch in watches:
            await tx.watches.add(watch)
            await tx.jobs.track("T1", given.job(watch.ref), due_at=given.now, now=given.now)
    left: list[int] = []

    async def end(watch: Watch) -> None:
        async with store.begin() as tx:
            await tx.watches.end([watch.id], now=given.now, reason="over")
            await tx.boards.lock("b1")
            rows = await tx.watches.of_board("b1")
            left.append(sum(one.state is WatchState.ACTIVE for one, _ in rows))
            await asyncio.sleep(0)

    await asyncio.gather(*map(end, watches))
    assert left == [2, 1, 0]


async def test_card_that_joins_a_board_in_flight_sets_all_cards(store: Store, given: Given) -> None:
    """The message is the card of every watch on the board."""
    first, second = given.watch(ref=given.ref("J1")), given.watch(ref=given.ref("J2"))
    root = given.message(watch_id=first.id, creates_card=True)
    async with store.begin() as tx:
        for watch in (first, second):
            await tx.watches.add(watch)
        claimed = await tx.outbox.add_claimed(root, Claim(given.at(5), given.at(9)), given.now)
        assert claimed is not None
        await tx.boards.add(board(given))
        for watch in (first, second):
            await tx.boards.join(watch.id, "b1", None)
        await tx.outbox.mark_sent(claimed, ts="7.0", now=given.now)
        placed = [await tx.watches.get(watch.id) for watch in (first, second)]
        assert placed == [replace(w, board_id="b1", card_ts="7.0") for w in (first, second)]
        assert await tx.boards.get("b1") == board(given, message_ts="7.0")


async def test_card_sent_while_it_joins_a_board_sets_all_cards(store: Store, given: Given) -> None:
    """Neither transaction overwrites the other."""
    watch, locked = given.watch(), asyncio.Event()
    root = given.message(watch_id=watch.id, creates_card=True)
    async with store.begin() as tx:
        await tx.watches.add(watch)
        claimed = await tx.outbox.add_claimed(root, Claim(given.at(5), given.at(9)), given.now)
    assert claimed is not None

    async def join() -> None:
        async with store.begin() as tx:
            seen = await tx.boards.latest_request(
                "T1", "C1", None, "U1", given.at(-60), for_update=True
            )
            assert seen is not None
            locked.set()
            for _ in range(100):  # enough for the other one to finish, if it did not wait
                await tx.boards.get("b1")
            await tx.boards.add(board(given))
            await tx.boards.join(seen.id, "b1", seen.card_ts)

    async def mark_sent() -> None:
        await locked.wait()
        async with store.begin() as tx:
            await tx.outbox.mark_sent(claimed, ts="7.0", now=given.now)

    await asyncio.gather(join(), mark_sent())
    async with store.begin() as tx:
        assert await tx.watches.get(watch.id) == replace(watch, board_id="b1", card_ts="7.0")
        assert await tx.boards.get("b1") == board(given, message_ts="7.0")


async def test_rows_count_ended_jobs_until_they_leave(store: Store, given: Given) -> None:
    """A board has a maximum number of rows."""
    watches = [given.watch(ref=given.ref(f"J{n}"), board_id="b1") for n in range(3)]
    async with store.begin() as tx:
        for watch in watches:
            await tx.watches.add(watch)
        await tx.watches.end([watches[0].id], now=given.now, reason="over")
        assert await tx.boards.count_rows("b1") == 3
        await tx.boards.leave(watches[0].id)
        assert await tx.boards.count_rows("b1") == 2


async def test_dead_letters_of_a_board_and_its_watches_count(store: Store, given: Given) -> None:
    """A second warning about them is avoided."""
    watch = given.watch(board_id="b1")
    async with store.begin() as tx:
        await tx.watches.add(watch)
        assert await tx.dead_letters.count_of_board("T1", "b1") == 0
        posts = [given.message(watch_id=watch.id), given.message(board_id="b1"), given.message()]
        await tx.outbox.add(posts, given.now)
        await tx.outbox.dead_letter_thread("T1", "thread", "is_archived", given.now)
        assert await tx.dead_letters.count_of_board("T1", "b1") == 2


async def test_old_board_without_rows_is_pruned(store: Store, given: Given) -> None:
    """Its message was deleted, and its jobs are on another board."""
    async with store.begin() as tx:
        await tx.boards.add(board(given, "b1"))
        await tx.boards.add(board(given, "b2"))
        await tx.watches.add(given.watch(board_id="b2"))
        assert await tx.boards.prune(given.at(1)) == 1
        assert await tx.boards.get("b2") is not None


async def add(store: Store, *boards: Board) -> None:
    """Store boards."""
    async with store.begin() as tx:
        for one in boards:
            await tx.boards.add(one)


async def test_stored_board_keeps_every_field(store: Store, given: Given) -> None:
    """A missing one is None."""
    whole = board(given, thread_ts="1.0", message_ts="2.0", closes_at=given.at(60))
    await add(store, whole)
    async with store.begin() as tx:
        assert await tx.boards.get("b1") == whole
        assert await tx.boards.get("b2") is None


async def test_newest_open_board_of_a_user_is_found(store: Store, given: Given) -> None:
    """No closed one, no other user's, no digest."""
    older = board(given, id_="older")
    newer = board(given, id_="newer", opened_at=given.at(5))
    others = (
        board(given, id_="closed", opened_at=given.at(9), closed_at=given.at(9)),
        board(given, id_="grace's", opened_at=given.at(9), asker="U2"),
        board(given, id_="digest", opened_at=given.at(9), kind=BoardKind.DIGEST),
    )
    await add(store, older, newer, *others)
    async with store.begin() as tx:
        assert await tx.boards.latest_open("T1", "C1", BoardKind.BOARD, "U1") == newer


async def test_board_is_closed_once(store: Store, given: Given) -> None:
    """The second close fails."""
    await add(store, board(given))
    async with store.begin() as tx:
        assert await tx.boards.close("b1", given.now)
        assert not await tx.boards.close("b1", given.now)


async def test_board_with_a_closing_time_is_found_when_due(store: Store, given: Given) -> None:
    """Not earlier; one without a closing time is never found."""
    await add(store, board(given, closes_at=given.at(60)), board(given, id_="b2"))
    async with store.begin() as tx:
        assert await tx.boards.due_to_close(given.at(59)) == []
        assert [one.id for one in await tx.boards.due_to_close(given.at(60))] == ["b1"]


async def test_old_closed_boards_are_pruned(store: Store, given: Given) -> None:
    """A board with a job is kept."""
    await add(store, board(given, id_="old", closed_at=given.now), board(given))
    async with store.begin() as tx:
        await tx.watches.add(given.watch(board_id="b1"))
        assert await tx.boards.prune(given.at(1)) == 1
        assert await tx.boards.get("b1") is not None


async def test_watch_on_a_board_has_its_message_as_the_card(store: Store, given: Given) -> None:
    """Its replies go to that message's thread."""
    watch = given.watch()
    await add(store, board(given, message_ts="2.0"))
    async with store.begin() as tx:
        await tx.jobs.track("T1", given.job(), due_at=given.now, now=given.now)
        await tx.watches.add(watch)
        await tx.boards.join(watch.id, "b1", "2.0")
        [(joined, job)] = await tx.watches.of_board("b1")
    assert (joined.board_id, joined.card_ts, job.ref) == ("b1", "2.0", watch.ref)


def board_message(given: Given, kind: MessageKind) -> NewMessage:
    """Return the message of the board, or an update of it."""
    return replace(
        given.message(f"b1:{kind}"), kind=kind, board_id="b1", ordering_key=f"board:{kind}"
    )


async def test_sent_board_sets_its_timestamp_everywhere(store: Store, given: Given) -> None:
    """In the board, in its watches, and for the updates that wait for it."""
    watch = given.watch(board_id="b1")
    await add(store, board(given))
    root = replace(board_message(given, MessageKind.POST), creates_card=True)
    async with store.begin() as tx:
        await tx.watches.add(watch)
        await tx.outbox.add([board_message(given, MessageKind.UPDATE)], given.now)
        assert await tx.outbox.due(lanes=(0, 1), now=given.now, limit=9) == []
        claimed = await tx.outbox.add_claimed(root, Claim(given.at(9), given.at(9)), given.now)
        assert claimed is not None
        assert await tx.outbox.mark_sent(claimed, ts="2.0", now=given.now)
        found = await tx.boards.get("b1")
        on_it = await tx.watches.get(watch.id)
        [update] = await tx.outbox.due(lanes=(0, 1), now=given.now, limit=9)
    assert found is not None
    assert on_it is not None
    assert {found.message_ts, on_it.card_ts, update.card_ts} == {"2.0"}
