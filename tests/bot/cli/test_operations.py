"""What operators type beside the bot."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app
from bot.models import JobRef
from bot.store import NewPost, PostKind, Question, Store, Watch

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


async def parked(folder: Path, *ids: str) -> None:
    """Put watches into the database that Slack has silenced, and one that is well."""
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
                asked_at=now,
            )
            await tx.watches.add(watch)
        for id_ in ids:
            await tx.watches.park(id_, now=now, reason="is_archived")
    await store.close()


async def ordered(folder: Path) -> list[Question]:
    """Return what lies in the inbox, as a bot that starts would find it."""
    store = Store(f"sqlite:///{folder / 'jobthread.db'}")
    await store.open()
    now = datetime.now(UTC)
    async with store.begin() as tx:
        found = await tx.inbox.claim(now=now, lease_until=now, limit=9)
    await store.close()
    return found


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


async def test_watches_lists_what_is_followed_and_what_is_parked(here: Path) -> None:
    """A line each: the id to retry it by, its channel, its job, and why it is silent."""
    await parked(here, "abc1" * 8)
    lines = (await asyncio.to_thread(run, "watches")).output.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("abc1abc1  parked  C1")
    assert "deploys:JOB0" in lines[0]
    assert lines[0].endswith("(is_archived, 0 unsaid)")
    assert "active" in lines[1]


async def test_watches_can_be_narrowed_to_the_parked_and_to_a_channel(here: Path) -> None:
    """With nothing to list it says so."""
    await parked(here, "abc1" * 8)
    assert len((await asyncio.to_thread(run, "watches", "--parked")).output.splitlines()) == 1
    elsewhere = await asyncio.to_thread(run, "watches", "--parked", "--channel", "C2")
    assert elsewhere.output == "None is parked.\n"
    assert (await asyncio.to_thread(run, "watches", "--channel", "C2")).output == (
        "Nothing is followed.\n"
    )


async def test_watches_works_beside_a_running_bot(here: Path) -> None:
    """A look needs no lock."""
    store = Store(f"sqlite:///{here / 'jobthread.db'}")
    await store.open()
    assert (await asyncio.to_thread(run, "watches")).exit_code == 0
    await store.close()


async def test_retry_leaves_an_order_for_the_bot(here: Path) -> None:
    """The bot writes the database; this only asks."""
    await parked(here, "abc1" * 8, "abd1" * 8)
    result = await asyncio.to_thread(run, "retry", "abc")
    assert result.exit_code == 0, result.output
    [question] = await ordered(here)
    assert (question.kind, question.body) == ("operator", {"watch": "abc1" * 8})


async def test_retry_all_orders_all(here: Path) -> None:
    """One order for everything that is parked."""
    await parked(here, "abc1" * 8, "abd1" * 8)
    assert (await asyncio.to_thread(run, "retry", "--all")).exit_code == 0
    assert [question.body for question in await ordered(here)] == [{"watch": None}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name one watch, or say --all."),
        (("abc", "--all"), "Name one watch, or say --all."),
        (("ab",), "2 parked watches begin with ab"),
        (("well",), "No parked watch is called well."),
    ],
)
async def test_an_unclear_retry_is_a_sentence(
    here: Path, words: tuple[str, ...], said: str
) -> None:
    """Nothing is ordered."""
    await parked(here, "abc1" * 8, "abd1" * 8)
    result = await asyncio.to_thread(run, "retry", *words)
    assert result.exit_code == 1
    assert said in result.output
    assert await ordered(here) == []


def test_recover_without_tokens_names_them_all(here: Path) -> None:
    """The settings are at fault: exit code 2."""
    assert here.exists()
    result = run("recover", "--channel", "C1")
    assert result.exit_code == 2
    assert "slack.bot_token is missing" in result.output


def test_recover_wants_a_span_that_it_understands(here: Path) -> None:
    """Days and hours are enough."""
    assert here.exists()
    result = run("recover", "--channel", "C1", "--since", "a week")
    assert result.exit_code == 1
    assert "write it as 30d or 12h" in result.output


def test_retry_without_anything_parked_says_so(here: Path) -> None:
    """There is nothing to do."""
    assert here.exists()
    assert "Nothing is parked." in run("retry", "--all").output
