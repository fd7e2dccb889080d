"""Opening, closing and transactions: all or nothing, one process, and sentences when it fails."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot.errors import StoreError
from bot.store import Store, failures

if TYPE_CHECKING:
    from pathlib import Path

    from bot.store import Transaction
    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def count(store: Store, given: Given) -> int:
    """Return how many questions anybody may claim."""
    async with store.begin() as tx:
        return (await tx.inbox.backlog(given.at(999)))[0]


async def test_a_transaction_that_raises_leaves_nothing_behind(store: Store, given: Given) -> None:
    """All that was written in the block is undone, in every table."""

    async def fail() -> None:
        async with store.begin() as tx:
            await tx.watches.add(given.watch())
            await tx.outbox.add([given.post()], given.now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with store.begin() as tx:
        assert await tx.watches.find("T1", "C1", given.ref()) is None
        assert await tx.outbox.backlog(given.now) == (0, None)


async def test_a_cancelled_transaction_leaves_nothing_behind_and_the_store_usable(
    store: Store, given: Given
) -> None:
    """A time-out in the middle of a statement costs that transaction and no other."""

    async def write() -> None:
        async with store.begin() as tx:
            for number in range(1_000_000):
                await tx.outbox.add([given.post(f"key {number}")], given.now)

    writing = asyncio.create_task(write())
    for _ in range(50):
        await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await given.question(store) is not None
    async with store.begin() as tx:
        assert await tx.outbox.backlog(given.now) == (0, None)


async def test_what_was_committed_is_there_after_opening_again(url: str, given: Given) -> None:
    """A restart forgets nothing."""
    for expected in (0, 1):
        store = Store(url)
        await store.open()
        assert await count(store, given) == expected
        await given.question(store)
        await store.close()


async def test_many_writers_at_once_all_succeed(store: Store, given: Given) -> None:
    """Nobody is refused because somebody else writes."""
    ids = await asyncio.gather(*(given.question(store, f"key {n}") for n in range(30)))
    assert len({*ids}) == 30


async def test_of_many_who_claim_at_once_each_message_has_one(store: Store, given: Given) -> None:
    """The claims of concurrent senders never overlap."""
    await given.posts(store, *(given.post(thread=str(n)) for n in range(20)))
    claims = await asyncio.gather(*(given.claim(store) for _ in range(5)))
    assert sorted(post.id for claim in claims for post in claim) == list(range(1, 21))


async def test_of_many_who_claim_questions_at_once_each_has_one(store: Store, given: Given) -> None:
    """No question is answered twice, and none is left."""

    async def claim() -> list[str]:
        async with store.begin() as tx:
            claimed = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=4)
        return [question.key for question in claimed]

    keys = [f"key {n}" for n in range(20)]
    for key in keys:
        await given.question(store, key)
    claims = await asyncio.gather(*(claim() for _ in range(10)))
    rest = await claim()
    assert sorted([key for claim in claims for key in claim] + rest) == sorted(keys)


async def test_of_many_who_write_a_change_at_once_one_does(store: Store, given: Given) -> None:
    """The revision tells the winner, on both databases."""

    async def change() -> bool:
        async with store.begin() as tx:
            return await tx.jobs.changed(seen, given.job(name="new"), due_at=None, now=given.now)

    await given.track(store)
    async with store.begin() as tx:
        seen = (await tx.jobs.get("T1", [given.ref()]))[given.ref()]
    assert sum(await asyncio.gather(*(change() for _ in range(8)))) == 1


async def test_a_closed_store_says_that_it_is_closed(store: Store) -> None:
    """Closing twice does no harm; using it afterwards is a sentence."""
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="not open"):
        async with store.begin():
            pass


async def test_a_second_process_is_refused(store: Store, url: str) -> None:
    """SQLite has one owner; PostgreSQL takes any number."""
    second = Store(url)
    if store.exclusive:
        with pytest.raises(StoreError, match="Another jobthread has this database open"):
            await second.open()
        await store.close()
    await second.open()
    await second.close()


async def test_opening_makes_the_folder_of_the_file(tmp_path: Path) -> None:
    """The first start needs no preparation."""
    path = tmp_path / "a folder" / "100%" / "jobthread.db"
    store = Store(f"sqlite:///{path}")
    await store.open()
    await store.close()
    assert path.exists()


async def test_sqlite_is_opened_for_crashes_and_for_speed(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """A write-ahead log, no fsync for each commit, and no waiting that holds up the loop."""
    shutil.copy(sqlite_template, tmp_path / "x.db")
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    found = {}
    async with store.begin() as tx:
        for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys"):
            found[name] = (await tx.inbox._connection.execute(text(f"PRAGMA {name}"))).scalar()
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
def test_an_address_that_leads_nowhere_is_a_sentence(address: str, sentence: str) -> None:
    """What the operator mistyped is said without the password in it."""
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
async def test_a_server_that_is_not_there_is_a_sentence(address: str) -> None:
    """Every spelling of a PostgreSQL address is understood, and no password is told."""
    with pytest.raises(StoreError) as caught:
        await Store(address).open()
    assert caught.value.sentence == failures.UNREACHABLE
    assert "Check store.url" in caught.value.advice
    assert "secret" not in repr(Store(address))


async def test_an_option_that_the_driver_does_not_know_is_a_sentence() -> None:
    """A typo behind the question mark does not end in a traceback."""
    with pytest.raises(StoreError, match="option"):
        await Store("postgresql://u:secret@127.0.0.1:1/x?colour=red").open()


async def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    """A wrong path does not overwrite somebody's file."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, " * 1000)
    with pytest.raises(StoreError) as caught:
        await Store(f"sqlite:///{path}").open()
    assert caught.value.sentence == failures.DAMAGED
    assert path.read_text().startswith("Dear Ada")


