"""Plain-text descriptions of jobs and changes."""

import pytest

from bot.sdk import formatting
from bot.sdk.cards import job_card, job_text
from bot.sdk.models import Change, Job, Status, Task
from tests.bot.sdk.cards.job_samples import FAILING, NOW, change_between, job, task

VIEW = job_card.CardContext(checked_at=NOW, asker="U0ADA")


@pytest.mark.parametrize(
    ("snapshot", "said"),
    [
        (job(Status.QUEUED, started_at=None), "deploy-api is queued."),
        (job(), "deploy-api is running: 1 m 3 s so far."),
        (
            job(tasks=(*FAILING[:1], task("UPGRADE", Status.RUNNING))),
            "deploy-api is running: 1 of 2 tasks done, 1 m 3 s so far.",
        ),
        (
            job(native_status="ROLLBACKING"),
            "deploy-api is rolling back (ROLLBACKING): 1 m 3 s so far.",
        ),
        (
            job(Status.WAITING, native_status="waitApproval", started_at=None),
            "deploy-api is waiting: a person must act (waitApproval).",
        ),
        (job(Status.SUCCEEDED), "deploy-api succeeded after 3 m 12 s."),
        (job(Status.SUCCEEDED, started_at=None), "deploy-api succeeded."),
        (
            job(Status.FAILED, tasks=FAILING),
            "deploy-api failed after 3 m 12 s at step VMAPP_UPGRADE_002.",
        ),
        (
            job(Status.FAILED, tasks=tuple(task(n, Status.FAILED) for n in "ABCDE")),
            "deploy-api failed after 3 m 12 s at 5 steps: A, B, C and 2 more.",
        ),
        (job(Status.PARTIAL), "deploy-api succeeded only in part after 3 m 12 s."),
        (job(Status.CANCELLED), "deploy-api was cancelled after 3 m 12 s."),
        (job(Status.SKIPPED, started_at=None), "deploy-api was skipped."),
        (
            job(Status.UNKNOWN, native_status="NEW", started_at=None),
            "deploy-api is in an unknown status (NEW).",
        ),
    ],
)
def test_card_text_is_a_complete_sentence(snapshot: Job, said: str) -> None:
    """Notifications and screen readers give the status without the blocks."""
    assert job_card.render_card(snapshot, VIEW).text == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, job(), "deploy-api is running."),
        (job(Status.QUEUED), job(), "deploy-api is now running."),
        (
            job(),
            job(native_status="ROLLBACKING"),
            "deploy-api is rolling back (ROLLBACKING).",
        ),
        (job(Status.FAILED), job(), "deploy-api is running again."),
        (
            job(),
            job(Status.WAITING, native_status="waitApproval"),
            "deploy-api is now waiting: a person must act (waitApproval).",
        ),
        (
            job(),
            job(tasks=FAILING),
            "Step VMAPP_UPGRADE_002 of deploy-api failed.",
        ),
        (
            job(),
            job(native_status="ROLLBACKING", tasks=FAILING),
            (
                "deploy-api is rolling back (ROLLBACKING). "
                "Step VMAPP_UPGRADE_002 of deploy-api failed."
            ),
        ),
        (job(), job(Status.SUCCEEDED), "deploy-api succeeded after 3 m 12 s. <@U0ADA>"),
    ],
)
def test_thread_reply_text_is_a_complete_sentence(
    before: Job | None, after: Job, said: str
) -> None:
    """A reader can follow the thread from notifications alone."""
    assert job_card.render_change(change_between(before, after), VIEW).text == said


@pytest.mark.parametrize("status", list(Status))
def test_thread_reply_names_every_status_in_words(status: Status) -> None:
    """It is readable without emoji and colour."""
    word = {Status.PARTIAL: "in part", Status.WAITING: "waiting"}.get(status)
    said = job_text.change_text(change_between(None, job(status)))
    assert said.isascii()
    assert (word or formatting.status_label(status).word) in said


def test_job_without_a_name_is_called_by_its_id() -> None:
    """Every sentence has a subject."""
    assert job_card.render_card(job(name="\u200b"), VIEW).text == "JOB1 is running: 1 m 3 s so far."


def test_successful_run_is_called_by_its_own_name() -> None:
    """A run is not called a step."""
    ran = Task(id="1", name="Run of 20:01", status=Status.SUCCEEDED, announced=True)
    after = job(status=Status.RUNNING, tasks=(ran,))
    change = Change(before=after, after=after, status_changed=False, newly_ended=(ran,))
    assert job_text.change_text(change) == "Run of 20:01 succeeded: deploy-api."
