"""How soon the program is there, and how much memory it takes, beside a bare Bolt app."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import processes
from bench.report import Number, Report, Target, median, progress
from bench.slack import Slack

IDLE_SECONDS = 3.0  # before the memory is read


async def measure(*, tiny: bool = False) -> Report:
    """Measure all of it, in turns."""
    times, starts, idle = (2, 1, 0.1) if tiny else (10, 7, IDLE_SECONDS)
    bare, help_ = _help(times)
    echo: list[tuple[float, float]] = []  # seconds to start, megabytes
    first: list[tuple[float, float]] = []
    again: list[tuple[float, float]] = []
    for n in range(starts):
        progress(f"starts, round {n + 1} of {starts}")
        echo.append(await _echo(idle))
        with tempfile.TemporaryDirectory(prefix="jobthread-bench-") as folder:
            first.append(await _bot(Path(folder), idle))
            again.append(await _bot(Path(folder), idle))
    return _report(bare, help_, echo, first, again)


def _help(times: int) -> tuple[float, float]:
    """Return the seconds that nothing and `--help` take, in turns."""
    script = Path(sys.executable).with_name("jobthread")
    program = [str(script)] if script.exists() else [sys.executable, "-m", "bot.cli.main"]
    bare: list[float] = []
    helped: list[float] = []
    for n in range(times):
        progress(f"jobthread --help, {n + 1} of {times}")
        bare.append(_seconds([sys.executable, "-c", "pass"]))
        helped.append(_seconds([*program, "--help"]))
    return median(bare), median(helped)


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=processes.ROOT)  # noqa: S603
    return time.perf_counter() - began


async def _echo(idle: float) -> tuple[float, float]:
    async with Slack() as slack, processes.echo(slack) as running:
        await asyncio.sleep(idle)
        return running.start_seconds, running.rss_mb


async def _bot(folder: Path, idle: float) -> tuple[float, float]:
    async with Slack() as slack, processes.bot(slack, folder) as running:
        await asyncio.sleep(idle)
        return running.start_seconds, running.rss_mb


def _report(
    bare: float,
    help_: float,
    echo: list[tuple[float, float]],
    first: list[tuple[float, float]],
    again: list[tuple[float, float]],
) -> Report:
    echo_start, echo_rss = map(median, zip(*echo, strict=True))
    first_start, first_rss = map(median, zip(*first, strict=True))
    again_start, again_rss = map(median, zip(*again, strict=True))
    figures: dict[str, Number] = {
        "help_s": help_,
        "first_start_s": first_start,
        "start_s": again_start,
        "rss_mb": max(first_rss, again_rss),
    }
    baseline: dict[str, Number] = {"python_s": bare, "start_s": echo_start, "rss_mb": echo_rss}
    return Report(
        name="start",
        figures=figures,
        baseline=baseline,
        ratios={
            "help": help_ / bare,
            "start": again_start / echo_start,
            "rss": figures["rss_mb"] / echo_rss,
        },
        targets=(
            Target("jobthread --help, s", help_, "<", 0.4),
            Target("first start to connected, s", first_start, "<", 1.5),
            Target("start to connected, s", again_start, "<", 1.5),
            Target("idle memory, MB", figures["rss_mb"], "<", 120),
        ),
        columns=("", "seconds", "RSS MB"),
        rows=[
            ("python -c pass", bare, ""),
            ("jobthread --help", help_, ""),
            ("echo app connected", echo_start, echo_rss),
            ("jobthread serve connected, new store", first_start, first_rss),
            ("jobthread serve connected", again_start, again_rss),
        ],
        conditions=(f"medians; {len(echo)} starts each, in turns; memory when idle",),
    )
