"""Opens, updates and submits the settings modal; answers its option requests."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.parser import Verb, typed
from bot.notifications import settings_patch
from bot.notifications.settings_text import CHANGE
from bot.sdk.errors import JobthreadError, SlackError, StoreError, trail
from bot.slack import settings_modal, settings_options, settings_submission
from bot.slack.events import workspace_of
from bot.slack.settings_modal import Page

if TYPE_CHECKING:
    from bot.commands.channel_settings import Negotiation
    from bot.commands.inbox_worker import Desk
    from bot.notifications.effective_settings import Contract
    from bot.notifications.policy import NoisePolicy
    from bot.sdk.clock import Clock
    from bot.slack.events import Payload
    from bot.slack.users import Directory, Group, WebApi

log = logging.getLogger(__name__)

TRIGGER_SECONDS = 2.0  # to open the modal; a trigger_id expires after 3
READ_SECONDS = 1.0  # to load the channel settings
LIST_SECONDS = 2.0  # to load options; Slack waits for 3


def is_wanted(body: Payload) -> bool:
    """Whether the payload opens the modal: `/job settings`, or the button "Change …"."""
    if "command" in body:
        command = typed(body.get("text") or "")
        return command.verb is Verb.SETTINGS
    if body.get("type") != "block_actions":
        return False
    in_message = (body.get("container") or {}).get("type") == "message"
    return in_message and bool(body["actions"][0].get("action_id") == CHANGE)


class SettingsTalk:
    """Handles the settings modal within Slack's deadlines; a submission becomes a request."""

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
        self._inbox_worker = desk
        self._settings_commands = negotiation
        self._users = directory
        self._clock = clock

    async def open(self, body: Payload) -> bool:
        """Open the modal; False: it did not open, and the caller must enqueue the request."""
        try:
            async with asyncio.timeout(TRIGGER_SECONDS):
                view = await self._initial_view(body)
                await self._api.call("views.open", {"trigger_id": body["trigger_id"], "view": view})
        except (JobthreadError, TimeoutError) as error:
            log.warning("cannot open the settings modal: %s", trail(error))
            return False
        return True

    async def refill(self, body: Payload, preset: str) -> bool:
        """Fill a preset or the defaults into the open modal, without saving; False on failure."""
        page = settings_submission.page_of(body)
        try:
            async with asyncio.timeout(TRIGGER_SECONDS):
                contract = await self._load_settings(workspace_of(body), page.channel)
                filled = self._preset_values(page, preset, contract)
                view = self._view(page.refilled(preset), contract, filled)
                target = {"view_id": body["view"]["id"], "hash": body["view"].get("hash")}
                await self._api.call("views.update", {**target, "view": view})
        except (JobthreadError, TimeoutError) as error:
            log.warning("cannot update the settings modal: %s", trail(error))
            return False
        return True

    async def suggest(self, body: Payload) -> Payload:
        """Return the options that match the text typed into a select of the modal."""
        word = str(body.get("value") or "")
        if body.get("action_id") == settings_modal.ZONE:
            return settings_options.offer_zones(word, await self._time_zone(body["user"]["id"]))
        return settings_options.offer_groups(word, await self._groups())

    async def submit(self, body: Payload) -> dict[str, str]:
        """Enqueue the request, or return a sentence for each invalid input, by block id."""
        if invalid := settings_submission.errors(body):
            return invalid
        page, workspace = settings_submission.page_of(body), workspace_of(body)
        try:
            if (await self._load_settings(workspace, page.channel)).revision != page.revision:
                return settings_submission.overtaken(body)
            incoming = settings_submission.submitted(body, self._clock.now())
            await self._inbox_worker.take(incoming.workspace, incoming.key, incoming.ask)
        except (StoreError, TimeoutError) as error:
            log.error("cannot store the channel settings: %s", trail(error))
            return settings_submission.busy(body, replies.busy().text)
        return {}

    async def _initial_view(self, body: Payload) -> Payload:
        """Return the modal for the user; read-only without permission to change the settings."""
        if "command" in body:
            workspace, channel, user = body["team_id"], body["channel_id"], body["user_id"]
        else:
            workspace, channel = workspace_of(body), body["container"]["channel_id"]
            user = body["user"]["id"]
        contract = await self._load_settings(workspace, channel)
        if refusal := await self._settings_commands.rights.refusal(user, channel):
            return settings_modal.reading(contract, refusal)
        page = Page(channel=channel, revision=contract.revision)
        return self._view(page, contract, contract.policy)

    def _view(self, page: Page, contract: Contract, filled: NoisePolicy) -> Payload:
        group = self._users.handle(filled.group)
        return settings_modal.view(page, contract, filled, group)

    def _preset_values(self, page: Page, preset: str, contract: Contract) -> NoisePolicy:
        if preset == Verb.DEFAULT:
            return self._settings_commands.defaults(page.channel)
        return settings_patch.amended(contract.policy, settings_patch.preset(preset))

    async def _load_settings(self, workspace: str, channel: str) -> Contract:
        async with asyncio.timeout(READ_SECONDS):
            return await self._settings_commands.contract(workspace, channel)

    async def _time_zone(self, user: str) -> str:
        """Return the user's time zone, or "" if Slack does not return it in time."""
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return (await self._users.person(user)).zone
        except (SlackError, TimeoutError) as error:
            log.warning("cannot load a user's time zone: %s", trail(error))
            return ""

    async def _groups(self) -> tuple[Group, ...]:
        """Return the user groups, or none if Slack does not return them in time."""
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self._users.groups()
        except (SlackError, TimeoutError) as error:
            log.warning("cannot load the user groups: %s", trail(error))
            return ()
