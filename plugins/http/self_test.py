"""Self-test of a declarative provider: conformance checks on the recorded answer, no network.

It runs at start-up, before the first request.
"""

from __future__ import annotations

import json
import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from bot.sdk import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    Http,
    IdFormat,
    JobNotFound,
    JobthreadError,
    Provider,
    Unavailable,
    conformance,
    parse_time,
)
from plugins.http import recorded_answer
from plugins.http.expressions import find
from plugins.http.json_paths import Path, find_path, replace_at, value_at
from plugins.http.words import JOB_KEYS, TIME_KEYS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from plugins.http.settings import HttpSettings

    Check = tuple[str, str, Callable[[], Awaitable[None]]]  # settings key, fix, check

NEW_STATUS = "jobthread-new-word"
TIME_FORMATS = ("Z", "+08:00", "-03:30", "s", "ms", "")
TASK_COUNTS = (0, 1, 50, 500)
JOB_ID = "example"
ID_PATTERN = re.compile(JOB_ID)  # replaces the setting: the API issued no such id
MAX_TASKS = 20  # kept from the recorded answer


@dataclass(frozen=True)
class FakeResponse:
    """A simulated response."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


ERRORS = (
    (FakeResponse(404), JobNotFound),
    (FakeResponse(403), AccessDenied),
    (FakeResponse(401), CredentialsRefused),
    (FakeResponse(500), Unavailable),
    (FakeResponse(200, "<html><h1>Welcome</h1></html>"), AnswerNotUnderstood),
    (FakeResponse(200, ""), AnswerNotUnderstood),
)
RATE_LIMITED = FakeResponse(429, "", {"Retry-After": "7"})


class SelfTest:
    """A provider whose API is its recorded answer; the values in it can be replaced."""

    uncalled = False  # it needs no sign-in

    def __init__(self, provider: Provider[Any], settings: HttpSettings) -> None:
        self.provider = provider
        self._settings = settings
        self.recorded = _shorten(settings)
        keys = (key for key in JOB_KEYS if getattr(settings, key))
        self.paths = {key: self._place(key) for key in keys}
        self._current = self.recorded
        self._fault: FakeResponse | None = None
        self._respelled: Callable[[Any], Any] | None = None
        provider.http = Http(provider.name, provider.connect(), transport=self)
        provider.id_format = IdFormat(ID_PATTERN)

    def _place(self, key: str) -> Path | None:
        return find_path(getattr(self._settings, key), self.recorded)

    def put(self, native: str, *, name: str = "", tasks: int = -1) -> str:
        """Respond with a job of this status from now on; -1: with the recorded tasks."""
        self.inject_fault(None)
        old = find(self._settings.status, self.recorded)
        number = isinstance(old, int) and native.isdecimal()
        self._current = self._with("status", self.recorded, int(native) if number else native)
        self._current = self._with("name", self._current, name) if name else self._current
        if tasks >= 0:
            self._current = self._with("tasks", self._current, self._tasks(tasks))
        return JOB_ID

    def _with(self, key: str, answer: Any, value: Any) -> Any:
        path = self.paths.get(key)
        return answer if path is None else replace_at(answer, path, value)

    def _tasks(self, number: int) -> list[Any]:
        """Return so many copies of the first task, each with its own id."""
        (like, *_) = find(self._settings.tasks, self.recorded)
        path = find_path(self._settings.task_id, like) if self._settings.task_id else None
        return [like if path is None else replace_at(like, path, str(n)) for n in range(number)]

    def inject_fault(self, fault: FakeResponse | None) -> None:
        """Respond with this fault from now on; None: with the job."""
        self._fault = fault
        self._respelled = None

    def rewrite_json(self, respelled: Callable[[Any], Any]) -> None:
        """Rewrite the times of the job from now on."""
        self.inject_fault(None)
        self._respelled = respelled

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Respond without a network."""
        answer = self._fault or FakeResponse(200, json.dumps(self._respond()))
        headers = {"Content-Type": "application/json", **answer.headers}
        return httpx.Response(
            answer.status, headers=headers, content=answer.body.encode(), request=request
        )

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def _respond(self) -> Any:
        answer = self._current
        for key in TIME_KEYS & self.paths.keys() if self._respelled else ():
            path = self.paths[key]
            if path is not None and self._respelled:
                answer = replace_at(answer, path, self._respelled(value_at(answer, path)))
        return answer

    def checks(self) -> Iterator[Check]:
        """Return the checks that this answer allows."""
        yield from self._status_checks()
        yield from self._shape_checks()
        yield from self._error_checks()

    def _status_checks(self) -> Iterator[Check]:
        if self.paths["status"] is None:
            return
        for native in self.provider.statuses:
            remedy = f"see what status and not_found find where it says {native!r}"
            yield "statuses", remedy, partial(conformance.check_documented_status, self, native)
        remedy = "see what status finds where it says a new word"
        yield "status", remedy, partial(conformance.check_new_status, self, NEW_STATUS)

    def _shape_checks(self) -> Iterator[Check]:
        has_name = self.paths.get("name") is not None
        for name in conformance.HOSTILE_NAMES if has_name else ():
            trial = partial(conformance.check_hostile_name, self, name, name_in_job=True)
            yield "name", "see what name finds", trial
        listed = find(self._settings.tasks, self.recorded)
        for number in TASK_COUNTS if listed and self.paths.get("tasks") is not None else ():
            trial = partial(conformance.check_tasks, self, number)
            yield "tasks", "see what tasks and task_id find", trial
        paths = (path for key in TIME_KEYS if (path := self.paths.get(key)) is not None)
        times = [parse_time(value_at(self.recorded, path)) for path in paths]
        for spelling in TIME_FORMATS if any(times) else ():
            trial = partial(conformance.check_time_format, self, spelling)
            yield "timezone", "see what created, started and finished find", trial

    def _error_checks(self) -> Iterator[Check]:
        remedy = "see what not_found and error_code find in such an answer"
        for answer, kind in ERRORS:
            trial = partial(conformance.check_error, self, answer, kind)
            yield "error_codes", remedy, trial
        yield "error_codes", remedy, partial(conformance.check_rate_limit, self, RATE_LIMITED, 7.0)
        yield "error_codes", remedy, partial(self._check_secrets)

    async def _check_secrets(self) -> None:
        for status in conformance.ECHO_STATUSES[1:]:  # the first one is 200, which may be a job
            error = await conformance.fetch_error_under_fault(
                self, FakeResponse(status, json.dumps(conformance.echo_secrets(self)))
            )
            conformance.check_no_secret(self, str(error), repr(error))


