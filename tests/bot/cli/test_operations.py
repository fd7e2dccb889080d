"""The commands watches, retry, recover, status and backup."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app
from bot.sdk.models import JobRef
from bot.store import InboxItem, MessageKind, NewMessage, Store, Watch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def run(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, words)


async def add_message(folder: Path, *, waits_seconds: float) -> None:
    """Add an outbox message that has been waiting for `waits_seconds`."""
    store = Store(f"sqlite:///{folder / 'jobthread.db'}")
    await store.open()
    since = datetime.now(UTC) - timedelta(seconds=waits_seconds)
    post = NewMessage(
        idempotency_key="key",
        workspace="T1",
        channel="C1",
        ordering_key="thread",
        kind=MessageKind.POST,
        body={},
        due_at=since,
    )
    async with store.begin() as tx:
        await tx.outbox.add([post], since)
    await store.close()


async def add_watches(folder: Path, *ids: str) -> None:
    """Add unreachable watches with these ids, and an active one, "well"."""
    store = Store(f"sqlite:///{folder / 'jobthread.db'}")
    await store.open()
    now = datetime.now(UTC)
    async with store.begin() as tx:
        for number, id_ in enumerate([*ids, "well"]):
            watch = Watch(
                id=id_,
                workspace="T1",
                channel="C1",
                card_ts="1.0",
                ref=JobRef(connection="deploys", id=f"JOB{number}"),
                asker="U1",
                requested_at=now,
            )
            await tx.watches.add(watch)
        for id_ in ids:
            await tx.watches.mark_unreachable(id_, now=now, reason="is_archived")
    await store.close()


async def inbox_items(folder: Path) -> list[InboxItem]:
    """Return the pending inbox items."""
    store = Store(f"sqlite:///{folder / 'jobthread.db'}")
    await store.open()
    now = datetime.now(UTC)
    async with store.begin() as tx:
        found = await tx.inbox.claim(now=now, lease_until=now, limit=9)
    await store.close()
    return found


async def _create(url: str) -> None:
    store = Store(url)
    await store.open()
    await store.close()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of an empty database."""
    path = tmp_path_factory.mktemp("database") / "jobthread.db"
    asyncio.run(_create(f"sqlite:///{path}"))
    return path


