"""Plugin for Huawei AICC's robotic process automation (RPA): jobs that run scripts repeatedly."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr

from bot.sdk import (
    Ambiguous,
    ConnectionSettings,
    IdFormat,
    Job,
    JobNotFound,
    JobRef,
    Status,
    ZoneName,
    hookimpl,
    ids_in,
    parse_time,
)
from plugins.aicc_rpa.api import DETAILS_PATH, ApiClient
from plugins.aicc_rpa.failure_text import FailureReasons
from plugins.aicc_rpa.simulator import simulation
from plugins.aicc_rpa.translator import STATUSES, JobPayload, translate
from plugins.selfhosted.provider import SelfHostedProvider
from plugins.selfhosted.settings import SelfHostedSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


MAX_CHOICES = 5

_UID = re.compile(r"[0-9A-Fa-f]{32}")


class RpaSettings(SelfHostedSettings):
    """Settings of an RPA connection: an OIAP, which serves RPA, and one of its tenants."""

    tenant_id: str = Field(min_length=1, max_length=64, description="The tenant's ID.")
    app_secret: SecretStr = Field(description="The tenant's API password.")
    timezone: ZoneName = Field(
        "Asia/Shanghai", validate_default=True, description="The zone of the times that RPA tells."
    )


class AiccRpa(SelfHostedProvider[RpaSettings]):
    """Fetches jobs by uid or by name; each run of a repeating job is a task of its own."""

    kind = "aicc-rpa"
    title = "Huawei AICC RPA"
    Settings: ClassVar[type[ConnectionSettings]] = RpaSettings
    statuses: ClassVar[Mapping[str, Status]] = STATUSES
    id_format = IdFormat(
        _UID,
        named=re.compile(r"\S(?:.*\S)?"),  # after `connection:` a name is allowed, too
        example="0c9358552188478a8d5ff9203db8791f",
    )
    example_name = "robots"
    simulator = staticmethod(simulation)

    @cached_property
    def _api(self) -> ApiClient:
        return ApiClient(self.http, self.settings.tenant_id, self.settings.app_secret, self.clock)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.timezone)

    @cached_property
    def _failure_reasons(self) -> FailureReasons:
        return FailureReasons(self._api, self._zone)

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job of that uid or name; raises Ambiguous if several have the name."""
        payload = await self._payload(ref)
        return self._job(payload, await self._failure_reasons.fetch(payload))

    async def _payload(self, ref: JobRef) -> JobPayload:
        if _UID.fullmatch(ref.id):
            return await self._api.fetch_by_uid(ref.id)
        name = unquote(ref.id)
        found = await self._api.find_by_name(name)
        if not found:
            raise JobNotFound(f"{self.name} knows no such job.")
        if len(found) > 1 or found[0].job_name != name:
            raise self._choice(found, exact=found[0].job_name == name)
        return found[0]

    def _choice(self, found: Sequence[JobPayload], *, exact: bool) -> Ambiguous:
        choices = found[:MAX_CHOICES]
        matches = "several jobs of that name" if exact else "no job of exactly that name"
        return Ambiguous(
            f"{self.name} has {matches}.",
            choices=[(self._ref(job), f"{job.job_name}, {job.mode}") for job in choices],
            created={self._ref(job): parse_time(job.create_time, self._zone) for job in choices},
        )

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        """Return the last created jobs, newest first."""
        return [self._job(payload) for payload in await self._api.fetch_newest(limit)]

    def _ref(self, payload: JobPayload) -> JobRef:
        return JobRef(connection=self.name, id=payload.uid)

    def _job(self, payload: JobPayload, reason: str = "") -> Job:
        job = translate(self._ref(payload), payload, self._zone, reason)
        return job.replace(url=self.settings.job_url(payload.uid))

    async def check(self) -> str:
        """Fetch the list of jobs, which needs a token."""
        sentence = f"{self.title} answers at {self.settings.url}, accepts the API password"
        return f"{sentence} and has {await self._api.count_jobs()} jobs."

    def find_ids(self, text: str) -> Iterable[str]:
        """Return the uids in pasted calls of this API and in the console's URLs.

        The API's URL holds no uid: it follows in the body of the call.
        """
        scheme, _, rest = f"{self.settings.url}{DETAILS_PATH}".partition("://")
        call = rf"(?i:{re.escape(scheme)}://{re.escape(rest)})(?s:.{{0,400}}?)\buid\W{{1,8}}"
        for match in re.finditer(rf"{call}(?P<id>{_UID.pattern})\b", text):
            yield match["id"]
        yield from ids_in(text, self.settings.console_url, _UID)


@hookimpl
def register_providers() -> Iterable[type[AiccRpa]]:
    """Register AICC RPA."""
    return [AiccRpa]
