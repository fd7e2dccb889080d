"""Exception tree: everything that jobthread raises on purpose.

JobthreadError              a sentence for its reader; `next_step` says what to do about it
├─ BadReference             the text is not a reference to a job
├─ ProviderError            a provider's API call failed
│  ├─ JobNotFound           the job does not exist
│  ├─ AccessDenied          authenticated, but not authorised
│  ├─ CredentialsRefused    authentication failed
│  ├─ RateLimited           too many requests; retry after `retry_after` seconds
│  ├─ Unavailable           down, too slow or unreachable
│  ├─ Ambiguous             several jobs match; `choices` lists them
│  └─ AnswerNotUnderstood   the response does not match the API's documentation
├─ SlackError               a call to Slack failed
│  ├─ SlackRateLimited             too many requests; retry after `retry_after` seconds
│  ├─ SlackRejected          rejected for good; `code` is Slack's error code
│  └─ SlackUnconfirmed           no response: the call may or may not have taken effect
├─ SettingsError            invalid settings; `problems` lists all of them
└─ StoreError               the database cannot be used
   └─ StoreInUse            another process has it open

A sentence never contains a secret, a URL with credentials, or another error's text; those go to
the log, under the correlation id that the sentence quotes.
"""

from __future__ import annotations

from pathlib import PurePath
from traceback import extract_tb
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import httpx

    from bot.sdk.models import JobRef


class JobthreadError(Exception):
    """Root of the tree; str() is a complete sentence for its reader."""

    next_step: ClassVar[str] = ""

    def __init__(self, sentence: str, *, next_step: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = self.next_step if next_step is None else next_step

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".strip()


class BadReference(JobthreadError):
    """The text is not a reference to a job."""

    next_step = "Write it as connection:id, or paste the job's URL."


class ProviderError(JobthreadError):
    """A provider's API call failed; a `transient` error may succeed on retry."""

    transient: ClassVar[bool] = False


class JobNotFound(ProviderError):
    """The job does not exist at the provider."""

    next_step = "Check the id, and that it belongs to this connection."


class AccessDenied(ProviderError):
    """Authenticated, but not authorised to read the job."""

    next_step = "Ask the operator of this bot to give its account the right to read jobs."


class CredentialsRefused(ProviderError):
    """The provider rejects our keys, password or token."""

    next_step = "The operator of this bot must renew them: `jobthread check` says which."


class RateLimited(ProviderError):
    """The provider rate-limits us (429)."""

    transient = True

    def __init__(
        self, sentence: str, *, retry_after: float = 30.0, next_step: str | None = None
    ) -> None:
        when = (
            f"Ask again in {retry_after:.0f} s; jobs that are followed are asked for by themselves."
        )
        super().__init__(sentence, next_step=next_step or when)
        self.retry_after = retry_after  # seconds


class Unavailable(ProviderError):
    """The provider is down, too slow, or unreachable."""

    transient = True
    next_step = "Try again in a minute; jobs that are followed are asked for again by themselves."


class Ambiguous(ProviderError):
    """The reference matches several jobs."""

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
        self.choices = tuple(choices)  # each with a short label that distinguishes it
        self.created = {ref: at for ref, at in (created or {}).items() if at}  # if known


class AnswerNotUnderstood(ProviderError):
    """The provider's response does not match its documentation."""

    transient = True
    next_step = "Open the job in its console; the operator of this bot finds the answer in the log."
    details = ""  # for the log only: excerpt of the response, secrets redacted
    response: httpx.Response | None = None  # what was not understood; may hold secrets
    problems = ""  # path and type of each validation error


class SlackError(JobthreadError):
    """A call to Slack failed."""


class SlackRateLimited(SlackError):
    """Slack rate-limits us (429)."""

    def __init__(self, sentence: str, *, retry_after: float, method: str = "") -> None:
        super().__init__(sentence)
        self.retry_after = retry_after  # seconds
        self.method = method  # the rate-limited Web API method; empty: all


class SlackRejected(SlackError):
    """Slack rejects the call for good; a retry cannot succeed."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code  # Slack's error code, such as "channel_not_found"


class SlackUnconfirmed(SlackError):
    """No response: the call may or may not have taken effect (unconfirmed)."""


class SettingsError(JobthreadError):
    """Invalid settings: all problems, each with its key and remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("The settings have problems:\n" + "\n".join(f"- {p}" for p in problems))
        self.problems = tuple(problems)


class StoreError(JobthreadError):
    """The database cannot be used."""


class StoreInUse(StoreError):
    """Another process has the database open."""


# What plugin code may raise; SystemExit must not end the program.
PLUGIN_EXCEPTIONS: tuple[type[BaseException], ...] = (Exception, SystemExit)


def origin(error: BaseException) -> str:
    """Return an error's class and its last four frames, without its text or locals.

    For the log: an exception's text may contain a secret or a whole response. For example
    "KeyError at api.py:31 < service.py:88".
    """
    frames = [
        f"{PurePath(frame.filename).name}:{frame.lineno}"
        for frame in reversed(extract_tb(error.__traceback__)[-4:])
    ]
    cause = error.__cause__
    after = f", from {type(cause).__name__}" if cause is not None else ""
    return f"{type(error).__name__} at {' < '.join(frames) or 'an unknown place'}{after}"
