"""Conformance checks of a provider: each function raises if the provider fails the check.

`ProviderContract` and the self-test of declarative providers run the same checks.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.sdk.cards import block_limits
from bot.sdk.cards.job_card import CardContext
from bot.sdk.errors import JobthreadError, ProviderError, RateLimited
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.timestamps import parse_time, to_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.sdk.provider import Provider

HOSTILE_NAMES = (
    "<!channel> <@U0123> <https://example.com|click>",
    "*bold* _it_ ~no~ `code` ``` &amp; > quote",
    "abc\u202egnp.exe\u2066\u200b\u200f",
    "x" * 10_000,
    "tab\tnewline\nbell\x07escape\x1b[31m delete\x7f next\x85",
    "👩‍👩‍👧 é 漢字 \U000e0041",
)
UNEXPECTED_BODIES = (
    "<html><h1>Welcome</h1></html>",
    "",
    '{"job": {"status": "RUN',
    "[]",
    "null",
    '{"a": 1}',
)
ECHO_STATUSES = (
    200,
    400,
    403,
    404,
    409,
    429,
    500,
    401,
)  # statuses; 401 is last: it may end a session

_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_TIME_RANGE = (9e8, 5e9)  # seconds, from 1998 to 2128: numbers in it are taken for times


class ConformanceError(AssertionError):
    """A provider fails a conformance check."""


class ProviderUnderTest(Protocol):
    """A provider whose API is controlled by the check."""

    @property
    def provider(self) -> Provider[Any]:
        """The provider under test."""

    @property
    def uncalled(self) -> bool:
        """Whether the API got no request yet: the first call may have to sign in."""

    def put(self, native: str, *, name: str = ..., tasks: int = ...) -> str:
        """Add a job of this native status and return its id."""

    def inject_fault(self, fault: Any) -> None:
        """Respond to every call with this fault; None: respond normally."""

    def rewrite_json(self, respelled: Callable[[Any], Any]) -> None:
        """Respond normally, with the JSON that this function returns."""


def job_ref(target: ProviderUnderTest, id_: str) -> JobRef:
    """Return a reference to a job of this connection."""
    return JobRef(connection=target.provider.name, id=id_)


async def fetch_job(target: ProviderUnderTest, id_: str) -> Job:
    """Fetch a job."""
    return await target.provider.fetch_job(job_ref(target, id_))


async def fetch_error(target: ProviderUnderTest, id_: str) -> JobthreadError:
    """Fetch a job and return the error; raises if there is none."""
    try:
        await fetch_job(target, id_)
    except JobthreadError as error:
        return error
    raise ConformanceError("an error must be raised, but a job was returned")


async def fetch_error_under_fault(target: ProviderUnderTest, fault: Any) -> ProviderError:
    """Fetch a job while every call gets this fault, and return the error."""
    target.inject_fault(None)
    id_ = put_any_job(target)
    if target.uncalled:
        await fetch_job(target, id_)
    target.inject_fault(fault)
    error = await fetch_error(target, id_)
    _require(isinstance(error, ProviderError), f"{type(error).__name__} is not a ProviderError")
    _require(str(error).endswith("."), f"the error is not a sentence: {error}")
    assert isinstance(error, ProviderError)  # noqa: S101  for the type checker
    return error


def put_any_job(target: ProviderUnderTest) -> str:
    """Add a job of any status and return its id."""
    return target.put(next(iter(target.provider.statuses)))


async def check_documented_status(target: ProviderUnderTest, native: str) -> None:
    """A documented native status is mapped to its status and kept."""
    job = await fetch_job(target, target.put(native))
    expected = target.provider.statuses[native]
    _require(job.status is expected, f"{native!r} is mapped to {job.status}, not to {expected}")
    _require(job.native_status == native, f"{native!r} is kept as {job.native_status!r}")


async def check_new_status(target: ProviderUnderTest, native: str) -> None:
    """A new native status is mapped to UNKNOWN, which is not terminal, and kept."""
    job = await fetch_job(target, target.put(native))
    _require(job.status is Status.UNKNOWN, f"the new status {native!r} is mapped to {job.status}")
    _require(job.native_status == native, f"{native!r} is kept as {job.native_status!r}")


async def check_tasks(target: ProviderUnderTest, number: int) -> None:
    """No task is lost, and the card stays within Slack's limits."""
    job = await fetch_job(target, target.put(next(iter(target.provider.statuses)), tasks=number))
    _require(len(job.tasks) == number, f"the job has {len(job.tasks)} of {number} tasks")
    _require(len({task.id for task in job.tasks}) == number, "two tasks have the same id")
    check_card_size(target, job)


async def check_hostile_name(target: ProviderUnderTest, name: str, *, name_in_job: bool) -> None:
    """A hostile name causes no error; `seen`: the job or a task has it unchanged."""
    job = await fetch_job(target, target.put(next(iter(target.provider.statuses)), name=name))
    _require(Job.model_validate_json(job.model_dump_json()) == job, "the job cannot be stored")
    if name_in_job:
        _require(name in (job.name, *(task.name for task in job.tasks)), f"{name[:20]!r} is lost")
    check_card_size(target, job)
    card = target.provider.format_job(job, _view(target))
    text = " ".join([card.text, *_mrkdwn_texts(card.blocks + card.classic)])
    _require("<!channel>" not in text, "the card mentions everyone in the channel")


