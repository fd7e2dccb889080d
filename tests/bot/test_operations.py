"""What operators type beside the bot."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.store import NewPost, PostKind, Store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def run(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, words)


async def given(folder: Path, *, waits_seconds: float) -> None:
    """Put a message into the database that has waited for so long."""
    store = Store(f"sqlite:///{folder / 'jobthread.db'}")
    await store.open()
    since = datetime.now(UTC) - timedelta(seconds=waits_seconds)
    post = NewPost(
        key="key",
        workspace="T1",
        channel="C1",
        thread="thread",
        kind=PostKind.POST,
        body={},
        due_at=since,
    )
    async with store.begin() as tx:
        await tx.outbox.add([post], since)
    await store.close()


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


def test_status_of_a_bot_that_keeps_up_is_a_line_each_and_exit_code_0(here: Path) -> None:
    """Nothing waits, and the operator is told where to read more."""
    result = run("status")
    assert result.exit_code == 0, result.output
    assert here.exists()
    for line in ("questions: None waits.", "messages: None waits.", "jobs: None waits."):
        assert f"ok      {line}" in result.output
    assert "Set web.port" in result.output


async def test_status_of_a_bot_that_fell_behind_says_by_how_much_and_ends_with_1(
    here: Path,
) -> None:
    """A cron job or a person sees at once what waits, and for how long."""
    await given(here, waits_seconds=3_700)
    result = await asyncio.to_thread(run, "status")
    assert result.exit_code == 1
    assert "BEHIND  messages: 1 wait to be posted, the first for 1 h 1 m." in result.output


async def test_a_message_that_waits_for_a_moment_is_no_alarm(here: Path) -> None:
    """Slack's own limits make messages wait."""
    await given(here, waits_seconds=5)
    result = await asyncio.to_thread(run, "status")
    assert result.exit_code == 0
    assert "1 wait to be posted" in result.output


def test_status_says_so_when_the_bot_does_not_answer(here: Path) -> None:
    """Where it should serve an address, its silence is an alarm."""
    (here / "jobthread.toml").write_text("[web]\nport = 1\n")
    result = run("status")
    assert result.exit_code == 1
    assert "BEHIND  bot: It does not answer" in result.output
