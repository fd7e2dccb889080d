"""`follow`: 5,000 watches, and how long after a change at the provider its thread says so.

The whole bot runs in a process of its own, with the poll interval that its settings have unless
told otherwise. The jobs change at random instants. The baseline is arithmetic: a look every
interval and nothing else takes half of it in the middle, and all of it at worst.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bench.processes import Running, served
from bench.rate_limited_slack import ASKER, slack_with, stand_cards
from bench.report import Report, Target, progress, quantile
from bot.cli.demo.simulators import Simulated, as_toml
from bot.sdk.clock import SystemClock
from bot.sdk.models import JobRef
from bot.sdk.testing import connected, serve
from bot.settings import FollowSettings
from bot.store import Store, Watch
from localslack.state.events import EventKind, WorkspaceEvent
from plugins.huaweicloud.simulator import Tenant
from plugins.servicestage import ServiceStage
from plugins.servicestage.script import JobScript
from plugins.servicestage.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.sdk.models import Job
    from localslack import LocalSlack

OVER_SECONDS = 1.5  # over the interval, that a follow-up may take
CONNECTION = "deploys"
LATE_SECONDS = 60.0  # after the last change: what is not said by then is counted as missing


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    watches: int = 5_000
    channels: int = 200
    interval: float = FollowSettings().poll_seconds
    warm_up_seconds: float = 20.0
    per_second: float = 20.0  # changes, each of another job
    seconds: float = 60.0


TINY = Size(
    watches=60, channels=10, interval=1.0, warm_up_seconds=1.0, per_second=10.0, seconds=3.0
)


@dataclass
class Stopwatch:
    """When which job changed, and when its thread said so; epoch seconds."""

    job_of: dict[tuple[str, str], str]  # by channel and card
    changed: dict[str, float] = field(default_factory=dict)
    said: dict[str, float] = field(default_factory=dict)

    def notice(self, change: WorkspaceEvent) -> None:
        """Note a reply of the bot's."""
        message = change.message
        if change.kind is EventKind.POSTED and message and message.thread_ts:
            job = self.job_of.get((message.channel, message.thread_ts))
            if job:
                self.said.setdefault(job, time.time())

    @property
    def delays(self) -> list[float]:
        """Return the seconds from each change until it was said; one never said is infinite."""
        return [self.said.get(job, float("inf")) - at for job, at in self.changed.items()]


@dataclass(frozen=True)
class Found:
    """What one run came to."""

    delays: list[float]
    cpu_share: float  # of one core, that the bot used
    own_cpu_share: float  # that this end used: Slack, the provider and the stopwatch
    looks_a_second: float