def check_card_size(target: ProviderUnderTest, job: Job) -> None:
    """The card stays within Slack's limits, whether the job is followed or not."""
    for followed in (False, True):
        view = _view(target, followed=followed, interval_seconds=15.0)
        exceeded = block_limits.violations(target.provider.format_job(job, view))
        _require(not exceeded, f"Slack would reject the card: {', '.join(exceeded)}")


async def check_time_format(target: ProviderUnderTest, spelling: str) -> None:
    """A time has the same instant in every format, and every time is aware."""
    zone = ZoneInfo(getattr(target.provider.settings, "timezone", "UTC"))
    statuses = target.provider.statuses
    terminal = (native for native in statuses if statuses[native].terminal)
    id_ = target.put(next(terminal, next(iter(statuses))))
    instants = []
    for each in ("Z", spelling):
        target.rewrite_json(partial(rewrite_times, time_format=each, zone=zone))
        instants.append(_instants(await fetch_job(target, id_)))
    _require(any(instants[0]), "the job has no time: add times to the simulated job")
    same = instants[0] == instants[1]
    _require(same, f"times in the format {spelling!r} are parsed to other instants")


async def check_error(target: ProviderUnderTest, fault: Any, *kinds: type[ProviderError]) -> None:
    """A response is mapped to one of these error classes."""
    error = await fetch_error_under_fault(target, fault)
    names = " or ".join(kind.__name__ for kind in kinds)
    _require(isinstance(error, kinds), f"{type(error).__name__} is raised, not {names}")


async def check_rate_limit(target: ProviderUnderTest, fault: Any, seconds: float) -> None:
    """A rate limit is mapped to RateLimited with the wait that the API asks for."""
    error = await fetch_error_under_fault(target, fault)
    _require(isinstance(error, RateLimited), f"{type(error).__name__} is raised, not RateLimited")
    retry_after = getattr(error, "retry_after", None)
    _require(retry_after == seconds, f"retry_after is {retry_after} s, not {seconds} s")


def echo_secrets(target: ProviderUnderTest) -> dict[str, str]:
    """Return a response body that repeats all secrets."""
    text = " ".join(secret_values(target.provider))
    return {"error_msg": text, "message": text}


def check_no_secret(target: ProviderUnderTest, *texts: str) -> None:
    """The texts and the settings' repr contain no secret."""
    text = "".join([*texts, repr(target.provider.settings)])
    leaked = any(secret in text for secret in secret_values(target.provider))
    _require(not leaked, "a secret is leaked")


def secret_values(provider: Provider[Any]) -> list[str]:
    """Return the secret values of a connection's settings."""
    values = (getattr(provider.settings, name) for name in type(provider.settings).model_fields)
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    return [secret for secret in secrets if secret]


def _require(condition: bool, problem: str) -> None:  # noqa: FBT001  the form of `assert`
    if not condition:
        raise ConformanceError(problem)


def _view(target: ProviderUnderTest, **more: Any) -> CardContext:
    return CardContext(checked_at=target.provider.clock.now(), **more)


def _instants(job: Job) -> list[datetime | None]:
    task_times = [time for task in job.tasks for time in (task.started_at, task.finished_at)]
    return [job.created_at, job.started_at, job.finished_at, *task_times]


def _mrkdwn_texts(blocks: Any) -> Iterator[str]:
    """Return the texts in which Slack interprets markup."""
    if isinstance(blocks, dict) and blocks.get("type") in ("mrkdwn", "markdown"):
        yield str(blocks.get("text"))
    for part in blocks.values() if isinstance(blocks, dict) else blocks:
        if isinstance(part, dict | list | tuple):
            yield from _mrkdwn_texts(part)


def rewrite_times(value: Any, time_format: str, zone: tzinfo) -> Any:
    """Return JSON in which every time is written in another format; the instants stay the same.

    `time_format` is "Z", or an offset such as "-03:30"; "s" or "ms" since 1970; or "" for a local
    time of `zone` without an offset.
    """
    if isinstance(value, dict):
        return {key: rewrite_times(item, time_format, zone) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite_times(item, time_format, zone) for item in value]
    time = parse_time(value, zone) if _looks_like_time(value) else None
    return value if time is None else _format_time(time, time_format, zone)


def _looks_like_time(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_ISO_TIME.fullmatch(value))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and _TIME_RANGE[0] < to_seconds(value) < _TIME_RANGE[1]


def _format_time(time: datetime, time_format: str, zone: tzinfo) -> str | float:
    if time_format in ("s", "ms"):
        timestamp = time.timestamp()
        return timestamp if time_format == "s" else round(timestamp * 1000)
    if not time_format:
        return time.astimezone(zone).replace(tzinfo=None).isoformat(" ")
    if time_format == "Z":
        return time.isoformat().replace("+00:00", "Z")
    return time.astimezone(
        datetime.fromisoformat(f"2000-01-01T00:00:00{time_format}").tzinfo
    ).isoformat()
