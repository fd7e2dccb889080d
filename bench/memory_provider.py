"""A plugin whose provider answers from memory: every id is a job, finished or running."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from bot.sdk import (
    ConnectionSettings,
    Endpoint,
    IdFormat,
    Job,
    JobRef,
    Provider,
    Status,
    Task,
    hookimpl,
)

FINISHED, RUNNING = "done", "live"  # what an id begins with
BEGAN = datetime.now(UTC) - timedelta(seconds=30)
STEP = timedelta(seconds=4)
STEPS = ("check out", "build", "test", "package", "deploy", "verify")


class Memory(Provider[ConnectionSettings]):
    """A provider without I/O."""

    kind = "memory"
    title = "Memory"
    Settings = ConnectionSettings
    statuses: ClassVar = {"running": Status.RUNNING, "done": Status.SUCCEEDED}
    id_format = IdFormat(re.compile(rf"({FINISHED}|{RUNNING})-\d+"))
    batch_size = 100  # so that older followed jobs cost few calls

    def connect(self) -> Endpoint:
        """Return an address that is never called."""
        return Endpoint("http://127.0.0.1:9/")

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job of that id; it never changes."""
        lives = ref.id.startswith(RUNNING)
        return Job(
            ref=ref,
            name=f"deploy {ref.id}",
            status=Status.RUNNING if lives else Status.SUCCEEDED,
            type="deployment",
            started_at=BEGAN,
            finished_at=None if lives else BEGAN + len(STEPS) * STEP,
            tasks=tuple(_task(n, name, lives=lives) for n, name in enumerate(STEPS)),
            url=f"https://jobs.example.com/{ref.id}",
        )


def _task(n: int, name: str, *, lives: bool) -> Task:
    begun = BEGAN + n * STEP
    if lives and n == len(STEPS) - 1:
        return Task(id=str(n), name=name, status=Status.RUNNING, started_at=begun)
    return Task(
        id=str(n), name=name, status=Status.SUCCEEDED, started_at=begun, finished_at=begun + STEP
    )


@hookimpl
def register_providers() -> list[type[Provider[ConnectionSettings]]]:
    """Register the provider."""
    return [Memory]
