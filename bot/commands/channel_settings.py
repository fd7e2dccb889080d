"""Handles the commands that read or change channel settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import ChangeSettings, Reply
from bot.commands.parser import Command, Verb
from bot.commands.request import RequestKind
from bot.commands.settings_parser import ParseError, parse_setting
from bot.notifications import settings_patch, settings_text
from bot.notifications.policy import NotificationPolicy
from bot.notifications.settings_patch import SettingsPatch
from bot.sdk.cards import blocks

if TYPE_CHECKING:
    from bot.commands.actions import Action
    from bot.commands.permissions import Permissions
    from bot.commands.request import Request
    from bot.notifications.effective_settings import ChannelSettings
    from bot.notifications.notifier import Notifier
    from bot.store import Store

VERBS = frozenset({Verb.SETTINGS, Verb.QUIET, Verb.NORMAL, Verb.VERBOSE, Verb.DEFAULT, Verb.SET})


def handles(request: Request) -> bool:
    """Whether a request comes from the settings modal or a settings button."""
    return request.kind is RequestKind.SETTINGS_FORM or request.action in (
        settings_text.CHANGE_ACTION_ID,
        settings_text.UNDO_ACTION_ID,
    )


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

    async def run_command(self, workspace: str, request: Request, command: Command) -> list[Action]:
        """Return the actions of a typed command."""
        settings = await self.effective_settings(workspace, request.channel)
        if command.verb is Verb.SETTINGS:
            return [Reply(settings_text.render_settings(settings))]
        if denial := await self.permissions.denial_reason(request.user, request.channel):
            return [Reply(blocks.text_message(denial))]
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

    async def apply_form(self, workspace: str, request: Request) -> list[Action]:
        """Return the actions of the modal or a button. Without a modal, reply with the settings."""
        if request.action == settings_text.CHANGE_ACTION_ID:
            return [
                Reply(
                    settings_text.render_settings(
                        await self.effective_settings(workspace, request.channel)
                    )
                )
            ]
        if denial := await self.permissions.denial_reason(request.user, request.channel):
            return [Reply(blocks.text_message(denial))]
        patch = SettingsPatch.model_validate_json(request.value)
        settings_patch.apply_patch(
            NotificationPolicy(), patch.changes
        )  # raises here, not in the executor
        return [ChangeSettings(patch.changes, patch.revision)]
