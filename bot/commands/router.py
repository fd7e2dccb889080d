"""Routes a request to the code that answers it; sends the waiting notice."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from bot.commands import channel_settings, queries, replies
from bot.commands.actions import Action, FollowFromCard, RefreshCard, Reply, ShowJob, Unfollow
from bot.commands.board_actions import BoardActions
from bot.commands.error_replies import correlation_id, error_reply, internal_error_reply
from bot.commands.parser import (
    MAX_REFERENCES,
    Command,
    Verb,
    parse_button_value,
    parse_command,
    parse_mention,
    parse_shared_message,
)
from bot.commands.request import Request, RequestKind
from bot.commands.show_jobs import already_followed_reply
from bot.providers import fetch, references
from bot.sdk.cards import blocks, job_card, overflow_menu
from bot.sdk.errors import BadReference, JobthreadError
from bot.sdk.models import Job, JobRef
from bot.store import InboxItem, Store, Transaction, WatchState

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime

    from bot.commands.channel_settings import ChannelSettingsCommands
    from bot.commands.executor import ActionExecutor
    from bot.commands.queries import Queries
    from bot.delivery.permalinks import Workspace
    from bot.notifications.explain import Explainer
    from bot.providers.connections import Connections
    from bot.providers.references import Resolution
    from bot.sdk.clock import Clock
    from bot.sdk.models import Message

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
        store: Store,
        executor: ActionExecutor,
        connections: Connections,
        clock: Clock,
        slack_workspace: Workspace,
        explainer: Explainer,
        command: str,
        channel_settings: ChannelSettingsCommands,
        queries: Queries,
    ) -> None:
        self._explainer = explainer
        self._channel_settings = channel_settings
        self._queries = queries
        self._store = store
        self._connections = connections
        self._executor = executor
        self._clock = clock
        self._slack_workspace = slack_workspace
        self._command = command
        self._board_actions = BoardActions(store, connections, clock)

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
        if request.kind is RequestKind.SETTINGS_FORM:
            return await self._channel_settings.apply_form(workspace, request)
        if request.kind is RequestKind.CLICK:
            return await self._route_click(workspace, request)
        if request.kind is RequestKind.COMMAND:
            return await self._run_command(
                workspace, request, parse_command(request.text), spoken=False
            )
        parse_text = parse_shared_message if request.kind is RequestKind.SHORTCUT else parse_mention
        return await self._run_command(workspace, request, parse_text(request.text), spoken=True)

    async def _run_command(
        self, workspace: str, request: Request, command: Command, *, spoken: bool
    ) -> list[Action]:
        """Run a command. `spoken`: free text, in which words that are no reference are ignored."""
        if command.verb in queries.VERBS:
            return [await self._queries.run(workspace, request, command)]
        if command.verb in channel_settings.VERBS:
            return await self._channel_settings.run_command(workspace, request, command)
        return await self._run_job_command(workspace, request, command, spoken=spoken)

    async def _run_job_command(
        self, workspace: str, request: Request, command: Command, *, spoken: bool
    ) -> list[Action]:
        if not command.words and command.verb is Verb.SHOW:  # e.g. a message with only an image
            return [self._no_job_found(command)]
        if not command.words:
            return [Reply(replies.no_reference(command.verb, self._command))]
        if not spoken and (suggestion := self._suggest_verb(command)):
            return [suggestion]
        resolved = self._resolve_words(command, request.text if spoken else "")
        if len(resolved) > MAX_REFERENCES:
            return [Reply(replies.too_many(len(resolved)))]
        if not resolved:
            return [self._no_job_found(command)]
        done = await asyncio.gather(
            *(self._run_for_resolution(workspace, request, command, each) for each in resolved)
        )
        return [action for actions in done for action in actions]

    def _suggest_verb(self, command: Command) -> Reply | None:
        """Return a suggestion if the first word is a misspelt verb and no reference.

        A "peak" or "unwacth" must not post a job's card in the channel.
        """
        word = command.words[0]
        if not command.correction or references.resolve(self._connections, word).refs:
            return None
        text = f"{blocks.code(word)} is nothing I can do."
        return Reply(replies.did_you_mean(text, command.correction))

    def _resolve_words(self, command: Command, free_text: str) -> Sequence[Resolution]:
        """Resolve the words; if one is a reference, words that cannot be ids are ignored."""
        if free_text:
            return references.find_in_text(self._connections, " ".join(command.words))
        found = [references.resolve(self._connections, word) for word in command.words]
        resolved = [each for resolution in found for each in resolution.per_job()]
        likely = [each for each in resolved if each.refs or references.looks_like_id(each.word)]
        return list({each.word: each for each in likely or resolved[:1]}.values())

    def _no_job_found(self, command: Command) -> Reply:
        if command.suggestion:
            text = "I found no job in that."
            return Reply(replies.did_you_mean(text, command.suggestion))
        return Reply(replies.nothing_found(self._command))

    async def _run_for_resolution(
        self, workspace: str, request: Request, command: Command, resolution: Resolution
    ) -> list[Action]:
        if len(resolution.refs) > 1:
            choices = [(ref, ref.connection) for ref in resolution.refs]
            text = f"Several systems may know {resolution.word}."
            return [Reply(replies.choose_job(text, choices, command.with_word))]
        if not resolution.refs:
            return [Reply(await self._explain_unresolved(workspace, request, command, resolution))]
        ref = resolution.refs[0]
        match command.verb:
            case Verb.PEEK:
                return [await self._peek(ref, command)]
            case Verb.UNWATCH:
                return [Unfollow(ref)]
            case Verb.WHY:
                return [Reply(await self._explainer.explain_job(workspace, request.channel, ref))]
        return [await self._show(workspace, request, ref)]

    async def _explain_unresolved(
        self, workspace: str, request: Request, command: Command, resolution: Resolution
    ) -> Message:
        """Return the reply to a word that is no reference, with a suggestion."""
        if command.suggestion and not resolution.suggestion:
            text = f"{blocks.code(resolution.word)} is nothing I can do."
            return replies.did_you_mean(text, command.suggestion)
        name = resolution.word.partition(":")[0].lower()
        named = [name] if not resolution.suggestion and name in self._connections.names else []
        known = (
            await self._queries.examples.find_each(workspace, request.channel, named)
            if named
            else {}
        )
        return replies.not_understood(resolution, self._command, command.with_word, known.get(name))

    async def _show(self, workspace: str, request: Request, ref: JobRef) -> Action:
        async with self._store.begin() as tx:
            known = await _stored_revision(tx, workspace, ref)  # no row: the job is not followed
            watch = await tx.watches.find(workspace, request.channel, ref) if known else None
        if watch and watch.state is WatchState.ACTIVE:
            return already_followed_reply(self._slack_workspace, watch)
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return error_reply(found, ref)
        return ShowJob(found, known if found.ref == ref else None)

    async def _peek(self, ref: JobRef, command: Command) -> Reply:
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return error_reply(found, ref, command.with_word)
        return Reply(self._card(found, job_card.CardContext(checked_at=self._now(), only_you=True)))

    async def _fetch(self, ref: JobRef) -> Job | JobthreadError:
        provider = self._connections.get(ref.connection)
        if provider is None:
            return BadReference(f"There is no connection {ref.connection} any more.")
        return await fetch.fetch_requested(provider, ref)

    def _card(self, job: Job, view: job_card.CardContext) -> Message:
        return fetch.card(self._connections.get(job.ref.connection), job, view)

    async def _route_click(self, workspace: str, request: Request) -> list[Action]:
        """Run a click. A button's value is a reference or a command, never a state."""
        prefix: list[Action] = [Reply(None, delete=True)] if request.ephemeral else []
        if request.action.startswith("run"):
            return [
                *prefix,
                *await self._run_command(
                    workspace, request, parse_button_value(request.value), spoken=False
                ),
            ]
        if request.action == overflow_menu.ACTION_ID and request.message_ts is not None:
            return await self._run_menu_option(workspace, request, request.message_ts)
        if request.action.startswith("board_"):
            return await self._board_actions.run(workspace, request)
        if channel_settings.handles(request):
            return [*prefix, *await self._channel_settings.apply_form(workspace, request)]
        if request.action in ("refresh", "follow", "unfollow"):
            return await self._run_card_button(workspace, request)
        return []

    async def _run_card_button(self, workspace: str, request: Request) -> list[Action]:
        """Run a button of a card."""
        ref = _parse_reference(request.value)
        if request.action == "unfollow":
            return [Unfollow(ref)]
        if request.action == "follow" and request.ephemeral:
            return [Reply(None, delete=True), await self._show(workspace, request, ref)]
        return [await self._refresh_or_follow(workspace, request, ref)]

    async def _run_menu_option(self, workspace: str, request: Request, ts: str) -> list[Action]:
        """Run an option of a message's menu; the message identifies the job."""
        if request.value == overflow_menu.WHY:
            return [Reply(await self._explainer.explain_message(workspace, request.channel, ts))]
        if request.value == overflow_menu.STOP:
            watch = await self._explainer.find_watch(workspace, request.channel, ts)
            return [Unfollow(watch.ref) if watch else Reply(replies.unknown_message())]
        return await self._run_command(
            workspace, request, parse_button_value(request.value), spoken=False
        )

    async def _refresh_or_follow(self, workspace: str, request: Request, ref: JobRef) -> Action:
        """Refresh the clicked card, or follow its job from it."""
        async with self._store.begin() as tx:
            known = await _stored_revision(tx, workspace, ref)
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return error_reply(found, ref)
        if request.ephemeral or request.message_ts is None:
            view = job_card.CardContext(checked_at=self._now(), only_you=True)
            return Reply(self._card(found, view), replace=True)
        if request.action == "refresh":
            return RefreshCard(found, request.message_ts, known)
        return FollowFromCard(found, request.message_ts, known)

    def _now(self) -> datetime:
        return self._clock.now()


async def _stored_revision(tx: Transaction, workspace: str, ref: JobRef) -> int:
    """Return the revision of a job's row, 0 if there is none; read before the job is fetched."""
    tracked = (await tx.jobs.get(workspace, [ref])).get(ref)
    return tracked.revision if tracked else 0


def _parse_reference(value: str) -> JobRef:
    connection, _, id_ = value.partition(":")
    if not connection or not id_:
        raise BadReference("That button names no job.")
    return JobRef(connection=connection, id=id_)
