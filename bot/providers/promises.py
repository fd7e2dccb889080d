"""What every provider promises, each as a function that tries it and raises if it is broken.

The contract's tests and the trial of a connection that is only described run the same promises.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.cards import limits
from bot.cards.cards import View
from bot.errors import JobthreadError, ProviderError, RateLimited
from bot.models import Job, JobRef, Status
from bot.providers.spellings import respelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from bot.providers.provider import Provider

HOSTILE_NAMES = (
    "<!channel> <@U0123> <https://example.com|click>",
    "*bold* _it_ ~no~ `code` ``` &amp; > quote",
    "abc\u202egnp.exe\u2066\u200b\u200f",
    "x" * 10_000,
    "tab\tnewline\nbell\x07escape\x1b[31m delete\x7f next\x85",
    "👩‍👩‍👧 é 漢字 \U000e0041",
)
OTHER_SHAPES = (
    "<html><h1>Welcome</h1></html>",
    "",
    '{"job": {"status": "RUN',
    "[]",
    "null",
    '{"a": 1}',
)
ECHOING = (200, 400, 403, 404, 409, 429, 500, 401)  # statuses; the last one may end a session


class BrokenPromise(AssertionError):
    """A provider does not do what every provider promises."""


class Stand(Protocol):
    """A provider, with an API that does as it is told."""

    @property
    def provider(self) -> Provider[Any]:
        """The provider that is tried."""

    @property
    def fresh(self) -> bool:
        """Whether nothing was asked yet: a provider may have to sign in first."""

    def put(self, native: str, *, name: str = ..., tasks: int = ...) -> str:
        """Hold a job of this native status, and return its id."""

    def meet(self, fault: Any) -> None:
        """Answer every call with this fault; None: as an API that is well."""

    def respell(self, respelled: Callable[[Any], Any]) -> None:
        """Answer well, but with what this makes of the JSON."""


def ref(stand: Stand, id_: str) -> JobRef:
    """Return a reference to a job of this connection."""
    return JobRef(connection=stand.provider.name, id=id_)


async def fetched(stand: Stand, id_: str) -> Job:
    """Look at a job."""
    return await stand.provider.fetch_job(ref(stand, id_))


async def refused(stand: Stand, id_: str) -> JobthreadError:
    """Look at a job, and return the error that must come."""
    try:
        await fetched(stand, id_)
    except JobthreadError as error:
        return error
    raise BrokenPromise("an error must be raised, but a job was returned")


async def met(stand: Stand, fault: Any) -> ProviderError:
    """Look at a job while every call meets the fault, and return its error."""
    stand.meet(None)
    id_ = any_job(stand)
    if stand.fresh:
        await fetched(stand, id_)
    stand.meet(fault)
    error = await refused(stand, id_)
    _keep(isinstance(error, ProviderError), f"{type(error).__name__} is no ProviderError")
    _keep(str(error).endswith("."), f"this is no sentence: {error}")
    assert isinstance(error, ProviderError)  # noqa: S101  for the type checker
    return error


def any_job(stand: Stand) -> str:
    """Hold a job of some status, and return its id."""
    return stand.put(next(iter(stand.provider.statuses)))


async def a_status_has_its_word(stand: Stand, native: str) -> None:
    """Each word of the API has its word of ours, and is kept."""
    job = await fetched(stand, stand.put(native))
    expected = stand.provider.statuses[native]
    _keep(job.status is expected, f"{native!r} is read as {job.status}, not as {expected}")
    _keep(job.native_status == native, f"{native!r} is kept as {job.native_status!r}")


async def a_new_status_is_unknown(stand: Stand, native: str) -> None:
    """A word that the API has not had yet is kept, and ends nothing."""
    job = await fetched(stand, stand.put(native))
    _keep(job.status is Status.UNKNOWN, f"the new word {native!r} is read as {job.status}")
    _keep(job.native_status == native, f"{native!r} is kept as {job.native_status!r}")


async def all_tasks_are_told(stand: Stand, number: int) -> None:
    """No task is lost, however many there are, and the card of them is one that Slack takes."""
    job = await fetched(stand, stand.put(next(iter(stand.provider.statuses)), tasks=number))
    _keep(len(job.tasks) == number, f"of {number} tasks there are {len(job.tasks)}")
    _keep(len({task.id for task in job.tasks}) == number, "two tasks have the same id")
    the_card_fits(stand, job)


async def a_hostile_name_survives(stand: Stand, name: str, *, seen: bool) -> None:
    """What others wrote is neither lost nor an error; `seen`: it stands in the job as it is."""
    job = await fetched(stand, stand.put(next(iter(stand.provider.statuses)), name=name))
    _keep(Job.model_validate_json(job.model_dump_json()) == job, "the job cannot be stored")
    if seen:
        _keep(name in (job.name, *(task.name for task in job.tasks)), f"{name[:20]!r} is lost")
    the_card_fits(stand, job)
    card = stand.provider.format_job(job, _view(stand))
    told = " ".join([card.text, *_formatted(card.blocks + card.classic)])
    _keep("<!channel>" not in told, "the card calls everybody in the channel")


def the_card_fits(stand: Stand, job: Job) -> None:
    """A card is within Slack's limits, followed or not."""
    for followed in (False, True):
        view = _view(stand, followed=followed, interval_seconds=15.0)
        found = limits.exceeded(stand.provider.format_job(job, view))
        _keep(not found, f"Slack would refuse the card: {', '.join(found)}")


