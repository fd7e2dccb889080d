"""Applies the settings' expressions to a recorded answer and reports what they find. Pure."""

from __future__ import annotations

from functools import partial
from itertools import filterfalse
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.sdk import Job, JobRef, Status, parse_time
from plugins.http.coercion import to_word
from plugins.http.errors import error_meaning
from plugins.http.expressions import find
from plugins.http.translator import find_tasks, translate
from plugins.http.words import JOB_KEYS, TASK_KEYS, TIME_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.http.settings import HttpSettings

_REF = JobRef(connection="example", id="example")


def example_problem(settings: HttpSettings) -> str:
    """Return why the settings cannot read a job from their recorded answer; "" if they can."""
    try:
        reason = unreadable_reason(settings.recorded_answer, settings)
    except (OSError, ValueError, RecursionError):
        return "example must be a file that holds an answer as JSON: check its path and rights."
    return f"example holds no job that these settings can read: {reason}." if reason else ""


def unreadable_reason(answer: Any, settings: HttpSettings) -> str:
    """Return why no job can be read from an answer; empty if one can."""
    result = error_meaning(answer, settings)
    if result != "ok":
        return f"error_code finds an error in it ({result})"
    if find(settings.not_found, answer):
        return "not_found says that there is no job in it"
    if find_tasks(answer, settings) is None:
        return "what tasks finds is not a list"
    return "" if to_word(find(settings.status, answer)) else "status finds nothing in it"


def describe_findings(answer: Any, settings: HttpSettings) -> str:
    """Return sentences that say what each expression finds in an answer that holds a job."""
    job = translate(_REF, answer, settings)
    found_values = dict(_values(answer, settings))
    found = [_shown(key, job) for key, values in found_values.items() if values]
    missing = [key for key, values in found_values.items() if not values]
    sentences = [f"Found: {', '.join(found)}."]
    sentences += [f"Nothing was found by {', '.join(missing)}."] if missing else []
    return " ".join(
        [*sentences, *_time_sentences(found_values, settings), *_status_sentences(job, settings)]
    )


def find_problems(answer: Any, settings: HttpSettings) -> Iterator[str]:
    """Return a sentence for each setting that does not fit the recorded answer, with the fix."""
    job = translate(_REF, answer, settings)
    for key in _invalid_times(dict(_values(answer, settings)), settings):
        yield f"{key}: what it finds in the example is not a time; correct the expression."
    for native in _unlisted_statuses(job, settings):
        yield f"statuses: the example's {native[:40]!r} is not in it; add it."


def _values(answer: Any, settings: HttpSettings) -> Iterator[tuple[str, list[Any]]]:
    """Return the values that each set expression finds: in the job, or in all tasks."""
    items = find_tasks(answer, settings) or []
    keys = JOB_KEYS + TASK_KEYS if items else JOB_KEYS
    for key in filter(partial(getattr, settings), keys):
        values = [find(getattr(settings, key), each) for each in _scopes(key, answer, items)]
        nothing: tuple[Any, ...] = (None, "", [], 0) if key in TIME_KEYS else (None, "", [])
        yield key, [value for value in values if value not in nothing]


def _scopes(key: str, answer: Any, items: list[Any]) -> list[Any]:
    return items if key in TASK_KEYS else [answer]


def _shown(key: str, job: Job) -> str:
    if key == "status":
        return f"status ({job.native_status[:40]!r}: {job.status})"
    return f"tasks ({len(job.tasks)})" if key == "tasks" else key


def _time_sentences(found_values: dict[str, list[Any]], settings: HttpSettings) -> Iterator[str]:
    return (f"What {key} finds is not a time." for key in _invalid_times(found_values, settings))


def _invalid_times(found_values: dict[str, list[Any]], settings: HttpSettings) -> Iterator[str]:
    zone = ZoneInfo(settings.timezone)
    for key, values in found_values.items():
        if key in TIME_KEYS and values and not any(parse_time(value, zone) for value in values):
            yield key


def _status_sentences(job: Job, settings: HttpSettings) -> Iterator[str]:
    """Return a sentence for each status that the tables do not list."""
    return (f"{native[:40]!r} is not in statuses." for native in _unlisted_statuses(job, settings))


def _unlisted_statuses(job: Job, settings: HttpSettings) -> Iterator[str]:
    both = [(job.native_status, job.status)]
    both += [(task.native_status, task.status) for task in job.tasks]
    new = dict.fromkeys(own for own, status in both if status is Status.UNKNOWN and own)
    yield from filterfalse(settings.task_status_table.__contains__, new)
