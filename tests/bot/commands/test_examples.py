"""Example jobs for help and hints."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from bot.commands.examples import Examples
from bot.providers.connections import Connection, Connections
from bot.sdk import ConnectionSettings, Endpoint, IdFormat, Provider
from bot.sdk.errors import Unavailable
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock
from bot.store import Store, Watch
from tests.open_store import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.anyio


class Unlisted(Provider[ConnectionSettings]):
    """Lists no jobs; the class has an example id that is no real job."""

    kind = "unlisted"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}
    id_format = IdFormat(example="format-only")

    def __init__(self, name: str, named: str | None = None) -> None:
        super().__init__(name, ConnectionSettings(), ManualClock())
        if named is not None:
            self.id_format = IdFormat(example=named)

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError


class Listing(Unlisted):
    """Lists jobs with the given ids, raises the given error, or never returns (None)."""

    def __init__(self, name: str, listed: Any = ()) -> None:
        super().__init__(name)
        self.listed = listed
        self.calls = 0

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        self.calls += 1
        if self.listed is None:
            await asyncio.get_running_loop().create_future()
        if isinstance(self.listed, BaseException):
            raise self.listed
        return [job(self.name, id_) for id_ in self.listed][:limit]


def ref(connection: str, id_: str) -> JobRef:
    return JobRef(connection=connection, id=id_)


def job(connection: str, id_: str) -> Job:
    return Job(ref=ref(connection, id_), name="deploy", status=Status.RUNNING)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open store without any rows."""
    async with open_store(tmp_path / "jobthread.db") as store:
        yield store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def examples(store: Store, clock: ManualClock, *providers: Unlisted) -> Examples:
    return Examples(store=store, connections=Connections(map(Connection, providers)), clock=clock)


async def followed(store: Store, clock: ManualClock, seen: JobRef, channel: str = "C1") -> None:
    """Store a watch of a job."""
    await clock.advance(1)
    at = clock.now()
    watch = Watch(
        id=seen.id, workspace="T1", channel=channel, ref=seen, asker="U1", requested_at=at
    )
    async with store.begin() as tx:
        await tx.watches.add(watch)
        found = Job(ref=seen, name="deploy", status=Status.RUNNING)
        await tx.jobs.track("T1", found, due_at=clock.now(), now=clock.now())


async def test_job_followed_in_the_channel_is_the_best_example(
    store: Store, clock: ManualClock
) -> None:
    """No provider is called then."""
    await followed(store, clock, ref("deploys", "JOB1"))
    graphs = Listing("graphs", ["1"])
    found = examples(store, clock, graphs, Unlisted("deploys"))
    assert await found.find_one("T1", "C1") == ref("deploys", "JOB1")
    assert graphs.calls == 0


async def test_followed_jobs_come_first_the_channels_own_before_others(
    store: Store, clock: ManualClock
) -> None:
    """Jobs that are not followed come last."""
    here, there, other = ref("deploys", "here"), ref("deploys", "there"), ref("graphs", "7")
    await followed(store, clock, here)
    await followed(store, clock, there, "C2")
    await followed(store, clock, other, "C2")
    found = examples(store, clock, Unlisted("deploys"), Listing("graphs", ["1"]))
    both = {"deploys": here, "graphs": other}
    assert await found.find_each("T1", "C1", ["deploys", "graphs"]) == both
    assert await found.find_one("T1", "C1") == here
    assert await found.find_each("T1", "C9", ["deploys"]) == {"deploys": there}
    assert await found.find_one("T1", "C9") == other


async def test_job_of_a_removed_connection_is_no_example(store: Store, clock: ManualClock) -> None:
    """It could not be fetched."""
    await followed(store, clock, ref("retired", "JOB1"))
    assert await examples(store, clock, Unlisted("deploys")).find_one("T1", "C1") is None


async def test_listed_job_is_an_example_if_none_is_followed(
    store: Store, clock: ManualClock
) -> None:
    """It must be typeable; a connection that fails or lists none does not affect the others."""
    found = examples(
        store,
        clock,
        Unlisted("deploys"),
        Listing("down", Unavailable("Down.")),
        Listing("broken", KeyError()),
        Listing("graphs", ["two words", "a/b", "7"]),
    )
    assert await found.find_one("T1", "C1") == ref("graphs", "7")
    names = ["deploys", "down", "broken", "graphs"]
    assert await found.find_each("T1", "C1", names) == {"graphs": ref("graphs", "7")}


async def test_configured_example_is_used(store: Store, clock: ManualClock) -> None:
    """An empty setting means none."""
    found = examples(store, clock, Unlisted("empty", ""), Unlisted("builds", "build-7"))
    assert await found.find_one("T1", "C1") == ref("builds", "build-7")


async def test_help_does_not_wait_for_a_slow_connection(store: Store, clock: ManualClock) -> None:
    """The results that arrived before the timeout are used."""
    found = examples(store, clock, Listing("slow", None), Listing("quick", ["7"]))
    asking = asyncio.ensure_future(found.find_one("T1", "C1"))
    async with asyncio.timeout(5):
        while not clock.sleepers:  # noqa: ASYNC110  until the calls have started
            await asyncio.sleep(0)
    await clock.advance(0.9)
    assert await asking == ref("quick", "7")