async def test_a_folder_in_the_place_of_the_file_is_a_sentence(tmp_path: Path) -> None:
    """The lock is given back as well, so that a second try tells the same."""
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be opened"):
            await Store(f"sqlite:///{tmp_path}").open()


async def test_a_full_disk_is_a_sentence_and_passes(tmp_path: Path, given: Given) -> None:
    """What did not fit is undone; once there is room the store goes on."""
    store = Store(f"sqlite:///{tmp_path / 'small.db'}")
    await store.open()
    await pragma(store, "max_page_count = 30")
    with pytest.raises(StoreError) as caught:
        await given.question(store, "big", body={"text": "x" * 500_000})
    assert str(caught.value) == failures.FULL
    await pragma(store, "max_page_count = 10000")
    assert await given.question(store, "big", body={"text": "x" * 500_000}) is not None
    await store.close()


@pytest.mark.postgres
async def test_a_lost_connection_is_a_sentence_and_passes(
    postgres_template: str, given: Given
) -> None:
    """A restarted server costs the transactions under way and no more."""
    store = Store(postgres_template)

    async def lose() -> None:
        async with store.begin() as tx, store.begin() as other:
            kill = text("SELECT pg_terminate_backend(:it)")
            await other.inbox._connection.execute(kill, {"it": await pid(tx)})
            await tx.inbox.next_due()

    await store.open()
    with pytest.raises(StoreError) as caught:
        await lose()
    assert caught.value.sentence in {failures.UNREACHABLE, failures.STOPPED}
    assert await count(store, given) >= 0
    await store.close()


async def test_a_file_that_may_not_be_written_is_a_sentence(
    sqlite_template: Path, tmp_path: Path, given: Given
) -> None:
    """A read-only database is told from a missing one."""
    shutil.copy(sqlite_template, tmp_path / "x.db")
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    await pragma(store, "query_only = 1")
    with pytest.raises(StoreError) as caught:
        await given.question(store)
    assert str(caught.value) == failures.READ_ONLY
    await store.close()


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    """What people asked in Slack is nobody else's business, and nobody else can hold the lock."""
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    modes = files(tmp_path)
    await store.close()
    assert set(modes) >= {"x.db", "x.db.lock", "x.db-wal"}
    assert set(modes.values()) == {0o600}


async def test_a_store_in_memory_needs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Given
) -> None:
    """A demo leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    store = Store("sqlite://")
    await store.open()
    assert await given.question(store) is not None
    await store.close()
    assert files(tmp_path) == {}


def files(folder: Path) -> dict[str, int]:
    """Return the files of a folder with their rights."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def pragma(store: Store, setting: str) -> None:
    """Turn one of SQLite's screws."""
    async with store.begin() as tx:
        await tx.inbox._connection.execute(text(f"PRAGMA {setting}"))


async def pid(tx: Transaction) -> int:
    """Return the number of the server process that serves this transaction."""
    found: int = (await tx.inbox._connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    return found
