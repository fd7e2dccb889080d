"""Plain-text descriptions of jobs, tasks and changes, readable aloud. Pure; no markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk import formatting
from bot.sdk.cards.blocks import clip, is_visible, one_line
from bot.sdk.models import Change, Job, Status, Task, seconds_between

if TYPE_CHECKING:
    from datetime import datetime


def job_name(job: Job) -> str:
    """Return the job's name on one line; its id if it has none."""
    return _first_visible(job.name, job.ref.id, "the job", limit=120)


def task_name(task: Task) -> str:
    """Return the task's name on one line; its id if it has none."""
    return _first_visible(task.name, task.id, "a step without a name", limit=80)


def _first_visible(*texts: str, limit: int) -> str:
    return next(clip(one_line(text), limit) for text in texts if is_visible(one_line(text)))


def provider_word(of: Job | Task) -> str:
    """Return the native status on one line if it says more than ours, else ""."""
    word = formatting.provider_word(of.status, of.native_status)
    return clip(one_line(word), 60) if is_visible(word) else ""


def _native_in_brackets(of: Job | Task) -> str:
    return f" ({provider_word(of)})" if provider_word(of) else ""


def seconds_taken(of: Job | Task, now: datetime) -> float | None:
    """Return how long a job or task took, or has taken until now; None if unknown."""
    if of.status.terminal:
        return seconds_between(of.started_at, of.finished_at)
    return seconds_between(of.started_at, now)


def status_sentence(job: Job, now: datetime) -> str:
    """Return the status: "deploy-api is running: 4 of 6 tasks done, 1 m 3 s so far."."""
    return (
        outcome_sentence(job)
        if job.status.terminal
        else f"{_phrase(job)}{_progress_phrase(job, now)}."
    )


def _phrase(job: Job, now: str = "", again: str = "") -> str:
    if job.status is Status.WAITING:
        return (
            f"{job_name(job)} is {now}waiting{again}: a person must act{_native_in_brackets(job)}"
        )
    doing = formatting.status_phrase(job.status, job.native_status)
    return f"{job_name(job)} is {now}{doing}{again}{_native_in_brackets(job)}"


def _progress_phrase(job: Job, now: datetime) -> str:
    done, total = job.finished_tasks, len(job.tasks)
    seconds = seconds_taken(job, now)
    facts = [f"{done:,} of {formatting.plural(total, 'task')} done"] if total else []
    facts += [f"{formatting.duration(seconds)} so far"] if seconds is not None else []
    before = "; " if job.status is Status.WAITING else ": "
    return f"{before}{', '.join(facts)}" if facts else ""


def outcome_sentence(job: Job) -> str:
    """Return the outcome: "deploy-api failed after 3 m 12 s at step VMAPP_UPGRADE_002."."""
    seconds = seconds_between(job.started_at, job.finished_at)
    after = f" after {formatting.duration(seconds)}" if seconds is not None else ""
    ended = formatting.outcome_phrase(job.status, job.native_status)
    return f"{job_name(job)} {ended}{_native_in_brackets(job)}{after}{_failed_steps(job)}."


def _failed_steps(job: Job) -> str:
    names = [task_name(task) for task in job.failed_tasks] if job.status.failed else []
    if len(names) < 2:
        return f" at step {names[0]}" if names else ""
    return f" at {len(names):,} steps: {formatting.join_names(names, limit=3)}"


def failure_text(job: Job) -> str:
    """Return the job and its failed steps: "deploy-api at step 3"; no full stop."""
    return f"{job_name(job)}{_failed_steps(job)}" if job.status.failed else job_name(job)


def status_change_text(change: Change) -> str:
    """Return the new status of a job that has not ended: "deploy-api is now running."."""
    before, after = change.before, change.after
    if before is None or before.status is after.status:
        return f"{_phrase(after)}."
    restarted = before.status.terminal
    return f"{_phrase(after, again=' again') if restarted else _phrase(after, now='now ')}."


def task_failure_text(task: Task) -> str:
    """Return the failure of a task: "Step VMAPP_UPGRADE_002 failed"; no full stop."""
    verb = "failed" if task.status is Status.FAILED else "succeeded only in part"
    return f"{_task_subject(task)} {verb}{_native_in_brackets(task)}"


def _task_subject(task: Task) -> str:
    """Return "Step …", or the name alone of an announced task, such as "Run of …"."""
    return task_name(task) if task.announced else f"Step {task_name(task)}"


def task_outcome_text(task: Task) -> str:
    """Return the outcome of an announced task: "Run 17 succeeded"; no full stop."""
    seconds = seconds_between(task.started_at, task.finished_at)
    after = f" after {formatting.duration(seconds)}" if seconds is not None else ""
    return (
        f"{_task_subject(task)} {formatting.outcome_phrase(task.status, task.native_status)}{after}"
    )


def newly_failed_text(change: Change) -> str:
    """Return the newly failed tasks: "Steps A and B of deploy-api failed.", or ""."""
    tasks = change.newly_failed
    rest = f"of {job_name(change.after)} failed."
    if len(tasks) < 2:
        return f"{_task_subject(tasks[0])} {rest}" if tasks else ""
    return f"Steps {formatting.join_names([task_name(task) for task in tasks])} {rest}"


def change_text(change: Change) -> str:
    """Return the text of the thread reply: one or two sentences."""
    if change.ends:
        return outcome_sentence(change.after)
    said = [status_change_text(change)] if change.status_changed else []
    said += [f"{task_outcome_text(task)}: {job_name(change.after)}." for task in change.newly_ended]
    return " ".join([*said, *filter(None, [newly_failed_text(change)])]) or status_change_text(
        change
    )
