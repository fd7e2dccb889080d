"""The notifications of a followed job, for each presentation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.notifications.decision import Decision, Event
from bot.providers.renderer import JobRenderer
from bot.sdk.models import Job, JobRef, Message, Status, Task
from bot.sdk.testing import ManualClock
from bot.store import DeliveryAction, EventKind, Watch, WatchedJob
from bot.tracking import job_notifications
from bot.tracking.job_state import WatchRenderer
from bot.tracking.presentation import presentation_of

NOW = ManualClock().now()
REF = JobRef(connection="deploys", id="JOB1")
JOB = Job(
    ref=REF,
    name="api",
    status=Status.RUNNING,
    tasks=(Task(id="1", name="Build", status=Status.RUNNING),),
)
BUILT = JOB.replace(tasks=(Task(id="1", name="Build", status=Status.SUCCEEDED),))
STORED = WatchedJob(workspace="T1", ref=REF, snapshot=JOB, revision=3)
CARD = Watch(id="w1", workspace="T1", channel="C1", ref=REF, asker="U1", requested_at=NOW)
ROW = replace(CARD, board_id="b1")
REACTION = replace(CARD, request_ts="9.0")
RENDERER = WatchRenderer(JobRenderer(), 10.0)


def decision(*, mention: str = "", all_tasks: bool = False) -> Decision:
    """Return a decision to post."""
    return Decision(
        action=DeliveryAction.POST, rule="", reason="", mention=mention, all_tasks=all_tasks
    )


def change_text(watch: Watch, after: Job, decided: Decision) -> str:
    """Return the reply about a changed job, as JSON."""
    shown = presentation_of(watch)
    notification = job_notifications.change(shown, RENDERER, STORED, after, NOW)
    assert notification is not None
    return notification.render(decided).model_dump_json()


def test_change_names_the_new_revision_and_both_states() -> None:
    """The revision makes the reply's key unique."""
    done = JOB.replace(status=Status.SUCCEEDED)
    built = job_notifications.change(presentation_of(CARD), RENDERER, STORED, done, NOW)
    assert built is not None
    assert (built.key_suffix, built.event.kind, built.urgent) == ("4", EventKind.OUTCOME, True)
    assert built.statuses == (Status.RUNNING, Status.SUCCEEDED)
    assert built.metadata is not None
    assert built.metadata["over"] is True


def test_unchanged_status_and_tasks_need_no_notification() -> None:
    """A new URL is shown on the card only."""
    moved = JOB.replace(url="https://example.com")
    assert job_notifications.change(presentation_of(CARD), RENDERER, STORED, moved, NOW) is None


def test_reply_names_succeeded_tasks_if_the_decision_says_so() -> None:
    """The decision comes from the channel's policy."""
    waiting = BUILT.replace(status=Status.WAITING)
    assert "Build" in change_text(CARD, waiting, decision(all_tasks=True))
    assert "Build" not in change_text(CARD, waiting, decision())


def test_outcome_mentions_whom_the_decision_names() -> None:
    """The asker, a user group, or nobody."""
    done = JOB.replace(status=Status.FAILED)
    assert "U1" in change_text(CARD, done, decision(mention="asker"))
    assert "S9" in change_text(CARD, done, decision(mention="S9"))
    assert "U1" not in change_text(CARD, done, decision())


@pytest.mark.parametrize(
    ("watch", "headed", "reacts"),
    [(CARD, False, False), (ROW, True, False), (REACTION, False, True)],
)
def test_presentation_gives_heading_and_reaction(
    watch: Watch, *, headed: bool, reacts: bool
) -> None:
    """A board's thread is about several jobs."""
    shown, message = presentation_of(watch), Message(text="It is down.")
    built = [
        job_notifications.polling(shown, STORED, EventKind.POLLING_FAILED, NOW, message, NOW),
        job_notifications.watch_ended(shown, STORED, "missing", message, NOW),
    ]
    assert [notification.reacts for notification in built] == [reacts, reacts]
    texts = [notification.render(decision()).text for notification in built]
    assert [text.startswith("api: ") for text in texts] == [headed, headed]


def test_polling_notification_has_one_key_per_failure_period() -> None:
    """A second poll of the same period sends nothing new."""
    shown, message = presentation_of(CARD), Message(text="It is down.")
    built = job_notifications.polling(shown, STORED, EventKind.POLLING_FAILED, NOW, message, NOW)
    assert built.key_suffix == f"{EventKind.POLLING_FAILED}:{NOW.timestamp():.0f}"
    assert built.event == Event(kind=EventKind.POLLING_FAILED)


def test_watch_that_was_never_polled_is_named_by_its_reference() -> None:
    """There is no job name yet."""
    message = Message(text="Gone.")
    built = job_notifications.watch_ended(presentation_of(CARD), None, "unset", message, NOW)
    assert (built.job_name, built.statuses) == ("deploys:JOB1", (None, None))
