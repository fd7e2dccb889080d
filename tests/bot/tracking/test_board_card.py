"""Rendering of boards, for any content and number of jobs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.sdk.cards import blocks
from bot.sdk.models import Job, JobRef, Message, Status, Task
from bot.tracking import board_card
from bot.tracking.board_card import BoardContext, BoardRow
from localslack.api.message_content import MAX_BLOCKS_SIZE
from localslack.blockkit import validation
from tests.bot.board_harness import table_rows
from tests.bot.sdk.cards.test_hostile_jobs import HOSTILE, JOBS, grown

NOW = datetime(2026, 11, 3, 12, 4, 3, tzinfo=UTC)
VIEW = BoardContext(id="b" * 32, checked_at=NOW)
CLOSED = BoardContext(id="b" * 32, checked_at=NOW, closed=True)
KINDS = (Status.SUCCEEDED, Status.QUEUED, Status.WAITING, Status.RUNNING, Status.FAILED)


def job(number: int = 0, status: Status = Status.RUNNING, **more: Any) -> Job:
    """A job of three tasks; the second has the job's status."""
    steps = (Status.SUCCEEDED, status, Status.QUEUED)
    plain = {
        "ref": JobRef(connection="deploys", id=f"JOB{number:08}-07b1-4c8f-a183-c86cffbe8f9e"),
        "name": f"deploy-{number}",
        "status": status,
        "started_at": NOW - timedelta(seconds=63),
        "finished_at": NOW if status.terminal else None,
        "tasks": tuple(Task(id=str(n), name=f"step {n}", status=s) for n, s in enumerate(steps)),
    }
    return Job(**(plain | more))


def row(number: int = 0, status: Status = Status.RUNNING, **more: Any) -> BoardRow:
    """A row for that job."""
    return BoardRow(id=f"{number:032}", job=job(number, status), **more)


def many(count: int) -> list[BoardRow]:
    """Rows of every status."""
    return [row(n, KINDS[n % len(KINDS)]) for n in range(count)]


def rows(message: Message) -> list[list[str]]:
    """The table as its reader sees it."""
    return table_rows(message)  # type: ignore[arg-type]  # a table looks the same on its way


def actions(message: Message) -> list[str]:
    """The action ids, in order."""
    found = [b for b in message.blocks if b["type"] == "actions"]
    return [element["action_id"] for block in found for element in block["elements"]]


def violations_of(shown: tuple[dict[str, Any], ...]) -> list[str]:
    """What Slack would reject."""
    heavy = len(json.dumps(shown, separators=(",", ":"))) > MAX_BLOCKS_SIZE
    return [*validation.problems(list(shown), "message"), *(["too heavy"] if heavy else [])]


def test_summary_starts_with_counts_then_names_failed_steps() -> None:
    """It is readable aloud: counts, failures, waiting jobs, running jobs."""
    jobs = [row(1, Status.FAILED), row(2, Status.SUCCEEDED), row(3), row(4, Status.WAITING)]
    assert board_card.summary_sentence(jobs) == (
        "2 of 4 done, 1 failed: deploy-1 at step step 1."
        " Waiting for a person: deploy-4. Running: deploy-3."
    )
    assert board_card.render_board(jobs, VIEW).text == board_card.summary_sentence(jobs)


def test_rows_are_sorted_by_urgency() -> None:
    """Failed and running jobs come first, ended jobs last."""
    assert [cells[1] for cells in rows(board_card.render_board(many(5), VIEW))] == [
        "deploy-4",
        "deploy-3",
        "deploy-2",
        "deploy-1",
        "deploy-0",
    ]


def test_row_shows_status_name_progress_time_and_reference() -> None:
    """A status is an emoji and a word; progress is a bar and numbers."""
    [cells] = rows(board_card.render_board([row(7)], VIEW))
    assert cells == [
        "▶️ running",
        "deploy-7",
        "▰▰▱▱▱▱ 1 of 3 done",
        "1 m 3 s so far",
        "deploys:JOB00000007-07b1-4c8f-a183-c86cffbe8f9e",
    ]


def test_row_header_is_the_column_with_the_job() -> None:
    """A screen reader names rows by job, not by status."""
    shown = board_card.render_board(many(3), VIEW)
    [found] = [block for block in shown.blocks if block["type"] == "data_table"]
    heading = found["rows"][0][found["row_header_column_index"]]
    assert heading["text"] == "Job"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"followed": False}, "▶️ running · not followed"),
        ({"followed": False, "missing": True}, "▶️ running · not found any more"),
        ({"trouble": "deploys is down."}, "▶️ running · ⚠️ could not be checked"),
    ],
)
def test_row_shows_why_its_status_may_be_stale(more: dict[str, Any], said: str) -> None:
    """An old status does not look like a current one."""
    assert rows(board_card.render_board([row(1, **more)], VIEW))[0][0] == said


def test_connection_error_is_shown_once_for_all_its_jobs() -> None:
    """One sentence with the number of affected jobs."""
    jobs = [row(n, trouble="deploys is down.") for n in range(3)]
    shown = board_card.render_board(jobs, VIEW)
    assert str(shown.blocks).count("deploys is down.") == 1
    assert "3 jobs could not be checked" in str(shown.blocks)


