"""Rendering of the digest, as text and as blocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from bot.notifications import digest
from bot.notifications.digest import DigestItem
from bot.notifications.policy import Mention, NotificationPolicy
from bot.sdk.cards import blocks, message_size
from bot.sdk.models import Job, JobRef, Status, Task
from bot.store import DecisionRecord, DeliveryAction, EventKind

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WHY = "Quiet hours until 07:00 (Europe/Berlin)."
LINK = "https://acme.slack.com/archives/C1/p1"


def job(name: str = "deploy-api", status: Status = Status.SUCCEEDED, **fields: Any) -> Job:
    """Return a job that began four minutes ago."""
    times = {"started_at": NOON - timedelta(minutes=4)}
    ended = {"finished_at": NOON - timedelta(minutes=1)} if status.terminal else {}
    ref = JobRef(connection="deploys", id=fields.pop("id", name) or "id")
    return Job(ref=ref, name=name, status=status, **(times | ended | fields))


def failed_job(name: str = "deploy-api", step: str = "3", **fields: Any) -> Job:
    """Return a job that failed at a task."""
    tasks = (Task(id=step, name=step, status=Status.FAILED),)
    return job(name, Status.FAILED, tasks=tasks, **fields)


def deferred(job: Job, event_kind: EventKind = EventKind.OUTCOME, **fields: Any) -> DecisionRecord:
    """Return a decision that defers an event of a job."""
    defaults = {
        "workspace": "T1",
        "idempotency_key": f"{job.ref}:1",
        "channel": "C1",
        "watch_id": f"watch of {job.ref}",
        "ref": job.ref,
        "name": job.name,
        "event_kind": event_kind,
        "failed": job.status.failed,
        "previously_failed": False,
        "action": DeliveryAction.DEFER,
        "rule": "quiet_hours",
        "reason": "These are quiet hours.",
        "text": "the deferred text <@U1>",
        "decided_at": NOON - timedelta(hours=3),
    }
    return DecisionRecord(**(defaults | fields))


def item(job: Job, *records: DecisionRecord, asker: str = "U1") -> DigestItem:
    """Return the digest item of a job."""
    return DigestItem(decisions=records or (deferred(job),), job=job, link=LINK, asker=asker)


def test_counts_come_first_and_name_the_failed_jobs() -> None:
    """The first sentence shows whether action is needed."""
    items = [item(job(f"job-{n}")) for n in range(6)]
    items += [item(failed_job()), *(item(job(f"slow-{n}", Status.RUNNING)) for n in range(2))]
    assert digest.summary(items) == "7 of 9 done, 1 failed: deploy-api at step 3."


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([item(job())], "1 of 1 done."),
        ([item(job(status=Status.RUNNING))], "0 of 1 done."),
        (
            [item(failed_job("a", "x")), item(failed_job("b", "y"))],
            "2 of 2 done, 2 failed: a at step x and b at step y.",
        ),
        (
            [item(failed_job(f"j{n}", "x")) for n in range(5)],
            "5 of 5 done, 5 failed: j0 at step x, j1 at step x, j2 at step x and 2 more.",
        ),
    ],
)
def test_first_sentence_reads_well(items: list[DigestItem], message: str) -> None:
    """It handles one job or many, ended or not."""
    assert digest.summary(items) == message


def test_failed_run_of_a_running_job_is_in_the_summary() -> None:
    """The job itself has not failed."""
    robot = job("robot", Status.RUNNING)
    run = deferred(robot, EventKind.RUN, failed=True, text="Run 17 failed: robot.")
    assert digest.summary([item(robot, run)]) == "0 of 1 done; 1 with failures: robot."
    assert "Run 17 failed" in digest.render_digest([item(robot, run)], WHY, [], NOON).text


def test_several_runs_of_a_job_are_one_line_with_a_count() -> None:
    """The failed run is named, the others are counted."""
    robot = job("robot", Status.RUNNING)
    runs = [
        deferred(robot, EventKind.RUN, failed=n == 1, text=f"Run {n} ended: robot.")
        for n in range(3)
    ]
    text = digest.render_digest([item(robot, *runs)], WHY, [], NOON).text
    assert "Run 1 ended: robot. (and 2 more)" in text


def test_failed_jobs_come_first_and_then_the_newest() -> None:
    """The order is failed, newest, oldest."""
    old, new = (
        deferred(job(n), decided_at=NOON - timedelta(hours=h)) for n, h in (("old", 5), ("new", 1))
    )
    items = [item(job("old"), old), item(job("new"), new), item(failed_job("bad"))]
    lines = digest.render_digest(items, WHY, [], NOON).text.split("\n")[1:4]
    assert [name for line in lines for name in ("bad", "new", "old") if f"|{name}>" in line] == [
        "bad",
        "new",
        "old",
    ]


def test_line_has_status_card_link_and_deferral_time() -> None:
    """The name of the job is the link."""
    [line] = digest.render_digest([item(failed_job())], WHY, [], NOON).text.split("\n")[1:-1]
    assert line.startswith(
        f"❌ <{LINK}|deploy-api> failed after 3 m at step 3 · deferred since <!date"
    )


def test_line_shows_the_current_status() -> None:
    """The job ended after its notification was deferred."""
    ended = job()
    changed = deferred(ended, EventKind.CHANGE, text="deploy-api is now running.")
    text = digest.render_digest([item(ended, changed)], WHY, [], NOON).text
    assert "succeeded after 3 m" in text
    assert "is now running" not in text


@pytest.mark.parametrize("event_kind", [EventKind.JOB_MISSING, EventKind.POLLING_FAILED])
def test_job_that_cannot_be_polled_has_its_deferred_text(event_kind: EventKind) -> None:
    """The last snapshot may be outdated; the text has no mention."""
    gone = job(status=Status.RUNNING)
    text = digest.render_digest([item(gone, deferred(gone, event_kind))], WHY, [], NOON).text
    assert "the deferred text" in text
    assert "<@U1>" not in text


def test_job_missing_from_the_store_has_its_deferred_text() -> None:
    """Every item has a line."""
    item_ = DigestItem(decisions=(deferred(job()),))
    assert "deploy-api: the deferred text" in digest.render_digest([item_], WHY, [], NOON).text


def test_digest_has_twenty_lines_and_counts_the_rest() -> None:
    """It is always one message."""
    items = [item(job(f"job-{n}")) for n in range(32)]
    message = digest.render_digest(items, WHY, [], NOON)
    assert "… and 12 more" in str(message.blocks[-1])
    assert str(message.blocks).count(LINK) == 20


def test_reason_of_the_digest_comes_last() -> None:
    """It is in the defaults text and in the context block."""
    message = digest.render_digest([item(job())], WHY, [], NOON)
    assert message.text.endswith(WHY)
    assert WHY in str(message.blocks[-1])


def test_end_of_quiet_hours_is_in_their_own_zone() -> None:
    """The zone is named."""
    end = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert digest.quiet_hours_reason(end, ZoneInfo("Europe/Berlin")) == WHY


def test_asker_of_failed_jobs_is_mentioned_once() -> None:
    """Two failures yield one mention; a success yields none."""
    items = [
        item(failed_job("a"), asker="U1"),
        item(failed_job("b"), asker="U1"),
        item(job("c"), asker="U2"),
        item(failed_job("d"), asker="U3"),
    ]
    assert digest.mentioned(items, NotificationPolicy()) == ["U1", "U3"]
    message = digest.render_digest(items, WHY, ["U1", "U3"], NOON)
    assert message.text.split("\n")[0].endswith("<@U1> <@U3>")


@pytest.mark.parametrize(
    ("policy", "mentioned"),
    [
        (NotificationPolicy(mention=Mention.NOBODY), []),
        (NotificationPolicy(mention=Mention.GROUP, group="S0123"), ["S0123"]),
        (NotificationPolicy(mention=Mention.GROUP), []),
    ],
)
def test_digest_mentions_whom_the_policy_says(
    policy: NotificationPolicy, mentioned: list[str]
) -> None:
    """No user, or the group instead of the askers."""
    assert digest.mentioned([item(failed_job())], policy) == mentioned


def test_digest_without_failures_mentions_no_one() -> None:
    """The policy mentions a group on failure."""
    policy = NotificationPolicy(mention=Mention.GROUP, group="S0123")
    assert digest.mentioned([item(job())], policy) == []


HOSTILE = st.text(
    st.sampled_from('<@U1>&|*_~`:x"\\\u202e\n😀 \x00') | st.characters(), max_size=300
)


@hypothesis.given(st.lists(HOSTILE, min_size=1, max_size=30), HOSTILE, st.integers(1, 3))
@hypothesis.settings(max_examples=60)
def test_hostile_names_break_no_limit_and_mention_no_one(
    names: list[str], step: str, every: int
) -> None:
    """Slack accepts the message for any names of jobs and tasks."""
    items = [
        item(failed_job(name, step or "s", id=f"i{n}") if n % every else job(name, id=f"i{n}"))
        for n, name in enumerate(names)
    ]
    message = digest.render_digest(items, WHY, ["U9"] * 3, NOON)
    assert message_size.json_size(message.blocks) <= message_size.MAX_JSON_SIZE
    assert blocks.length(message.text) <= 4_000
    assert len(message.blocks) <= blocks.MAX_BLOCKS
    for block in message.blocks:
        assert blocks.length(str(block.get("text", {}).get("text", ""))) <= blocks.MAX_TEXT
    assert "<@U1>" not in message.text + str(message.blocks)


def test_full_digest_of_long_names_is_within_the_limits() -> None:
    """The lines that do not fit are counted."""
    items = [item(failed_job('"\\' * 100, "&" * 200, id=f"i{n}")) for n in range(200)]
    message = digest.render_digest(items, WHY, [], NOON)
    assert message_size.json_size(message.blocks) <= message_size.MAX_JSON_SIZE
    assert "more" in message.text
