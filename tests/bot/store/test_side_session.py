"""Side sessions: a second process reads, or adds one request, and changes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.sdk.errors import StoreError
from bot.store import Store
from bot.store.side_session import open_beside
from bot.store.tables import outbox
from tests.bot.store.rows import rows
from tests.bot.store.test_migrations import restore_revision, set_revision

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


async def test_side_session_reads_beside_the_running_bot(
    store: Store, url: str, given: Given
) -> None:
    """The lock file keeps out a second bot, not a reader."""
    await given.enqueue(store, given.message(), given.message())
    async with open_beside(url) as tx:
        assert (await tx.outbox.backlog(given.now))[0] == 2


async def test_side_session_reads_what_a_stopped_bot_left(url: str, given: Given) -> None:
    """Without a running bot there is no write-ahead log to read."""
    store = Store(url)
    await store.open()
    await given.enqueue(store, given.message())
    await store.close()
    async with open_beside(url) as tx:
        assert (await tx.outbox.backlog(given.now))[0] == 1


async def test_read_only_side_session_cannot_write(store: Store, url: str, given: Given) -> None:
    """The database itself refuses the write."""
    with pytest.raises(StoreError):
        async with open_beside(url) as tx:
            await tx.outbox.add([given.message()], given.now)
    async with store.begin() as tx:
        assert await rows(tx, outbox) == []


async def test_side_session_can_add_a_request(store: Store, url: str, given: Given) -> None:
    """The bot claims it like every request without a lease."""
    async with open_beside(url, writes=True) as tx:
        await tx.inbox.add(
            workspace="T1",
            key="operator:1",
            kind="operator",
            body={},
            now=given.now,
            lease_until=given.now,
        )
    async with store.begin() as tx:
        [item] = await tx.inbox.claim(now=given.now, lease_until=given.at(60), limit=5)
    assert item.kind == "operator"


async def test_side_session_blocks_no_writer(store: Store, url: str, given: Given) -> None:
    """A long read uses one snapshot while the bot writes."""
    async with open_beside(url) as tx:
        before = await tx.outbox.backlog(given.now)
        await given.enqueue(store, given.message())
        if store.exclusive:  # PostgreSQL's "read committed" can see it at once
            assert await tx.outbox.backlog(given.now) == before


async def test_side_session_creates_no_database(tmp_path: Path) -> None:
    """A wrong path raises an error and creates no file."""
    with pytest.raises(StoreError, match="no database file"):
        async with open_beside(f"sqlite:///{tmp_path / 'none.db'}"):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_side_session_refuses_a_newer_database(store: Store, url: str) -> None:
    """An unknown schema is not read."""
    await set_revision(store, "9999")
    with pytest.raises(StoreError, match="newer jobthread"):
        async with open_beside(url):
            pass
    await restore_revision(url)


async def test_side_session_runs_no_migration(tmp_path: Path) -> None:
    """Only the bot migrates an older database."""
    (tmp_path / "old.db").touch()
    with pytest.raises(StoreError, match="older jobthread"):
        async with open_beside(f"sqlite:///{tmp_path / 'old.db'}"):
            pass
