"""Rule engine: the action, rule and reason of each event under each policy."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notifications.decision import (
    Context,
    Event,
    PresentationKind,
    choose_presentation,
    evaluate,
)
from bot.notifications.policy import (
    PRESETS,
    Broadcast,
    FollowUps,
    Mention,
    NotificationPolicy,
    QuietHours,
    Tasks,
)
from bot.store import DeliveryAction, EventKind

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 18, 0, tzinfo=UTC)
NIGHT = QuietHours(begins=time(22), ends=time(7), zone="UTC")
FAILED, SUCCEEDED = (Event(kind=EventKind.OUTCOME, failed=bad) for bad in (True, False))

# Whether the event is posted (x) under: every, outcomes, failures, and state changes, the last one
# after a success and after a failure of the series.
COLUMNS = (
    (FollowUps.EVERY, False),
    (FollowUps.OUTCOMES, False),
    (FollowUps.FAILURES, False),
    (FollowUps.STATE_CHANGES, False),
    (FollowUps.STATE_CHANGES, True),
)
POSTED = {
    (EventKind.CHANGE, False): "x - - - -",
    (EventKind.CHANGE, True): "x - x x -",
    (EventKind.OUTCOME, False): "x x - - x",
    (EventKind.OUTCOME, True): "x x x x -",
    (EventKind.RUN, False): "x x - - x",
    (EventKind.RUN, True): "x x x x -",
    (EventKind.POLLING_FAILED, False): "x - - - -",
    (EventKind.POLLING_RECOVERED, False): "x - - - -",
    (EventKind.JOB_MISSING, False): "x x x x x",
}
TASKS_POSTED = {
    (Tasks.NONE, False): "- - - - -",
    (Tasks.NONE, True): "- - - - -",
    (Tasks.FAILURES, False): "- - - - -",
    (Tasks.FAILURES, True): "x - x x -",
    (Tasks.ALL, False): "x - - - -",
    (Tasks.ALL, True): "x - x x -",
}


def context(
    now: datetime = NOON,
    *,
    recent_posts: int = 0,
    previously_failed: bool = False,
    can_react: bool = False,
    unfollowed: bool = False,
) -> Context:
    """Return the context of a decision."""
    return Context(
        now=now,
        recent_posts=recent_posts,
        previously_failed=previously_failed,
        can_react=can_react,
        stopped=unfollowed,
    )


@pytest.mark.parametrize(
    ("tasks", "column", "row"), [*product(Tasks, range(len(COLUMNS)), POSTED.items())]
)
def test_each_policy_posts_the_events_of_its_name(
    tasks: Tasks, column: int, row: tuple[tuple[EventKind, bool], str]
) -> None:
    """Other events update the card only; the tasks field affects only tasks."""
    ((event_kind, bad), posted) = row
    follow_ups, was_bad = COLUMNS[column]
    policy = NotificationPolicy(follow_ups=follow_ups, tasks=tasks)
    decision = evaluate(
        policy, Event(kind=event_kind, failed=bad), context(previously_failed=was_bad)
    )
    wanted = DeliveryAction.POST if posted.split()[column] == "x" else DeliveryAction.UPDATE
    assert (decision.action, decision.rule) == (wanted, "follow_ups")


@pytest.mark.parametrize(("column", "row"), [*product(range(len(COLUMNS)), TASKS_POSTED.items())])
def test_tasks_are_posted_if_both_fields_allow_it(
    column: int, row: tuple[tuple[Tasks, bool], str]
) -> None:
    """Neither `outcomes` nor a policy without tasks posts a task."""
    ((tasks, bad), posted) = row
    follow_ups, was_bad = COLUMNS[column]
    policy = NotificationPolicy(follow_ups=follow_ups, tasks=tasks)
    event = Event(kind=EventKind.TASK, failed=bad)
    decision = evaluate(policy, event, context(previously_failed=was_bad))
    assert decision.action is (
        DeliveryAction.POST if posted.split()[column] == "x" else DeliveryAction.UPDATE
    )
    assert decision.rule in ("tasks", "follow_ups")


@pytest.mark.parametrize(
    ("broadcast", "bad", "was_bad", "loud"),
    [
        (Broadcast.NEVER, True, False, False),
        (Broadcast.NEVER, False, True, False),
        (Broadcast.FAILURE, True, False, True),
        (Broadcast.FAILURE, True, True, True),
        (Broadcast.FAILURE, False, True, False),
        (Broadcast.FAILURE_AND_RECOVERY, True, False, True),
        (Broadcast.FAILURE_AND_RECOVERY, False, True, True),
        (Broadcast.FAILURE_AND_RECOVERY, False, False, False),
    ],
)
def test_outcome_is_broadcast_as_the_policy_says(
    *, broadcast: Broadcast, bad: bool, was_bad: bool, loud: bool
) -> None:
    """A recovery is a success after a failure of the same series."""
    event = Event(kind=EventKind.OUTCOME, failed=bad)
    decision = evaluate(
        NotificationPolicy(broadcast=broadcast), event, context(previously_failed=was_bad)
    )
    assert decision.broadcast is loud


@pytest.mark.parametrize("event_kind", [h for h in EventKind if h is not EventKind.OUTCOME])
def test_only_an_outcome_is_broadcast_or_mentions(event_kind: EventKind) -> None:
    """A failed task stays in the thread."""
    decision = evaluate(NotificationPolicy(), Event(kind=event_kind, failed=True), context())
    assert (decision.broadcast, decision.mention) == (False, "")


@pytest.mark.parametrize(
    ("mention", "bad", "mentioned"),
    [
        (Mention.ASKER, True, "asker"),
        (Mention.ASKER, False, "asker"),
        (Mention.NOBODY, True, ""),
        (Mention.NOBODY, False, ""),
        (Mention.GROUP, True, "S0123ABC"),
        (Mention.GROUP, False, ""),
    ],
)
def test_mention_depends_on_policy_and_outcome(
    *, mention: Mention, bad: bool, mentioned: str
) -> None:
    """A group is only mentioned on failure."""
    policy = NotificationPolicy(mention=mention, group="S0123ABC")
    event = Event(kind=EventKind.OUTCOME, failed=bad)
    assert evaluate(policy, event, context()).mention == mentioned


def test_quiet_hours_defer_events_until_their_end() -> None:
    """The reason names the end of the quiet hours."""
    decision = evaluate(NotificationPolicy(quiet_hours=NIGHT), FAILED, context(MIDNIGHT))
    assert (decision.action, decision.rule) == (DeliveryAction.DEFER, "quiet_hours")
    assert decision.until == MIDNIGHT + timedelta(hours=7)
    assert "until 07:00 (UTC)" in decision.reason


def test_failure_may_be_posted_during_quiet_hours() -> None:
    """A success is deferred all the same."""
    night = NIGHT.replace(allow_failures=True)
    policy = NotificationPolicy(quiet_hours=night)
    assert evaluate(policy, FAILED, context(MIDNIGHT)).action is DeliveryAction.POST
    assert evaluate(policy, SUCCEEDED, context(MIDNIGHT)).action is DeliveryAction.DEFER


def test_unwanted_event_is_not_deferred() -> None:
    """The digest contains only what would have been posted by day."""
    policy = NotificationPolicy(follow_ups=FollowUps.FAILURES, quiet_hours=NIGHT)
    assert evaluate(policy, SUCCEEDED, context(MIDNIGHT)).action is DeliveryAction.UPDATE


def test_event_beyond_the_hourly_limit_joins_the_digest() -> None:
    """The limit counts all posts, whatever their content."""
    policy = NotificationPolicy(posts_per_hour=3)
    assert evaluate(policy, FAILED, context(recent_posts=2)).action is DeliveryAction.POST
    decision = evaluate(policy, FAILED, context(recent_posts=3))
    assert (decision.action, decision.rule) == (DeliveryAction.DIGEST, "posts_per_hour")
    assert "3 follow-ups an hour" in decision.reason


def test_quiet_hours_precede_the_hourly_limit() -> None:
    """A growing digest would break the quiet hours."""
    policy = NotificationPolicy(quiet_hours=NIGHT, posts_per_hour=1)
    assert (
        evaluate(policy, FAILED, context(MIDNIGHT, recent_posts=9)).action is DeliveryAction.DEFER
    )


def test_reaction_replaces_a_reply_if_there_is_a_message() -> None:
    """A slash command leaves no message, so its thread gets the reply."""
    policy = NotificationPolicy(reaction=True)
    assert evaluate(policy, SUCCEEDED, context(can_react=True)).action is DeliveryAction.REACT
    assert evaluate(policy, SUCCEEDED, context()).action is DeliveryAction.POST


@pytest.mark.parametrize(
    "event_kind", [EventKind.TASK, EventKind.POLLING_FAILED, EventKind.POLLING_RECOVERED]
)
def test_reaction_is_set_for_status_events_only(event_kind: EventKind) -> None:
    """A failed task does not change the job's status."""
    decision = evaluate(
        NotificationPolicy(reaction=True),
        Event(kind=event_kind, failed=True),
        context(can_react=True),
    )
    assert decision.action is DeliveryAction.UPDATE


