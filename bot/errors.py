"""Every error that jobthread raises on purpose, as a tree.

JobthreadError              a sentence for its reader; `next_step` says what to do about it
├─ BadReference             what was asked for is not a reference to a job
├─ ProviderError            a job system did not give its answer
│  ├─ JobNotFound           it knows no such job
│  ├─ AccessDenied          it knows us, and says no
│  ├─ CredentialsRefused    it does not accept our keys or token
│  ├─ RateLimited           it is busy; `retry_after` seconds
│  ├─ Unavailable           it is down, or cannot be reached
│  ├─ Ambiguous             it knows several jobs of that name; `choices` are they
│  └─ AnswerNotUnderstood   it answered something else than its documentation says
├─ SlackError               Slack did not take a message
│  ├─ SlackBusy             too many requests; `retry_after` seconds
│  ├─ SlackRefused          it will never take this message; `code` is Slack's own word
│  └─ SlackSilent           it may have taken the message, and it may not
├─ SettingsError            the settings have problems; `problems` lists all of them
└─ StoreError               the database cannot be used
   └─ StoreInUse            another process has it open

A sentence never holds a secret, an address with credentials, or another error's text; those go
to the log, under the id that the sentence quotes.
"""

from __future__ import annotations

from pathlib import PurePath
from traceback import extract_tb
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.models import JobRef


class JobthreadError(Exception):
    """The root: str() is a whole sentence for its reader."""

    next_step: ClassVar[str] = ""

    def __init__(self, sentence: str, *, next_step: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = self.next_step if next_step is None else next_step

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".strip()


class BadReference(JobthreadError):
    """What was asked for is not a reference to a job."""

    next_step = "Write it as connection:id, or paste the job's URL."


class ProviderError(JobthreadError):
    """A job system did not give its answer; `passing` errors may go away by themselves."""

    passing: ClassVar[bool] = False


class JobNotFound(ProviderError):
    """The job system knows no such job."""

    next_step = "Check the id, and that it belongs to this connection."


class AccessDenied(ProviderError):
    """The job system knows us, and does not let us see this."""

    next_step = "Ask whoever runs this bot to give its account the right to read jobs."


class CredentialsRefused(ProviderError):
    """The job system does not accept our keys, password or token."""

    next_step = "Whoever runs this bot must renew them: `jobthread check` says which."


class RateLimited(ProviderError):
    """The job system asks us to slow down."""

    passing = True

    def __init__(
        self, sentence: str, *, retry_after: float = 30.0, next_step: str | None = None
    ) -> None:
        when = (
            f"Ask again in {retry_after:.0f} s; jobs that are followed are asked for by themselves."
        )
        super().__init__(sentence, next_step=next_step or when)
        self.retry_after = retry_after  # seconds


class Unavailable(ProviderError):
    """The job system is down, too slow, or cannot be reached."""

    passing = True
    next_step = "Try again in a minute; jobs that are followed are asked for again by themselves."


class Ambiguous(ProviderError):
    """The job system knows several jobs that the reference can mean."""

    next_step = "Ask for one of them by its id."

    def __init__(
        self,
        sentence: str,
        *,
        choices: Sequence[tuple[JobRef, str]],
        created: Mapping[JobRef, datetime | None] | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(sentence, next_step=next_step)
        self.choices = tuple(choices)  # each with a few words that tell it from the others
        self.created = {ref: at for ref, at in (created or {}).items() if at}  # where that helps


class AnswerNotUnderstood(ProviderError):
    """The job system answered something else than its documentation says."""

    passing = True
    next_step = "Open the job in its console; whoever runs this bot finds the answer in the log."
    details = ""  # for the log alone: what the answer was like, its secrets taken out


class SlackError(JobthreadError):
    """Slack did not take a message."""


class SlackBusy(SlackError):
    """Slack asks us to slow down (429)."""

    def __init__(self, sentence: str, *, retry_after: float, method: str = "") -> None:
        super().__init__(sentence)
        self.retry_after = retry_after  # seconds
        self.method = method  # of the Web API, that is to be left alone so long; empty: any


class SlackRefused(SlackError):
    """Slack will never take this message as it is."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code  # Slack's own word, such as "channel_not_found"


class SlackSilent(SlackError):
    """No answer came: Slack may have taken the message, and it may not."""


class SettingsError(JobthreadError):
    """The settings have problems: all of them, each with its key and its remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("The settings have problems:\n" + "\n".join(f"- {p}" for p in problems))
        self.problems = tuple(problems)


class StoreError(JobthreadError):
    """The database cannot be used."""


class StoreInUse(StoreError):
    """Another process has the database open."""


# What strangers' code may raise where it is called: a plugin may even want to end the program.
FAULTS: tuple[type[BaseException], ...] = (Exception, SystemExit)


def trail(error: BaseException) -> str:
    """Return, for the log, an error's class and where it was raised: no text, no locals.

    An exception's own text may hold a secret or a whole answer, and a stack trace is for
    debuggers; class and places find the fault: "KeyError at api.py:31 < service.py:88".
    """
    places = [
        f"{PurePath(frame.filename).name}:{frame.lineno}"
        for frame in reversed(extract_tb(error.__traceback__)[-4:])
    ]
    cause = error.__cause__
    after = f", from {type(cause).__name__}" if cause is not None else ""
    return f"{type(error).__name__} at {' < '.join(places) or 'an unknown place'}{after}"
