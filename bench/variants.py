"""The variants that `ask` compares, and their measurements."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from bench import processes
from bench.memory_provider import FINISHED, RUNNING
from bench.slack import Slack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bench.processes import Running
    from bench.slack import Exchange

THINK_SECONDS = 0.005  # between an answer and the next command: its tail is not measured
REST_SECONDS = 0.3  # after each turn, so that none delays the next


@dataclass
class Variant:
    """One way to answer; every command requests another job of one kind."""

    name: str
    kind: str  # of job: finished or running
    slack: Slack
    program: Running
    numbers: Iterator[int]
    asked: int = 0
    called: int = 0  # Slack's methods, once connected
    alone: list[float] = field(default_factory=list)  # ms until posted, one at a time
    bursts: list[float] = field(default_factory=list)  # replies a second
    burst_cpu: list[float] = field(default_factory=list)  # ms of processor time a reply
    paced: float = 0.0  # replies a second
    steady: list[Exchange] = field(default_factory=list)

    @asynccontextmanager
    async def turn(self, latency_seconds: float = 0.0) -> AsyncIterator[None]:
        """Set Slack's latency and count the calls of one turn."""
        self.slack.latency_seconds = latency_seconds
        before = self.slack.answers
        yield
        await asyncio.sleep(REST_SECONDS)
        self.called += self.slack.answers - before

    async def request(self, due_at: float | None = None) -> Exchange:
        """Request a job that was not requested before."""
        self.asked += 1
        return await self.slack.send_command(f"memory:{self.kind}-{next(self.numbers)}", due_at)

    async def one_by_one(self, commands: int) -> list[float]:
        """Send commands one after the other; return the milliseconds that each took."""
        took: list[float] = []
        for _ in range(commands):
            took.append((await self.request()).post_ms)
            await asyncio.sleep(THINK_SECONDS)
        return took

    async def burst(self, commands: int) -> None:
        """Send a command in every channel at once."""
        began, cpu = time.perf_counter(), self.program.cpu_seconds
        compared = await asyncio.gather(*(self.request() for _ in range(commands)))
        self.bursts.append(commands / (max(e.posted_at for e in compared) - began))
        await asyncio.sleep(REST_SECONDS)  # what it does after the answer counts as well
        self.burst_cpu.append((self.program.cpu_seconds - cpu) * 1_000 / commands)

    async def at_rate(self, per_second: float, seconds: float) -> list[Exchange]:
        """Send commands at a fixed rate, without waiting for answers."""
        began, asking = time.perf_counter(), []
        for n in range(int(per_second * seconds)):
            due_at = began + n / per_second
            await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
            asking.append(asyncio.create_task(self.request(due_at)))
        return await asyncio.gather(*asking)


@asynccontextmanager
async def variants() -> AsyncIterator[list[Variant]]:
    """Start the echo app and the bot, each with a Slack of its own; the baseline comes first."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="jobthread-bench-"))
        slacks = [await stack.enter_async_context(Slack()) for _ in range(2)]
        echo = await stack.enter_async_context(processes.echo(slacks[0]))
        bot = await stack.enter_async_context(processes.bot(slacks[1], Path(folder)))
        numbers = count(1)
        yield [
            Variant("echo app", FINISHED, slacks[0], echo, numbers),
            Variant("bot, finished jobs", FINISHED, slacks[1], bot, numbers),
            Variant("bot, running jobs", RUNNING, slacks[1], bot, numbers),
        ]
