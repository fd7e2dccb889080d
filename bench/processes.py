"""The programs that are measured, each in a process of its own: the bot, and the echo app."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from bench.slack import Slack

ROOT = Path(__file__).parent.parent
CONNECT_SECONDS = 30.0
STOP_SECONDS = 10.0

SETTINGS = """\
[slack]
api_url = "{api_url}"
[store]
url = "sqlite+aiosqlite:///{database}"
[connections.memory]
provider = "memory"
[connections.deploys]
provider = "servicestage"
endpoint = "http://127.0.0.1:9"
project_id = "0123456789abcdef0123456789abcdef"
access_key = "bench"
secret_key = "bench"
"""


@dataclass(frozen=True)
class Running:
    """A program that is connected to its Slack."""

    process: asyncio.subprocess.Process
    start_seconds: float  # from the start of the process until Slack could reach it

    @property
    def rss_mb(self) -> float:
        """Return the memory it holds now, in megabytes (10⁶ bytes); Linux only."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def cpu_seconds(self) -> float:
        """Return the processor time it has used; Linux only."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def echo(slack: Slack) -> AsyncIterator[Running]:
    """Run the bare Bolt app."""
    async with _program(
        slack.connected(), os.environ, "-m", "bench.echo", slack.api_url
    ) as running:
        yield running


@asynccontextmanager
async def served(
    settings: Path, tokens: tuple[str, str], connected: Awaitable[Any]
) -> AsyncIterator[Running]:
    """Run `jobthread serve` with these settings, and wait until it is connected."""
    environment = _environment(*tokens)
    arguments = ("-m", "bot.cli.main", "serve", "--config", str(settings))
    async with _program(connected, environment, *arguments) as running:
        yield running


def _environment(bot_token: str, app_token: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("JOBTHREAD_")} | {
        "JOBTHREAD_SLACK__BOT_TOKEN": bot_token,
        "JOBTHREAD_SLACK__APP_TOKEN": app_token,
    }


@asynccontextmanager
async def bot(slack: Slack, folder: Path) -> AsyncIterator[Running]:
    """Run `jobthread serve` with its store and `bench.memory_provider`'s plugin in the folder."""
    settings = folder / "jobthread.toml"
    database = (folder / "jobthread.db").as_posix()
    settings.write_text(SETTINGS.format(api_url=slack.api_url, database=database))
    _install_plugin(folder)
    path = {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    environment = _environment("xoxb-bench", "xapp-bench") | path
    arguments = ("-m", "bot.cli.main", "serve", "--config", str(settings))
    async with _program(slack.connected(), environment, *arguments) as running:
        yield running


def _install_plugin(folder: Path) -> None:
    """Make the plugin an installed one, for programs that have the folder on their path."""
    about = folder / "jobthread_bench-1.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: jobthread-bench\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[jobthread]\nmemory = bench.memory_provider\n")


@asynccontextmanager
async def _program(
    connected: Awaitable[Any],
    environment: os._Environ[str] | dict[str, str],
    *arguments: str,
) -> AsyncIterator[Running]:
    """Run Python until the end of the block; the process is ended by its own id."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=environment,
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connected
        yield Running(process, time.perf_counter() - began)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