async def a_time_is_the_same(stand: Stand, spelling: str) -> None:
    """However a time is written, the same instant is told, and every time is aware."""
    zone = ZoneInfo(getattr(stand.provider.settings, "timezone", "UTC"))
    known = stand.provider.statuses
    id_ = stand.put(next((word for word in known if known[word].terminal), next(iter(known))))
    instants = []
    for each in ("Z", spelling):
        stand.respell(partial(respelled, spelling=each, zone=zone))
        instants.append(_instants(await fetched(stand, id_)))
    _keep(any(instants[0]), "the job tells no time: give the simulator's one some")
    _keep(instants[0] == instants[1], f"times written as {spelling!r} are told as others")


async def an_error_has_its_meaning(stand: Stand, fault: Any, *kinds: type[ProviderError]) -> None:
    """What an answer says is told as the error that it means."""
    error = await met(stand, fault)
    names = " or ".join(kind.__name__ for kind in kinds)
    _keep(isinstance(error, kinds), f"{type(error).__name__} is raised, not {names}")


async def busy_is_left_alone(stand: Stand, fault: Any, seconds: float) -> None:
    """The API says how long to wait, and is taken at its word."""
    error = await met(stand, fault)
    _keep(isinstance(error, RateLimited), f"{type(error).__name__} is raised, not RateLimited")
    asked = getattr(error, "retry_after", None)
    _keep(asked == seconds, f"it is asked again after {asked} s instead of {seconds}")


def echo(stand: Stand) -> dict[str, str]:
    """Return an answer's body that repeats all secrets."""
    told = " ".join(secrets_of(stand.provider))
    return {"error_msg": told, "message": told}


def no_secret_in(stand: Stand, *texts: str) -> None:
    """Keys, passwords and tokens are told nowhere."""
    told = "".join([*texts, repr(stand.provider.settings)])
    _keep(not any(secret in told for secret in secrets_of(stand.provider)), "a secret is told")


def secrets_of(provider: Provider[Any]) -> list[str]:
    """Return what a connection's settings keep secret."""
    values = (getattr(provider.settings, name) for name in type(provider.settings).model_fields)
    found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    return [secret for secret in found if secret]


def _keep(kept: bool, otherwise: str) -> None:  # noqa: FBT001  what `assert` would say
    if not kept:
        raise BrokenPromise(otherwise)


def _view(stand: Stand, **more: Any) -> View:
    return View(checked_at=stand.provider.clock.now(), **more)


def _instants(job: Job) -> list[datetime | None]:
    tasks = [moment for task in job.tasks for moment in (task.started_at, task.finished_at)]
    return [job.created_at, job.started_at, job.finished_at, *tasks]


def _formatted(blocks: Any) -> Iterator[str]:
    """Return the texts in which Slack would read markup."""
    if isinstance(blocks, dict) and blocks.get("type") in ("mrkdwn", "markdown"):
        yield str(blocks.get("text"))
    for part in blocks.values() if isinstance(blocks, dict) else blocks:
        if isinstance(part, dict | list | tuple):
            yield from _formatted(part)