@pytest.fixture
def folder(tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with an empty database, as a stopped bot leaves it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(database, tmp_path / "jobthread.db")
    return tmp_path


def test_backup_prints_the_file_and_its_size(folder: Path) -> None:
    """The output names the new file."""
    result = run("backup", "copy.db")
    assert result.exit_code == 0, result.output
    assert "copy.db is a whole copy" in result.output
    assert (folder / "copy.db").is_file()


def test_backup_reports_a_missing_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is a sentence with exit code 1."""
    monkeypatch.chdir(tmp_path)
    result = run("backup", "copy.db")
    assert result.exit_code == 1
    assert "There is no database file" in result.output


def test_status_exits_with_0_if_nothing_is_overdue(folder: Path) -> None:
    """Each queue has a line, and a hint names `web.port`."""
    result = run("status")
    assert result.exit_code == 0, result.output
    assert folder.exists()
    for line in ("requests: None waits.", "messages: None waits.", "jobs: None waits."):
        assert f"ok      {line}" in result.output
    assert "Set web.port" in result.output


async def test_status_exits_with_1_if_a_message_is_overdue(
    folder: Path,
) -> None:
    """The line says how many messages wait, and for how long."""
    await add_message(folder, waits_seconds=3_700)
    result = await asyncio.to_thread(run, "status")
    assert result.exit_code == 1
    assert "BEHIND  messages: 1 wait to be posted, the first for 1 h 1 m." in result.output


async def test_status_accepts_a_message_that_waits_briefly(folder: Path) -> None:
    """Rate limits delay messages for some seconds."""
    await add_message(folder, waits_seconds=5)
    result = await asyncio.to_thread(run, "status")
    assert result.exit_code == 0
    assert "1 wait to be posted" in result.output


def test_status_reports_a_bot_that_does_not_answer(folder: Path) -> None:
    """With `web.port` set, no response counts as overdue."""
    (folder / "jobthread.toml").write_text("[web]\nport = 1\n")
    result = run("status")
    assert result.exit_code == 1
    assert "BEHIND  bot: It does not answer" in result.output


async def test_watches_lists_active_and_unreachable_watches(folder: Path) -> None:
    """Each line has the id, the channel, the job, and the reason if unreachable."""
    await add_watches(folder, "abc1" * 8)
    lines = (await asyncio.to_thread(run, "watches")).output.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("abc1abc1  unreachable  C1")
    assert "deploys:JOB0" in lines[0]
    assert lines[0].endswith("(is_archived, 0 pending)")
    assert "active" in lines[1]


async def test_watches_filters_by_reachability_and_channel(folder: Path) -> None:
    """An empty list is a sentence."""
    await add_watches(folder, "abc1" * 8)
    assert len((await asyncio.to_thread(run, "watches", "--unreachable")).output.splitlines()) == 1
    elsewhere = await asyncio.to_thread(run, "watches", "--unreachable", "--channel", "C2")
    assert elsewhere.output == "No watch is unreachable.\n"
    assert (await asyncio.to_thread(run, "watches", "--channel", "C2")).output == (
        "Nothing is followed.\n"
    )


async def test_watches_works_beside_a_running_bot(folder: Path) -> None:
    """Reading needs no lock on the database."""
    store = Store(f"sqlite:///{folder / 'jobthread.db'}")
    await store.open()
    assert (await asyncio.to_thread(run, "watches")).exit_code == 0
    await store.close()


async def test_retry_adds_an_operator_task_to_the_inbox(folder: Path) -> None:
    """The task names the watch; the bot executes it."""
    await add_watches(folder, "abc1" * 8, "abd1" * 8)
    result = await asyncio.to_thread(run, "retry", "abc")
    assert result.exit_code == 0, result.output
    [item] = await inbox_items(folder)
    assert (item.kind, item.body) == ("operator", {"watch": "abc1" * 8})


async def test_retry_all_adds_one_task_for_all_watches(folder: Path) -> None:
    """The task names no watch."""
    await add_watches(folder, "abc1" * 8, "abd1" * 8)
    assert (await asyncio.to_thread(run, "retry", "--all")).exit_code == 0
    assert [item.body for item in await inbox_items(folder)] == [{"watch": None}]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Name one watch, or say --all."),
        (("abc", "--all"), "Name one watch, or say --all."),
        (("ab",), "2 unreachable watches begin with ab"),
        (("well",), "The id of no unreachable watch begins with well."),
    ],
)
async def test_retry_rejects_an_ambiguous_watch(
    folder: Path, words: tuple[str, ...], sentence: str
) -> None:
    """The error is a sentence, and no task is added."""
    await add_watches(folder, "abc1" * 8, "abd1" * 8)
    result = await asyncio.to_thread(run, "retry", *words)
    assert result.exit_code == 1
    assert sentence in result.output
    assert await inbox_items(folder) == []


def test_recover_reports_missing_tokens(folder: Path) -> None:
    """The exit code is that of wrong settings, 2."""
    assert folder.exists()
    result = run("recover", "--channel", "C1")
    assert result.exit_code == 2
    assert "slack.bot_token is missing" in result.output


def test_recover_rejects_an_unknown_time_span(folder: Path) -> None:
    """A time span is in days or hours."""
    assert folder.exists()
    result = run("recover", "--channel", "C1", "--since", "a week")
    assert result.exit_code == 1
    assert "write it as 30d or 12h" in result.output


def test_retry_reports_that_no_watch_is_unreachable(folder: Path) -> None:
    """The output is a sentence."""
    assert folder.exists()
    assert "No watch is unreachable." in run("retry", "--all").output
