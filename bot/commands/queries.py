"""Read-only commands: help, list, recent, connections, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import help_text, replies
from bot.commands.actions import Reply
from bot.commands.error_replies import error_reply
from bot.commands.parser import Command, Verb
from bot.sdk.cards import blocks
from bot.sdk.errors import JobthreadError
from bot.sdk.fuzzy import closest_match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.actions import Action
    from bot.commands.context import CommandContext
    from bot.commands.request import Request
    from bot.commands.routes import VerbTable

MAX_RECENT = 30  # jobs in a list


class Queries:
    """Runs read-only commands."""

    def __init__(self, context: CommandContext) -> None:
        self._context = context

    @property
    def verbs(self) -> VerbTable:
        """The handlers of typed commands."""
        return {
            Verb.HELP: self._help,
            Verb.CONNECTIONS: self._list_connections,
            Verb.LIST: self._list_watches,
            Verb.RECENT: self._list_recent_jobs,
            Verb.NOISE: self._weekly_report,
        }

    async def _list_connections(
        self, workspace: str, request: Request, command: Command
    ) -> list[Action]:
        del command
        names = self._context.connections.names
        known = await self._context.examples.find_each(workspace, request.channel, names)
        return [Reply(help_text.connection_list(self._context.connections, known))]

    async def _help(self, workspace: str, request: Request, command: Command) -> list[Action]:
        del command
        known = await self._context.examples.find_one(workspace, request.channel)
        me, command_name = self._context.slack_workspace.bot_user, self._context.command
        return [Reply(help_text.help_text(command_name, self._context.connections, me, known))]

    async def _list_watches(
        self, workspace: str, request: Request, command: Command
    ) -> list[Action]:
        del command
        async with self._context.store.begin() as tx:
            rows = await tx.watches.in_channel(workspace, request.channel)
        listed = [
            (
                str(w.ref),
                job.snapshot,
                self._context.slack_workspace.permalink(w.channel, w.card_ts, w.thread_ts),
            )
            for w, job in rows
        ]
        return [Reply(help_text.watch_list(listed, self._context.command))]

    async def _weekly_report(
        self, workspace: str, request: Request, command: Command
    ) -> list[Action]:
        del command
        now = self._context.clock.now()
        return [Reply(await self._context.explainer.weekly_report(workspace, request.channel, now))]

    async def _list_recent_jobs(
        self, workspace: str, request: Request, command: Command
    ) -> list[Action]:
        del workspace, request
        return [await self._recent_jobs(command.words)]

    async def _recent_jobs(self, words: tuple[str, ...]) -> Reply:
        """List a connection's newest jobs; the name is optional if only one can list."""
        listable = [each for each in self._context.connections if each.lists_jobs]
        chosen = [p for p in listable if p.name in words] if words else listable
        if len(chosen) != 1:
            names = [each.name for each in listable]
            if suggestion := self._suggest_connection(words, names):
                return suggestion
            return Reply(help_text.choose_recent_connection(names, words[0] if words else ""))
        found = await chosen[0].recent(MAX_RECENT)
        if isinstance(found, JobthreadError):
            return error_reply(found, None)
        return Reply(help_text.recent_jobs(chosen[0].name, found))

    def _suggest_connection(self, words: tuple[str, ...], listable: Sequence[str]) -> Reply | None:
        """Return a suggestion for a misspelt connection name."""
        if not words or words[0] in self._context.connections.names:
            return None
        near = closest_match(words[0].lower(), listable)
        text = f"There is no connection {blocks.code(words[0])}."
        return Reply(replies.did_you_mean(text, f"recent {near}")) if near else None
