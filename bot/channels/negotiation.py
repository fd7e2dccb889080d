"""Handles the commands that read or change channel settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import answers
from bot.asks import Kind
from bot.channels import charter
from bot.commands import Command, Verb
from bot.noise import amendments
from bot.noise.amendments import Wish
from bot.noise.dictation import Unclear, understood
from bot.noise.policy import NoisePolicy
from bot.parts import Agree, Say

if TYPE_CHECKING:
    from bot.asks import Ask
    from bot.channels.notices import Notices
    from bot.noise.contracts import Contract
    from bot.parts import Part
    from bot.rights import Rights
    from bot.store import Store

VERBS = frozenset({Verb.SETTINGS, Verb.QUIET, Verb.NORMAL, Verb.VERBOSE, Verb.DEFAULT, Verb.SET})


def is_about(request: Ask) -> bool:
    """Whether a request comes from the settings modal or a settings button."""
    return request.kind is Kind.FORM or request.action in (charter.CHANGE, charter.UNDO)


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
        return amendments.defaults(self._notifier.notify, channel)

    async def obey(self, workspace: str, request: Ask, command: Command) -> list[Part]:
        """Return the actions of a typed command."""
        settings = await self.contract(workspace, request.channel)
        if command.verb is Verb.SETTINGS:
            return [Say(charter.reading(settings))]
        if denial := await self.rights.refusal(request.user, request.channel):
            return [Say(answers.sentence(denial))]
        return [self._parse_change(command, settings)]

    def _parse_change(self, command: Command, settings: Contract) -> Part:
        if command.verb is Verb.DEFAULT:
            return Agree(None)
        if command.verb is not Verb.SET:
            return Agree(amendments.preset(command.verb))
        patch = understood(command.words, settings.policy)
        if isinstance(patch, Unclear):
            return Say(charter.unclear(patch, self._command))
        return Agree(patch)

    async def fulfil(self, workspace: str, request: Ask) -> list[Part]:
        """Return the actions of the modal or a button. Without a modal, reply with the settings."""
        if request.action == charter.CHANGE:
            return [Say(charter.reading(await self.contract(workspace, request.channel)))]
        if denial := await self.rights.refusal(request.user, request.channel):
            return [Say(answers.sentence(denial))]
        patch = Wish.model_validate_json(request.value)
        amendments.amended(NoisePolicy(), patch.changes)  # raises here, not in the executor
        return [Agree(patch.changes, patch.revision)]
