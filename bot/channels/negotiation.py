"""Negotiation: what a question about a channel's contract gets: read it, change it, or why not."""

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


def is_about(ask: Ask) -> bool:
    """Whether somebody submitted the contract's modal, or pressed one of its buttons."""
    return ask.kind is Kind.FORM or ask.action in (charter.CHANGE, charter.UNDO)


class Negotiation:
    """Reads contracts, and finds out what somebody wants of theirs; the ledger writes it down."""

    def __init__(self, *, store: Store, notices: Notices, rights: Rights, command: str) -> None:
        self._store = store
        self._notices = notices
        self._command = command
        self.rights = rights

    async def contract(self, workspace: str, channel: str) -> Contract:
        """Return what holds in a channel."""
        async with self._store.begin() as tx:
            return await self._notices.contract(tx, workspace, channel)

    def defaults(self, channel: str) -> NoisePolicy:
        """Return what holds in a channel that set nothing itself."""
        return amendments.defaults(self._notices.notify, channel)

    async def obey(self, workspace: str, ask: Ask, command: Command) -> list[Part]:
        """Do what a typed command says."""
        contract = await self.contract(workspace, ask.channel)
        if command.verb is Verb.SETTINGS:
            return [Say(charter.reading(contract))]
        if refusal := await self.rights.refusal(ask.user, ask.channel):
            return [Say(answers.sentence(refusal))]
        return [self._change(command, contract)]

    def _change(self, command: Command, contract: Contract) -> Part:
        if command.verb is Verb.DEFAULT:
            return Agree(None)
        if command.verb is not Verb.SET:
            return Agree(amendments.preset(command.verb))
        meant = understood(command.words, contract.policy)
        if isinstance(meant, Unclear):
            return Say(charter.unclear(meant, self._command))
        return Agree(meant)

    async def fulfil(self, workspace: str, ask: Ask) -> list[Part]:
        """Do what the modal or a button wishes; without a modal, the contract is read out."""
        if ask.action == charter.CHANGE:
            return [Say(charter.reading(await self.contract(workspace, ask.channel)))]
        if refusal := await self.rights.refusal(ask.user, ask.channel):
            return [Say(answers.sentence(refusal))]
        wish = Wish.model_validate_json(ask.value)
        amendments.amended(NoisePolicy(), wish.changes)  # raises here rather than in the ledger
        return [Agree(wish.changes, wish.revision)]
