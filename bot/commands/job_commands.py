"""Runs the commands and card buttons that name jobs: show, peek, watch, unwatch, why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import Action, FollowFromCard, RefreshCard, Reply, ShowJob, Unfollow
from bot.commands.error_replies import error_reply
from bot.commands.parser import MAX_REFERENCES, Command, Verb
from bot.commands.show_jobs import already_followed_reply
from bot.providers import references
from bot.sdk.cards import blocks, job_card
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.errors import BadReference, JobthreadError
from bot.sdk.models import Job, JobRef
from bot.store import Transaction, WatchState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bot.commands.context import CommandContext
    from bot.commands.request import Request
    from bot.commands.routes import ClickTable, VerbTable
    from bot.providers.references import Resolution
    from bot.sdk.models import Message

    ReferenceHandler = Callable[[str, Request, JobRef], Awaitable[Action]]


class JobCommands:
    """Resolves references and runs a command for each job."""

    def __init__(self, context: CommandContext) -> None:
        self._context = context
        self._by_verb: Mapping[Verb, ReferenceHandler] = {
            Verb.SHOW: self._show,
            Verb.WATCH: self._show,
            Verb.PEEK: self._peek,
            Verb.UNWATCH: self._unfollow,
            Verb.WHY: self._explain,
        }

    @property
    def verbs(self) -> VerbTable:
        """The handlers of typed commands."""
        return dict.fromkeys(self._by_verb, self.run)

    @property
    def clicks(self) -> ClickTable:
        """The handlers of a card's buttons."""
        return {
            ActionId.REFRESH: self._click_refresh,
            ActionId.FOLLOW: self._click_follow,
            ActionId.UNFOLLOW: self._click_unfollow,
        }

    async def run(self, workspace: str, request: Request, command: Command) -> list[Action]:
        """Return the actions for each job that the command names."""
        if reply := self._invalid_command(request, command):
            return [reply]
        resolved = self._resolve_words(command, free_text=request.kind.is_free_text)
        if len(resolved) > MAX_REFERENCES:
            return [Reply(replies.too_many(len(resolved)))]
        if not resolved:
            return [self._no_job_found(command)]
        return await asyncio.gather(
            *(self._run_for_resolution(workspace, request, command, each) for each in resolved)
        )

    def _invalid_command(self, request: Request, command: Command) -> Reply | None:
        """Return the reply to a command without words, or with a misspelt verb."""
        if not command.words and command.verb is Verb.SHOW:  # e.g. a message with only an image
            return self._no_job_found(command)
        if not command.words:
            return Reply(replies.no_reference(command.verb, self._context.command))
        return None if request.kind.is_free_text else self._suggest_verb(command)

    def _suggest_verb(self, command: Command) -> Reply | None:
        """Return a suggestion if the first word is a misspelt verb and no reference.

        A "peak" or "unwacth" must not post a job's card in the channel.
        """
        word = command.words[0]
        if not command.correction or references.resolve(self._context.connections, word).refs:
            return None
        text = f"{blocks.code(word)} is nothing I can do."
        return Reply(replies.did_you_mean(text, command.correction))

    def _resolve_words(self, command: Command, *, free_text: bool) -> Sequence[Resolution]:
        """Resolve the words; if one is a reference, words that cannot be ids are ignored."""
        if free_text:
            return references.find_in_text(self._context.connections, " ".join(command.words))
        found = [references.resolve(self._context.connections, word) for word in command.words]
        resolved = [each for resolution in found for each in resolution.per_job()]
        likely = [each for each in resolved if each.refs or references.looks_like_id(each.word)]
        return list({each.word: each for each in likely or resolved[:1]}.values())

    def _no_job_found(self, command: Command) -> Reply:
        if command.suggestion:
            text = "I found no job in that."
            return Reply(replies.did_you_mean(text, command.suggestion))
        return Reply(replies.nothing_found(self._context.command))

    async def _run_for_resolution(
        self, workspace: str, request: Request, command: Command, resolution: Resolution
    ) -> Action:
        if len(resolution.refs) > 1:
            choices = [(ref, ref.connection) for ref in resolution.refs]
            text = f"Several systems may know {resolution.word}."
            return Reply(replies.choose_job(text, choices, command.with_word))
        if not resolution.refs:
            return Reply(await self._explain_unresolved(workspace, request, command, resolution))
        return await self._by_verb[command.verb](workspace, request, resolution.refs[0])

    async def _explain_unresolved(
        self, workspace: str, request: Request, command: Command, resolution: Resolution
    ) -> Message:
        """Return the reply to a word that is no reference, with a suggestion."""
        if command.suggestion and not resolution.suggestion:
            text = f"{blocks.code(resolution.word)} is nothing I can do."
            return replies.did_you_mean(text, command.suggestion)
        name = resolution.word.partition(":")[0].lower()
        known = None if resolution.suggestion else await self._known_job(workspace, request, name)
        return replies.not_understood(resolution, self._context.command, command.with_word, known)

    async def _known_job(self, workspace: str, request: Request, connection: str) -> JobRef | None:
        """Return a job of the connection, as an example of its references."""
        if connection not in self._context.connections.names:
            return None
        known = await self._context.examples.find_each(workspace, request.channel, [connection])
        return known.get(connection)

    async def _show(self, workspace: str, request: Request, ref: JobRef) -> Action:
        async with self._context.store.begin() as tx:
            known = await _stored_revision(tx, workspace, ref)  # no row: the job is not followed
            watch = await tx.watches.find(workspace, request.channel, ref) if known else None
        if watch and watch.state is WatchState.ACTIVE:
            return already_followed_reply(self._context.slack_workspace, watch)
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return error_reply(found, ref)
        return ShowJob(found, known if found.ref == ref else None)

    async def _peek(self, workspace: str, request: Request, ref: JobRef) -> Reply:
        del workspace, request
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return error_reply(found, ref, Command(Verb.PEEK).with_word)
        return Reply(self._only_you_card(found))

    async def _unfollow(self, workspace: str, request: Request, ref: JobRef) -> Unfollow:
        del workspace, request
        return Unfollow(ref)

    async def _explain(self, workspace: str, request: Request, ref: JobRef) -> Reply:
        return Reply(await self._context.explainer.explain_job(workspace, request.channel, ref))

    async def _fetch(self, ref: JobRef) -> Job | JobthreadError:
        return await self._context.connections.fetch(ref)

    def _only_you_card(self, job: Job) -> Message:
        view = job_card.CardContext(checked_at=self._context.clock.now(), only_you=True)
        return self._context.connections.renderer(job.ref.connection).card(job, view)

    async def _click_unfollow(self, workspace: str, request: Request) -> list[Action]:
        del workspace
        return [Unfollow(_parse_reference(request.value))]

    async def _click_follow(self, workspace: str, request: Request) -> list[Action]:
        """Follow a job from its card; from a card that only one user sees, post a new one."""
        ref = _parse_reference(request.value)
        if request.ephemeral:
            return [Reply(None, delete=True), await self._show(workspace, request, ref)]
        return [await self._fetch_for_card(workspace, request, ref, FollowFromCard)]

    async def _click_refresh(self, workspace: str, request: Request) -> list[Action]:
        ref = _parse_reference(request.value)
        return [await self._fetch_for_card(workspace, request, ref, RefreshCard)]

    async def _fetch_for_card(
        self,
        workspace: str,
        request: Request,
        ref: JobRef,
        action: type[RefreshCard | FollowFromCard],
    ) -> Action:
        """Return an action on the clicked card with the fetched job."""
        async with self._context.store.begin() as tx:
            known = await _stored_revision(tx, workspace, ref)
        found = await self._fetch(ref)
        if not isinstance(found, Job):
            return error_reply(found, ref)
        if request.ephemeral or request.message_ts is None:
            return Reply(self._only_you_card(found), replace=True)
        return action(found, request.message_ts, known)


async def _stored_revision(tx: Transaction, workspace: str, ref: JobRef) -> int:
    """Return the revision of a job's row, 0 if there is none; read before the job is fetched."""
    tracked = (await tx.jobs.get(workspace, [ref])).get(ref)
    return tracked.revision if tracked else 0


def _parse_reference(value: str) -> JobRef:
    connection, _, id_ = value.partition(":")
    if not connection or not id_:
        raise BadReference("That button names no job.")
    return JobRef(connection=connection, id=id_)
