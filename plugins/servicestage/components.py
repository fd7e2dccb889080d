"""Fetches a component's newest job and its deployment.

Sources: Huawei Cloud's pages "Obtaining Component Details" and "Obtaining Component Records" of
ServiceStage.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bot.sdk import (
    Detail,
    Http,
    JobNotFound,
    OneOrMany,
    OptionalText,
    ProviderError,
    Timestamp,
    ids_in,
    origin,
)
from plugins.huaweicloud.payload import CaseInsensitiveModel
from plugins.servicestage.errors import map_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


log = logging.getLogger(__name__)

MAX_CACHED = 1_000  # jobs whose deployment is cached for later polls

_ID = r"(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32})"
REFERENCE = re.compile(rf"{_ID}/{_ID}")  # application/component
_PATH = re.compile(rf"{_ID}/components/{_ID}")
_ROUTE = re.compile(rf"applications?/({_ID})/components?/({_ID})(?![0-9A-Za-z_-])")
_CONSOLE = re.compile(r"(?i:https://console(?:-intl)?\.huaweicloud\.com)/servicestage/[^\s<>|\"]+")
_REGION = re.compile(r"[?&;]region=([0-9A-Za-z-]+)")


class ComponentStatusPayload(CaseInsensitiveModel):
    """The object `status` of a component."""

    last_job_id: OptionalText = ""


class ComponentPayload(CaseInsensitiveModel):
    """A component; only its newest job is read."""

    status: ComponentStatusPayload


class RecordedJob(CaseInsensitiveModel):
    """One of a record's `jobs`."""

    job_id: OptionalText = ""


class RecordPayload(CaseInsensitiveModel):
    """One deployment; only some responses have `begin_time`."""

    version: OptionalText = ""
    deploy_type: OptionalText = ""
    begin_time: Timestamp = None
    jobs: OneOrMany[RecordedJob] = ()


class RecordsPayload(CaseInsensitiveModel):
    """A component's deployment history."""

    records: OneOrMany[RecordPayload] = ()


@dataclass(frozen=True)
class Components:
    """Fetches components through the connection's HTTP client; caches their deployments."""

    name: str  # of the connection
    project_id: str
    http: Http
    deployments: dict[str, tuple[Detail, ...]] = field(default_factory=dict)  # by job id

    async def newest_job(self, reference: str) -> str:
        """Return the id of the last job of `application/component`; cache its deployment."""
        found = await self.http.get(
            self._path(reference),
            ComponentPayload,
            map_error=partial(map_error, name=self.name, what="component"),
        )
        if not found.status.last_job_id:
            raise JobNotFound(
                f"{self.name}: this component has had no job.",
                next_step="Ask again once it was created, changed or acted upon.",
            )
        id_ = found.status.last_job_id
        self._cache(id_, await self.fetch_deployment(reference, id_))
        return id_

    def cached_deployment(self, job_id: str) -> tuple[Detail, ...]:
        """Return the cached deployment of a job that was requested by its component."""
        return self.deployments.get(job_id, ())

    def _cache(self, job_id: str, deployment: tuple[Detail, ...]) -> None:
        if deployment:
            self.deployments[job_id] = deployment
        if len(self.deployments) > MAX_CACHED:
            del self.deployments[next(iter(self.deployments))]

    async def fetch_deployment(self, reference: str, job_id: str) -> tuple[Detail, ...]:
        """Return the details of the newest deployment; none if the request fails."""
        try:
            answer = await self.http.get(
                f"{self._path(reference)}/records",
                RecordsPayload,
                map_error=partial(map_error, name=self.name, what="component"),
            )
        except ProviderError as error:
            log.info("%s: no deployment records: %s", self.name, origin(error))
            return ()
        return deployment_details(answer.records, job_id)

    def _path(self, reference: str) -> str:
        application, component = reference.split("/")
        return (
            f"/v3/{self.project_id}/cas/applications/{application.lower()}"
            f"/components/{component.lower()}"
        )


def deployment_details(records: Iterable[RecordPayload], job_id: str) -> tuple[Detail, ...]:
    """Return the details of a job's own deployment, or else of the newest; the first of equals."""
    newest = max(records, key=lambda record: _rank(record, job_id), default=RecordPayload())
    facts = (("Deployed version", newest.version), ("Deploy type", newest.deploy_type))
    return tuple(Detail(label=label, value=value) for label, value in facts if value)


def _rank(record: RecordPayload, job_id: str) -> tuple[bool, float]:
    began = record.begin_time.timestamp() if record.begin_time else 0.0
    return job_id in {job.job_id for job in record.jobs}, began


def find_in_urls(text: str, api: str, region: str) -> Iterator[str]:
    """Return the components in URLs of the API (its base and project) and of the console.

    Console URLs name the region but not the project: URLs of other regions are ignored.
    """
    for found in ids_in(text, f"{api}/cas/applications/{{id}}", _PATH):
        yield found.replace("/components/", "/")
    for url in _CONSOLE.findall(text):
        route, region_match = _ROUTE.search(url), _REGION.search(url)
        if route and region_match and region_match[1].lower() == region.lower():
            yield f"{route[1]}/{route[2]}"
