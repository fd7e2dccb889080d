"""Handles the commands that read or change channel settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import Agree, Say
from bot.commands.parser import Command, Verb
from bot.commands.request import Kind
from bot.commands.settings_parser import Unclear, understood
from bot.notifications import settings_patch, settings_text
from bot.notifications.policy import NoisePolicy
from bot.notifications.settings_patch import Wish

if TYPE_CHECKING:
    from bot.commands.actions import Part
    from bot.commands.permissions import Rights
    from bot.commands.request import Ask
    from bot.notifications.effective_settings import Contract
    from bot.notifications.notifier import Notices
    from bot.store import Store

VERBS = frozenset({Verb.SETTINGS, Verb.QUIET, Verb.NORMAL, Verb.VERBOSE, Verb.DEFAULT, Verb.SET})


def is_about(request: Ask) -> bool:
    """Whether a request comes from the settings modal or a settings button."""
    return request.kind is Kind.FORM or request.action in (settings_text.CHANGE, settings_text.UNDO)


class Negotiation:
    """Reads channel settings and parses changes; the action executor stores them."""

    def __init__(self, *, store: Store, notices: Notices, rights: Rights, command: str) -> None:
        self._store = store
        self._notifier = notices
        self._command = command
        self.rights = rights

    async def contract(self, workspace: str, channel: str) -> Contract:
        """Return the effective settings of a channel."""
        async with self._store.begin() as tx:
            return await self._notifier.contract(tx, workspace, channel)

    def defaults(self, channel: str) -> NoisePolicy:
        """Return the policy of a channel without settings of its own."""
        return settings_patch.defaults(self._notifier.notify, channel)

    async def obey(self, workspace: str, request: Ask, command: Command) -> list[Part]:
        """Return the actions of a typed command."""
        settings = await self.contract(workspace, request.channel)
        if command.verb is Verb.SETTINGS:
            return [Say(settings_text.reading(settings))]
        if denial := await self.rights.refusal(request.user, request.channel):
            return [Say(replies.sentence(denial))]
        return [self._parse_change(command, settings)]

    def _parse_change(self, command: Command, settings: Contract) -> Part:
        if command.verb is Verb.DEFAULT:
            return Agree(None)
        if command.verb is not Verb.SET:
            return Agree(settings_patch.preset(command.verb))
        patch = understood(command.words, settings.policy)
        if isinstance(patch, Unclear):
            return Say(settings_text.unclear(patch, self._command))
        return Agree(patch)

    async def fulfil(self, workspace: str, request: Ask) -> list[Part]:
        """Return the actions of the modal or a button. Without a modal, reply with the settings."""
        if request.action == settings_text.CHANGE:
            return [Say(settings_text.reading(await self.contract(workspace, request.channel)))]
        if denial := await self.rights.refusal(request.user, request.channel):
            return [Say(replies.sentence(denial))]
        patch = Wish.model_validate_json(request.value)
        settings_patch.amended(NoisePolicy(), patch.changes)  # raises here, not in the executor
        return [Agree(patch.changes, patch.revision)]
