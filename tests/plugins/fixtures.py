"""Fixtures that the tests of several plugins share, each made for one provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from bot.sdk.models import Job, JobRef
from bot.sdk.testing import ManualClock, connected, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bot.sdk.errors import JobthreadError
    from bot.sdk.provider import Provider, Simulation

Fetch = Callable[[str], Awaitable[Job]]


class Simulated(NamedTuple):
    """A simulator with its samples, and a provider connected to it."""

    simulator: Any
    provider: Any

    async def fetch(self, id_: str) -> Job:
        """Fetch a job."""
        job: Job = await self.provider.fetch_job(ref(id_))
        return job


def ref(id_: str) -> JobRef:
    """Return the reference of a job of the connection."""
    return JobRef(connection="acme", id=id_)


def simulated_fixtures(
    kind: type[Provider[Any]], simulation: Callable[[ManualClock], Simulation], key: Any
) -> tuple[Any, Any, Any]:
    """Return three fixtures: `Simulated`, and its simulator and provider.

    `simulation` is the demo's; the simulator is stored in its app under `key`.
    """

    @pytest.fixture
    async def simulated(clock: ManualClock) -> AsyncIterator[Simulated]:
        whole = simulation(clock)
        async with (
            serve(whole.app) as url,
            connected(kind, whole.settings(url), clock) as provider,
        ):
            yield Simulated(whole.app[key], provider)

    return simulated, _part_of_simulated("simulator"), _part_of_simulated("provider")


def _part_of_simulated(name: str) -> Any:
    @pytest.fixture
    def part(simulated: Simulated) -> Any:
        return getattr(simulated, name)

    return part


def simulator_fixture(kind: Callable[[ManualClock], Any]) -> Any:
    """Return a fixture: a simulator without samples."""

    @pytest.fixture
    def simulator(clock: ManualClock) -> Any:
        return kind(clock)

    return simulator


def huawei_cloud_fixture(kind: type[Provider[Any]]) -> Any:
    """Return a fixture: a provider connected to the fixture `simulator` by an access key."""

    @pytest.fixture
    async def provider(simulator: Any, clock: ManualClock) -> AsyncIterator[Provider[Any]]:
        keys = simulator.gateway.tenant.key_settings()
        async with (
            serve(simulator.app) as url,
            connected(kind, {"endpoint": url, **keys}, clock) as connected_provider,
        ):
            yield connected_provider

    return provider


def pass_last_seen_jobs(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass in the jobs seen before, as the poller does; the provider keeps no other state."""
    seen: dict[JobRef, Job] = {}
    fetch = provider.fetch_jobs

    async def fetch_jobs(
        refs: Sequence[JobRef], known: Mapping[JobRef, Job] | None = None
    ) -> dict[JobRef, Job | JobthreadError]:
        before = dict(seen) if known is None else known
        found: dict[JobRef, Job | JobthreadError]
        found = await fetch(refs, {each: before[each] for each in refs if each in before})
        seen.update({each: job for each, job in found.items() if isinstance(job, Job)})
        return found

    monkeypatch.setattr(provider, "fetch_jobs", fetch_jobs)
