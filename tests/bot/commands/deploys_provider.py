"""A provider whose ids have an example, for the texts that show it."""

from __future__ import annotations

from typing import ClassVar

from bot.providers.connections import Connection, Connections
from bot.sdk import ConnectionSettings, Endpoint, IdFormat, Provider
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock

REF = JobRef(connection="deploys", id="JOB1")
NORTH = JobRef(connection="north", id="JOB77")


class Deploys(Provider[ConnectionSettings]):
    """A provider with an example id."""

    kind = "deploys"
    title = "The <deployer>"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}
    id_format = IdFormat(example="JOB1234")

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError


def connections_named(*names: str) -> Connections:
    providers = (Deploys(name, ConnectionSettings(), ManualClock()) for name in names)
    return Connections(map(Connection, providers))
