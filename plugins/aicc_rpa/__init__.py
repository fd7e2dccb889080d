"""Robotic process automation of Huawei's AICC: jobs that run scripts once, again and again."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from bot import links
from bot.errors import Ambiguous, JobNotFound, ProviderError
from bot.hookspecs import hookimpl
from bot.models import JobRef
from bot.provider import Endpoint, Provider
from bot.times import moment
from plugins.aicc_rpa.api import DETAILS, Api
from plugins.aicc_rpa.translator import STATUSES, JobPayload, translate
from plugins.selfhosted.settings import SelfHostedSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.clock import Clock
    from bot.models import Job, Status
    from bot.provider import ConnectionSettings, Simulation

MOST_REASONS = 1_000  # that are remembered
MOST_CHOICES = 5

_UID = re.compile(r"[0-9A-Fa-f]{32}")


class RpaSettings(SelfHostedSettings):
    """An OIAP, which is what serves RPA, and a tenant of it."""

    tenant_id: str = Field(min_length=1, max_length=64, description="The tenant's ID.")
    app_secret: SecretStr = Field(description="The tenant's API password.")
    timezone: str = Field(
        "Asia/Shanghai", validate_default=True, description="The zone of the times that RPA tells."
    )

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            raise ValueError(
                "timezone must be a zone that this machine knows, such as Asia/Shanghai."
            ) from None
        return value


class AiccRpa(Provider[RpaSettings]):
    """Reads jobs by uid or by name; each run of a job that repeats is a task of its own."""

    kind = "aicc-rpa"
    title = "Huawei AICC RPA"
    Settings: ClassVar[type[ConnectionSettings]] = RpaSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    id_pattern = _UID  # what a bare word may be
    named_pattern = re.compile(r"\S(?:.*\S)?")  # what may follow `connection:`, so also a name
    example_name = "robots"
    example_id = "0c9358552188478a8d5ff9203db8791f"

    def connect(self) -> Endpoint:
        """Return how the OIAP is reached; its calls carry a token in their bodies."""
        return Endpoint(self.settings.url, ca_file=self.settings.ca_file or None)

    @cached_property
    def _api(self) -> Api:
        return Api(self.http, self.settings.tenant_id, self.settings.app_secret, self.clock)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.timezone)

    @cached_property
    def _reasons(self) -> dict[tuple[str, str], str]:
        return {}

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job of that uid or name; raises Ambiguous if several have the name."""
        payload = await self._payload(ref)
        return self._job(self._ref(payload), payload, await self._reason(payload))

    async def _payload(self, ref: JobRef) -> JobPayload:
        if _UID.fullmatch(ref.id):
            return await self._api.by_uid(ref.id)
        name = unquote(ref.id)
        found = await self._api.by_name(name)
        if not found:
            raise JobNotFound(f"{self.name} knows no such job.")
        if len(found) > 1 or found[0].job_name != name:
            raise self._choice(found, exact=found[0].job_name == name)
        return found[0]

    def _choice(self, found: Sequence[JobPayload], *, exact: bool) -> Ambiguous:
        chosen = found[:MOST_CHOICES]
        return Ambiguous(
            f"{self.name} has several jobs of that name."
            if exact
            else f"{self.name} has no job of exactly that name.",
            choices=[(self._ref(job), f"{job.job_name}, {job.mode}") for job in chosen],
            created={self._ref(job): moment(job.create_time, self._zone) for job in chosen},
        )

    async def _reason(self, payload: JobPayload) -> str:
        """Return why the latest run failed, as its queue tells it: asked for once, if it is told.

        Without a reason the job is still worth showing, so no error leaves this method.
        """
        if not (payload.run_failed and payload.queue_uid):
            return ""
        run = (payload.uid, payload.run)
        if not self._reasons.get(run):
            began = moment(payload.start_time, self._zone)
            with suppress(ProviderError):
                self._reasons[run] = await self._api.failure(payload.queue_uid, began)
        while len(self._reasons) > MOST_REASONS:
            del self._reasons[next(iter(self._reasons))]
        return self._reasons.get(run, "")

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        """Return the jobs that were created last, newest first."""
        listed, _ = await self._api.newest(limit)
        whole = await asyncio.gather(*(self._whole(payload) for payload in listed))
        return [self._job(self._ref(payload), payload) for payload in whole]

    async def _whole(self, listed: JobPayload) -> JobPayload:
        """Return a job's details if its end hangs on them: the list does not tell how runs went."""
        if listed.ends and listed.status == "success" and not listed.recent_task_status:
            with suppress(JobNotFound):
                return await self._api.by_uid(listed.uid)
        return listed

    def _ref(self, payload: JobPayload) -> JobRef:
        return JobRef(connection=self.name, id=payload.uid)

    def _job(self, ref: JobRef, payload: JobPayload, reason: str = "") -> Job:
        job = translate(ref, payload, self._zone, reason)
        return job.but(url=self.settings.page(payload.uid))

    async def check(self) -> str:
        """Ask for the list of jobs, which needs a token."""
        _, total = await self._api.newest(1)
        return (
            f"{self.title} answers at {self.settings.url}, accepts the API password"
            f" and has {total} jobs."
        )

    def recognise(self, text: str) -> Iterable[str]:
        """Return the uids in calls of this API, as people paste them, and in the console's URLs.

        The API's URL holds no uid: it stands behind it, in the body of the call.
        """
        scheme, _, rest = f"{self.settings.url}{DETAILS}".partition("://")
        call = rf"(?i:{re.escape(scheme)}://{re.escape(rest)})(?s:.{{0,400}}?)\buid\W{{1,8}}"
        for match in re.finditer(rf"{call}(?P<id>{_UID.pattern})\b", text):
            yield match["id"]
        yield from links.ids_in(text, self.settings.console_url, _UID)

    @classmethod
    def simulator(cls, clock: Clock) -> Simulation:
        """Return an OIAP with jobs to try."""
        from plugins.aicc_rpa.simulator import simulation  # noqa: PLC0415  aiohttp's server

        return simulation(clock)


@hookimpl
def register_providers() -> Iterable[type[AiccRpa]]:
    """Bring AICC RPA."""
    return [AiccRpa]
