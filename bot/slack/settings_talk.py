"""The talk about a contract's modal: it is opened, refilled, searched in and submitted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot import answers
from bot.channels.charter import CHANGE
from bot.commands import Verb, typed
from bot.errors import JobthreadError, SlackError, StoreError, trail
from bot.noise import amendments
from bot.slack import lists, settings_form, settings_modal
from bot.slack.incoming import workspace_of
from bot.slack.settings_modal import Page

if TYPE_CHECKING:
    from bot.channels.negotiation import Negotiation
    from bot.clock import Clock
    from bot.desk import Desk
    from bot.noise.contracts import Contract
    from bot.noise.policy import NoisePolicy
    from bot.slack.directory import Directory, Group, WebApi
    from bot.slack.incoming import Payload

log = logging.getLogger(__name__)

TRIGGER_SECONDS = 2.0  # until the modal must be open; Slack's trigger lives for three
READ_SECONDS = 1.0  # for reading the contract
LIST_SECONDS = 2.0  # for a list of options; Slack waits for three


def is_wanted(body: Payload) -> bool:
    """Whether somebody typed `/job settings`, or pressed "Change …" under a contract."""
    if "command" in body:
        command = typed(body.get("text") or "")
        return command.verb is Verb.SETTINGS
    if body.get("type") != "block_actions":
        return False
    in_message = (body.get("container") or {}).get("type") == "message"
    return in_message and bool(body["actions"][0].get("action_id") == CHANGE)


class SettingsTalk:
    """Answers Slack about the modal in time; what is submitted becomes a question."""

    def __init__(
        self,
        *,
        api: WebApi,
        desk: Desk,
        negotiation: Negotiation,
        directory: Directory,
        clock: Clock,
    ) -> None:
        self._api = api
        self._desk = desk
        self._negotiation = negotiation
        self._directory = directory
        self._clock = clock

    async def open(self, body: Payload) -> bool:
        """Open the modal at once; False: it is not open, and the question is to be answered."""
        try:
            async with asyncio.timeout(TRIGGER_SECONDS):
                view = await self._drawn(body)
                await self._api.call("views.open", {"trigger_id": body["trigger_id"], "view": view})
        except (JobthreadError, TimeoutError) as error:
            log.warning("the modal of a contract could not be opened: %s", trail(error))
            return False
        return True

    async def refill(self, body: Payload, preset: str) -> bool:
        """Fill a preset, or the defaults, into the open modal; nothing is saved by that."""
        page = settings_form.page_of(body)
        try:
            async with asyncio.timeout(TRIGGER_SECONDS):
                contract = await self._read(workspace_of(body), page.channel)
                filled = self._filled(page, preset, contract)
                view = self._view(page.refilled(preset), contract, filled)
                opened = {"view_id": body["view"]["id"], "hash": body["view"].get("hash")}
                await self._api.call("views.update", {**opened, "view": view})
        except (JobthreadError, TimeoutError) as error:
            log.warning("the modal of a contract could not be refilled: %s", trail(error))
            return False
        return True

    async def suggest(self, body: Payload) -> Payload:
        """Return the options for what was typed into a list of the modal."""
        word = str(body.get("value") or "")
        if body.get("action_id") == settings_modal.ZONE:
            return lists.offer_zones(word, await self._own_zone(body["user"]["id"]))
        return lists.offer_groups(word, await self._groups())

    async def submit(self, body: Payload) -> dict[str, str]:
        """Take in what the modal asks for, or return a sentence for each input that is wrong."""
        if wrong := settings_form.errors(body):
            return wrong
        page, workspace = settings_form.page_of(body), workspace_of(body)
        try:
            if (await self._read(workspace, page.channel)).revision != page.revision:
                return settings_form.overtaken(body)
            incoming = settings_form.submitted(body, self._clock.now())
            await self._desk.take(incoming.workspace, incoming.key, incoming.ask)
        except (StoreError, TimeoutError) as error:
            log.error("a contract could not be stored: %s", trail(error))
            return settings_form.busy(body, answers.busy().text)
        return {}

    async def _drawn(self, body: Payload) -> Payload:
        """Return the modal for whoever wants it; who may change nothing may read."""
        if "command" in body:
            workspace, channel, user = body["team_id"], body["channel_id"], body["user_id"]
        else:
            workspace, channel = workspace_of(body), body["container"]["channel_id"]
            user = body["user"]["id"]
        contract = await self._read(workspace, channel)
        if refusal := await self._negotiation.rights.refusal(user, channel):
            return settings_modal.reading(contract, refusal)
        page = Page(channel=channel, revision=contract.revision)
        return self._view(page, contract, contract.policy)

    def _view(self, page: Page, contract: Contract, filled: NoisePolicy) -> Payload:
        group = self._directory.handle(filled.group)
        return settings_modal.view(page, contract, filled, group)

    def _filled(self, page: Page, preset: str, contract: Contract) -> NoisePolicy:
        if preset == Verb.DEFAULT:
            return self._negotiation.defaults(page.channel)
        return amendments.amended(contract.policy, amendments.preset(preset))

    async def _read(self, workspace: str, channel: str) -> Contract:
        async with asyncio.timeout(READ_SECONDS):
            return await self._negotiation.contract(workspace, channel)

    async def _own_zone(self, user: str) -> str:
        """Return a person's time zone, or "" if Slack does not say in time."""
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return (await self._directory.person(user)).zone
        except (SlackError, TimeoutError) as error:
            log.warning("Slack does not say in which time zone somebody is: %s", trail(error))
            return ""

    async def _groups(self) -> tuple[Group, ...]:
        """Return the user groups, or none if Slack does not list them in time."""
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self._directory.groups()
        except (SlackError, TimeoutError) as error:
            log.warning("Slack does not list the user groups: %s", trail(error))
            return ()
