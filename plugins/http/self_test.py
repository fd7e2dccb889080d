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

from bot.sdk import conformance
from bot.sdk.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    Unavailable,
)
from bot.sdk.http import Http
from bot.sdk.timestamps import moment
from plugins.http import recorded_answer
from plugins.http.expressions import find
from plugins.http.json_paths import Path, at, place, put

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from bot.sdk.provider import Provider
    from plugins.http.settings import HttpSettings

    Trial = tuple[str, str, Callable[[], Awaitable[None]]]  # settings key, fix, check

NEW = "jobthread-new-word"
SPELLINGS = ("Z", "+08:00", "-03:30", "s", "ms", "")
TASKS = (0, 1, 50, 500)
ID = "example"
ANY_ID = re.compile(ID)  # replaces the setting: the API issued no such id
MOST_TASKS = 20  # kept from the recorded answer


@dataclass(frozen=True)
class Answer:
    """A simulated response."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


ERRORS = (
    (Answer(404), JobNotFound),
    (Answer(403), AccessDenied),
    (Answer(401), CredentialsRefused),
    (Answer(500), Unavailable),
    (Answer(200, "<html><h1>Welcome</h1></html>"), AnswerNotUnderstood),
    (Answer(200, ""), AnswerNotUnderstood),
)
BUSY = Answer(429, "", {"Retry-After": "7"})


class Rehearsal:
    """A provider whose API is its recorded answer; the values in it can be replaced."""

    fresh = False  # it needs no sign-in

    def __init__(self, provider: Provider[Any], settings: HttpSettings) -> None:
        self.provider = provider
        self._settings = settings
        self.recorded = _shorten(settings)
        keys = (key for key in recorded_answer.JOB if getattr(settings, key))
        self.places = {key: self._place(key) for key in keys}
        self._current = self.recorded
        self._fault: Answer | None = None
        self._respelled: Callable[[Any], Any] | None = None
        provider.http = Http(provider.name, provider.connect(), wire=self)
        vars(provider).update(id_pattern=ANY_ID)

    def _place(self, key: str) -> Path | None:
        return place(getattr(self._settings, key), self.recorded)

    def put(self, native: str, *, name: str = "", tasks: int = -1) -> str:
        """Respond with a job of this status from now on; -1: with the recorded tasks."""
        self.meet(None)
        old = find(self._settings.status, self.recorded)
        number = isinstance(old, int) and native.isdecimal()
        self._current = self._with("status", self.recorded, int(native) if number else native)
        self._current = self._with("name", self._current, name) if name else self._current
        if tasks >= 0:
            self._current = self._with("tasks", self._current, self._tasks(tasks))
        return ID

    def _with(self, key: str, answer: Any, value: Any) -> Any:
        path = self.places.get(key)
        return answer if path is None else put(answer, path, value)

    def _tasks(self, number: int) -> list[Any]:
        """Return so many copies of the first task, each with its own id."""
        (like, *_) = find(self._settings.tasks, self.recorded)
        path = place(self._settings.task_id, like) if self._settings.task_id else None
        return [like if path is None else put(like, path, str(n)) for n in range(number)]

    def meet(self, fault: Answer | None) -> None:
        """Respond with this fault from now on; None: with the job."""
        self._fault = fault
        self._respelled = None

    def respell(self, respelled: Callable[[Any], Any]) -> None:
        """Rewrite the times of the job from now on."""
        self.meet(None)
        self._respelled = respelled

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Respond without a network."""
        answer = self._fault or Answer(200, json.dumps(self._respond()))
        headers = {"Content-Type": "application/json", **answer.headers}
        return httpx.Response(
            answer.status, headers=headers, content=answer.body.encode(), request=request
        )

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def _respond(self) -> Any:
        answer = self._current
        for key in recorded_answer.TIMES & self.places.keys() if self._respelled else ():
            path = self.places[key]
            if path is not None and self._respelled:
                answer = put(answer, path, self._respelled(at(answer, path)))
        return answer

    def trials(self) -> Iterator[Trial]:
        """Return the checks that this answer allows."""
        yield from self._status_checks()
        yield from self._shape_checks()
        yield from self._error_checks()

    def _status_checks(self) -> Iterator[Trial]:
        if self.places["status"] is None:
            return
        for native in self.provider.statuses:
            remedy = f"see what status and not_found find where it says {native!r}"
            yield "statuses", remedy, partial(conformance.a_status_has_its_word, self, native)
        remedy = "see what status finds where it says a new word"
        yield "status", remedy, partial(conformance.a_new_status_is_unknown, self, NEW)

    def _shape_checks(self) -> Iterator[Trial]:
        has_name = self.places.get("name") is not None
        for name in conformance.HOSTILE_NAMES if has_name else ():
            trial = partial(conformance.a_hostile_name_survives, self, name, seen=True)
            yield "name", "see what name finds", trial
        listed = find(self._settings.tasks, self.recorded)
        for number in TASKS if listed and self.places.get("tasks") is not None else ():
            trial = partial(conformance.all_tasks_are_told, self, number)
            yield "tasks", "see what tasks and task_id find", trial
        places = (
            path for key in recorded_answer.TIMES if (path := self.places.get(key)) is not None
        )
        times = [moment(at(self.recorded, path)) for path in places]
        for spelling in SPELLINGS if any(times) else ():
            trial = partial(conformance.a_time_is_the_same, self, spelling)
            yield "timezone", "see what created, started and finished find", trial

    def _error_checks(self) -> Iterator[Trial]:
        remedy = "see what not_found and error_code find in such an answer"
        for answer, kind in ERRORS:
            trial = partial(conformance.an_error_has_its_meaning, self, answer, kind)
            yield "error_codes", remedy, trial
        yield "error_codes", remedy, partial(conformance.busy_is_left_alone, self, BUSY, 7.0)
        yield "error_codes", remedy, partial(self._check_secrets)

    async def _check_secrets(self) -> None:
        for status in conformance.ECHOING[1:]:  # the first one is 200, which may be a job
            error = await conformance.met(self, Answer(status, json.dumps(conformance.echo(self))))
            conformance.no_secret_in(self, str(error), repr(error))


def _shorten(settings: HttpSettings) -> Any:
    """Return the recorded answer with few of its tasks, to limit the run time."""
    recorded = settings.recorded
    path = place(settings.tasks, recorded) if settings.tasks else None
    return recorded if path is None else put(recorded, path, at(recorded, path)[:MOST_TASKS])


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


async def problems(stand: Rehearsal, settings: HttpSettings) -> Sequence[str]:
    """Return a sentence for each setting whose conformance check fails, with its fix."""
    found: dict[str, str] = {}
    with _without_logs():
        for key, remedy, trial in stand.trials():
            try:
                await trial()
            except conformance.BrokenPromise as error:
                found.setdefault(key, f"{key}: {error}; {remedy}.")
            except JobthreadError as error:
                found.setdefault(key, f"{key}: {error.sentence.rstrip('.')}; {remedy}.")
    return [*found.values(), *recorded_answer.wrong(settings.recorded, settings)]
