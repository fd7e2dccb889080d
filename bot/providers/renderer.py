"""Renders jobs of any connection, also of one that no longer exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk.cards import job_card

if TYPE_CHECKING:
    from bot.sdk.models import Change, Job, Message


class JobRenderer:
    """Renders the default card and the default thread reply."""

    def card(self, job: Job, view: job_card.CardContext) -> Message:
        """Return the card of a job."""
        return job_card.render_card(job, view)

    def reply(self, change: Change, view: job_card.CardContext) -> Message:
        """Return the thread reply for a change."""
        return job_card.render_change(change, view)