async def measure(*, tiny: bool = False) -> Report:
    """Follow all of them, and change some."""
    size = TINY if tiny else Size()
    simulator = Simulator(SystemClock())
    async with slack_with(size.channels) as slack, serve(simulator.app) as url:
        cards = stand_cards(slack, size.watches // size.channels)
        places = [(channel, ts) for channel, stamps in cards.items() for ts in stamps]
        watch = Stopwatch({place: _job_id(n) for n, place in enumerate(places)})
        slack.workspace.events.subscribe(watch.notice)
        for id_ in watch.job_of.values():
            simulator.add(JobScript(id_, queued_seconds=0))
            simulator.finish(id_, "RUNNING")
        with tempfile.TemporaryDirectory(prefix="jobthread-bench-") as folder:
            progress(f"{len(places)} watches are written down")
            await _follow(Path(folder), url, watch, size)
            async with _bot(Path(folder), slack, url, size) as running:
                return _report(size, await _run(size, simulator, watch, running))


async def _run(size: Size, simulator: Simulator, watch: Stopwatch, running: Running) -> Found:
    """Let the bot find its rhythm, change jobs at random instants, and wait for the last word."""
    progress(f"warming up for {size.warm_up_seconds:g} s")
    await asyncio.sleep(size.warm_up_seconds)
    cpu, own, calls = running.cpu_seconds, time.process_time(), len(simulator.calls)
    began = time.monotonic()
    progress(f"{size.per_second:g} changes a second for {size.seconds:g} s")
    await _change(size, simulator, watch)
    seconds = time.monotonic() - began
    share = (running.cpu_seconds - cpu) / seconds
    own_share = (time.process_time() - own) / seconds
    looks = (len(simulator.calls) - calls) / seconds
    end = time.monotonic() + size.interval + LATE_SECONDS
    while len(watch.said) < len(watch.changed) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return Found(watch.delays, share, own_share, looks)


async def _change(size: Size, simulator: Simulator, watch: Stopwatch) -> None:
    lots = Random(1)  # noqa: S311  repeatable on purpose
    jobs = lots.sample(sorted(watch.job_of.values()), len(watch.job_of))
    end = time.monotonic() + size.seconds
    while time.monotonic() < end and jobs:
        await asyncio.sleep(lots.expovariate(size.per_second))
        job = jobs.pop()
        watch.changed[job] = time.time()
        simulator.finish(job, "PAUSED")


async def _follow(folder: Path, url: str, stopwatch: Stopwatch, size: Size) -> None:
    """Write the watches down with a first look each, the next looks spread over one interval."""
    settings = {"endpoint": url, **Tenant().key_settings()}
    store = Store(f"sqlite:///{(folder / 'jobthread.db').as_posix()}")
    await store.open()
    async with connected(ServiceStage, settings, SystemClock(), name=CONNECTION) as provider:
        refs = [JobRef(connection=CONNECTION, id=id_) for id_ in stopwatch.job_of.values()]
        jobs = await asyncio.gather(*map(provider.fetch_job, refs))
    now = SystemClock().now()
    step = timedelta(seconds=size.interval) / len(jobs)
    async with store.begin() as tx:
        for n, (place, job) in enumerate(zip(stopwatch.job_of, jobs, strict=True)):
            await tx.watches.add(_watch(place, job))
            await tx.jobs.track("T0PLAYGRND", job, due_at=now + n * step, now=now)
    await store.close()


def _watch(place: tuple[str, str], job: Job) -> Watch:
    channel, card_ts = place
    return Watch(
        id=uuid.uuid4().hex,
        workspace="T0PLAYGRND",
        channel=channel,
        card_ts=card_ts,
        ref=job.ref,
        asker=ASKER.id,
        requested_at=SystemClock().now(),
    )


def _job_id(number: int) -> str:
    return f"JOB{number:08x}-07b1-4c8f-a183-c86cffbe8f9e"


@asynccontextmanager
async def _bot(folder: Path, slack: LocalSlack, url: str, size: Size) -> AsyncIterator[Running]:
    keys: dict[str, Any] = {"endpoint": url, **Tenant().key_settings()}
    lines = [
        "[slack]",
        f"api_url = {json.dumps(slack.api_url)}",
        "[store]",
        f"url = {json.dumps('sqlite:///' + (folder / 'jobthread.db').as_posix())}",
        "[follow]",
        f"poll_seconds = {size.interval}",
        as_toml([Simulated(CONNECTION, {"provider": "servicestage", **keys}, ())]),
    ]
    settings = folder / "jobthread.toml"
    settings.write_text("\n".join(lines), "utf-8")
    tokens = slack.bot_token, slack.app_token
    async with served(
        settings, tokens, slack.until(lambda: slack.connected, seconds=30)
    ) as running:
        yield running


def _report(size: Size, found: Found) -> Report:
    p50, p99 = quantile(found.delays, 0.5), quantile(found.delays, 0.99)
    limit = size.interval + OVER_SECONDS
    late = sum(delay > limit for delay in found.delays)
    return Report(
        name="follow",
        figures={
            "p50_seconds": p50,
            "p99_seconds": p99,
            "worst_seconds": max(found.delays),
            "changes": len(found.delays),
            "later_than_the_target": late,
            "cpu_of_one_core": found.cpu_share,
            "slack_and_provider_cpu": found.own_cpu_share,
            "looks_a_second": found.looks_a_second,
        },
        baseline={"p50_seconds": size.interval / 2, "p99_seconds": size.interval * 0.99},
        ratios={"p99_over_interval_seconds": p99 - size.interval},
        targets=(Target("change → follow-up, 99 %, s", p99, "<=", limit),),
        columns=("seconds from a change to its follow-up", "50 %", "99 %", "worst"),
        rows=[
            (
                "a look every interval, nothing else",
                size.interval / 2,
                size.interval * 0.99,
                size.interval,
            ),
            ("jobthread", p50, p99, max(found.delays)),
        ],
        conditions=(
            f"{size.watches} watches, looks every {size.interval:g} s, {len(found.delays)} changes",
            f"the bot: {found.cpu_share:.0%} of a core, {found.looks_a_second:.0f} looks a second",
            f"Slack and the provider, in one process: {found.own_cpu_share:.0%} of a core",
        ),
    )
