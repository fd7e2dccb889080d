"""Provider base class: what the code for one job API must and may implement."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from bot.sdk.cards import job_card
from bot.sdk.errors import JobthreadError
from bot.sdk.id_format import IdFormat
from bot.sdk.models import Change, Job, JobRef, Message, Status
from bot.sdk.settings import ConnectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aiohttp import web

    from bot.sdk.clock import Clock
    from bot.sdk.http import Endpoint, Http

SettingsT = TypeVar("SettingsT", bound=ConnectionSettings)


@dataclass(frozen=True)
class Sample:
    """A simulated job for users to try."""

    title: str  # "One that fails at a step"
    id: str
    hint: str = ""


@dataclass(frozen=True)
class Simulation:
    """A simulator of a provider's API, and the settings of a connection to it.

    `settings(url)` returns the connection's table in `jobthread.toml` for a simulator at `url`.
    """

    app: web.Application
    settings: Callable[[str], Mapping[str, str | int | bool]]
    samples: tuple[Sample, ...]


class Provider(ABC, Generic[SettingsT]):
    """The code for one job API, configured as one connection.

    A subclass must set `kind`, `Settings` and `statuses`, and implement `connect` and `fetch_job`.
    It may override the rest.
    """

    kind: ClassVar[str]  # "servicestage": the value of `provider` in the settings
    title: ClassVar[str] = ""  # "Huawei Cloud ServiceStage"
    Settings: ClassVar[type[ConnectionSettings]]
    statuses: ClassVar[Mapping[str, Status]]  # native status → status
    id_format: IdFormat = IdFormat()  # may be set on `self`, from the settings
    example_name: ClassVar[str] = ""  # of a connection, in the demo and in examples
    batch_size: ClassVar[int] = 1  # jobs per call of `fetch_jobs`

    def __init__(self, name: str, settings: SettingsT, clock: Clock) -> None:
        self.name = name
        self.settings = settings
        self.clock = clock
        self.http: Http  # set by the host after construction, built from `connect()`

    @abstractmethod
    def connect(self) -> Endpoint:
        """Return address and HTTP options of the API. No I/O; called before any other method."""

    @abstractmethod
    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the current state of the job; raises a ProviderError."""

    async def fetch_jobs(
        self, refs: Sequence[JobRef], seen: Mapping[JobRef, Job]
    ) -> dict[JobRef, Job | JobthreadError]:
        """Return each job, or the error of its fetch; at most `batch_size` jobs per call.

        `seen` holds the result of the previous poll, for jobs that were polled before.
        """
        del seen
        return dict(await asyncio.gather(*(self._fetch_or_error(ref) for ref in refs)))

    async def _fetch_or_error(self, ref: JobRef) -> tuple[JobRef, Job | JobthreadError]:
        try:
            return ref, await self.fetch_job(ref)
        except JobthreadError as error:
            return ref, error
        except SystemExit as error:  # in a task it would end the process
            raise RuntimeError("the provider raised SystemExit") from error

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        """Return at most `limit` jobs, newest first. Override it if the API can list jobs."""
        del limit
        return ()

    async def check(self) -> str:
        """Test the connection and return the result as a sentence; raises a ProviderError."""
        return f"{self.connect().base_url} is set; nothing was asked of it."

    async def validate_settings(self) -> Sequence[str]:
        """Return problems of the settings as `key: problem; remedy.`, without calling the API.

        For a provider whose settings describe an API. Called at start-up and by `jobthread check`.
        """
        return ()

    def status(self, native: object) -> Status:
        """Return the status for a native status; a new one is UNKNOWN, never an error."""
        return self.statuses.get(str(native), Status.UNKNOWN)

    def find_ids(self, text: str) -> Iterable[str]:
        """Return the ids of this connection's jobs whose URLs occur in a text."""
        del text
        return ()

    def console_url(self, job: Job) -> str | None:
        """Return the URL of the job's page in the provider's console."""
        return job.url

    def format_job(self, job: Job, view: job_card.CardContext) -> Message:
        """Return the job's card."""
        return job_card.render_card(job, view)

    def format_change(self, change: Change, view: job_card.CardContext) -> Message:
        """Return the thread reply for a change."""
        return job_card.render_change(change, view)

    @classmethod
    def simulator(cls, clock: Clock) -> Simulation | None:
        """Return a simulator of the API, for the demo and the tests.

        A provider sets it by `simulator = staticmethod(simulation)`. None: it has none.
        """
        del clock
        return None
