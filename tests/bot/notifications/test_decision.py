"""Rule engine: the action, rule and reason of each event under each policy."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notifications.decision import Action, Context, Happening, News, Opening, decide, opening
from bot.notifications.policy import (
    PRESETS,
    Broadcast,
    FollowUps,
    Mention,
    NoisePolicy,
    QuietHours,
    Tasks,
)

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 18, 0, tzinfo=UTC)
NIGHT = QuietHours(begins=time(22), ends=time(7), zone="UTC")
FAILED, SUCCEEDED = (News(happening=Happening.OUTCOME, bad=bad) for bad in (True, False))

# Whether the event is posted (x) under: every, outcomes, failures, and state changes, the last one
# after a success and after a failure of the series.
COLUMNS = (
    (FollowUps.EVERY, False),
    (FollowUps.OUTCOMES, False),
    (FollowUps.FAILURES, False),
    (FollowUps.TURNS, False),
    (FollowUps.TURNS, True),
)
POSTED = {
    (Happening.CHANGE, False): "x - - - -",
    (Happening.CHANGE, True): "x - x x -",
    (Happening.OUTCOME, False): "x x - - x",
    (Happening.OUTCOME, True): "x x x x -",
    (Happening.RUN, False): "x x - - x",
    (Happening.RUN, True): "x x x x -",
    (Happening.TROUBLE, False): "x - - - -",
    (Happening.WELL, False): "x - - - -",
    (Happening.LOST, False): "x x x x x",
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
        spoken=recent_posts,
        was_bad=previously_failed,
        can_react=can_react,
        stopped=unfollowed,
    )


@pytest.mark.parametrize(
    ("tasks", "column", "row"), [*product(Tasks, range(len(COLUMNS)), POSTED.items())]
)
def test_each_policy_posts_the_events_of_its_name(
    tasks: Tasks, column: int, row: tuple[tuple[Happening, bool], str]
) -> None:
    """Other events update the card only; the tasks field affects only tasks."""
    ((happening, bad), posted) = row
    follow_ups, was_bad = COLUMNS[column]
    policy = NoisePolicy(follow_ups=follow_ups, tasks=tasks)
    decision = decide(
        policy, News(happening=happening, bad=bad), context(previously_failed=was_bad)
    )
    wanted = Action.POST if posted.split()[column] == "x" else Action.UPDATE
    assert (decision.action, decision.rule) == (wanted, "follow_ups")


@pytest.mark.parametrize(("column", "row"), [*product(range(len(COLUMNS)), TASKS_POSTED.items())])
def test_tasks_are_posted_if_both_fields_allow_it(
    column: int, row: tuple[tuple[Tasks, bool], str]
) -> None:
    """Neither `outcomes` nor a policy without tasks posts a task."""
    ((tasks, bad), posted) = row
    follow_ups, was_bad = COLUMNS[column]
    policy = NoisePolicy(follow_ups=follow_ups, tasks=tasks)
    event = News(happening=Happening.TASK, bad=bad)
    decision = decide(policy, event, context(previously_failed=was_bad))
    assert decision.action is (Action.POST if posted.split()[column] == "x" else Action.UPDATE)
    assert decision.rule in ("tasks", "follow_ups")


@pytest.mark.parametrize(
    ("broadcast", "bad", "was_bad", "loud"),
    [
        (Broadcast.NEVER, True, False, False),
        (Broadcast.NEVER, False, True, False),
        (Broadcast.FAILURE, True, False, True),
        (Broadcast.FAILURE, True, True, True),
        (Broadcast.FAILURE, False, True, False),
        (Broadcast.TURNS, True, False, True),
        (Broadcast.TURNS, False, True, True),
        (Broadcast.TURNS, False, False, False),
    ],
)
def test_outcome_is_broadcast_as_the_policy_says(
    *, broadcast: Broadcast, bad: bool, was_bad: bool, loud: bool
) -> None:
    """A recovery is a success after a failure of the same series."""
    event = News(happening=Happening.OUTCOME, bad=bad)
    decision = decide(NoisePolicy(broadcast=broadcast), event, context(previously_failed=was_bad))
    assert decision.loud is loud


@pytest.mark.parametrize("happening", [h for h in Happening if h is not Happening.OUTCOME])
def test_only_an_outcome_is_broadcast_or_mentions(happening: Happening) -> None:
    """A failed task stays in the thread."""
    decision = decide(NoisePolicy(), News(happening=happening, bad=True), context())
    assert (decision.loud, decision.mention) == (False, "")


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
    policy = NoisePolicy(mention=mention, group="S0123ABC")
    event = News(happening=Happening.OUTCOME, bad=bad)
    assert decide(policy, event, context()).mention == mentioned


def test_quiet_hours_defer_events_until_their_end() -> None:
    """The reason names the end of the quiet hours."""
    decision = decide(NoisePolicy(quiet_hours=NIGHT), FAILED, context(MIDNIGHT))
    assert (decision.action, decision.rule) == (Action.HOLD, "quiet_hours")
    assert decision.until == MIDNIGHT + timedelta(hours=7)
    assert "until 07:00 (UTC)" in decision.reason


def test_failure_may_be_posted_during_quiet_hours() -> None:
    """A success is deferred all the same."""
    night = NIGHT.but(failures_pass=True)
    policy = NoisePolicy(quiet_hours=night)
    assert decide(policy, FAILED, context(MIDNIGHT)).action is Action.POST
    assert decide(policy, SUCCEEDED, context(MIDNIGHT)).action is Action.HOLD


def test_unwanted_event_is_not_deferred() -> None:
    """The digest contains only what would have been posted by day."""
    policy = NoisePolicy(follow_ups=FollowUps.FAILURES, quiet_hours=NIGHT)
    assert decide(policy, SUCCEEDED, context(MIDNIGHT)).action is Action.UPDATE


def test_event_beyond_the_hourly_limit_joins_the_digest() -> None:
    """The limit counts all posts, whatever their content."""
    policy = NoisePolicy(posts_per_hour=3)
    assert decide(policy, FAILED, context(recent_posts=2)).action is Action.POST
    decision = decide(policy, FAILED, context(recent_posts=3))
    assert (decision.action, decision.rule) == (Action.DIGEST, "posts_per_hour")
    assert "3 follow-ups an hour" in decision.reason


def test_quiet_hours_precede_the_hourly_limit() -> None:
    """A growing digest would break the quiet hours."""
    policy = NoisePolicy(quiet_hours=NIGHT, posts_per_hour=1)
    assert decide(policy, FAILED, context(MIDNIGHT, recent_posts=9)).action is Action.HOLD


def test_reaction_replaces_a_reply_if_there_is_a_message() -> None:
    """A slash command leaves no message, so its thread gets the reply."""
    policy = NoisePolicy(reaction=True)
    assert decide(policy, SUCCEEDED, context(can_react=True)).action is Action.REACT
    assert decide(policy, SUCCEEDED, context()).action is Action.POST


@pytest.mark.parametrize("happening", [Happening.TASK, Happening.TROUBLE, Happening.WELL])
def test_reaction_is_set_for_status_events_only(happening: Happening) -> None:
    """A failed task does not change the job's status."""
    decision = decide(
        NoisePolicy(reaction=True), News(happening=happening, bad=True), context(can_react=True)
    )
    assert decision.action is Action.UPDATE


