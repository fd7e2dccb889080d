"""A card as terminal output."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from bot.cli import terminal_card
from bot.sdk.cards import job_card
from bot.sdk.models import Job, JobRef, Message, Status, Task

START = datetime(2026, 11, 3, 12, 3, tzinfo=UTC)
JOB = Job(
    ref=JobRef(connection="deploys", id="JOB1"),
    name="deploy-api",
    status=Status.FAILED,
    started_at=START,
    finished_at=START + timedelta(seconds=192),
    tasks=(
        Task(id="1", name="PREPARE", status=Status.SUCCEEDED),
        Task(id="2", name="UPGRADE", status=Status.FAILED, message="exit code 137"),
    ),
    url="https://console.example.com/jobs/1",
)


def printed(job: Job, message: Message | None = None) -> str:
    """Return the output in a terminal of 100 columns."""
    view = job_card.CardContext(checked_at=START, asker="U0ADA", trouble="It is down.")
    console = Console(file=io.StringIO(), width=100, force_terminal=True, no_color=True)
    console.print(terminal_card.render(message or job_card.render_card(job, view), job))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_terminal_card_shows_sentence_facts_tasks_and_log() -> None:
    """The output contains everything of the Slack card."""
    for text in (
        "deploy-api failed after 3 m 12 s at step UPGRADE.",
        "deploys:JOB1",
        "2 of 2 done, 1 failed",
        "https://console.example.com/jobs/1",
        "✅ succeeded",
        "❌ failed",
        "Step UPGRADE failed",
        "exit code 137",
    ):
        assert text in printed(JOB)


def test_terminal_card_shows_local_times() -> None:
    """Times are in the machine's time zone."""
    local = f"{START.astimezone():%Y-%m-%d %H:%M:%S}"
    assert local in printed(JOB)


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("R&amp;D failed. <@U0ADA>", "R&D failed."),
        ("since <!date^1^{time}|12:03 UTC>.", "since 12:03 UTC."),
        ("see <https://a.example|the log>", "see the log"),
        ("see <https://a.example>", "see https://a.example"),
        ("a\x1b[31mb", "a[31mb"),
    ],
)
def test_slack_markup_is_resolved_or_removed(text: str, readable: str) -> None:
    """Entities, dates, links and mentions become plain text."""
    assert terminal_card.readable_text(text) == readable


def test_control_sequences_in_a_job_are_not_printed() -> None:
    """Neither escape sequences nor Rich markup take effect."""
    evil = "\x1b]0;owned\x07[bold red]x[/bold red][/]\u202e"
    hostile = Task(id="1", name=evil, status=Status.FAILED, message=evil, native_status=evil)
    seen = printed(JOB.replace(name=evil, type=evil, message=evil, tasks=(hostile,)))
    assert "\x1b]" not in seen
    assert "\x07" not in seen
    assert "[bold red]x[/bold red][/]" in seen


def test_job_without_tasks_has_no_table() -> None:
    """The table is left out if it would be empty."""
    assert "Started" in printed(JOB)
    assert "Task" not in printed(JOB.replace(tasks=()))
