"""Demo: runs a local Slack, the simulators, and the bot in a separate process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.demo.simulators import ScaledClock, Simulated, Simulators, as_toml
from bot.providers.plugin_loader import load_plugins
from bot.sdk.clock import SystemClock
from bot.sdk.errors import JobthreadError
from localslack import LocalSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

FIRST = "servicestage"  # the provider whose sample jobs are listed first
CHECK_SPEED = 6.0  # speed of the simulated jobs in `demo --check`, as a factor
CONNECT_SECONDS = 20.0
STOP_SECONDS = 5.0


class DemoError(JobthreadError):
    """The demo cannot start or continue."""


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    slack: LocalSlack
    simulated: Sequence[Simulated]
    bot: asyncio.subprocess.Process

    async def ends(self) -> None:
        """Wait until the bot exits, then raise DemoError."""
        code = await self.bot.wait()
        raise DemoError(f"The bot ended by itself with exit code {code}; its log says why.")


@asynccontextmanager
async def demo(
    *, port: int = 0, speed: float = 1.0, log: Path | None = None
) -> AsyncIterator[Demo]:
    """Start everything and wait until the bot is connected; stop everything at the end.

    The bot's log goes to the file `log`, or to standard error.
    """
    clock = ScaledClock(SystemClock(), speed)
    kinds = sorted(load_plugins().kinds.values(), key=lambda provider: provider.kind != FIRST)
    with tempfile.TemporaryDirectory(prefix="jobthread-demo-") as folder:
        async with Simulators(kinds, clock) as simulators:
            suggestions = _suggestions(simulators.running)
            async with _local_slack(port, suggestions) as slack:
                settings = _write_settings(Path(folder), slack, simulators.running)
                async with _bot(settings, slack, log) as process:
                    yield Demo(slack, simulators.running, process)


@asynccontextmanager
async def _local_slack(
    port: int, suggestions: Sequence[dict[str, object]]
) -> AsyncIterator[LocalSlack]:
    """Serve a local Slack within the block. Raise DemoError if the port cannot be bound."""
    async with AsyncExitStack() as stack:
        try:
            slack = await stack.enter_async_context(LocalSlack(port=port, suggestions=suggestions))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else type(error).__name__
            sentence = f"Port {port} cannot be listened on ({reason}): choose another with --port."
            raise DemoError(sentence) from error
        yield slack


def _suggestions(simulated: Sequence[Simulated]) -> list[dict[str, object]]:
    return [*_job_suggestions(simulated), *_settings_hints(simulated)]


def _settings_hints(simulated: Sequence[Simulated]) -> list[dict[str, object]]:
    """Return suggestions about the channel settings."""
    references = " ".join(f"{each.name}:{each.samples[0].id}" for each in simulated)
    return [
        {
            "title": "Quieter: outcomes only, several jobs on one board",
            "text": "/job quiet",
            "hint": "Every answer has Undo; /job default goes back.",
        },
        {
            "title": "Several jobs at once",
            "text": f"/job {references}",
            "hint": "A card each, or one board after /job quiet.",
        },
        {
            "title": "What the bot posts here",
            "text": "/job settings",
            "hint": "Each value says where it comes from.",
        },
        {
            "title": "What would have avoided most messages",
            "text": "/job noise",
            "hint": "The last seven days of this channel in figures.",
        },
    ]


def _job_suggestions(simulated: Sequence[Simulated]) -> list[dict[str, object]]:
    return [
        {
            "title": f"{each.name}: {_lower_first(sample.title)}",
            "text": f"/job {each.name}:{sample.id}",
            "hint": sample.hint,
        }
        for each in simulated
        for sample in each.samples
    ]


def _lower_first(title: str) -> str:
    return title[:1].lower() + title[1:]


def _write_settings(folder: Path, slack: LocalSlack, simulated: Sequence[Simulated]) -> Path:
    path = folder / "jobthread.toml"
    database = (folder / "jobthread.db").as_posix()
    path.write_text(settings_for(slack.api_url, simulated, f"sqlite+aiosqlite:///{database}"))
    return path


def settings_for(api_url: str, simulated: Sequence[Simulated], store_url: str) -> str:
    """Return a jobthread.toml that connects the bot to this Slack and these simulators."""
    tables = [
        "[slack]",
        f'api_url = "{api_url}"',
        "[store]",
        f'url = "{store_url}"',
        "[follow]",
        "poll_seconds = 2",
        "coalesce_seconds = 0.5",
        "",
    ]
    return "\n".join(tables) + as_toml(simulated)


@asynccontextmanager
async def _bot(
    settings: Path, slack: LocalSlack, log: Path | None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `jobthread serve` within the block, as a process of its own."""
    out = log.open("wb") if log else None
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli.main", "serve", "--config", str(settings)),
        env=_environment(slack),
        stdout=out,
        stderr=out,
        start_new_session=True,  # Ctrl-C reaches only this process, which stops the bot itself
    )
    try:
        await _wait_until_connected(slack, process)
        yield process
    finally:
        await _stop(process)
        if out:
            out.close()


def _environment(slack: LocalSlack) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("JOBTHREAD_")}
    return inherited | {
        "JOBTHREAD_SLACK__BOT_TOKEN": slack.bot_token,
        "JOBTHREAD_SLACK__APP_TOKEN": slack.app_token,
    }


async def _wait_until_connected(slack: LocalSlack, process: asyncio.subprocess.Process) -> None:
    ended = asyncio.ensure_future(process.wait())
    connected = asyncio.ensure_future(slack.until(lambda: slack.connected, seconds=CONNECT_SECONDS))
    await asyncio.wait({ended, connected}, return_when=asyncio.FIRST_COMPLETED)
    if ended.done():
        connected.cancel()
        raise DemoError(f"The bot did not start (exit code {ended.result()}); its log says why.")
    ended.cancel()
    await connected


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