def test_event_of_an_unfollowed_job_is_dropped() -> None:
    """A user who stopped following receives no later digest about it."""
    decision = evaluate(NotificationPolicy(), FAILED, context(unfollowed=True))
    assert (decision.action, decision.rule) == (DeliveryAction.DROP, "stopped")


@pytest.mark.parametrize(
    ("board", "reaction", "jobs", "can_react", "expected"),
    [
        (False, False, 1, True, PresentationKind.CARDS),
        (False, False, 5, True, PresentationKind.CARDS),
        (True, False, 1, True, PresentationKind.BOARD),
        (True, False, 5, False, PresentationKind.BOARD),
        (False, True, 1, True, PresentationKind.REACTION),
        (False, True, 1, False, PresentationKind.CARDS),
        (False, True, 5, True, PresentationKind.CARDS),
        (True, True, 1, True, PresentationKind.REACTION),
        (True, True, 1, False, PresentationKind.BOARD),
        (True, True, 5, True, PresentationKind.BOARD),
    ],
)
def test_presentation_depends_on_policy_and_request(
    *, board: bool, reaction: bool, jobs: int, can_react: bool, expected: PresentationKind
) -> None:
    """A reaction shows one job; a board shows any number."""
    policy = NotificationPolicy(board=board, reaction=reaction)
    assert choose_presentation(policy, jobs, can_react=can_react) is expected


