"""Read-only commands: help, list, recent, connections, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import help_text, replies
from bot.commands.actions import Reply
from bot.commands.error_replies import error_reply
from bot.commands.parser import Command, Verb
from bot.providers import fetch
from bot.sdk.cards import blocks
from bot.sdk.errors import JobthreadError
from bot.sdk.fuzzy import closest_match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.examples import Examples
    from bot.commands.request import Request
    from bot.delivery.permalinks import Workspace
    from bot.notifications.explain import Explainer
    from bot.providers.connections import Connections
    from bot.sdk.clock import Clock
    from bot.store import Store

VERBS = frozenset({Verb.HELP, Verb.CONNECTIONS, Verb.LIST, Verb.RECENT, Verb.NOISE})
MAX_RECENT = 30  # jobs in a list


class Queries:
    """Runs read-only commands."""

    def __init__(
        self,
        *,
        store: Store,
        connections: Connections,
        examples: Examples,
        explainer: Explainer,
        clock: Clock,
        slack_workspace: Workspace,
        command: str,
    ) -> None:
        self._store = store
        self._connections = connections
        self.examples = examples
        self._explainer = explainer
        self._clock = clock
        self._slack_workspace = slack_workspace
        self._command = command

    async def run(self, workspace: str, request: Request, command: Command) -> Reply:
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
                return Reply(await self._explainer.weekly_report(workspace, request.channel, now))
        return await self._help(workspace, request)

    async def _list_connections(self, workspace: str, request: Request) -> Reply:
        names = self._connections.names
        known = await self.examples.find_each(workspace, request.channel, names)
        return Reply(help_text.connection_list(self._connections, known))

    async def _help(self, workspace: str, request: Request) -> Reply:
        known = await self.examples.find_one(workspace, request.channel)
        me = self._slack_workspace.bot_user
        return Reply(help_text.help_text(self._command, self._connections, me, known))

    async def _list_watches(self, workspace: str, request: Request) -> Reply:
        async with self._store.begin() as tx:
            rows = await tx.watches.in_channel(workspace, request.channel)
        listed = [
            (
                str(w.ref),
                job.seen,
                self._slack_workspace.permalink(w.channel, w.card_ts, w.thread_ts),
            )
            for w, job in rows
        ]
        return Reply(help_text.watch_list(listed, self._command))

    async def _list_recent_jobs(self, words: tuple[str, ...]) -> Reply:
        """List a connection's newest jobs; the name is optional if only one can list."""
        listable = [provider for provider in self._connections if provider.lists_jobs]
        chosen = [p for p in listable if p.name in words] if words else listable
        if len(chosen) != 1:
            names = [provider.name for provider in listable]
            if suggestion := self._suggest_connection(words, names):
                return suggestion
            return Reply(help_text.choose_recent_connection(names, words[0] if words else ""))
        found = await fetch.fetch_recent(chosen[0], MAX_RECENT)
        if isinstance(found, JobthreadError):
            return error_reply(found, None)
        return Reply(help_text.recent_jobs(chosen[0].name, found))

    def _suggest_connection(self, words: tuple[str, ...], listable: Sequence[str]) -> Reply | None:
        """Return a suggestion for a misspelt connection name."""
        if not words or words[0] in self._connections.names:
            return None
        near = closest_match(words[0].lower(), listable)
        text = f"There is no connection {blocks.code(words[0])}."
        return Reply(replies.did_you_mean(text, f"recent {near}")) if near else None
