"""Routes a request to the code that answers it; sends the waiting notice."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from bot.commands import channel_settings, queries, replies
from bot.commands.actions import Adopt, Part, Redraw, Say, Show, Stop
from bot.commands.board_actions import BoardClicks
from bot.commands.error_replies import log_id, told, unexpected
from bot.commands.parser import (
    MOST_REFERENCES,
    Command,
    Verb,
    of_message,
    parse,
    typed,
    verb_of_mention,
)
from bot.commands.request import Ask, Kind
from bot.commands.show_jobs import followed_already
from bot.providers import fetch, references
from bot.sdk.cards import blocks, job_card, overflow_menu
from bot.sdk.errors import BadReference, JobthreadError
from bot.sdk.models import Job, JobRef
from bot.store import Question, Store, Transaction, WatchState

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime

    from bot.commands.channel_settings import Negotiation
    from bot.commands.executor import Ledger
    from bot.commands.queries import Listings
    from bot.delivery.permalinks import Home
    from bot.notifications.explain import Reasons
    from bot.providers.connections import Connections
    from bot.providers.references import Resolution
    from bot.sdk.clock import Clock
    from bot.sdk.models import Message

log = logging.getLogger(__name__)

# Delay of the waiting notice. It cannot be removed later: a response_url replaces or deletes only
# the message that was clicked, and a command has none.
# https://docs.slack.dev/messaging/modifying-messages
WAITING_NOTICE_SECONDS = 2.0


class Service:
    """Answers inbox items. The actions of an answer run in one transaction."""

    def __init__(
        self,
        *,
        store: Store,
        ledger: Ledger,
        connections: Connections,
        clock: Clock,
        home: Home,
        reasons: Reasons,
        command: str,
        negotiation: Negotiation,
        listing: Listings,
    ) -> None:
        self._explainer = reasons
        self._channel_settings = negotiation
        self._queries = listing
        self._store = store
        self._connections = connections
        self._executor = ledger
        self._clock = clock
        self._slack_workspace = home
        self._command = command
        self._board_actions = BoardClicks(store, connections, clock)

    async def answer(self, item: Question) -> None:
        """Answer and close an item; the requester gets a reply to every error."""
        request = Ask.model_validate(item.body)
        work = self._route(item.workspace, request)
        actions = await self._with_waiting_notice(item, request, work)
        await self._executor.commit(item, request, actions)

    async def give_up(self, item: Question) -> None:
        """Close an item that failed too often, and notify the requester."""
        id_ = log_id()
        log.error("[%s] giving up inbox item %s", id_, item.id)
        request = Ask.model_validate(item.body)
        await self._executor.commit(item, request, [Say(replies.trouble(id_))])

    async def _with_waiting_notice(
        self, item: Question, request: Ask, work: Coroutine[Any, Any, list[Part]]
    ) -> list[Part]:
        """Await the work; if a command takes long, send the waiting notice."""
        task = asyncio.ensure_future(self._catch_errors(work))
        if request.kind is Kind.COMMAND:
            timer = asyncio.ensure_future(self._clock.sleep(WAITING_NOTICE_SECONDS))
            await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
            timer.cancel()
            if not task.done():
                await self._send_waiting_notice(item, request)
        return await task

    async def _send_waiting_notice(self, item: Question, request: Ask) -> None:
        words = typed(request.text).words
        message = replies.looking_up(words[-1] if words else request.text)
        await self._executor.say(item, request, Say(message), "wait")

    async def _catch_errors(self, work: Coroutine[Any, Any, list[Part]]) -> list[Part]:
        try:
            return await work
        except JobthreadError as error:
            return [told(error, None)]
        except Exception as error:  # noqa: BLE001  the edge of a request
            return [unexpected(error)]

    async def _route(self, workspace: str, request: Ask) -> list[Part]:
        if request.kind is Kind.FORM:
            return await self._channel_settings.fulfil(workspace, request)
        if request.kind is Kind.CLICK:
            return await self._route_click(workspace, request)
        if request.kind is Kind.COMMAND:
            return await self._run_command(workspace, request, typed(request.text), spoken=False)
        parse_text = of_message if request.kind is Kind.SHORTCUT else verb_of_mention
        return await self._run_command(workspace, request, parse_text(request.text), spoken=True)

    async def _run_command(
        self, workspace: str, request: Ask, command: Command, *, spoken: bool
    ) -> list[Part]:
        """Run a command. `spoken`: free text, in which words that are no reference are ignored."""
        if command.verb in queries.VERBS:
            return [await self._queries.obey(workspace, request, command)]
        if command.verb in channel_settings.VERBS:
            return await self._channel_settings.obey(workspace, request, command)
        return await self._run_job_command(workspace, request, command, spoken=spoken)

    async def _run_job_command(
        self, workspace: str, request: Ask, command: Command, *, spoken: bool
    ) -> list[Part]:
        if not command.words and command.verb is Verb.ASK:  # e.g. a message with only an image
            return [self._no_job_found(command)]
        if not command.words:
            return [Say(replies.no_reference(command.verb, self._command))]
        if not spoken and (suggestion := self._suggest_verb(command)):
            return [suggestion]
        resolved = self._resolve_words(command, request.text if spoken else "")
        if len(resolved) > MOST_REFERENCES:
            return [Say(replies.too_many(len(resolved)))]
        if not resolved:
            return [self._no_job_found(command)]
        done = await asyncio.gather(
            *(self._run_for_resolution(workspace, request, command, each) for each in resolved)
        )
        return [action for actions in done for action in actions]

    def _suggest_verb(self, command: Command) -> Say | None:
        """Return a suggestion if the first word is a misspelt verb and no reference.

        A "peak" or "unwacth" must not post a job's card in the channel.
        """
        word = command.words[0]
        if not command.meant or references.resolve(self._connections, word).refs:
            return None
        text = f"{blocks.code(word)} is nothing I can do."
        return Say(replies.did_you_mean(text, command.meant))

    def _resolve_words(self, command: Command, free_text: str) -> Sequence[Resolution]:
        """Resolve the words; if one is a reference, words that cannot be ids are ignored."""
        if free_text:
            return references.in_free_text(self._connections, " ".join(command.words))
        found = [references.resolve(self._connections, word) for word in command.words]
        resolved = [each for resolution in found for each in resolution.each()]
        likely = [each for each in resolved if each.refs or references.like_an_id(each.word)]
        return list({each.word: each for each in likely or resolved[:1]}.values())

    def _no_job_found(self, command: Command) -> Say:
        if command.suggestion:
            text = "I found no job in that."
            return Say(replies.did_you_mean(text, command.suggestion))
        return Say(replies.nothing_found(self._command))

    async def _run_for_resolution(
        self, workspace: str, request: Ask, command: Command, resolution: Resolution
    ) -> list[Part]:
        if len(resolution.refs) > 1:
            choices = [(ref, ref.connection) for ref in resolution.refs]
            text = f"Several systems may know {resolution.word}."
            return [Say(replies.choose(text, choices, command.on))]
        if not resolution.refs:
            return [Say(await self._explain_unresolved(workspace, request, command, resolution))]
        ref = resolution.refs[0]
        match command.verb:
            case Verb.PEEK:
                return [await self._peek(ref, command)]
            case Verb.UNWATCH:
                return [Stop(ref)]
            case Verb.WHY:
                return [Say(await self._explainer.of_job(workspace, request.channel, ref))]
        return [await self._show(workspace, request, ref)]

    async def _explain_unresolved(
        self, workspace: str, request: Ask, command: Command, resolution: Resolution
    ) -> Message:
        """Return the reply to a word that is no reference, with a suggestion."""
        if command.suggestion and not resolution.suggestion:
            text = f"{blocks.code(resolution.word)} is nothing I can do."
            return replies.did_you_mean(text, command.suggestion)
        name = resolution.word.partition(":")[0].lower()
        named = [name] if not resolution.suggestion and name in self._connections.names else []
        known = await self._queries.examples.of(workspace, request.channel, named) if named else {}
        return replies.not_understood(resolution, self._command, command.on, known.get(name))

    async def _show(self, workspace: str, request: Ask, ref: JobRef) -> Part:
        async with self._store.begin() as tx:
            known = await _stored_revision(tx, workspace, ref)  # no row: the job is not followed
            watch = await tx.watches.find(workspace, request.channel, ref) if known else None
        if watch and watch.state is WatchState.ACTIVE:
            return followed_already(self._slack_workspace, watch)
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return told(found, ref)
        return Show(found, known if found.ref == ref else None)

    async def _peek(self, ref: JobRef, command: Command) -> Say:
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return told(found, ref, command.on)
        return Say(self._card(found, job_card.View(checked_at=self._now(), only_you=True)))

    async def _fetch(self, ref: JobRef) -> Job | JobthreadError:
        provider = self._connections.get(ref.connection)
        if provider is None:
            return BadReference(f"There is no connection {ref.connection} any more.")
        return await fetch.first_look(provider, ref)

    def _card(self, job: Job, view: job_card.View) -> Message:
        return fetch.card(self._connections.get(job.ref.connection), job, view)

    async def _route_click(self, workspace: str, request: Ask) -> list[Part]:
        """Run a click. A button's value is a reference or a command, never a state."""
        prefix: list[Part] = [Say(None, delete=True)] if request.ephemeral else []
        if request.action.startswith("run"):
            return [
                *prefix,
                *await self._run_command(workspace, request, parse(request.value), spoken=False),
            ]
        if request.action == overflow_menu.ACTION and request.message_ts is not None:
            return await self._run_menu_option(workspace, request, request.message_ts)
        if request.action.startswith("board_"):
            return await self._board_actions.answer(workspace, request)
        if channel_settings.is_about(request):
            return [*prefix, *await self._channel_settings.fulfil(workspace, request)]
        if request.action in ("refresh", "follow", "unfollow"):
            return await self._run_card_button(workspace, request)
        return []

    async def _run_card_button(self, workspace: str, request: Ask) -> list[Part]:
        """Run a button of a card."""
        ref = _parse_reference(request.value)
        if request.action == "unfollow":
            return [Stop(ref)]
        if request.action == "follow" and request.ephemeral:
            return [Say(None, delete=True), await self._show(workspace, request, ref)]
        return [await self._refresh_or_follow(workspace, request, ref)]

    async def _run_menu_option(self, workspace: str, request: Ask, ts: str) -> list[Part]:
        """Run an option of a message's menu; the message identifies the job."""
        if request.value == overflow_menu.WHY:
            return [Say(await self._explainer.of_message(workspace, request.channel, ts))]
        if request.value == overflow_menu.STOP:
            watch = await self._explainer.watch_at(workspace, request.channel, ts)
            return [Stop(watch.ref) if watch else Say(replies.not_followed_any_more())]
        return await self._run_command(workspace, request, parse(request.value), spoken=False)

    async def _refresh_or_follow(self, workspace: str, request: Ask, ref: JobRef) -> Part:
        """Refresh the clicked card, or follow its job from it."""
        async with self._store.begin() as tx:
            known = await _stored_revision(tx, workspace, ref)
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return told(found, ref)
        if request.ephemeral or request.message_ts is None:
            view = job_card.View(checked_at=self._now(), only_you=True)
            return Say(self._card(found, view), replace=True)
        if request.action == "refresh":
            return Redraw(found, request.message_ts, known)
        return Adopt(found, request.message_ts, known)

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
