"""Rule engine: decides how an event is delivered under a channel's notification policy. No I/O.

Every event of a followed job passes `evaluate` before it is posted. The decision is stored with its
reason.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from bot.notifications.policy import Broadcast, FollowUps, Mention, NotificationPolicy, Tasks
from bot.sdk.formatting import plural
from bot.sdk.models import Value
from bot.store import DeliveryAction, EventKind

JOB_MISSING_REACTION = (
    "grey_question"  # on the request's message, when its job is not found any more
)


class PresentationKind(StrEnum):
    """How requested jobs are shown."""

    CARDS = "cards"  # one for each job
    BOARD = "board"  # one row for each job
    REACTION = "reaction"  # on the asker's message


def choose_presentation(
    policy: NotificationPolicy, jobs: int, *, can_react: bool
) -> PresentationKind:
    """Return how a number of jobs are shown; `can_react`: the request is a message.

    A reaction can show the status of one job only.
    """
    if policy.reaction and can_react and jobs == 1:
        return PresentationKind.REACTION
    return PresentationKind.BOARD if policy.board else PresentationKind.CARDS


class Event(Value):
    """An event of a followed job, as far as the notification policy depends on it."""

    kind: EventKind
    failed: bool = False  # the job, a run or a task failed

    @property
    def ends(self) -> bool:
        """Whether this is the last event of a job or of one of its runs."""
        return self.kind in (EventKind.OUTCOME, EventKind.RUN, EventKind.JOB_MISSING)


class Context(Value):
    """The inputs of a decision beside the policy and the event."""

    now: AwareDatetime
    recent_posts: int = 0  # thread replies in the channel within the last hour
    previously_failed: bool = False  # whether the last job of this series that ended here failed
    can_react: bool = False  # the request is a message, which can carry a reaction
    stopped: bool = False  # a user has stopped following the job since


class Decision(Value):
    """How an event is delivered, and why."""

    action: DeliveryAction
    rule: str  # the policy field that decided, or "stopped"
    reason: str  # a sentence for people
    until: AwareDatetime | None = None  # set only for a deferred event
    broadcast: bool = False  # the reply is also shown in the channel
    mention: str = ""  # "asker", the id of a user group, or empty
    all_tasks: bool = False  # the reply also names the tasks that succeeded


def evaluate(policy: NotificationPolicy, event: Event, context: Context) -> Decision:
    """Return how an event is delivered under a policy."""
    if context.stopped:
        return Decision(
            action=DeliveryAction.DROP,
            rule="stopped",
            reason="Somebody stopped the following meanwhile.",
        )
    if policy.reaction and context.can_react:
        return _react(event)
    rule, wanted, reason = _apply_filters(policy, event, context)
    if not wanted:
        return Decision(
            action=DeliveryAction.UPDATE, rule=rule, reason=f"{reason} The card shows it."
        )
    return _schedule(policy, event, context, rule, reason)


def _react(event: Event) -> Decision:
    reason = "This channel wants a reaction on the asker's message instead of follow-ups."
    ignored = event.kind in (EventKind.TASK, EventKind.POLLING_FAILED, EventKind.POLLING_RECOVERED)
    action = DeliveryAction.UPDATE if ignored else DeliveryAction.REACT
    return Decision(action=action, rule="reaction", reason=reason)


def _apply_filters(
    policy: NotificationPolicy, event: Event, context: Context
) -> tuple[str, bool, str]:
    """Return the rule that applies, whether it lets the event through, and its reason."""
    if event.kind is EventKind.TASK and policy.follow_ups is not FollowUps.OUTCOMES:
        rule, wanted, reason = _task(policy.tasks, event)
        if not wanted or policy.follow_ups is FollowUps.EVERY:
            return rule, wanted, reason
    return "follow_ups", *_FOLLOW_UPS[policy.follow_ups](event, context)


def _task(tasks: Tasks, event: Event) -> tuple[str, bool, str]:
    if tasks is Tasks.NONE:
        return "tasks", False, "This channel does not hear of single tasks."
    if tasks is Tasks.FAILURES:
        return "tasks", event.failed, "Of the tasks, this channel hears of those that fail."
    return "tasks", True, "This channel hears of every task that ends."


def _every_change(event: Event, context: Context) -> tuple[bool, str]:
    del event, context
    return True, "This channel hears every change."


def _outcomes_only(event: Event, context: Context) -> tuple[bool, str]:
    del context
    return event.ends, "This channel hears how jobs end, and nothing before."


def _failures_only(event: Event, context: Context) -> tuple[bool, str]:
    del context
    lost = event.kind is EventKind.JOB_MISSING
    return lost or event.failed, "This channel hears of failures only."


def _state_changes(event: Event, context: Context) -> tuple[bool, str]:
    reason = "This channel hears of the first failure of its kind, and when it is well again."
    if event.kind is EventKind.JOB_MISSING:
        return True, reason
    return (event.ends or event.failed) and event.failed != context.previously_failed, reason


_FOLLOW_UPS = {
    FollowUps.EVERY: _every_change,
    FollowUps.OUTCOMES: _outcomes_only,
    FollowUps.FAILURES: _failures_only,
    FollowUps.STATE_CHANGES: _state_changes,
}


def _schedule(
    policy: NotificationPolicy, event: Event, context: Context, rule: str, reason: str
) -> Decision:
    """Return when a wanted event is delivered: now, after quiet hours, or in the digest."""
    action, until = DeliveryAction.POST, None
    quiet, limit = policy.quiet_hours, policy.posts_per_hour
    end = quiet.end_after(context.now) if quiet else None
    if quiet and end and not (quiet.allow_failures and event.failed):
        action, until, rule = DeliveryAction.DEFER, end, "quiet_hours"
        reason = f"These are quiet hours here until {end:%H:%M} ({quiet.zone})."
    elif limit is not None and context.recent_posts >= limit:
        action, rule = DeliveryAction.DIGEST, "posts_per_hour"
        reason = f"This channel takes {plural(limit, 'follow-up')} an hour; the rest is one digest."
    return Decision(
        action=action,
        rule=rule,
        reason=reason,
        until=until,
        broadcast=_broadcast(policy, event, context),
        mention=_mention(policy, event),
        all_tasks=policy.tasks is Tasks.ALL,
    )


def _broadcast(policy: NotificationPolicy, event: Event, context: Context) -> bool:
    if event.kind is not EventKind.OUTCOME or policy.broadcast is Broadcast.NEVER:
        return False
    recovered = policy.broadcast is Broadcast.FAILURE_AND_RECOVERY and context.previously_failed
    return event.failed or recovered


def _mention(policy: NotificationPolicy, event: Event) -> str:
    if event.kind is not EventKind.OUTCOME or policy.mention is Mention.NOBODY:
        return ""
    if policy.mention is Mention.ASKER:
        return "asker"
    return policy.group if event.failed else ""
