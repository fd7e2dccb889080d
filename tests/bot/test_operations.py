"""What operators type beside the bot."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def run(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, words)


async def _made(url: str) -> None:
    store = Store(url)
    await store.open()
    await store.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database."""
    path = tmp_path_factory.mktemp("made") / "jobthread.db"
    asyncio.run(_made(f"sqlite:///{path}"))
    return path


@pytest.fixture
def here(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with an empty database, as a bot that was stopped leaves it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(made, tmp_path / "jobthread.db")
    return tmp_path


def test_backup_says_what_it_wrote(here: Path) -> None:
    """The operator reads the file's name and its size."""
    result = run("backup", "copy.db")
    assert result.exit_code == 0, result.output
    assert "copy.db is a whole copy" in result.output
    assert (here / "copy.db").is_file()


def test_backup_of_nothing_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, and exit code 1."""
    monkeypatch.chdir(tmp_path)
    result = run("backup", "copy.db")
    assert result.exit_code == 1
    assert "There is no database file" in result.output
