"""Backups, made while the bot runs; and the check of what is opened."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bot.errors import StoreError
from bot.store import Store
from bot.store.backup import backup
from bot.store.visit import visit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bot.store.conftest import Given

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path, sqlite_template: Path) -> Path:
    """An empty SQLite database with its tables."""
    shutil.copy(sqlite_template, tmp_path / "jobthread.db")
    return tmp_path / "jobthread.db"


@pytest.fixture
async def running(path: Path) -> AsyncIterator[Store]:
    """The store of a bot that runs."""
    store = Store(f"sqlite:///{path}")
    await store.open()
    yield store
    await store.close()


async def test_a_backup_of_a_running_bot_holds_all_that_was_committed(
    running: Store, path: Path, given: Given, tmp_path: Path
) -> None:
    """Also what only stands in the write-ahead log."""
    await given.posts(running, given.post(), given.post())
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    async with visit(f"sqlite:///{tmp_path / 'copy.db'}") as tx:
        assert (await tx.outbox.backlog(given.now))[0] == 2


async def test_a_bot_starts_from_a_backup(
    running: Store, path: Path, given: Given, tmp_path: Path
) -> None:
    """Restoring is putting the file in its place."""
    await given.posts(running, given.post())
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    restored = Store(f"sqlite:///{tmp_path / 'copy.db'}")
    await restored.open()
    assert len(await given.due(restored)) == 1
    await restored.close()


def test_a_backup_is_readable_by_its_owner_alone(path: Path, tmp_path: Path) -> None:
    """It holds what people asked, and their response_urls."""
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    """The last good copy survives a mistyped name."""
    (tmp_path / "copy.db").write_text("precious")
    with pytest.raises(StoreError, match="there already"):
        backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_backup_that_cannot_be_written_is_a_sentence_and_leaves_nothing(
    path: Path, tmp_path: Path
) -> None:
    """No half a file is taken for a copy."""
    with pytest.raises(StoreError, match="cannot be written"):
        backup(f"sqlite:///{path}", tmp_path / "nowhere" / "copy.db")
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_database_is_not_backed_up(path: Path, tmp_path: Path) -> None:
    """A copy of nonsense would push a good copy out."""
    damage(path)
    with pytest.raises(StoreError, match="damaged"):
        backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert [file.name for file in tmp_path.glob("copy*")] == []


def test_for_postgresql_a_backup_names_the_tool() -> None:
    """Whoever runs PostgreSQL has backups already."""
    with pytest.raises(StoreError, match="pg_dump"):
        backup("postgresql://user@host/database", None)  # type: ignore[arg-type]


async def test_a_damaged_database_is_refused_at_the_start_with_the_next_step(path: Path) -> None:
    """Nobody finds out by a message that was lost."""
    damage(path)
    store = Store(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="jobthread recover") as caught:
        await store.open()
    assert "backup" in str(caught.value)


async def test_a_file_that_is_no_database_is_refused_with_the_next_step(path: Path) -> None:
    """As one that once was."""
    path.write_bytes(b"not a database at all" * 1_000)
    with pytest.raises(StoreError, match="jobthread recover"):
        await Store(f"sqlite:///{path}").open()


def damage(path: Path) -> None:
    """Overwrite everything behind the first page, as a dying disk does."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
