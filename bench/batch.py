"""`batch`: how many calls 10,000 followed jobs cost, where a provider takes many at once.

The real poller asks the simulators, on a manual clock: calls are counted, not time.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.report import Report, Target, progress
from bot.providers.connections import Connection, Connections
from bot.providers.plugin_loader import load_plugins
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock, connected, serve
from bot.store import Store, Watch
from bot.tracking.job_updates import JobUpdates
from bot.tracking.poller import Poller
from plugins.cph import Cph
from plugins.cph.script import PhoneJob, RequestScript
from plugins.cph.simulator import Simulator as Phones
from plugins.huaweicloud.simulator import Tenant
from plugins.nebula_explorer import NebulaExplorer
from plugins.nebula_explorer.simulator import Simulator as Graphs

if TYPE_CHECKING:
    from bot.sdk.provider import Provider

JOBS, FEW = 10_000, 200
INTERVAL = 30.0  # seconds between two polls of a job
A_CALL = 20  # requests that Cloud Phone takes in one
A_PAGE = 100  # jobs that Explorer lists in one
MINUTES = 2


@dataclass(frozen=True)
class Counted:
    """What one system's jobs cost."""

    first_poll: int  # calls until each job was seen once
    a_minute: float  # calls from then on


async def measure(*, tiny: bool = False) -> Report:
    """Count the calls of both systems."""
    jobs = FEW if tiny else JOBS
    phones, graphs = await _phones(jobs), await _graphs(jobs)
    single = jobs * 60 / INTERVAL
    ideal, pages = single / A_CALL, single / A_PAGE
    ratio = phones.a_minute / ideal
    return Report(
        name="batch",
        figures={"cph_calls_a_minute": phones.a_minute, "nebula_calls_a_minute": graphs.a_minute},
        baseline={"one_call_a_job": single, "cph_ideal": ideal, "nebula_pages": pages},
        ratios={"cph_of_ideal": ratio, "nebula_of_single_calls": graphs.a_minute / single},
        targets=(Target("cph, of the ideal of 20 a call", ratio, "<=", 1.1),),
        columns=("calls a minute", "one a job", "ideal", "counted", "first poll"),
        rows=[
            ("cph", single, ideal, phones.a_minute, phones.first_poll),
            ("nebula-explorer", single, pages, graphs.a_minute, graphs.first_poll),
        ],
        conditions=(f"{jobs} followed jobs, a poll every {INTERVAL:.0f} s",),
    )


async def _phones(jobs: int) -> Counted:
    clock = ManualClock()
    simulator = Phones(clock)
    ids = [f"{n:032x}" for n in range(jobs)]
    for id_ in ids:
        simulator.add(RequestScript(id_, (PhoneJob(f"phone-{id_[-6:]}", 10**6),)))
    async with serve(simulator.app) as url:
        settings = {"endpoint": url, **Tenant().key_settings()}
        async with connected(Cph, settings, clock, name="phones") as provider:
            return await _counted(provider, ids, clock, simulator)


async def _graphs(jobs: int) -> Counted:
    clock = ManualClock()
    simulator = Graphs(clock)
    ids = [simulator.put() for _ in range(jobs)]
    async with serve(simulator.app) as url:
        settings = simulator_settings(url)
        async with connected(NebulaExplorer, settings, clock, name="graphs") as provider:
            return await _counted(provider, ids, clock, simulator)


def simulator_settings(url: str) -> dict[str, Any]:
    """Return the settings that reach Explorer's simulator."""
    simulation = NebulaExplorer.simulator(ManualClock())
    assert simulation is not None
    return dict(simulation.settings(url))


async def _counted(
    provider: Provider[Any], ids: list[str], clock: ManualClock, simulator: Any
) -> Counted:
    """Follow all the jobs with the real poller, and count the simulator's calls."""
    with tempfile.TemporaryDirectory(prefix="jobthread-bench-") as folder:
        store = Store(f"sqlite+aiosqlite:///{Path(folder) / 'jobs.db'}")
        await store.open()
        await _follow(store, provider, ids, clock)
        poller = Poller(
            store=store,
            connections=Connections([Connection(provider)]),
            plugins=load_plugins(),
            job_updates=JobUpdates(INTERVAL),
            clock=clock,
            coalesce_seconds=2,
            wake_dispatcher=lambda: None,
        )
        try:
            return await _turned(poller, provider, clock, simulator)
        finally:
            await store.close()


async def _turned(
    poller: Poller, provider: Provider[Any], clock: ManualClock, simulator: Any
) -> Counted:
    polling = asyncio.create_task(_ticks(poller, provider.name))
    progress(f"{provider.kind}: the first poll")
    await _sleeps(clock)
    first = len(simulator.calls)
    end = clock.now() + timedelta(minutes=MINUTES)
    while clock.now() < end:
        await clock.advance(1)
        await _sleeps(clock)
    progress(f"{provider.kind}: {MINUTES} minutes counted")
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    return Counted(first, (len(simulator.calls) - first) / MINUTES)


async def _ticks(poller: Poller, connection: str) -> None:
    while True:
        await poller.tick(connection, 0, 1)


async def _sleeps(clock: ManualClock) -> None:
    """Wait until the poller has nothing to do before the clock is turned."""
    while not clock.sleepers:  # noqa: ASYNC110  a sleeping task sends no event
        await asyncio.sleep(0.001)


async def _follow(
    store: Store, provider: Provider[Any], ids: list[str], clock: ManualClock
) -> None:
    """Store the watches, their polls spread evenly over one interval."""
    now = clock.now()
    async with store.begin() as tx:
        for n, id_ in enumerate(ids):
            ref = JobRef(connection=provider.name, id=id_)
            watch = Watch(
                id=f"{n:032x}",
                workspace="T1",
                channel=f"C{n}",
                ref=ref,
                asker="U1",
                requested_at=now,
            )
            await tx.watches.add(watch)
            job = Job(ref=ref, name=id_, status=Status.QUEUED)
            await tx.jobs.track("T1", job, due_at=now, now=now)