def _shorten(settings: HttpSettings) -> Any:
    """Return the recorded answer with few of its tasks, to limit the run time."""
    recorded = settings.recorded_answer
    path = find_path(settings.tasks, recorded) if settings.tasks else None
    return (
        recorded
        if path is None
        else replace_at(recorded, path, value_at(recorded, path)[:MAX_TASKS])
    )


@contextmanager
def _without_logs() -> Iterator[None]:
    """Keep the log records of the checks out of the log."""
    loggers = [logging.getLogger(name) for name in ("bot.sdk.http", "plugins.http.errors")]
    for each in loggers:
        each.addFilter(_drop)
    try:
        yield
    finally:
        for each in loggers:
            each.removeFilter(_drop)


def _drop(record: logging.LogRecord) -> bool:
    del record
    return False


async def run_checks(stand: SelfTest, settings: HttpSettings) -> Sequence[str]:
    """Return a sentence for each setting whose conformance check fails, with its fix."""
    found: dict[str, str] = {}
    with _without_logs():
        for key, remedy, trial in stand.checks():
            try:
                await trial()
            except conformance.ConformanceError as error:
                found.setdefault(key, f"{key}: {error}; {remedy}.")
            except JobthreadError as error:
                found.setdefault(key, f"{key}: {error.sentence.rstrip('.')}; {remedy}.")
    return [*found.values(), *recorded_answer.find_problems(settings.recorded_answer, settings)]
