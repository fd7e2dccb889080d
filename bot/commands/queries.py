"""Read-only commands: help, list, recent, connections, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import help_text, replies
from bot.commands.actions import Say
from bot.commands.error_replies import told
from bot.commands.parser import Command, Verb
from bot.providers import fetch
from bot.sdk.cards import blocks
from bot.sdk.errors import JobthreadError
from bot.sdk.fuzzy import closest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.examples import Examples
    from bot.commands.request import Ask
    from bot.delivery.permalinks import Home
    from bot.notifications.explain import Reasons
    from bot.providers.connections import Connections
    from bot.sdk.clock import Clock
    from bot.store import Store

VERBS = frozenset({Verb.HELP, Verb.CONNECTIONS, Verb.LIST, Verb.RECENT, Verb.NOISE})
MAX_RECENT = 30  # jobs in a list


class Listings:
    """Runs read-only commands."""

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
        self._explainer = reasons
        self._clock = clock
        self._slack_workspace = home
        self._command = command

    async def obey(self, workspace: str, request: Ask, command: Command) -> Say:
        """Return the reply to a command of `VERBS`."""
        match command.verb:
            case Verb.CONNECTIONS:
                return await self._list_connections(workspace, request)
            case Verb.LIST:
                return await self._list_watches(workspace, request)
            case Verb.RECENT:
                return await self._list_recent_jobs(command.words)
            case Verb.NOISE:
                now = self._clock.now()
                return Say(await self._explainer.of_week(workspace, request.channel, now))
        return await self._help(workspace, request)

    async def _list_connections(self, workspace: str, request: Ask) -> Say:
        names = self._connections.names
        known = await self.examples.of(workspace, request.channel, names)
        return Say(help_text.connection_list(self._connections, known))

    async def _help(self, workspace: str, request: Ask) -> Say:
        known = await self.examples.best(workspace, request.channel)
        me = self._slack_workspace.bot_user
        return Say(help_text.help_text(self._command, self._connections, me, known))

    async def _list_watches(self, workspace: str, request: Ask) -> Say:
        async with self._store.begin() as tx:
            rows = await tx.watches.in_channel(workspace, request.channel)
        listed = [
            (str(w.ref), job.seen, self._slack_workspace.link(w.channel, w.card_ts, w.thread_ts))
            for w, job in rows
        ]
        return Say(help_text.watch_list(listed, self._command))

    async def _list_recent_jobs(self, words: tuple[str, ...]) -> Say:
        """List a connection's newest jobs; the name is optional if only one can list."""
        listable = [provider for provider in self._connections if provider.lists_jobs]
        chosen = [p for p in listable if p.name in words] if words else listable
        if len(chosen) != 1:
            names = [provider.name for provider in listable]
            if suggestion := self._suggest_connection(words, names):
                return suggestion
            return Say(help_text.which_recent(names, words[0] if words else ""))
        found = await fetch.recent(chosen[0], MAX_RECENT)
        if isinstance(found, JobthreadError):
            return told(found, None)
        return Say(help_text.recent(chosen[0].name, found))

    def _suggest_connection(self, words: tuple[str, ...], listable: Sequence[str]) -> Say | None:
        """Return a suggestion for a misspelt connection name."""
        if not words or words[0] in self._connections.names:
            return None
        near = closest(words[0].lower(), listable)
        text = f"There is no connection {blocks.code(words[0])}."
        return Say(replies.did_you_mean(text, f"recent {near}")) if near else None
