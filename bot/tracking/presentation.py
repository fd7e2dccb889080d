"""Presentation: how a followed job is shown: a card of its own, a row of a board, or a reaction.

The classes decide what is to be enqueued and return it; `write_update` enqueues it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from bot.delivery import message_metadata
from bot.delivery.messages import card_post, card_update, ordering_key, reaction
from bot.sdk.cards.job_card import CardContext
from bot.sdk.formatting import REACTIONS
from bot.store import NewMessage, WatchState
from bot.tracking import board_card
from bot.tracking.boards import BoardRedraw, redraw
from bot.tracking.catch_up import catch_up_reaction, catch_up_reply

if TYPE_CHECKING:
    from datetime import datetime

    from bot.notifications.decision import Decision
    from bot.sdk.models import Job, Message
    from bot.store import ReplyTarget, Transaction, Watch
    from bot.tracking.catch_up import MissedUpdates
    from bot.tracking.job_state import JobState

Update = NewMessage | BoardRedraw  # what is enqueued to show a job's state


class Presentation(Protocol):
    """How one watch is shown."""

    reacts: ClassVar[bool]  # status reactions take the place of a card
    shared: ClassVar[bool]  # the message shows other jobs, too

    @property
    def watch(self) -> Watch:
        """The watch that is shown."""
        ...

    @property
    def message_ts(self) -> str | None:
        """The timestamp of the message that shows the job; None: not posted yet."""
        ...

    def heading(self, job_name: str, reply: Message) -> Message:
        """Return a thread reply with the heading that it needs in its thread."""
        ...

    async def has_pending_replies(self, tx: Transaction) -> bool:
        """Return whether a card must keep its metadata: thread replies are in the outbox."""
        ...

    def show(self, state: JobState, target: ReplyTarget, key_suffix: str) -> Update:
        """Show a job for the first time; `key_suffix` is of the idempotency key."""
        ...

    def update(self, state: JobState) -> Update | None:
        """Show the result of a poll; None: nothing looks different."""
        ...

    def refresh(self, state: JobState) -> Update | None:
        """Show the state because a user asked for it, even if nothing looks different."""
        ...

    def close(self, state: JobState | None) -> Update | None:
        """Show that a user has unfollowed the job; `state`: the last one, if it was ever polled."""
        ...

    def end(self) -> Update | None:
        """Show that the watch has ended, after a thread reply that says so."""
        ...

    def catch_up(
        self, missed: MissedUpdates, job_name: str, outcome: Decision | None, now: datetime
    ) -> list[NewMessage]:
        """Return the messages that make up for what an unreachable thread missed.

        `outcome`: the delivery decision for the job's end, if the thread missed it.
        """
        ...

    def restore(self, state: JobState) -> Update | None:
        """Show the state after a catch-up; a rejection is not reported a second time."""
        ...


def presentation_of(watch: Watch) -> Presentation:
    """Return how a watch is shown."""
    if watch.board_id is not None:
        return BoardRowPresentation(watch, watch.board_id)
    return ReactionPresentation(watch) if watch.uses_reactions else CardPresentation(watch)


async def write_update(tx: Transaction, update: Update | None, now: datetime) -> None:
    """Enqueue an update; it replaces a pending one of the same card or board."""
    if isinstance(update, BoardRedraw):
        await redraw(tx, update, now)
    elif update is not None:
        await tx.outbox.replace(update, now)


@dataclass(frozen=True)
class CardPresentation:
    """The job has a card of its own, with a thread of its own."""

    watch: Watch
    reacts: ClassVar[bool] = False
    shared: ClassVar[bool] = False

    @property
    def message_ts(self) -> str | None:
        """The timestamp of the card."""
        return self.watch.card_ts

    def heading(self, job_name: str, reply: Message) -> Message:
        """Return the reply as it is: the card above it names the job."""
        del job_name
        return reply

    async def has_pending_replies(self, tx: Transaction) -> bool:
        """Return whether replies of the card's thread are in the outbox."""
        found = await tx.boards.watches_with_pending(self.watch.workspace, ordering_key(self.watch))
        return bool(found)

    def show(self, state: JobState, target: ReplyTarget, key_suffix: str) -> NewMessage:
        """Post the card; a watch that was started from a card updates that one."""
        del key_suffix
        if self.watch.card_ts is not None:
            return self.refresh(state)
        message = self._render(state, state.job)
        return card_post(self.watch, message, target, state.now, self._metadata(state))

    def update(self, state: JobState) -> NewMessage | None:
        """Update the card if it differs from one of the previous state, rendered now."""
        message = self._render(state, state.job)
        if state.previous and self._render(state, state.previous) == message:
            return None
        return card_update(
            self.watch, message, state.now, self._metadata(state), urgent=state.urgent
        )

    def refresh(self, state: JobState) -> NewMessage:
        """Update the card at once."""
        message = self._render(state, state.job)
        return card_update(self.watch, message, state.now, self._metadata(state), urgent=True)

    def close(self, state: JobState | None) -> NewMessage | None:
        """Update the card: it loses the controls of a followed job."""
        if state is None or state.stored is None:
            return None
        checked_at = state.stored.polled_at or state.now
        message = state.renderer.card(state.job, CardContext(checked_at=checked_at))
        metadata = message_metadata.for_card(
            self.watch, state.job, state.stored.revision, ended=True
        )
        return card_update(self.watch, message, state.now, metadata, urgent=True)

    def end(self) -> None:
        """Leave the card as it is: the reply below it says why."""

    def catch_up(
        self, missed: MissedUpdates, job_name: str, outcome: Decision | None, now: datetime
    ) -> list[NewMessage]:
        """Return one reply with all missed updates."""
        return _catch_up_in_thread(self, missed, job_name, outcome, now)

    def restore(self, state: JobState) -> NewMessage:
        """Update the card; it keeps its metadata, as the thread awaits the catch-up."""
        message = self._render(state, state.job)
        update = card_update(self.watch, message, state.now, metadata={})
        update.body["again"] = True
        return update

    def _render(self, state: JobState, job: Job) -> Message:
        """Render a job in the context of the new state."""
        context = state.renderer.context(
            self.watch,
            state.job,
            state.now,
            trouble=state.error,
            trouble_since=state.failing_since,
        )
        return state.renderer.card(job, context)

    def _metadata(self, state: JobState) -> message_metadata.Metadata:
        """Return the state that the thread has seen; empty: the card keeps its metadata."""
        if state.pending:
            return {}
        seen, revision = (
            (state.stored.snapshot, state.stored.revision) if state.stored else (None, 0)
        )
        ended = self.watch.state is WatchState.ENDED
        return message_metadata.for_card(self.watch, seen, revision, ended=ended)