POLICIES = st.builds(
    NotificationPolicy,
    follow_ups=st.sampled_from(FollowUps),
    tasks=st.sampled_from(Tasks),
    broadcast=st.sampled_from(Broadcast),
    mention=st.sampled_from(Mention),
    group=st.sampled_from(["", "S0123ABC"]),
    quiet_hours=st.none() | st.just(NIGHT) | st.just(NIGHT.replace(allow_failures=True)),
    posts_per_hour=st.none() | st.integers(1, 5),
    board=st.booleans(),
    reaction=st.booleans(),
)
EVENTS = st.builds(Event, kind=st.sampled_from(EventKind), failed=st.booleans())
CONTEXTS = st.builds(
    Context,
    now=st.sampled_from([NOON, MIDNIGHT]),
    recent_posts=st.integers(0, 6),
    previously_failed=st.booleans(),
    can_react=st.booleans(),
    stopped=st.booleans(),
)


@given(POLICIES, EVENTS, CONTEXTS)
def test_every_decision_has_a_rule_and_a_sentence(
    policy: NotificationPolicy, event: Event, context: Context
) -> None:
    """The rule is a field of the policy, or "stopped"."""
    decision = evaluate(policy, event, context)
    assert decision.rule in {*NotificationPolicy.model_fields, "stopped"}
    assert decision.reason[0].isupper()
    assert decision.reason.endswith(".")


@given(POLICIES, EVENTS, CONTEXTS)
def test_only_deferred_events_have_a_future_end(
    policy: NotificationPolicy, event: Event, context: Context
) -> None:
    """Nothing is deferred for ever."""
    decision = evaluate(policy, event, context)
    assert (decision.until is not None) == (decision.action is DeliveryAction.DEFER)
    assert decision.until is None or decision.until > context.now


@given(POLICIES, CONTEXTS)
def test_failure_is_dropped_only_after_unfollowing(
    policy: NotificationPolicy, context: Context
) -> None:
    """A policy may show it on the card, in a digest or as a reaction only."""
    dropped = evaluate(policy, FAILED, context).action is DeliveryAction.DROP
    assert dropped == context.stopped


def test_quiet_posts_less_and_verbose_more_than_normal() -> None:
    """Normal is the default policy."""
    event = [Event(kind=h, failed=bad) for h, bad in product(EventKind, (True, False))]
    posted = {
        name: sum(evaluate(policy, one, context()).action is DeliveryAction.POST for one in event)
        for name, policy in PRESETS.items()
    }
    assert posted["quiet"] < posted["normal"] < posted["verbose"]
    assert PRESETS["normal"] == NotificationPolicy()
