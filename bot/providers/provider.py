"""The provider contract: what the code for one job API must say, and what it may say."""

from __future__ import annotations

import asyncio
import re
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from bot.cards import cards
from bot.errors import JobthreadError
from bot.models import Change, Job, JobRef, Message, Status
from bot.providers.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import httpx
    from aiohttp import web

    from bot.clock import Clock
    from bot.providers.compartment import Compartment
    from bot.providers.http import Http


class ConnectionSettings(BaseModel):
    """The settings of one connection; a provider adds its own fields, secrets as SecretStr."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


SettingsT = TypeVar("SettingsT", bound=ConnectionSettings)


@dataclass(frozen=True)
class Endpoint:
    """How a connection's API is reached; `Http` is made from it."""

    base_url: str
    auth: httpx.Auth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: str | None = None  # a PEM file; None: the machine's own certificates
    timeout_seconds: float = 15.0  # to connect, and between two pieces of an answer
    concurrency: int = 20  # calls under way at once


@dataclass(frozen=True)
class Sample:
    """A job of a simulator that people may try."""

    title: str  # "One that fails at a step"
    id: str
    hint: str = ""


@dataclass(frozen=True)
class Simulation:
    """A simulator of a provider's API, ready to be served, and settings that reach it.

    `settings(url)` returns what `jobthread.toml` would hold for a simulator that listens at url.
    """

    app: web.Application
    settings: Any  # Callable[[str], dict[str, str | int | bool]]
    samples: tuple[Sample, ...]


class Provider(ABC, Generic[SettingsT]):
    """The code for one job API, configured as one connection.

    A subclass must set `kind`, `Settings`, `statuses` and `id_pattern`, and write `connect` and
    `fetch_job`. It may override the rest.
    """

    kind: ClassVar[str]  # "servicestage": the word in `provider = …`
    title: ClassVar[str] = ""  # "Huawei Cloud ServiceStage"
    Settings: ClassVar[type[ConnectionSettings]]
    statuses: ClassVar[Mapping[str, Status]]  # the provider's own words → ours
    id_pattern: ClassVar[re.Pattern[str]] = re.compile(r"[^\s/]+")  # what a bare id looks like
    named_pattern: ClassVar[re.Pattern[str] | None] = None  # after `connection:`; None: the same
    bare_in_text: ClassVar[bool] = True  # whether a bare id is recognised among other words
    example_id: ClassVar[str] = (
        ""  # the form of an id; one set on `self` is a job of the operator's
    )
    example_name: ClassVar[str] = ""  # of a connection, in the demo and in examples
    batch_size: ClassVar[int] = 1  # how many jobs `fetch_jobs` takes at once

    def __init__(self, name: str, settings: SettingsT, clock: Clock) -> None:
        self.name = name
        self.settings = settings
        self.clock = clock
        self.breaker = Breaker()
        self.compartment: Compartment | None = None  # None: it runs in the bot's own loop
        self.http: Http  # given by the registry, made from `connect()`

    @abstractmethod
    def connect(self) -> Endpoint:
        """Return how the API is reached. Pure; called once, before any other method."""

    @abstractmethod
    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job as it stands now; raises a ProviderError."""

    async def fetch_jobs(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
    ) -> dict[JobRef, Job | JobthreadError]:
        """Return each job or the error met on the way to it; at most `batch_size` at once.

        `seen` holds what the last look at them found, as far as there was one.
        """
        del seen
        return dict(await asyncio.gather(*(self._look(ref) for ref in refs)))

    async def _look(self, ref: JobRef) -> tuple[JobRef, Job | JobthreadError]:
        try:
            return ref, await self.fetch_job(ref)
        except JobthreadError as error:
            return ref, error
        except SystemExit as error:  # in a task of its own it would end the program
            raise RuntimeError("a provider wants to end the program") from error

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        """Return the newest jobs, newest first, at most `limit`; write it if the API can list."""
        del limit
        return ()

    @property
    def lists_jobs(self) -> bool:
        """Whether `recent_jobs` was written."""
        return type(self).recent_jobs is not Provider.recent_jobs

    async def check(self) -> str:
        """Try the connection and return a sentence on what answered; raises a ProviderError."""
        return f"{self.connect().base_url} is set; nothing was asked of it."

    async def rehearse(self) -> Sequence[str]:
        """Return what is wrong with the settings, as `key: what; remedy.`, without asking the API.

        For a provider whose settings describe an API: called at the start and by the check.
        """
        return ()

    def status(self, native: object) -> Status:
        """Return our word for the provider's; a new word is UNKNOWN, never an error."""
        return self.statuses.get(str(native), Status.UNKNOWN)

    def recognise(self, text: str) -> Iterable[str]:
        """Return the ids of this connection's jobs whose URLs stand in a free text."""
        del text
        return ()

    def console_url(self, job: Job) -> str | None:
        """Return the job's page in the provider's console."""
        return job.url

    def format_job(self, job: Job, view: cards.View) -> Message:
        """Return the job's card."""
        return cards.job(job, view)

    def format_change(self, change: Change, view: cards.View) -> Message:
        """Return the follow-up that tells a change in the thread."""
        return cards.change(change, view)

    @classmethod
    def simulator(cls, clock: Clock) -> Simulation | None:
        """Return an aiohttp app that speaks the API, for the demo and the tests.

        If it is not written, it is what `simulation` in the package's module `simulator` returns.
        """
        for module in dict.fromkeys(base.__module__ for base in cls.__mro__):
            is_package = hasattr(sys.modules.get(module), "__path__")
            if is_package and find_spec(f"{module}.simulator"):
                found: Simulation = import_module(f"{module}.simulator").simulation(clock)
                return found
        return None
