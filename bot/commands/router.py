"""Routes a request by tables to the code that answers it; sends the waiting notice."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from bot.commands import replies
from bot.commands.actions import Action, Reply, Unfollow
from bot.commands.error_replies import correlation_id, error_reply, internal_error_reply
from bot.commands.parser import (
    Command,
    parse_button_value,
    parse_command,
    parse_mention,
    parse_shared_message,
)
from bot.commands.request import Request, RequestKind
from bot.sdk.cards import overflow_menu
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.errors import JobthreadError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from bot.commands.board_actions import BoardActions
    from bot.commands.channel_settings import ChannelSettingsCommands
    from bot.commands.executor import ActionExecutor
    from bot.commands.job_commands import JobCommands
    from bot.commands.queries import Queries
    from bot.commands.routes import ClickHandler, ClickTable, VerbTable
    from bot.notifications.explain import Explainer
    from bot.sdk.clock import Clock
    from bot.store import InboxItem

log = logging.getLogger(__name__)

# Delay of the waiting notice. It cannot be removed later: a response_url replaces or deletes only
# the message that was clicked, and a command has none.
# https://docs.slack.dev/messaging/modifying-messages
WAITING_NOTICE_SECONDS = 2.0


class RequestRouter:
    """Answers inbox items. The actions of an answer run in one transaction."""

    def __init__(
        self,
        *,
        executor: ActionExecutor,
        clock: Clock,
        explainer: Explainer,
        job_commands: JobCommands,
        channel_settings: ChannelSettingsCommands,
        queries: Queries,
        board_actions: BoardActions,
    ) -> None:
        self._explainer = explainer
        self._executor = executor
        self._clock = clock
        self.verbs: VerbTable = {**queries.verbs, **channel_settings.verbs, **job_commands.verbs}
        self.clicks: ClickTable = {
            **job_commands.clicks,
            **board_actions.clicks,
            **channel_settings.clicks,
            ActionId.RUN: self._run_value,
            ActionId.MENU: self._choose_from_menu,
            ActionId.OPEN: _ignore,
        }
        self.kinds: Mapping[RequestKind, ClickHandler] = {
            **dict.fromkeys(_TEXT_PARSERS, self._run_text),
            RequestKind.CLICK: self._click,
            RequestKind.SETTINGS_FORM: channel_settings.apply_patch,
        }
        self._menu_options: Mapping[str, Callable[[str, str, str], Awaitable[Action]]] = {
            overflow_menu.WHY: self._explain_message,
            overflow_menu.STOP: self._unfollow_message,
        }

    async def answer(self, item: InboxItem) -> None:
        """Answer and close an item; the requester gets a reply to every error."""
        request = Request.model_validate(item.body)
        work = self._route(item.workspace, request)
        actions = await self._with_waiting_notice(item, request, work)
        await self._executor.commit(item, request, actions)

    async def give_up(self, item: InboxItem) -> None:
        """Close an item that failed too often, and notify the requester."""
        id_ = correlation_id()
        log.error("[%s] giving up inbox item %s", id_, item.id)
        request = Request.model_validate(item.body)
        await self._executor.commit(item, request, [Reply(replies.internal_error(id_))])

    async def _with_waiting_notice(
        self, item: InboxItem, request: Request, work: Coroutine[Any, Any, list[Action]]
    ) -> list[Action]:
        """Await the work; if a command takes long, send the waiting notice."""
        task = asyncio.ensure_future(self._catch_errors(work))
        if request.kind is RequestKind.COMMAND:
            timer = asyncio.ensure_future(self._clock.sleep(WAITING_NOTICE_SECONDS))
            await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
            timer.cancel()
            if not task.done():
                await self._send_waiting_notice(item, request)
        return await task

    async def _send_waiting_notice(self, item: InboxItem, request: Request) -> None:
        words = parse_command(request.text).words
        message = replies.looking_up(words[-1] if words else request.text)
        await self._executor.send_interim_reply(item, request, Reply(message), "wait")

    async def _catch_errors(self, work: Coroutine[Any, Any, list[Action]]) -> list[Action]:
        try:
            return await work
        except JobthreadError as error:
            return [error_reply(error, None)]
        except Exception as error:  # noqa: BLE001  the edge of a request
            return [internal_error_reply(error)]

    async def _route(self, workspace: str, request: Request) -> list[Action]:
        return await self.kinds[request.kind](workspace, request)

    async def _run_text(self, workspace: str, request: Request) -> list[Action]:
        command = _TEXT_PARSERS[request.kind](request.text)
        return await self.verbs[command.verb](workspace, request, command)

    async def _click(self, workspace: str, request: Request) -> list[Action]:
        """Run a click. A button's value is a reference or a command, never a state."""
        action_id = ActionId.of(request.action_id)
        handler = self.clicks.get(action_id) if action_id else None
        actions = await handler(workspace, request) if handler else []
        if request.ephemeral and action_id in _CLOSING_CLICKS:
            return [Reply(None, delete=True), *actions]
        return actions

    async def _run_value(self, workspace: str, request: Request) -> list[Action]:
        command = parse_button_value(request.value)
        return await self.verbs[command.verb](workspace, request, command)

    async def _choose_from_menu(self, workspace: str, request: Request) -> list[Action]:
        """Run an option of a message's menu; the message identifies the job."""
        if request.message_ts is None:
            return []
        option = self._menu_options.get(request.value)
        if option is None:
            return await self._run_value(workspace, request)
        return [await option(workspace, request.channel, request.message_ts)]

    async def _explain_message(self, workspace: str, channel: str, ts: str) -> Action:
        return Reply(await self._explainer.explain_message(workspace, channel, ts))

    async def _unfollow_message(self, workspace: str, channel: str, ts: str) -> Action:
        watch = await self._explainer.find_watch(workspace, channel, ts)
        return Unfollow(watch.ref) if watch else Reply(replies.unknown_message())


async def _ignore(workspace: str, request: Request) -> list[Action]:
    """Handle a button that is only a link, which Slack opens itself."""
    del workspace, request
    return []


_TEXT_PARSERS: Mapping[RequestKind, Callable[[str], Command]] = {
    RequestKind.COMMAND: parse_command,
    RequestKind.MENTION: parse_mention,
    RequestKind.DIRECT: parse_mention,
    RequestKind.SHORTCUT: parse_shared_message,
}
# A click on one of these also deletes the ephemeral message that it is in.
_CLOSING_CLICKS = (ActionId.RUN, ActionId.SETTINGS_CHANGE, ActionId.SETTINGS_UNDO)
