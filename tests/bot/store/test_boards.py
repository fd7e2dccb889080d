"""The boards, in both stores: who may join which, and where their message stands."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.store import Board, BoardKind, Claim, PostKind, WatchState

if TYPE_CHECKING:
    from bot.store import NewPost, Store, Watch
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


def board(given: Given, id_: str = "b1", **but: Any) -> Board:
    """A board of U1 in C1."""
    plain = {"workspace": "T1", "channel": "C1", "kind": BoardKind.BOARD, "asker": "U1"}
    return Board(**({"id": id_, "opened_at": given.now} | plain | but))


async def fresh(store: Store, given: Given, thread_ts: str | None = None) -> Watch | None:
    """Return what U1 asked for in C1 in the minute before noon."""
    async with store.begin() as tx:
        return await tx.boards.fresh("T1", "C1", thread_ts, "U1", given.at(-60))


async def test_the_newest_of_a_persons_watches_in_a_place_is_found(
    store: Store, given: Given
) -> None:
    """Not those of others, of other threads, of long ago, or that have ended."""
    wanted = given.watch(ref=given.ref("J1"))
    others = [
        given.watch(ref=given.ref("J2"), asked_at=given.at(-1)),
        given.watch(ref=given.ref("J3"), asker="U2", asked_at=given.at(1)),
        given.watch(ref=given.ref("J4"), thread_ts="1.0", asked_at=given.at(1)),
        given.watch(ref=given.ref("J5"), channel="C2", asked_at=given.at(1)),
    ]
    async with store.begin() as tx:
        for watch in (wanted, *others):
            await tx.watches.add(watch)
    assert await fresh(store, given) == wanted
    assert await fresh(store, given, "1.0") == others[2]
    async with store.begin() as tx:
        await tx.watches.end([wanted.id], now=given.now, reason="over")
    assert await fresh(store, given) == others[0]


async def test_what_was_asked_a_minute_ago_is_not_found(store: Store, given: Given) -> None:
    """Sixty seconds are over when they are over."""
    async with store.begin() as tx:
        await tx.watches.add(given.watch(asked_at=given.at(-60)))
    assert await fresh(store, given) is None


async def test_whoever_holds_a_place_is_waited_for(store: Store, given: Given) -> None:
    """Of two questions at once, the second sees what the first wrote."""
    seen: list[int] = []

    async def ask(number: int) -> None:
        async with store.begin() as tx:
            await tx.boards.hold("T1", "C1", "U1")
            seen.append(int(await tx.boards.fresh("T1", "C1", None, "U1", given.at(-60)) is None))
            await asyncio.sleep(0)
            await tx.watches.add(given.watch(ref=given.ref(f"J{number}")))

    await asyncio.gather(*(ask(number) for number in range(4)))
    assert seen == [1, 0, 0, 0]


async def test_of_two_last_jobs_the_second_to_end_sees_that_the_first_has(
    store: Store, given: Given
) -> None:
    """Otherwise nobody would close the board."""
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
            seats = await tx.watches.of_board("b1")
            left.append(sum(one.state is WatchState.ACTIVE for one, _ in seats))
            await asyncio.sleep(0)

    await asyncio.gather(*map(end, watches))
    assert left == [2, 1, 0]


async def test_a_card_that_joined_a_board_on_its_way_places_all_of_it(
    store: Store, given: Given
) -> None:
    """The message is the card of every watch on the board."""
    first, second = given.watch(ref=given.ref("J1")), given.watch(ref=given.ref("J2"))
    root = given.post(watch_id=first.id, roots_watch=True)
    async with store.begin() as tx:
        for watch in (first, second):
            await tx.watches.add(watch)
        claimed = await tx.outbox.add_claimed(root, Claim(given.at(5), given.at(9)), given.now)
        assert claimed is not None
        await tx.boards.add(board(given))
        for watch in (first, second):
            await tx.boards.join(watch.id, "b1", None)
        await tx.outbox.sent(claimed, ts="7.0", now=given.now)
        placed = [await tx.watches.get(watch.id) for watch in (first, second)]
        assert placed == [replace(w, board_id="b1", card_ts="7.0") for w in (first, second)]
        assert await tx.boards.get("b1") == board(given, message_ts="7.0")


async def test_a_card_that_arrives_while_it_becomes_a_board_places_all_of_it(
    store: Store, given: Given
) -> None:
    """Neither the one who writes down where it stands nor the one who joins loses the other."""
    watch, begun = given.watch(), asyncio.Event()
    root = given.post(watch_id=watch.id, roots_watch=True)
    async with store.begin() as tx:
        await tx.watches.add(watch)
        claimed = await tx.outbox.add_claimed(root, Claim(given.at(5), given.at(9)), given.now)
    assert claimed is not None

    async def join() -> None:
        async with store.begin() as tx:
            seen = await tx.boards.fresh("T1", "C1", None, "U1", given.at(-60), alone=True)
            assert seen is not None
            begun.set()
            for _ in range(100):  # the other one would have come and gone meanwhile
                await tx.boards.get("b1")
            await tx.boards.add(board(given))
            await tx.boards.join(seen.id, "b1", seen.card_ts)

    async def arrive() -> None:
        await begun.wait()
        async with store.begin() as tx:
            await tx.outbox.sent(claimed, ts="7.0", now=given.now)

    await asyncio.gather(join(), arrive())
    async with store.begin() as tx:
        assert await tx.watches.get(watch.id) == replace(watch, board_id="b1", card_ts="7.0")
        assert await tx.boards.get("b1") == board(given, message_ts="7.0")


async def test_rows_are_counted_ended_ones_too_until_they_leave(store: Store, given: Given) -> None:
    """A board has room for so many and no more."""
    watches = [given.watch(ref=given.ref(f"J{n}"), board_id="b1") for n in range(3)]
    async with store.begin() as tx:
        for watch in watches:
            await tx.watches.add(watch)
        await tx.watches.end([watches[0].id], now=given.now, reason="over")
        assert await tx.boards.rows("b1") == 3
        await tx.boards.leave(watches[0].id)
        assert await tx.boards.rows("b1") == 2


async def test_parked_messages_of_a_board_and_of_its_watches_are_counted(
    store: Store, given: Given
) -> None:
    """Whoever complains asks first whether somebody did already."""
    watch = given.watch(board_id="b1")
    async with store.begin() as tx:
        await tx.watches.add(watch)
        assert await tx.parked.of_board("T1", "b1") == 0
        posts = [given.post(watch_id=watch.id), given.post(board_id="b1"), given.post()]
        await tx.outbox.add(posts, given.now)
        await tx.outbox.park_thread("T1", "thread", "is_archived", given.now)
        assert await tx.parked.of_board("T1", "b1") == 2


async def test_an_old_board_without_a_row_is_forgotten_though_nobody_closed_it(
    store: Store, given: Given
) -> None:
    """Its message was deleted, and its jobs are on another one."""
    async with store.begin() as tx:
        await tx.boards.add(board(given, "b1"))
        await tx.boards.add(board(given, "b2"))
        await tx.watches.add(given.watch(board_id="b2"))
        assert await tx.boards.prune(given.at(1)) == 1
        assert await tx.boards.get("b2") is not None


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
    older = board(given, id_="older")
    newer = board(given, id_="newer", opened_at=given.at(5))
    others = (
        board(given, id_="closed", opened_at=given.at(9), closed_at=given.at(9)),
        board(given, id_="grace's", opened_at=given.at(9), asker="U2"),
        board(given, id_="digest", opened_at=given.at(9), kind=BoardKind.DIGEST),
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
    """Not before; and one without such a time never is."""
    await add(store, board(given, closes_at=given.at(60)), board(given, id_="b2"))
    async with store.begin() as tx:
        assert await tx.boards.closing(given.at(59)) == []
        assert [one.id for one in await tx.boards.closing(given.at(60))] == ["b1"]


async def test_old_closed_boards_are_forgotten(store: Store, given: Given) -> None:
    """One that still has a job to show is not."""
    await add(store, board(given, id_="old", closed_at=given.now), board(given))
    async with store.begin() as tx:
        await tx.watches.add(given.watch(board_id="b1"))
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
