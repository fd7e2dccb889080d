"""SQLite transactions run one at a time, and each commits or rolls back alone."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from bot.sdk.errors import StoreError
from bot.store import Claim, Store, sqlite_connection, sqlite_transactions
from tests.open_store import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Store]:
    """An open SQLite store in x.db."""
    async with open_store(tmp_path / "x.db") as store:
        yield store


async def count_requests(store: Store, given: Given) -> int:
    """Return the number of requests."""
    async with store.begin() as tx:
        return (await tx.inbox.backlog(given.at(999)))[0]


async def wait_for_checkpoint() -> None:
    """Wait for the running checkpoint."""
    name = sqlite_transactions.CHECKPOINT_TASK
    [checkpoint] = [task for task in asyncio.all_tasks() if task.get_name() == name]
    await checkpoint


async def test_concurrent_transactions_all_commit(sqlite: Store, given: Given) -> None:
    """Thirty concurrent transactions leave thirty requests."""
    await asyncio.gather(*(given.request(sqlite, str(n)) for n in range(30)))
    assert await count_requests(sqlite, given) == 30


async def test_checkpoint_copies_the_log_into_the_database(
    sqlite: Store, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No COMMIT runs a checkpoint, and yet the log stays bounded."""
    monkeypatch.setattr(sqlite_transactions, "ROWS_PER_CHECKPOINT", 5)
    for n in range(6):
        await given.request(sqlite, str(n))
    await wait_for_checkpoint()
    alone = shutil.copy(tmp_path / "x.db", tmp_path / "alone.db")
    with contextlib.closing(sqlite3.connect(alone)) as copy:
        assert copy.execute("SELECT count(*) FROM inbox").fetchone() == (6,)


async def test_failed_checkpoint_stops_no_transaction(
    sqlite: Store,
    given: Given,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log keeps the data; later transactions start the checkpoint again."""

    async def fail(_: sqlite_connection.Connection) -> None:
        raise sqlite3.OperationalError("disk is full")

    monkeypatch.setattr(sqlite_transactions, "ROWS_PER_CHECKPOINT", 0)
    monkeypatch.setattr(sqlite_connection.Connection, "checkpoint", fail)
    await given.request(sqlite, "one")
    await wait_for_checkpoint()
    await given.request(sqlite, "two")
    assert await count_requests(sqlite, given) == 2
    assert "SQLite checkpoint failed" in caplog.text


async def test_failed_transaction_is_rolled_back_alone(sqlite: Store, given: Given) -> None:
    """The writes of concurrent transactions stay."""

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
    assert await count_requests(sqlite, given) == 5


async def test_failed_commit_raises_and_the_store_stays_usable(
    sqlite: Store, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No caller takes an unwritten transaction for a committed one."""
    run = sqlite_connection.Connection.execute_inline

    def full(connection: sqlite_connection.Connection, sql: str) -> None:
        if sql == "COMMIT":
            raise sqlite3.OperationalError("disk is full")
        run(connection, sql)

    with monkeypatch.context() as patched:
        patched.setattr(sqlite_connection.Connection, "execute_inline", full)
        writing = (given.request(sqlite, str(n)) for n in range(5))
        ended = await asyncio.gather(*writing, return_exceptions=True)
    assert {type(end) for end in ended} == {StoreError}
    assert await count_requests(sqlite, given) == 0
    assert await given.request(sqlite) is not None


async def test_rollback_by_sqlite_affects_no_other_transaction(sqlite: Store, given: Given) -> None:
    """On a full disk SQLite rolls back itself; the next transaction works."""

    async def lose() -> None:
        async with sqlite.begin() as tx:
            raw: Any = await tx.connection.get_raw_connection()
            raw.driver_connection.execute_inline("ROLLBACK")
            raise ZeroDivisionError

    writing = (given.request(sqlite, "one"), lose(), given.request(sqlite, "two"))
    ended = await asyncio.gather(*writing, return_exceptions=True)
    assert [type(end) for end in ended] == [int, ZeroDivisionError, int]
    assert await count_requests(sqlite, given) == 2


async def test_lock_of_another_program_does_not_block_the_loop(
    sqlite: Store, given: Given, tmp_path: Path
) -> None:
    """A SQLite shell delays the store, but not Slack's pings."""
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(given.request(sqlite))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not writing.done()
    other.execute("ROLLBACK")
    other.close()
    assert await writing is not None


async def test_message_added_as_claimed_is_not_due(store: Store, given: Given) -> None:
    """It becomes reclaimable, and is then looked up like any other message."""
    claim = Claim(given.at(10), given.at(30))
    async with store.begin() as tx:
        message = await tx.outbox.add_claimed(given.message("key"), claim, given.now)
        assert await tx.outbox.add_claimed(given.message("key"), claim, given.now) is None
    assert await given.due(store, seconds=29) == []
    (reclaimed,) = await given.claim(store, seconds=30)
    assert (reclaimed.unconfirmed, reclaimed.attempts) == (True, 2)
    assert message is not None
    async with store.begin() as tx:
        assert not await tx.outbox.mark_sent(message, ts="1.0", now=given.at(31))
        assert await tx.outbox.mark_sent(reclaimed, ts="1.0", now=given.at(31))


async def test_claim_made_while_adding_is_like_any_other(store: Store, given: Given) -> None:
    """The returned record equals the stored row, and the claim can be released."""
    claim = Claim(given.at(10), given.at(30))
    async with store.begin() as tx:
        message = await tx.outbox.add_claimed(given.message("key"), claim, given.now)
    assert message is not None
    async with store.begin() as tx:
        assert await tx.outbox.postpone(
            message, due_at=given.now, unconfirmed=False, error="", now=given.now
        )
    (reclaimed,) = await given.claim(store)
    assert (reclaimed.idempotency_key, reclaimed.body, reclaimed.id) == (
        message.idempotency_key,
        message.body,
        message.id,
    )
