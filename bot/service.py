"""What the bot does with a question: look, show, follow, stop, list; answered once, or told why."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from bot import answers, listings
from bot.asks import Ask, Kind
from bot.boards.clicks import BoardClicks
from bot.cards import blocks, cards, menu
from bot.channels import negotiation
from bot.commands import (
    MOST_REFERENCES,
    Command,
    Verb,
    of_message,
    parse,
    typed,
    verb_of_mention,
)
from bot.errors import BadReference, JobthreadError
from bot.models import Job, JobRef
from bot.parts import Adopt, Part, Redraw, Say, Show, Stop
from bot.providers import looks, references
from bot.showing import followed_already
from bot.store import Question, Store, Transaction, WatchState
from bot.troubles import log_id, told, unexpected

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import datetime

    from bot.channels.negotiation import Negotiation
    from bot.channels.reasons import Reasons
    from bot.clock import Clock
    from bot.home import Home
    from bot.ledger import Ledger
    from bot.listings import Listings
    from bot.models import Message
    from bot.providers.connections import Connections
    from bot.providers.references import Resolution

log = logging.getLogger(__name__)

# Before the asker reads that it takes long. That cannot be taken back: a response_url replaces and
# deletes the message that was clicked, so a command's has nothing to replace.
# https://docs.slack.dev/messaging/modifying-messages
PATIENCE_SECONDS = 2.0


class Service:
    """Answers questions from the inbox; all that an answer changes, it changes at once."""

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
        self._reasons = reasons
        self._negotiation = negotiation
        self._listings = listing
        self._store = store
        self._connections = connections
        self._ledger = ledger
        self._clock = clock
        self._home = home
        self._command = command
        self._boards = BoardClicks(store, connections, clock)

    async def answer(self, question: Question) -> None:
        """Answer one question and close it; whatever goes wrong, the asker hears of it."""
        ask = Ask.model_validate(question.body)
        parts = await self._patiently(question, ask, self._parts(question.workspace, ask))
        await self._ledger.commit(question, ask, parts)

    async def give_up(self, question: Question) -> None:
        """Close a question whose answer cannot be written down; the asker hears of it."""
        id_ = log_id()
        log.error("[%s] question %s is given up", id_, question.id)
        ask = Ask.model_validate(question.body)
        await self._ledger.commit(question, ask, [Say(answers.trouble(id_))])

    async def _patiently(
        self, question: Question, ask: Ask, work: Coroutine[Any, Any, list[Part]]
    ) -> list[Part]:
        """Do the work; if it takes long, let the asker know that something is going on."""
        task = asyncio.ensure_future(self._safely(work))
        if ask.kind is Kind.COMMAND:
            waking = asyncio.ensure_future(self._clock.sleep(PATIENCE_SECONDS))
            await asyncio.wait({task, waking}, return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()
            if not task.done():
                await self._say_so(question, ask)
        return await task

    async def _say_so(self, question: Question, ask: Ask) -> None:
        words = typed(ask.text).words
        message = answers.looking_up(words[-1] if words else ask.text)
        await self._ledger.say(question, ask, Say(message), "wait")

    async def _safely(self, work: Coroutine[Any, Any, list[Part]]) -> list[Part]:
        try:
            return await work
        except JobthreadError as error:
            return [told(error, None)]
        except Exception as error:  # noqa: BLE001  the edge of an answer
            return [unexpected(error)]

    async def _parts(self, workspace: str, ask: Ask) -> list[Part]:
        if ask.kind is Kind.FORM:
            return await self._negotiation.fulfil(workspace, ask)
        if ask.kind is Kind.CLICK:
            return await self._click(workspace, ask)
        if ask.kind is Kind.COMMAND:
            return await self._obey(workspace, ask, typed(ask.text), spoken=False)
        understood = of_message if ask.kind is Kind.SHORTCUT else verb_of_mention
        return await self._obey(workspace, ask, understood(ask.text), spoken=True)

    async def _obey(
        self, workspace: str, ask: Ask, command: Command, *, spoken: bool
    ) -> list[Part]:
        """Do what a command says; in spoken text, words that name no job are ignored."""
        if command.verb in listings.VERBS:
            return [await self._listings.obey(workspace, ask, command)]
        if command.verb in negotiation.VERBS:
            return await self._negotiation.obey(workspace, ask, command)
        return await self._about_jobs(workspace, ask, command, spoken=spoken)

    async def _about_jobs(
        self, workspace: str, ask: Ask, command: Command, *, spoken: bool
    ) -> list[Part]:
        if not command.words and command.verb is Verb.ASK:  # a message of a picture, say
            return [self._no_job(command)]
        if not command.words:
            return [Say(answers.no_reference(command.verb, self._command))]
        if not spoken and (better := self._misspelt(command)):
            return [better]
        meant = self._meanings(command, ask.text if spoken else "")
        if len(meant) > MOST_REFERENCES:
            return [Say(answers.too_many(len(meant)))]
        if not meant:
            return [self._no_job(command)]
        done = await asyncio.gather(*(self._one(workspace, ask, command, m) for m in meant))
        return [part for parts in done for part in parts]

    def _misspelt(self, command: Command) -> Say | None:
        """Return what was surely meant by a first word that is nearly a verb and names no job.

        A "peak" or an "unwacth" must not show a job to everybody.
        """
        word = command.words[0]
        if not command.meant or references.resolve(self._connections, word).refs:
            return None
        text = f"{blocks.code(word)} is nothing I can do."
        return Say(answers.did_you_mean(text, command.meant))

    def _meanings(self, command: Command, free_text: str) -> Sequence[Resolution]:
        """Return what the words mean; beside a word that names a job, prose is ignored."""
        if free_text:
            return references.in_free_text(self._connections, " ".join(command.words))
        found = [references.resolve(self._connections, word) for word in command.words]
        all_of_them = [each for meant in found for each in meant.each()]
        named = [m for m in all_of_them if m.refs or references.like_an_id(m.word)]
        return list({m.word: m for m in named or all_of_them[:1]}.values())

    def _no_job(self, command: Command) -> Say:
        if command.suggestion:
            text = "I found no job in that."
            return Say(answers.did_you_mean(text, command.suggestion))
        return Say(answers.nothing_found(self._command))

    async def _one(
        self, workspace: str, ask: Ask, command: Command, meant: Resolution
    ) -> list[Part]:
        if len(meant.refs) > 1:
            choices = [(ref, ref.connection) for ref in meant.refs]
            text = f"Several systems may know {meant.word}."
            return [Say(answers.choose(text, choices, command.on))]
        if not meant.refs:
            return [Say(await self._unknown(workspace, ask, command, meant))]
        ref = meant.refs[0]
        match command.verb:
            case Verb.PEEK:
                return [await self._peek(ref, command)]
            case Verb.UNWATCH:
                return [Stop(ref)]
            case Verb.WHY:
                return [Say(await self._reasons.of_job(workspace, ask.channel, ref))]
        return [await self._show(workspace, ask, ref)]

    async def _unknown(
        self, workspace: str, ask: Ask, command: Command, meant: Resolution
    ) -> Message:
        """Return the better word for one that names no job: a verb's, or a connection's."""
        if command.suggestion and not meant.suggestion:
            text = f"{blocks.code(meant.word)} is nothing I can do."
            return answers.did_you_mean(text, command.suggestion)
        name = meant.word.partition(":")[0].lower()
        named = [name] if not meant.suggestion and name in self._connections.names else []
        known = await self._listings.examples.of(workspace, ask.channel, named) if named else {}
        return answers.not_understood(meant, self._command, command.on, known.get(name))

    async def _show(self, workspace: str, ask: Ask, ref: JobRef) -> Part:
        async with self._store.begin() as tx:
            known = await _known(tx, workspace, ref)  # no row: nobody follows the job anywhere
            watch = await tx.watches.find(workspace, ask.channel, ref) if known else None
        if watch and watch.state is WatchState.ACTIVE:
            return followed_already(self._home, watch)
        found = await self._look(ref)
        if not isinstance(found, Job):
            return told(found, ref)
        return Show(found, known if found.ref == ref else None)

    async def _peek(self, ref: JobRef, command: Command) -> Say:
        found = await self._look(ref)
        if not isinstance(found, Job):
            return told(found, ref, command.on)
        return Say(self._card(found, cards.View(checked_at=self._now(), only_you=True)))

    async def _look(self, ref: JobRef) -> Job | JobthreadError:
        provider = self._connections.get(ref.connection)
        if provider is None:
            return BadReference(f"There is no connection {ref.connection} any more.")
        return await looks.first_look(provider, ref)

    def _card(self, job: Job, view: cards.View) -> Message:
        return looks.card(self._connections.get(job.ref.connection), job, view)

    async def _click(self, workspace: str, ask: Ask) -> list[Part]:
        """Do what a button says; its value holds a reference or words, never a state."""
        gone: list[Part] = [Say(None, delete=True)] if ask.ephemeral else []
        if ask.action.startswith("run"):
            return [*gone, *await self._obey(workspace, ask, parse(ask.value), spoken=False)]
        if ask.action == menu.ACTION and ask.message_ts is not None:
            return await self._chosen(workspace, ask, ask.message_ts)
        if ask.action.startswith("board_"):
            return await self._boards.answer(workspace, ask)
        if negotiation.is_about(ask):
            return [*gone, *await self._negotiation.fulfil(workspace, ask)]
        if ask.action in ("refresh", "follow", "unfollow"):
            return await self._pressed(workspace, ask)
        return []

    async def _pressed(self, workspace: str, ask: Ask) -> list[Part]:
        """Do what a card's button says."""
        ref = _reference(ask.value)
        if ask.action == "unfollow":
            return [Stop(ref)]
        if ask.action == "follow" and ask.ephemeral:
            return [Say(None, delete=True), await self._show(workspace, ask, ref)]
        return [await self._at_card(workspace, ask, ref)]

    async def _chosen(self, workspace: str, ask: Ask, ts: str) -> list[Part]:
        """Do what was chosen in a message's menu; which job is meant, the message tells."""
        if ask.value == menu.WHY:
            return [Say(await self._reasons.of_message(workspace, ask.channel, ts))]
        if ask.value == menu.STOP:
            watch = await self._reasons.watch_at(workspace, ask.channel, ts)
            return [Stop(watch.ref) if watch else Say(answers.not_followed_any_more())]
        return await self._obey(workspace, ask, parse(ask.value), spoken=False)

    async def _at_card(self, workspace: str, ask: Ask, ref: JobRef) -> Part:
        """Refresh the clicked card, or follow its job from there."""
        async with self._store.begin() as tx:
            known = await _known(tx, workspace, ref)
        found = await self._look(ref)
        if not isinstance(found, Job):
            return told(found, ref)
        if ask.ephemeral or ask.message_ts is None:
            view = cards.View(checked_at=self._now(), only_you=True)
            return Say(self._card(found, view), replace=True)
        if ask.action == "refresh":
            return Redraw(found, ask.message_ts, known)
        return Adopt(found, ask.message_ts, known)

    def _now(self) -> datetime:
        return self._clock.now()


async def _known(tx: Transaction, workspace: str, ref: JobRef) -> int:
    """Return the revision of a job's row, 0 if there is none: read before the job is looked at."""
    tracked = (await tx.jobs.get(workspace, [ref])).get(ref)
    return tracked.revision if tracked else 0


def _reference(value: str) -> JobRef:
    connection, _, id_ = value.partition(":")
    if not connection or not id_:
        raise BadReference("That button names no job.")
    return JobRef(connection=connection, id=id_)
