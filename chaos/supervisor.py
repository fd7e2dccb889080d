"""Supervisor of the bot's process: starts, restarts, kills and freezes it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.journal import Outage, Reconnect
from chaos.skewed_clock import set_ahead
from localslack.state.events import EventKind, WorkspaceEvent

if TYPE_CHECKING:
    from typing import BinaryIO

    from chaos.journal import Journal
    from localslack import LocalSlack

ROOT = Path(__file__).parents[1]  # run the code of this checkout
START_SECONDS = 60.0
STOP_SECONDS = 10.0
FIRST_CALLS = frozenset({"auth.test", "apps.connections.open", "socket"})
RESTART_SECONDS = 0.2  # before the restart of a bot that ended by itself


class Supervisor:
    """Runs one bot at a time, from `start` to `stop`; signals only its own processes."""

    def __init__(
        self,
        slack: LocalSlack,
        settings: Path,
        journal: Journal,
        *,
        disabled_safeguard: str,
        log: Path,
    ) -> None:
        self._slack = slack
        self._settings = settings
        self._journal = journal
        self._disabled_safeguard = disabled_safeguard
        self._log = log
        self._clock = settings.with_name("clock")
        self.set_clock(0.0)
        self._bot: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._killed_at: float | None = None
        self._faults_at_kill = 0
        self._stopping = False
        slack.workspace.events.subscribe(self._on_event)
        self.crashes = 0  # how often the bot ended by itself

    async def start(self) -> None:
        """Start the bot and wait until it is connected."""
        self._watching = asyncio.create_task(self._watch())
        await asyncio.wait_for(self.connected(), START_SECONDS)

    async def connected(self) -> None:
        """Wait until the current process is connected."""
        await self._connected.wait()

    @property
    def running(self) -> bool:
        """Whether the current process has connected."""
        return self._connected.is_set()

    def kill(self) -> None:
        """Send SIGKILL to the bot, if it is connected."""
        if self._bot is None or self._bot.returncode is not None or not self.running:
            return
        self._connected.clear()
        self._killed_at = time.time()
        self._faults_at_kill = len(self._slack.faults.injected)
        self._journal.record_kill(self._killed_at)
        self._signal(signal.SIGKILL)

    async def freeze(self, seconds: float) -> None:
        """Freeze the bot for some seconds with SIGSTOP."""
        bot, began_at = self._bot, time.time()
        self._signal(signal.SIGSTOP)
        self._journal.stops += 1
        self._journal.killed_at = None  # the freeze would distort the time to the first poll
        await asyncio.sleep(seconds)
        if bot is self._bot:
            self._signal(signal.SIGCONT)
        self._journal.outages.append(Outage(began_at, time.time()))

    def set_clock(self, ahead: float) -> None:
        """Set the bot's wall clock this many seconds ahead of the machine's."""
        set_ahead(self._clock, ahead)

    def fill_disk(self, *, full: bool) -> None:
        """Block or unblock the bot's file writes by RLIMIT_FSIZE; Linux only."""
        if self._bot is None or self._bot.returncode is not None:
            return
        _, hard_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        with suppress(ProcessLookupError):
            soft_limit = 0 if full else hard_limit
            resource.prlimit(self._bot.pid, resource.RLIMIT_FSIZE, (soft_limit, hard_limit))

    def resume(self) -> None:
        """Resume a frozen bot."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Stop the bot with SIGTERM, as an operator does."""
        self._stopping = True
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        if self._bot is not None and self._watching is not None:
            await asyncio.wait({self._watching}, timeout=STOP_SECONDS)
            self._signal(signal.SIGKILL)
            await self._watching

    async def _watch(self) -> None:
        """Restart the bot whenever it ends."""
        with self._log.open("ab") as out:
            while not self._stopping:
                began_at = time.time()
                self._bot = await self._spawn(out)
                await self._bot.wait()
                self._connected.clear()
                if self._stopping:
                    return
                await self._record_crash(began_at)

    async def _record_crash(self, began_at: float) -> None:
        """Record the outage of a bot that ended by itself, and wait before its restart."""
        if self._killed_at is not None and self._killed_at > began_at:
            return
        self.crashes += 1
        self._journal.outages.append(Outage(time.time() - 1, time.time() + 1))
        await asyncio.sleep(RESTART_SECONDS)

    async def _spawn(self, out: BinaryIO) -> asyncio.subprocess.Process:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("JOBTHREAD_")}
        own = {
            "JOBTHREAD_SLACK__BOT_TOKEN": self._slack.bot_token,
            "JOBTHREAD_SLACK__APP_TOKEN": self._slack.app_token,
        }
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chaos.launcher", *self._arguments()),
            cwd=ROOT,
            env=inherited | own,
            stdout=out,
            stderr=out,
            start_new_session=True,  # keeps Ctrl-C from the bot, which we stop ourselves
        )

    def _arguments(self) -> tuple[str, ...]:
        disabled = ("--break", self._disabled_safeguard) if self._disabled_safeguard else ()
        return ("--config", str(self._settings), "--clock", str(self._clock), *disabled)

    def _signal(self, number: signal.Signals) -> None:
        if self._bot is not None and self._bot.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._bot.pid, number)

    def _was_disturbed(self) -> bool:
        since = self._slack.faults.injected[self._faults_at_kill :]
        return any(fault.subject in FIRST_CALLS for fault in since)

    def _on_event(self, change: WorkspaceEvent) -> None:
        """Record a connection, and the time since the last kill."""
        if change.kind is not EventKind.CONNECTION_CHANGED or not change.connected or self.running:
            return
        if self._bot is None or self._bot.returncode is not None:
            return
        now = time.time()
        if self._killed_at is not None:
            if now - self._killed_at < RESTART_SECONDS:
                return  # another connection of the killed process
            self._journal.reconnects.append(Reconnect(now - self._killed_at, self._was_disturbed()))
            self._journal.outages.append(Outage(self._killed_at, now))
            self._killed_at = None
        self._connected.set()
