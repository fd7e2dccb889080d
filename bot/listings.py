"""Listings: what a question gets that only reads: help, connections, watches, jobs, a week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import answers, catalogues
from bot.cards import blocks
from bot.commands import Command, Verb
from bot.errors import JobthreadError
from bot.likeness import closest
from bot.parts import Say
from bot.providers import looks
from bot.troubles import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.asks import Ask
    from bot.channels.reasons import Reasons
    from bot.clock import Clock
    from bot.examples import Examples
    from bot.home import Home
    from bot.providers.connections import Connections
    from bot.store import Store

VERBS = frozenset({Verb.HELP, Verb.CONNECTIONS, Verb.LIST, Verb.RECENT, Verb.NOISE})
MOST_RECENT = 30  # jobs in a list


class Listings:
    """Reads what is asked for, and changes nothing."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        examples: Examples,
        reasons: Reasons,
        clock: Clock,
        home: Home,
        command: str,
    ) -> None:
        self._store = store
        self._connections = connections
        self.examples = examples
        self._reasons = reasons
        self._clock = clock
        self._home = home
        self._command = command

    async def obey(self, workspace: str, ask: Ask, command: Command) -> Say:
        """Answer a command of `VERBS`."""
        match command.verb:
            case Verb.CONNECTIONS:
                return await self._systems(workspace, ask)
            case Verb.LIST:
                return await self._list(workspace, ask)
            case Verb.RECENT:
                return await self._recent(command.words)
            case Verb.NOISE:
                now = self._clock.now()
                return Say(await self._reasons.of_week(workspace, ask.channel, now))
        return await self._help(workspace, ask)

    async def _systems(self, workspace: str, ask: Ask) -> Say:
        names = self._connections.names
        known = await self.examples.of(workspace, ask.channel, names)
        return Say(catalogues.connection_list(self._connections, known))

    async def _help(self, workspace: str, ask: Ask) -> Say:
        known = await self.examples.best(workspace, ask.channel)
        me = self._home.bot_user
        return Say(catalogues.help_text(self._command, self._connections, me, known))

    async def _list(self, workspace: str, ask: Ask) -> Say:
        async with self._store.begin() as tx:
            rows = await tx.watches.in_channel(workspace, ask.channel)
        listed = [
            (str(w.ref), job.seen, self._home.link(w.channel, w.card_ts, w.thread_ts))
            for w, job in rows
        ]
        return Say(catalogues.watch_list(listed, self._command))

    async def _recent(self, words: tuple[str, ...]) -> Say:
        """List the newest jobs of a connection; without a name, of the one that can list."""
        able = [provider for provider in self._connections if provider.lists_jobs]
        chosen = [p for p in able if p.name in words] if words else able
        if len(chosen) != 1:
            names = [provider.name for provider in able]
            if better := self._better_name(words, names):
                return better
            return Say(catalogues.which_recent(names, words[0] if words else ""))
        found = await looks.recent(chosen[0], MOST_RECENT)
        if isinstance(found, JobthreadError):
            return told(found, None)
        return Say(catalogues.recent(chosen[0].name, found))

    def _better_name(self, words: tuple[str, ...], able: Sequence[str]) -> Say | None:
        """Return which connection was meant by a word that is nearly its name."""
        if not words or words[0] in self._connections.names:
            return None
        near = closest(words[0].lower(), able)
        text = f"There is no connection {blocks.code(words[0])}."
        return Say(answers.did_you_mean(text, f"recent {near}")) if near else None
