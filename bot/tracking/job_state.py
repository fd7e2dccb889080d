"""Value: the state of a followed job that is to be shown, and what renders it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sdk.cards.job_card import CardContext
from bot.store import WatchState

if TYPE_CHECKING:
    from datetime import datetime

    from bot.providers.renderer import JobRenderer
    from bot.sdk.models import Change, Job, Message
    from bot.store import Watch, WatchedJob


@dataclass(frozen=True)
class WatchRenderer:
    """Renders the followed jobs of a connection, in the context of their watch."""

    jobs: JobRenderer
    poll_seconds: float  # between two polls of a young job

    def context(self, watch: Watch, job: Job, checked_at: datetime, **more: Any) -> CardContext:
        """Return the context of a followed job's card or thread reply."""
        return CardContext(
            checked_at=checked_at,
            followed=watch.state is WatchState.ACTIVE and not job.status.terminal,
            interval_seconds=self.poll_seconds,
            asker=watch.asker,
            **more,
        )

    def card(self, job: Job, context: CardContext) -> Message:
        """Return a job's card."""
        return self.jobs.card(job, context)

    def thread_reply(self, change: Change, context: CardContext) -> Message:
        """Return the thread reply about a change."""
        return self.jobs.reply(change, context)


@dataclass(frozen=True, kw_only=True)
class JobState:
    """The state of a followed job that is to be shown."""

    job: Job
    now: datetime  # aware
    renderer: WatchRenderer
    stored: WatchedJob | None = None  # the state that the thread has seen
    pending: bool = False  # thread replies are in the outbox, so a card keeps its metadata
    error: str = ""  # why polls fail
    failing_since: datetime | None = None

    @property
    def previous(self) -> Job | None:
        """The job as it is shown now; None: unknown, or shown with a warning that changes."""
        if self.error or self.stored is None or self.stored.error:
            return None
        return self.stored.snapshot

    @property
    def urgent(self) -> bool:
        """Whether the update goes before others: the job has ended."""
        return self.job.status.terminal and not self.error