def test_job_name_links_to_the_console_if_the_url_is_safe() -> None:
    """Only the name is shown if the URL is unsafe."""
    good = BoardRow(id="1", job=job(1, url="https://console.example/1"))
    bad = BoardRow(id="2", job=job(2, url="javascript:alert(1)"))
    shown = str(board_card.render_board([good, bad], VIEW).blocks)
    assert "https://console.example/1" in shown
    assert "javascript" not in shown


def test_open_board_has_refresh_stop_and_job_menu() -> None:
    """Stopping needs a confirmation."""
    shown = board_card.render_board(many(3), VIEW)
    assert actions(shown) == ["board_show", "board_refresh", "board_stop", "more"]
    assert "Stop following all?" in str(shown.blocks)


def test_closed_board_says_so_and_has_no_stop_button() -> None:
    """Its jobs can still be shown."""
    shown = board_card.render_board([row(1, Status.SUCCEEDED)], CLOSED)
    assert actions(shown) == ["board_show", "more"]
    assert shown.text.endswith("All jobs have ended: this board does not change any more.")


def test_stopped_board_does_not_claim_that_its_jobs_ended() -> None:
    """Its jobs may still be running."""
    shown = board_card.render_board([row(1, followed=False)], CLOSED)
    assert "None of these jobs is followed here any more" in shown.text


@pytest.mark.parametrize("count", [1, 2, 9, 20, 50])
def test_board_fits_fifty_jobs_into_one_message(count: int) -> None:
    """Slack accepts both tables, and no job is missing."""
    shown = board_card.render_board(many(count), VIEW)
    assert violations_of(shown.blocks) == []
    assert violations_of(shown.classic) == []
    assert len(rows(shown)) == count


def test_jobs_that_do_not_fit_are_shown_on_pages() -> None:
    """The board shows the most urgent and the number of the others."""
    jobs = [BoardRow(id=f"{n:032}", job=job(n, name="🚀" * 40 + str(n))) for n in range(50)]
    shown = board_card.render_board(jobs, VIEW)
    left = 50 - len(rows(shown))
    assert left > 0
    assert f"… and {left} more jobs" in str(shown.blocks)
    assert "board_page" in actions(shown)


@pytest.mark.parametrize("count", [1, 25, 26, 50])
def test_pages_contain_every_job_once(count: int) -> None:
    """No job is missing or repeated."""
    seen: list[str] = []
    pages = 1 if count <= 25 else 2
    for number in range(1, pages + 1):
        seen += [cells[4] for cells in rows(board_card.render_page(many(count), VIEW, number))]
    assert sorted(seen) == sorted(str(each.job.ref) for each in many(count))


@pytest.mark.parametrize(("number", "ways"), [(0, ["next"]), (1, ["next"]), (9, ["back"])])
def test_missing_page_falls_back_to_the_nearest(number: int, ways: list[str]) -> None:
    """The board may have fewer pages than when the button was rendered."""
    shown = board_card.render_page(many(50), VIEW, number)
    page_buttons = [action for action in actions(shown) if action.startswith("board_page")]
    assert page_buttons == [f"board_page:{way}" for way in ways]


def test_thread_reply_on_a_board_is_headed_by_its_job() -> None:
    """One thread has replies for several jobs."""
    said = Message(text="❌ Step 3 failed.", blocks=(blocks.section("❌ Step 3 failed."),))
    shown = board_card.with_heading("deploy *api*", said)
    assert shown.text == "deploy \u2217api\u2217: ❌ Step 3 failed."
    assert "deploy *api*" in str(shown.blocks[0])
    assert [block["type"] for block in shown.classic] == ["context", "section"]


def test_heading_is_not_repeated_in_the_text() -> None:
    """A text that starts with the job's name is unchanged."""
    said = Message(text="deploy-api succeeded.")
    assert board_card.with_heading("deploy-api", said).text == "deploy-api succeeded."


def test_row_changes_with_a_finished_step_but_not_with_time() -> None:
    """A board is updated only for a visible change."""
    before = job(1)
    after = before.replace(tasks=tuple(t.replace(status=Status.SUCCEEDED) for t in before.tasks))
    assert board_card.row_changed(before, after, NOW)
    assert not board_card.row_changed(before, before.replace(message="still at it"), NOW)


@settings(
    max_examples=settings.default.max_examples // 2,  # an example renders up to 50 jobs
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(
    small=st.lists(JOBS, min_size=1, max_size=5),
    count=st.sampled_from([1, 5, 50]),
    trouble=HOSTILE,
    view=st.sampled_from([VIEW, CLOSED]),
)
def test_slack_accepts_a_board_with_any_job_content(
    small: list[Job], count: int, trouble: str, view: BoardContext
) -> None:
    """Boards and pages pass every check, and mention nobody."""
    enlarged = [grown(small[n % len(small)], n % 7) for n in range(count)]
    jobs = [
        BoardRow(id=f"{n:032}", job=each, followed=n % 2 == 0, trouble=trouble)
        for n, each in enumerate(enlarged)
    ]
    for shown in (board_card.render_board(jobs, view), board_card.render_page(jobs, view, 1)):
        assert violations_of(shown.blocks) == []
        assert violations_of(shown.classic) == []
        assert "<!channel>" not in shown.text
        assert 0 < len(shown.text) <= 4_000
