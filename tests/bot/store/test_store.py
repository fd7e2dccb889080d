"""Opening, closing and transactions: atomic, exclusive, with clear errors."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from bot.sdk.errors import StoreError
from bot.store import Store, driver_errors
from tests.bot.store.rows import scalar

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store import Transaction
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def count(store: Store, given: Given) -> int:
    """Return the number of requests that can be claimed."""
    async with store.begin() as tx:
        return (await tx.inbox.backlog(given.at(999)))[0]


async def test_transaction_that_raises_is_rolled_back(store: Store, given: Given) -> None:
    """In every table."""

    async def fail() -> None:
        async with store.begin() as tx:
            await tx.watches.add(given.watch())
            await tx.outbox.add([given.message()], given.now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with store.begin() as tx:
        assert await tx.watches.find("T1", "C1", given.ref()) is None
        assert await tx.outbox.backlog(given.now) == (0, None)


async def test_cancelled_transaction_is_rolled_back(store: Store, given: Given) -> None:
    """A time-out within a statement leaves the store usable."""

    async def write() -> None:
        async with store.begin() as tx:
            for number in range(1_000_000):
                await tx.outbox.add([given.message(f"key {number}")], given.now)

    writing = asyncio.create_task(write())
    for _ in range(50):
        await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await given.request(store) is not None
    async with store.begin() as tx:
        assert await tx.outbox.backlog(given.now) == (0, None)


async def test_committed_rows_are_there_after_reopening(url: str, given: Given) -> None:
    """A restart loses nothing."""
    for expected in (0, 1):
        store = Store(url)
        await store.open()
        assert await count(store, given) == expected
        await given.request(store)
        await store.close()


async def test_concurrent_writers_all_succeed(store: Store, given: Given) -> None:
    """No writer is refused because of another."""
    ids = await asyncio.gather(*(given.request(store, f"key {n}") for n in range(30)))
    assert len({*ids}) == 30


async def test_concurrent_claims_of_messages_never_overlap(store: Store, given: Given) -> None:
    """Each message has one sender."""
    await given.enqueue(store, *(given.message(ordering_key=str(n)) for n in range(20)))
    claims = await asyncio.gather(*(given.claim(store) for _ in range(5)))
    assert sorted(message.id for claim in claims for message in claim) == list(range(1, 21))


async def test_concurrent_claims_of_requests_never_overlap(store: Store, given: Given) -> None:
    """No request is answered twice, and none is left."""

    async def claim() -> list[str]:
        async with store.begin() as tx:
            claimed = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=4)
        return [item.idempotency_key for item in claimed]

    keys = [f"key {n}" for n in range(20)]
    for key in keys:
        await given.request(store, key)
    claims = await asyncio.gather(*(claim() for _ in range(10)))
    rest = await claim()
    assert sorted([key for claim in claims for key in claim] + rest) == sorted(keys)


async def test_one_of_many_concurrent_changes_is_stored(store: Store, given: Given) -> None:
    """The compare-and-set has one winner on both databases."""

    async def change() -> bool:
        async with store.begin() as tx:
            return await tx.jobs.compare_and_set(
                seen, given.job(name="new"), due_at=None, now=given.now
            )

    await given.track(store)
    async with store.begin() as tx:
        seen = (await tx.jobs.get("T1", [given.ref()]))[given.ref()]
    assert sum(await asyncio.gather(*(change() for _ in range(8)))) == 1


async def test_closed_store_raises_an_error(store: Store) -> None:
    """A second close has no effect."""
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="not open"):
        async with store.begin():
            pass


async def test_second_process_is_refused(store: Store, url: str) -> None:
    """SQLite allows one process, PostgreSQL any number."""
    second = Store(url)
    if store.exclusive:
        with pytest.raises(StoreError, match="Another jobthread has this database open"):
            await second.open()
        await store.close()
    await second.open()
    await second.close()


async def test_opening_creates_the_folder_of_the_file(tmp_path: Path) -> None:
    """The first start needs no preparation."""
    path = tmp_path / "a folder" / "100%" / "jobthread.db"
    store = Store(f"sqlite:///{path}")
    await store.open()
    await store.close()
    assert path.exists()


async def test_sqlite_is_opened_with_safe_and_fast_pragmas(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """A write-ahead log, no fsync for each commit, no blocking wait in the loop."""
    shutil.copy(sqlite_template, tmp_path / "x.db")
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    found = {}
    async with store.begin() as tx:
        for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys"):
            found[name] = await scalar(tx, f"PRAGMA {name}")
    await store.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 1,
        "busy_timeout": 0,
        "foreign_keys": 1,
    }


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("not a url", "The database's address is not a URL."),
        ("mysql://u:secret@host/x", "Only SQLite and PostgreSQL are known here."),
        ("postgresql://u:secret@host:port/x", "The database's address is not a URL."),
    ],
)
def test_invalid_url_raises_a_clear_error(address: str, sentence: str) -> None:
    """Without the password."""
    with pytest.raises(StoreError) as caught:
        Store(address)
    assert caught.value.sentence == sentence
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgres://u:secret@127.0.0.1:1/x",
        "postgresql://u:secret@127.0.0.1:1/x?sslmode=disable",
        "postgresql://u:secret@127.0.0.1:1/x?ssl=disable",
    ],
)
async def test_unreachable_server_raises_a_clear_error(address: str) -> None:
    """For every spelling of a PostgreSQL URL, and without the password."""
    with pytest.raises(StoreError) as caught:
        await Store(address).open()
    assert caught.value.sentence == driver_errors.UNREACHABLE
    assert "Check store.url" in caught.value.advice
    assert "secret" not in repr(Store(address))


async def test_unknown_driver_option_raises_a_clear_error() -> None:
    """A typo behind the question mark is no traceback."""
    with pytest.raises(StoreError, match="option"):
        await Store("postgresql://u:secret@127.0.0.1:1/x?colour=red").open()


async def test_file_that_is_no_database_raises_a_clear_error(tmp_path: Path) -> None:
    """A wrong path does not overwrite another file."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, " * 1000)
    with pytest.raises(StoreError) as caught:
        await Store(f"sqlite:///{path}").open()
    assert caught.value.sentence == driver_errors.DAMAGED
    assert path.read_text().startswith("Dear Ada")