def test_event_of_an_unfollowed_job_is_dropped() -> None:
    """A user who stopped following receives no later digest about it."""
    decision = decide(NoisePolicy(), FAILED, context(unfollowed=True))
    assert (decision.action, decision.rule) == (Action.DROP, "stopped")


@pytest.mark.parametrize(
    ("board", "reaction", "jobs", "can_react", "expected"),
    [
        (False, False, 1, True, Opening.CARDS),
        (False, False, 5, True, Opening.CARDS),
        (True, False, 1, True, Opening.BOARD),
        (True, False, 5, False, Opening.BOARD),
        (False, True, 1, True, Opening.REACTION),
        (False, True, 1, False, Opening.CARDS),
        (False, True, 5, True, Opening.CARDS),
        (True, True, 1, True, Opening.REACTION),
        (True, True, 1, False, Opening.BOARD),
        (True, True, 5, True, Opening.BOARD),
    ],
)
def test_presentation_depends_on_policy_and_request(
    *, board: bool, reaction: bool, jobs: int, can_react: bool, expected: Opening
) -> None:
    """A reaction shows one job; a board shows any number."""
    policy = NoisePolicy(board=board, reaction=reaction)
    assert opening(policy, jobs, can_react=can_react) is expected


POLICIES = st.builds(
    NoisePolicy,
    follow_ups=st.sampled_from(FollowUps),
    tasks=st.sampled_from(Tasks),
    broadcast=st.sampled_from(Broadcast),
    mention=st.sampled_from(Mention),
    group=st.sampled_from(["", "S0123ABC"]),
    quiet_hours=st.none() | st.just(NIGHT) | st.just(NIGHT.but(failures_pass=True)),
    posts_per_hour=st.none() | st.integers(1, 5),
    board=st.booleans(),
    reaction=st.booleans(),
)
EVENTS = st.builds(News, happening=st.sampled_from(Happening), bad=st.booleans())
CONTEXTS = st.builds(
    Context,
    now=st.sampled_from([NOON, MIDNIGHT]),
    spoken=st.integers(0, 6),
    was_bad=st.booleans(),
    can_react=st.booleans(),
    stopped=st.booleans(),
)


@given(POLICIES, EVENTS, CONTEXTS)
def test_every_decision_has_a_rule_and_a_sentence(
    policy: NoisePolicy, event: News, context: Context
) -> None:
    """The rule is a field of the policy, or "stopped"."""
    decision = decide(policy, event, context)
    assert decision.rule in {*NoisePolicy.model_fields, "stopped"}
    assert decision.reason[0].isupper()
    assert decision.reason.endswith(".")


@given(POLICIES, EVENTS, CONTEXTS)
def test_only_deferred_events_have_a_future_end(
    policy: NoisePolicy, event: News, context: Context
) -> None:
    """Nothing is deferred for ever."""
    decision = decide(policy, event, context)
    assert (decision.until is not None) == (decision.action is Action.HOLD)
    assert decision.until is None or decision.until > context.now


@given(POLICIES, CONTEXTS)
def test_failure_is_dropped_only_after_unfollowing(policy: NoisePolicy, context: Context) -> None:
    """A policy may show it on the card, in a digest or as a reaction only."""
    dropped = decide(policy, FAILED, context).action is Action.DROP
    assert dropped == context.stopped


def test_quiet_posts_less_and_verbose_more_than_normal() -> None:
    """Normal is the default policy."""
    event = [News(happening=h, bad=bad) for h, bad in product(Happening, (True, False))]
    posted = {
        name: sum(decide(policy, one, context()).action is Action.POST for one in event)
        for name, policy in PRESETS.items()
    }
    assert posted["quiet"] < posted["normal"] < posted["verbose"]
    assert PRESETS["normal"] == NoisePolicy()
