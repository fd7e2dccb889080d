"""`fetch`: 200 look-ups at once through the ServiceStage provider, and in a bare aiohttp loop.

The baseline makes the same calls and validates the same pydantic model, and does nothing else: no
signature, no errors by meaning, no translation into a job.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from pydantic import TypeAdapter

from bench.report import Report, Target, median, progress
from bot.sdk import JobRef
from bot.sdk.clock import SystemClock
from bot.sdk.testing import connected
from plugins.huaweicloud.simulator import Tenant
from plugins.servicestage import ServiceStage
from plugins.servicestage.translator import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.sdk.provider import Provider

AT_ONCE, LOOK_UPS, ROUNDS = 200, 4_000, 5
LEAST, HOPED = 0.3, 0.5


async def measure(*, tiny: bool = False) -> Report:
    """Measure both in turn, round by round."""
    look_ups, rounds = (200, 1) if tiny else (LOOK_UPS, ROUNDS)
    async with _job_api() as url:
        bare, ours = await _rounds(url, look_ups, rounds)
    ratio = median([o / b for o, b in zip(ours, bare, strict=True)])
    return Report(
        name="fetch",
        figures={"provider_look_ups_per_second": median(ours)},
        baseline={"aiohttp_look_ups_per_second": median(bare)},
        ratios={"throughput": ratio},
        targets=(
            Target("throughput, of the bare loop's", ratio, ">=", LEAST),
            Target("throughput, hoped for", ratio, ">=", HOPED),
        ),
        columns=("look-ups a second", "median", "least", "most"),
        rows=[
            ("bare aiohttp and pydantic", median(bare), min(bare), max(bare)),
            ("ServiceStage provider", median(ours), min(ours), max(ours)),
        ],
        conditions=(f"{AT_ONCE} at once, {look_ups} a round, {rounds} rounds in turn",),
    )


async def _rounds(url: str, look_ups: int, rounds: int) -> tuple[list[float], list[float]]:
    settings = {"endpoint": url, **Tenant().key_settings()}
    bare: list[float] = []
    ours: list[float] = []
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session,
        connected(ServiceStage, settings, SystemClock(), concurrency=AT_ONCE) as provider,
    ):
        asks = _bare(session, url), _ours(provider)
        for ask in asks:
            await _throughput(ask, AT_ONCE)  # connections are opened, keys are proved
        for n in range(rounds):
            progress(f"round {n + 1} of {rounds}")
            bare.append(await _throughput(asks[0], look_ups))
            ours.append(await _throughput(asks[1], look_ups))
    return bare, ours


def _bare(session: aiohttp.ClientSession, url: str) -> Callable[[str], Awaitable[object]]:
    model = TypeAdapter(Answer)

    async def ask(id_: str) -> object:
        address = f"{url}/v3/{Tenant().project_id}/cas/jobs/{id_}?limit=50&offset=0&desc=false"
        async with session.get(address) as answer:
            return model.validate_json(await answer.read())

    return ask


def _ours(provider: Provider[object]) -> Callable[[str], Awaitable[object]]:  # type: ignore[type-var]
    async def ask(id_: str) -> object:
        return await provider.fetch_job(JobRef(connection=provider.name, id=id_))

    return ask


async def _throughput(ask: Callable[[str], Awaitable[object]], look_ups: int) -> float:
    """Return the look-ups a second of so many, with 200 under way all the time."""
    ids = iter([f"JOB{n:08x}-07b1-4c8f-a183-c86cffbe8f9e" for n in range(look_ups)])

    async def worker() -> None:
        for id_ in ids:
            await ask(id_)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return look_ups / (time.perf_counter() - began)


@asynccontextmanager
async def _job_api() -> AsyncIterator[str]:
    """Serve the job API in a process of its own, ended by its own id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.job_api", str(port))
    try:
        await _listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
