"""Opens, updates and submits the settings modal; answers its option requests."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.parser import Verb
from bot.notifications import settings_patch
from bot.sdk.errors import JobthreadError, SlackError, StoreError, origin
from bot.slack import settings_modal, settings_options, settings_submission
from bot.slack.payloads import workspace_id
from bot.slack.settings_modal import ModalContext

if TYPE_CHECKING:
    from bot.commands.channel_settings import ChannelSettingsCommands
    from bot.commands.inbox_worker import InboxWorker
    from bot.notifications.effective_settings import ChannelSettings
    from bot.notifications.policy import NotificationPolicy
    from bot.sdk.clock import Clock
    from bot.slack.payloads import Payload
    from bot.slack.users import UserCache, UserGroup, WebApi

log = logging.getLogger(__name__)

TRIGGER_SECONDS = 2.0  # to open the modal; a trigger_id expires after 3
READ_SECONDS = 1.0  # to load the channel settings
LIST_SECONDS = 2.0  # to load options; Slack waits for 3


class SettingsModalFlow:
    """Handles the settings modal within Slack's deadlines; a submission becomes a request."""

    def __init__(
        self,
        *,
        api: WebApi,
        inbox_worker: InboxWorker,
        settings_commands: ChannelSettingsCommands,
        users: UserCache,
        clock: Clock,
    ) -> None:
        self._api = api
        self._inbox_worker = inbox_worker
        self._settings_commands = settings_commands
        self._users = users
        self._clock = clock

    async def open(self, body: Payload) -> bool:
        """Open the modal; False: it did not open, and the caller must enqueue the request."""
        try:
            async with asyncio.timeout(TRIGGER_SECONDS):
                view = await self._initial_view(body)
                await self._api.call("views.open", {"trigger_id": body["trigger_id"], "view": view})
        except (JobthreadError, TimeoutError) as error:
            log.warning("cannot open the settings modal: %s", origin(error))
            return False
        return True

    async def apply_preset(self, body: Payload, preset: str) -> bool:
        """Fill a preset or the defaults into the open modal, without saving; False on failure."""
        page = settings_submission.modal_context(body)
        try:
            async with asyncio.timeout(TRIGGER_SECONDS):
                settings = await self._load_settings(workspace_id(body), page.channel)
                filled = self._preset_values(page, preset, settings)
                view = self._view(page.with_preset(preset), settings, filled)
                target = {"view_id": body["view"]["id"], "hash": body["view"].get("hash")}
                await self._api.call("views.update", {**target, "view": view})
        except (JobthreadError, TimeoutError) as error:
            log.warning("cannot update the settings modal: %s", origin(error))
            return False
        return True

    async def options(self, body: Payload) -> Payload:
        """Return the options that match the text typed into a select of the modal."""
        word = str(body.get("value") or "")
        if body.get("action_id") == settings_modal.ZONE:
            return settings_options.time_zone_options(
                word, await self._time_zone(body["user"]["id"])
            )
        return settings_options.user_group_options(word, await self._groups())

    async def submit(self, body: Payload) -> dict[str, str]:
        """Enqueue the request, or return a sentence for each invalid input, by block id."""
        if invalid := settings_submission.input_errors(body):
            return invalid
        page, workspace = settings_submission.modal_context(body), workspace_id(body)
        try:
            if (await self._load_settings(workspace, page.channel)).revision != page.revision:
                return settings_submission.conflict(body)
            incoming = settings_submission.to_request(body, self._clock.now())
            await self._inbox_worker.enqueue(
                incoming.workspace, incoming.idempotency_key, incoming.request
            )
        except (StoreError, TimeoutError) as error:
            log.error("cannot store the channel settings: %s", origin(error))
            return settings_submission.save_failed(body, replies.busy().text)
        return {}

    async def _initial_view(self, body: Payload) -> Payload:
        """Return the modal for the user; read-only without permission to change the settings."""
        if "command" in body:
            workspace, channel, user = body["team_id"], body["channel_id"], body["user_id"]
        else:
            workspace, channel = workspace_id(body), body["container"]["channel_id"]
            user = body["user"]["id"]
        settings = await self._load_settings(workspace, channel)
        if refusal := await self._settings_commands.permissions.denial_reason(user, channel):
            return settings_modal.read_only_view(settings, refusal)
        page = ModalContext(channel=channel, revision=settings.revision)
        return self._view(page, settings, settings.policy)

    def _view(
        self, page: ModalContext, settings: ChannelSettings, filled: NotificationPolicy
    ) -> Payload:
        group = self._users.group_handle(filled.group)
        return settings_modal.view(page, settings, filled, group)

    def _preset_values(
        self, page: ModalContext, preset: str, settings: ChannelSettings
    ) -> NotificationPolicy:
        if preset == Verb.DEFAULT:
            return self._settings_commands.defaults(page.channel)
        return settings_patch.apply_patch(settings.policy, settings_patch.preset_changes(preset))

    async def _load_settings(self, workspace: str, channel: str) -> ChannelSettings:
        async with asyncio.timeout(READ_SECONDS):
            return await self._settings_commands.effective_settings(workspace, channel)

    async def _time_zone(self, user: str) -> str:
        """Return the user's time zone, or "" if Slack does not return it in time."""
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return (await self._users.get_user(user)).time_zone
        except (SlackError, TimeoutError) as error:
            log.warning("cannot load a user's time zone: %s", origin(error))
            return ""

    async def _groups(self) -> tuple[UserGroup, ...]:
        """Return the user groups, or none if Slack does not return them in time."""
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self._users.get_groups()
        except (SlackError, TimeoutError) as error:
            log.warning("cannot load the user groups: %s", origin(error))
            return ()
