"""Transactions on SQLite, in turns: each stands or falls alone, nobody is misled."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import StoreError
from bot.store import Claim, Store, inline, turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Store]:
    """An open SQLite store in x.db."""
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    yield store
    await store.close()


async def questions(store: Store, given: Given) -> int:
    """Return how many questions there are."""
    async with store.begin() as tx:
        return (await tx.inbox.backlog(given.at(999)))[0]


async def checkpoint_of(store: Store) -> None:
    """Wait for the checkpoint that is under way."""
    assert store._turns is not None
    assert store._turns._checkpoint is not None
    await store._turns._checkpoint


async def test_all_that_wait_have_their_turn(sqlite: Store, given: Given) -> None:
    """Thirty transactions at once are thirty questions afterwards."""
    await asyncio.gather(*(given.question(sqlite, str(n)) for n in range(30)))
    assert await questions(sqlite, given) == 30


async def test_the_log_is_copied_into_the_database_now_and_then(
    sqlite: Store, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No COMMIT waits for that, and yet the log does not grow without end."""
    monkeypatch.setattr(turns, "ROWS_A_CHECKPOINT", 5)
    for n in range(6):
        await given.question(sqlite, str(n))
    await checkpoint_of(sqlite)
    alone = shutil.copy(tmp_path / "x.db", tmp_path / "alone.db")
    with contextlib.closing(sqlite3.connect(alone)) as copy:
        assert copy.execute("SELECT count(*) FROM inbox").fetchone() == (6,)


async def test_a_log_that_cannot_be_copied_stops_nobody(
    sqlite: Store,
    given: Given,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is in the log is safe there; the copy is tried again after the next transactions."""

    async def fail(_: inline.Connection) -> None:
        raise sqlite3.OperationalError("disk is full")

    monkeypatch.setattr(turns, "ROWS_A_CHECKPOINT", 0)
    monkeypatch.setattr(inline.Connection, "checkpoint", fail)
    await given.question(sqlite, "one")
    await checkpoint_of(sqlite)
    await given.question(sqlite, "two")
    assert await questions(sqlite, given) == 2
    assert "could not copy its log" in caplog.text


async def test_one_that_fails_is_undone_alone(sqlite: Store, given: Given) -> None:
    """What the others of its group wrote stays."""

    async def write(number: int) -> None:
        async with sqlite.begin() as tx:
            at = given.now
            await tx.inbox.add(
                workspace="T1", key=str(number), kind="", body={}, now=at, lease_until=at
            )
            if number % 2:
                raise ZeroDivisionError

    ended = await asyncio.gather(*(write(n) for n in range(10)), return_exceptions=True)
    assert [type(end) for end in ended] == [type(None), ZeroDivisionError] * 5
    assert await questions(sqlite, given) == 5


async def test_a_commit_that_fails_is_told_and_the_store_goes_on(
    sqlite: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody believes in what is not written."""
    run = inline.Connection.at_once

    def full(connection: inline.Connection, sql: str) -> None:
        if sql == "COMMIT":
            raise sqlite3.OperationalError("disk is full")
        run(connection, sql)

    with monkeypatch.context() as patched:
        patched.setattr(inline.Connection, "at_once", full)
        writing = (given.question(sqlite, str(n)) for n in range(5))
        ended = await asyncio.gather(*writing, return_exceptions=True)
    assert {type(end) for end in ended} == {StoreError}
    assert await questions(sqlite, given) == 0
    assert await given.question(sqlite) is not None


async def test_what_sqlite_undoes_by_itself_is_nobody_elses_loss(
    sqlite: Store, given: Given
) -> None:
    """As when the disk is full: the transaction is gone in the middle; the next one works."""

    async def lose() -> None:
        async with sqlite.begin() as tx:
            raw: Any = await tx.inbox._connection.get_raw_connection()
            raw.driver_connection.at_once("ROLLBACK")
            raise ZeroDivisionError

    writing = (given.question(sqlite, "one"), lose(), given.question(sqlite, "two"))
    ended = await asyncio.gather(*writing, return_exceptions=True)
    assert [type(end) for end in ended] == [int, ZeroDivisionError, int]
    assert await questions(sqlite, given) == 2


async def test_somebody_elses_lock_is_waited_for_while_the_loop_goes_on(
    sqlite: Store, given: Given, tmp_path: Path
) -> None:
    """A person with a SQLite shell holds up the store, and not Slack's pings."""
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(given.question(sqlite))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not writing.done()
    other.execute("ROLLBACK")
    other.close()
    assert await writing is not None


async def test_a_message_added_as_claimed_is_nobody_elses(store: Store, given: Given) -> None:
    """It is not due before it may be adopted; then it is looked up first, as any other."""
    claim = Claim(given.at(10), given.at(30))
    async with store.begin() as tx:
        post = await tx.outbox.add_claimed(given.post("key"), claim, given.now)
        assert await tx.outbox.add_claimed(given.post("key"), claim, given.now) is None
    assert await given.due(store, seconds=29) == []
    (adopted,) = await given.claim(store, seconds=30)
    assert (adopted.doubtful, adopted.attempts) == (True, 2)
    assert post is not None
    async with store.begin() as tx:
        assert not await tx.outbox.sent(post, ts="1.0", now=given.at(31))
        assert await tx.outbox.sent(adopted, ts="1.0", now=given.at(31))


async def test_a_claim_taken_while_adding_is_like_any_other(store: Store, given: Given) -> None:
    """What the sender holds is what stands in the table, and its end is noted."""
    claim = Claim(given.at(10), given.at(30))
    async with store.begin() as tx:
        post = await tx.outbox.add_claimed(given.post("key"), claim, given.now)
    assert post is not None
    async with store.begin() as tx:
        assert await tx.outbox.postpone(
            post, due_at=given.now, doubtful=False, error="", now=given.now
        )
    (again,) = await given.claim(store)
    assert (again.key, again.body, again.id) == (post.key, post.body, post.id)
