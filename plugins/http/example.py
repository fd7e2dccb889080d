"""A recorded answer, read by the settings: what they find in it, and what they do not. Pure."""

from __future__ import annotations

from functools import partial
from itertools import filterfalse
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.models import Job, JobRef, Status
from bot.providers.times import moment
from plugins.http.errors import meaning
from plugins.http.expressions import find
from plugins.http.translator import listed, translate
from plugins.http.values import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.http.settings import HttpSettings

JOB = ("status", "name", "type", "message", "created", "started", "finished", "tasks")
TASK = ("task_status", "task_id", "task_name", "task_message", "task_started", "task_finished")
TIMES = frozenset({"created", "started", "finished", "task_started", "task_finished"})
_REF = JobRef(connection="example", id="example")


def fault(answer: Any, settings: HttpSettings) -> str:
    """Return why no job can be read from an answer; empty if one can."""
    means = meaning(answer, settings)
    if means != "ok":
        return f"error_code finds an error in it ({means})"
    if find(settings.not_found, answer):
        return "not_found says that there is no job in it"
    if listed(answer, settings) is None:
        return "what tasks finds is not a list"
    return "" if word(find(settings.status, answer)) else "status finds nothing in it"


def told(answer: Any, settings: HttpSettings) -> str:
    """Return sentences on what each expression finds in an answer that holds a job."""
    job = translate(_REF, answer, settings)
    places = dict(_places(answer, settings))
    found = [_shown(key, job) for key, values in places.items() if values]
    missing = [key for key, values in places.items() if not values]
    said = [f"Found: {', '.join(found)}."]
    said += [f"Nothing was found by {', '.join(missing)}."] if missing else []
    return " ".join([*said, *_no_times(places, settings), *_no_words(job, settings)])


def wrong(answer: Any, settings: HttpSettings) -> Iterator[str]:
    """Return which keys do not do justice to an answer that holds a job, with the remedy."""
    job = translate(_REF, answer, settings)
    for key in _timeless(dict(_places(answer, settings)), settings):
        yield f"{key}: what it finds in the example is not a time; correct the expression."
    for native in _new(job, settings):
        yield f"statuses: the example's {native[:40]!r} is not in it; add it."


def _places(answer: Any, settings: HttpSettings) -> Iterator[tuple[str, list[Any]]]:
    """Return, for each expression that is set, the values that it finds: a job's, all tasks'."""
    items = listed(answer, settings) or []
    keys = JOB + TASK if items else JOB
    for key in filter(partial(getattr, settings), keys):
        values = [find(getattr(settings, key), each) for each in _where(key, answer, items)]
        nothing: tuple[Any, ...] = (None, "", [], 0) if key in TIMES else (None, "", [])
        yield key, [value for value in values if value not in nothing]


def _where(key: str, answer: Any, items: list[Any]) -> list[Any]:
    return items if key in TASK else [answer]


def _shown(key: str, job: Job) -> str:
    if key == "status":
        return f"status ({job.native_status[:40]!r}: {job.status})"
    return f"tasks ({len(job.tasks)})" if key == "tasks" else key


def _no_times(places: dict[str, list[Any]], settings: HttpSettings) -> Iterator[str]:
    return (f"What {key} finds is not a time." for key in _timeless(places, settings))


def _timeless(places: dict[str, list[Any]], settings: HttpSettings) -> Iterator[str]:
    zone = ZoneInfo(settings.timezone)
    for key, values in places.items():
        if key in TIMES and values and not any(moment(value, zone) for value in values):
            yield key


def _no_words(job: Job, settings: HttpSettings) -> Iterator[str]:
    """Return a sentence on each status word that the tables do not have."""
    return (f"{native[:40]!r} is not in statuses." for native in _new(job, settings))


def _new(job: Job, settings: HttpSettings) -> Iterator[str]:
    both = [(job.native_status, job.status)]
    both += [(task.native_status, task.status) for task in job.tasks]
    new = dict.fromkeys(own for own, status in both if status is Status.UNKNOWN and own)
    yield from filterfalse(settings.task_words.__contains__, new)
