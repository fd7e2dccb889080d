"""Backups of a running bot, and the integrity check at the start."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bot.sdk.errors import StoreError
from bot.store import Store
from bot.store.backup import backup
from bot.store.side_session import open_beside
from tests.open_store import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path, sqlite_template: Path) -> Path:
    """A SQLite database with empty tables."""
    shutil.copy(sqlite_template, tmp_path / "jobthread.db")
    return tmp_path / "jobthread.db"


@pytest.fixture
async def running(path: Path) -> AsyncIterator[Store]:
    """The store of a running bot."""
    async with open_store(path) as store:
        yield store


async def test_backup_of_a_running_bot_has_all_commits(
    running: Store, path: Path, given: Given, tmp_path: Path
) -> None:
    """Including those in the write-ahead log."""
    await given.enqueue(running, given.message(), given.message())
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    async with open_beside(f"sqlite:///{tmp_path / 'copy.db'}") as tx:
        assert (await tx.outbox.backlog(given.now))[0] == 2


async def test_bot_starts_from_a_backup(
    running: Store, path: Path, given: Given, tmp_path: Path
) -> None:
    """To restore, put the file in place."""
    await given.enqueue(running, given.message())
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    restored = Store(f"sqlite:///{tmp_path / 'copy.db'}")
    await restored.open()
    assert len(await given.due(restored)) == 1
    await restored.close()


def test_backup_is_readable_by_its_owner_only(path: Path, tmp_path: Path) -> None:
    """It contains requests and their response_urls."""
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


def test_backup_overwrites_no_file(path: Path, tmp_path: Path) -> None:
    """A mistyped name does not destroy the last good copy."""
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(StoreError, match="there already"):
        backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_failed_backup_raises_and_leaves_no_file(path: Path, tmp_path: Path) -> None:
    """A partial file is never taken for a copy."""
    with pytest.raises(StoreError, match="cannot be written"):
        backup(f"sqlite:///{path}", tmp_path / "nowhere" / "copy.db")
    assert not (tmp_path / "nowhere").exists()


def test_damaged_database_is_not_backed_up(path: Path, tmp_path: Path) -> None:
    """A bad copy must not replace a good one."""
    damage(path)
    with pytest.raises(StoreError, match="damaged"):
        backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert [file.name for file in tmp_path.glob("copy*")] == []


def test_backup_of_postgresql_names_pg_dump() -> None:
    """PostgreSQL has its own tools."""
    with pytest.raises(StoreError, match="pg_dump"):
        backup("postgresql://user@host/database", None)  # type: ignore[arg-type]


async def test_damaged_database_is_refused_at_the_start(path: Path) -> None:
    """The error names the next step, before a message is lost."""
    damage(path)
    store = Store(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="jobthread recover") as caught:
        await store.open()
    assert "backup" in str(caught.value)


async def test_file_that_is_no_database_is_refused_at_the_start(path: Path) -> None:
    """The error names the next step."""
    path.write_bytes(b"not a database at all" * 1_000)
    with pytest.raises(StoreError, match="jobthread recover"):
        await Store(f"sqlite:///{path}").open()


def damage(path: Path) -> None:
    """Overwrite everything after the first page, like a failing disk."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
