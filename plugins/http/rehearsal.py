"""The contract's promises, tried on the recorded answer at the start: no network, no simulator."""

from __future__ import annotations

import json
import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    Unavailable,
)
from bot.providers import promises
from bot.providers.http import Http
from bot.providers.times import moment
from plugins.http import example
from plugins.http.expressions import find
from plugins.http.places import Path, at, place, put

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from bot.providers.provider import Provider
    from plugins.http.settings import HttpSettings

    Trial = tuple[str, str, Callable[[], Awaitable[None]]]  # key, remedy, what is tried

NEW = "jobthread-new-word"
SPELLINGS = ("Z", "+08:00", "-03:30", "s", "ms", "")
TASKS = (0, 1, 50, 500)
ID = "example"
ANY_ID = re.compile(ID)  # in place of the pattern: the API has no say here
MOST_TASKS = 20  # of the recorded answer


@dataclass(frozen=True)
class Answer:
    """What the API is made to answer."""

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
    """A connection whose API is its recorded answer; what stands there can be changed."""

    fresh = False  # it needs no signing in

    def __init__(self, provider: Provider[Any], settings: HttpSettings) -> None:
        self.provider = provider
        self._settings = settings
        self.recorded = _short(settings)
        keys = (key for key in example.JOB if getattr(settings, key))
        self.places = {key: self._place(key) for key in keys}
        self._told = self.recorded
        self._fault: Answer | None = None
        self._respelled: Callable[[Any], Any] | None = None
        provider.http = Http(provider.name, provider.connect(), wire=self)
        vars(provider).update(id_pattern=ANY_ID)

    def _place(self, key: str) -> Path | None:
        return place(getattr(self._settings, key), self.recorded)

    def put(self, native: str, *, name: str = "", tasks: int = -1) -> str:
        """Answer from now on with a job of this status; -1: with the tasks that it has."""
        self.meet(None)
        old = find(self._settings.status, self.recorded)
        number = isinstance(old, int) and native.isdecimal()
        self._told = self._with("status", self.recorded, int(native) if number else native)
        self._told = self._with("name", self._told, name) if name else self._told
        if tasks >= 0:
            self._told = self._with("tasks", self._told, self._tasks(tasks))
        return ID

    def _with(self, key: str, answer: Any, value: Any) -> Any:
        path = self.places.get(key)
        return answer if path is None else put(answer, path, value)

    def _tasks(self, number: int) -> list[Any]:
        """Return so many tasks like the first one, each with an id of its own."""
        (like, *_) = find(self._settings.tasks, self.recorded)
        path = place(self._settings.task_id, like) if self._settings.task_id else None
        return [like if path is None else put(like, path, str(n)) for n in range(number)]

    def meet(self, fault: Answer | None) -> None:
        """Answer from now on with this fault; None: with the job."""
        self._fault = fault
        self._respelled = None

    def respell(self, respelled: Callable[[Any], Any]) -> None:
        """Write the times of the job in another way."""
        self.meet(None)
        self._respelled = respelled

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Answer without a network."""
        answer = self._fault or Answer(200, json.dumps(self._answer()))
        headers = {"Content-Type": "application/json", **answer.headers}
        return httpx.Response(
            answer.status, headers=headers, content=answer.body.encode(), request=request
        )

    async def close(self) -> None:
        """There is nothing to close."""

    def _answer(self) -> Any:
        told = self._told
        for key in example.TIMES & self.places.keys() if self._respelled else ():
            path = self.places[key]
            if path is not None and self._respelled:
                told = put(told, path, self._respelled(at(told, path)))
        return told

    def trials(self) -> Iterator[Trial]:
        """Return what can be tried with this answer."""
        yield from self._of_statuses()
        yield from self._of_shapes()
        yield from self._of_errors()

    def _of_statuses(self) -> Iterator[Trial]:
        if self.places["status"] is None:
            return
        for native in self.provider.statuses:
            remedy = f"see what status and not_found find where it says {native!r}"
            yield "statuses", remedy, partial(promises.a_status_has_its_word, self, native)
        remedy = "see what status finds where it says a new word"
        yield "status", remedy, partial(promises.a_new_status_is_unknown, self, NEW)

    def _of_shapes(self) -> Iterator[Trial]:
        seen = self.places.get("name") is not None
        for name in promises.HOSTILE_NAMES if seen else ():
            trial = partial(promises.a_hostile_name_survives, self, name, seen=True)
            yield "name", "see what name finds", trial
        listed = find(self._settings.tasks, self.recorded)
        for number in TASKS if listed and self.places.get("tasks") is not None else ():
            trial = partial(promises.all_tasks_are_told, self, number)
            yield "tasks", "see what tasks and task_id find", trial
        places = (path for key in example.TIMES if (path := self.places.get(key)) is not None)
        told = [moment(at(self.recorded, path)) for path in places]
        for spelling in SPELLINGS if any(told) else ():
            trial = partial(promises.a_time_is_the_same, self, spelling)
            yield "timezone", "see what created, started and finished find", trial

    def _of_errors(self) -> Iterator[Trial]:
        remedy = "see what not_found and error_code find in such an answer"
        for answer, kind in ERRORS:
            trial = partial(promises.an_error_has_its_meaning, self, answer, kind)
            yield "error_codes", remedy, trial
        yield "error_codes", remedy, partial(promises.busy_is_left_alone, self, BUSY, 7.0)
        yield "error_codes", remedy, partial(self._keeps_secrets)

    async def _keeps_secrets(self) -> None:
        for status in promises.ECHOING[1:]:  # the first one may well be a job
            error = await promises.met(self, Answer(status, json.dumps(promises.echo(self))))
            promises.no_secret_in(self, str(error), repr(error))


def _short(settings: HttpSettings) -> Any:
    """Return the recorded answer with a few of its tasks: thousands would only take time."""
    recorded = settings.recorded
    path = place(settings.tasks, recorded) if settings.tasks else None
    return recorded if path is None else put(recorded, path, at(recorded, path)[:MOST_TASKS])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what is only tried out of the log."""
    chatty = [logging.getLogger(name) for name in ("bot.providers.http", "plugins.http.errors")]
    for each in chatty:
        each.addFilter(_nothing)
    try:
        yield
    finally:
        for each in chatty:
            each.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    del record
    return False


async def problems(stand: Rehearsal, settings: HttpSettings) -> Sequence[str]:
    """Return a sentence for each key whose promise is broken, with its remedy."""
    told: dict[str, str] = {}
    with _quiet():
        for key, remedy, trial in stand.trials():
            try:
                await trial()
            except promises.BrokenPromise as error:
                told.setdefault(key, f"{key}: {error}; {remedy}.")
            except JobthreadError as error:
                told.setdefault(key, f"{key}: {error.sentence.rstrip('.')}; {remedy}.")
    return [*told.values(), *example.wrong(settings.recorded, settings)]