async def test_folder_as_the_database_raises_a_clear_error(tmp_path: Path) -> None:
    """The lock is released too: a second try raises the same error."""
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be opened"):
            await Store(f"sqlite:///{tmp_path}").open()


async def test_full_disk_raises_a_clear_error_and_recovers(tmp_path: Path, given: Given) -> None:
    """The transaction is rolled back; with free space the store works again."""
    store = Store(f"sqlite:///{tmp_path / 'small.db'}")
    await store.open()
    await pragma(store, "max_page_count = 30")
    with pytest.raises(StoreError) as caught:
        await given.request(store, "big", body={"text": "x" * 500_000})
    assert str(caught.value) == driver_errors.FULL
    await pragma(store, "max_page_count = 10000")
    assert await given.request(store, "big", body={"text": "x" * 500_000}) is not None
    await store.close()


@pytest.mark.postgres
async def test_lost_connection_raises_a_clear_error_and_recovers(
    postgres_template: str, given: Given
) -> None:
    """A server restart costs only the open transactions."""
    store = Store(postgres_template)

    async def lose() -> None:
        async with store.begin() as tx, store.begin() as other:
            await scalar(other, "SELECT pg_terminate_backend(:it)", it=await pid(tx))
            await tx.inbox.next_due()

    await store.open()
    with pytest.raises(StoreError) as caught:
        await lose()
    assert caught.value.sentence in {driver_errors.UNREACHABLE, driver_errors.STOPPED}
    assert await count(store, given) >= 0
    await store.close()


async def test_read_only_file_raises_a_clear_error(
    sqlite_template: Path, tmp_path: Path, given: Given
) -> None:
    """It differs from the error of a missing file."""
    shutil.copy(sqlite_template, tmp_path / "x.db")
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    await pragma(store, "query_only = 1")
    with pytest.raises(StoreError) as caught:
        await given.request(store)
    assert str(caught.value) == driver_errors.READ_ONLY
    await store.close()


async def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    """Requests are private, and no other user can hold the lock."""
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    modes = files(tmp_path)
    await store.close()
    assert set(modes) >= {"x.db", "x.db.lock", "x.db-wal"}
    assert set(modes.values()) == {0o600}


async def test_store_in_memory_creates_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Given
) -> None:
    """The demo leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    store = Store("sqlite://")
    await store.open()
    assert await given.request(store) is not None
    await store.close()
    assert files(tmp_path) == {}


def files(folder: Path) -> dict[str, int]:
    """Return the files of a folder and their permissions."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def pragma(store: Store, setting: str) -> None:
    """Set a pragma of SQLite."""
    async with store.begin() as tx:
        await scalar(tx, f"PRAGMA {setting}")


async def pid(tx: Transaction) -> int:
    """Return the id of the server process of this transaction."""
    found: int = await scalar(tx, "SELECT pg_backend_pid()")
    return found
