"""Handles the commands that read or change channel settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import ChangeSettings, Reply
from bot.commands.parser import Command, Verb
from bot.commands.settings_parser import ParseError, parse_setting
from bot.notifications import settings_patch, settings_text
from bot.notifications.policy import NotificationPolicy
from bot.notifications.settings_patch import SettingsPatch
from bot.sdk.cards import blocks
from bot.sdk.cards.action_ids import ActionId

if TYPE_CHECKING:
    from bot.commands.actions import Action
    from bot.commands.permissions import Permissions
    from bot.commands.request import Request
    from bot.commands.routes import ClickTable, VerbTable
    from bot.notifications.effective_settings import ChannelSettings
    from bot.notifications.notifier import Notifier
    from bot.store import Store


class ChannelSettingsCommands:
    """Reads channel settings and parses changes; the action executor stores them."""

    def __init__(
        self, *, store: Store, notifier: Notifier, permissions: Permissions, command: str
    ) -> None:
        self._store = store
        self._notifier = notifier
        self._command = command
        self.permissions = permissions

    async def effective_settings(self, workspace: str, channel: str) -> ChannelSettings:
        """Return the effective settings of a channel."""
        async with self._store.begin() as tx:
            return await self._notifier.channel_settings(tx, workspace, channel)

    def defaults(self, channel: str) -> NotificationPolicy:
        """Return the policy of a channel without settings of its own."""
        return settings_patch.defaults(self._notifier.settings, channel)

    @property
    def verbs(self) -> VerbTable:
        """The handlers of typed commands."""
        presets = (Verb.QUIET, Verb.NORMAL, Verb.VERBOSE)
        changes = dict.fromkeys((*presets, Verb.DEFAULT, Verb.SET), self._change)
        return {Verb.SETTINGS: self._show, **changes}

    @property
    def clicks(self) -> ClickTable:
        """The handlers of the settings buttons in messages."""
        return {
            ActionId.SETTINGS_CHANGE: self._click_change,
            ActionId.SETTINGS_UNDO: self.apply_patch,
        }

    async def _show(self, workspace: str, request: Request, command: Command) -> list[Action]:
        del command
        return await self._click_change(workspace, request)

    async def _click_change(self, workspace: str, request: Request) -> list[Action]:
        """Reply with the settings: the modal did not open."""
        settings = await self.effective_settings(workspace, request.channel)
        return [Reply(settings_text.render_settings(settings))]

    async def _change(self, workspace: str, request: Request, command: Command) -> list[Action]:
        """Return the actions of a typed change."""
        if denial := await self.permissions.denial_reason(request.user, request.channel):
            return [Reply(blocks.text_message(denial))]
        settings = await self.effective_settings(workspace, request.channel)
        return [self._parse_change(command, settings)]

    def _parse_change(self, command: Command, settings: ChannelSettings) -> Action:
        if command.verb is Verb.DEFAULT:
            return ChangeSettings(None)
        if command.verb is not Verb.SET:
            return ChangeSettings(settings_patch.preset_changes(command.verb))
        patch = parse_setting(command.words, settings.policy)
        if isinstance(patch, ParseError):
            return Reply(replies.setting_not_understood(patch, self._command))
        return ChangeSettings(patch)

    async def apply_patch(self, workspace: str, request: Request) -> list[Action]:
        """Return the actions of a submitted modal or of Undo; the value is a settings patch."""
        del workspace
        if denial := await self.permissions.denial_reason(request.user, request.channel):
            return [Reply(blocks.text_message(denial))]
        patch = SettingsPatch.model_validate_json(request.value)
        settings_patch.apply_patch(
            NotificationPolicy(), patch.changes
        )  # raises here, not in the executor
        return [ChangeSettings(patch.changes, patch.revision)]