@dataclass(frozen=True)
class BoardRowPresentation:
    """The job is a row of a board, whose thread it shares with other jobs."""

    watch: Watch
    board_id: str
    reacts: ClassVar[bool] = False
    shared: ClassVar[bool] = True

    @property
    def message_ts(self) -> str | None:
        """The timestamp of the board."""
        return self.watch.card_ts

    def heading(self, job_name: str, reply: Message) -> Message:
        """Return the reply headed by its job's name: the thread is about several jobs."""
        return board_card.with_heading(job_name, reply)

    async def has_pending_replies(self, tx: Transaction) -> bool:
        """Return False: a board looks for pending replies when it is redrawn."""
        del tx
        return False

    def show(self, state: JobState, target: ReplyTarget, key_suffix: str) -> BoardRedraw:
        """Redraw the board with the new row."""
        del target, key_suffix
        return self.refresh(state)

    def update(self, state: JobState) -> BoardRedraw | None:
        """Redraw the board if the row differs."""
        if state.previous and not board_card.row_changed(state.previous, state.job, state.now):
            return None
        return BoardRedraw(self.board_id, urgent=state.urgent)

    def refresh(self, state: JobState) -> BoardRedraw:
        """Redraw the board at once."""
        del state
        return BoardRedraw(self.board_id, urgent=True)

    def close(self, state: JobState | None) -> BoardRedraw:
        """Redraw the board at once: the row says that the job is not followed."""
        del state
        return BoardRedraw(self.board_id, urgent=True)

    def end(self) -> BoardRedraw:
        """Redraw the board: the row says that the watch has ended."""
        return BoardRedraw(self.board_id)

    def catch_up(
        self, missed: MissedUpdates, job_name: str, outcome: Decision | None, now: datetime
    ) -> list[NewMessage]:
        """Return one reply with all missed updates of this job."""
        return _catch_up_in_thread(self, missed, job_name, outcome, now)

    def restore(self, state: JobState) -> BoardRedraw:
        """Redraw the board."""
        del state
        return BoardRedraw(self.board_id, already_reported=True)


@dataclass(frozen=True)
class ReactionPresentation:
    """The job's status is a reaction on the asker's message; the notifier replaces it."""

    watch: Watch
    reacts: ClassVar[bool] = True
    shared: ClassVar[bool] = False

    @property
    def message_ts(self) -> str | None:
        """The timestamp of the asker's message."""
        return self.watch.request_ts

    def heading(self, job_name: str, reply: Message) -> Message:
        """Return the reply as it is: the thread is about this job."""
        del job_name
        return reply

    async def has_pending_replies(self, tx: Transaction) -> bool:
        """Return False: there is no card with metadata."""
        del tx
        return False

    def show(self, state: JobState, target: ReplyTarget, key_suffix: str) -> NewMessage:
        """Set the reaction of the job's status."""
        names, reason = [REACTIONS[state.job.status]], f"asked for by {target.user}"
        return reaction(self.watch, f"begun:{key_suffix}", names, state.now, reason=reason)

    def update(self, state: JobState) -> None:
        """Change nothing."""

    def refresh(self, state: JobState) -> None:
        """Change nothing."""

    def close(self, state: JobState | None) -> None:
        """Change nothing: the last reaction stays."""

    def end(self) -> None:
        """Change nothing."""

    def catch_up(
        self, missed: MissedUpdates, job_name: str, outcome: Decision | None, now: datetime
    ) -> list[NewMessage]:
        """Return the newest reaction, after one reply with the rejected replies, if any."""
        messages: list[NewMessage] = []
        if missed.items:
            messages.append(catch_up_reply(missed, job_name, outcome, now, self.heading))
        if missed.reactions_wanted:
            messages.append(catch_up_reaction(missed, now))
        return messages

    def restore(self, state: JobState) -> None:
        """Change nothing."""


def _catch_up_in_thread(
    shown: CardPresentation | BoardRowPresentation,
    missed: MissedUpdates,
    job_name: str,
    outcome: Decision | None,
    now: datetime,
) -> list[NewMessage]:
    """Return one thread reply with all missed updates; none if the thread missed nothing."""
    if not missed.items and missed.unreported_job is None:
        return []
    return [catch_up_reply(missed, job_name, outcome, now, shown.heading)]
