"""Recommended settings, checked with hand-counted examples and an independent replay."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bot.notifications.decision import Context, Event, evaluate
from bot.notifications.policy import (
    HOUR,
    Broadcast,
    FollowUps,
    NotificationPolicy,
    QuietHours,
    Tasks,
)
from bot.notifications.report import recommendations
from bot.notifications.report.replay import DecisionHistory
from bot.store import DeliveryAction, EventKind
from tests.bot.history_samples import MONDAY, decision_record, history, requested_watch

if TYPE_CHECKING:
    from bot.notifications.report.recommendations import Recommendation, SettingChange
    from bot.store import DecisionRecord

GOOD, BAD = (EventKind.OUTCOME, False), (EventKind.OUTCOME, True)
STARTED, FAILED_TASK = (EventKind.CHANGE, False), (EventKind.TASK, True)


def recommended(policy: NotificationPolicy, week: DecisionHistory) -> dict[str, Recommendation]:
    """Return the recommendations by their commands."""
    return {option.change.command: option for option in recommendations.recommend(policy, week)}


def test_channel_without_events_gets_no_recommendation() -> None:
    """There is nothing to avoid."""
    assert recommendations.recommend(NotificationPolicy(), DecisionHistory()) == []


def test_minimal_policy_gets_no_recommendation() -> None:
    """A change that avoids no message is not recommended."""
    policy = NotificationPolicy(follow_ups=FollowUps.STATE_CHANGES, broadcast=Broadcast.NEVER)
    assert recommendations.recommend(policy, history(BAD)) == []


def test_best_change_comes_first_and_each_field_once() -> None:
    """Six starts and six successes: no state change, and two posts beyond ten an hour."""
    week = history(*[STARTED, GOOD] * 6)
    result = recommendations.recommend(NotificationPolicy(), week)
    assert [(o.change.command, o.avoided) for o in result] == [
        ("set follow_ups turns", 12),
        ("set posts_per_hour 10", 2),
    ]


def test_at_most_three_changes_are_recommended() -> None:
    """The list stays short enough to choose from."""
    week = history(*[STARTED, FAILED_TASK, BAD, GOOD] * 30, reactable=frozenset({"watch1"}))
    result = recommendations.recommend(NotificationPolicy(), week)
    assert [option.change.field for option in result] == [
        "reaction",
        "posts_per_hour",
        "follow_ups",
    ]


def test_equal_changes_are_ranked_by_hidden_failures() -> None:
    """Both values avoid the starts; `turns` would hide a failure."""
    week = history(STARTED, GOOD, BAD, STARTED, GOOD, BAD, BAD)
    result = recommendations.recommend(NotificationPolicy(), week)
    assert result[0].change.command == "set follow_ups failures"
    assert (result[0].avoided, result[0].hidden_failures) == (4, 0)


def test_hidden_failures_are_counted() -> None:
    """Without tasks, two failed tasks would be on the card only."""
    option = recommended(NotificationPolicy(), history(FAILED_TASK, FAILED_TASK, GOOD))[
        "set tasks none"
    ]
    assert (option.avoided, option.hidden_failures, option.deferred_failures) == (2, 2, 0)


def test_failures_shown_as_reactions_count_as_hidden() -> None:
    """A reaction has no text."""
    week = history(BAD, reactable=frozenset({"watch1"}))
    option = recommended(NotificationPolicy(), week)["set reaction on"]
    assert (option.avoided, option.hidden_failures) == (1, 1)


def test_no_broadcast_avoids_broadcasts_but_no_replies() -> None:
    """The failures are still posted in their threads."""
    option = recommended(NotificationPolicy(), history(BAD, BAD, GOOD))["set broadcast never"]
    assert (option.avoided, option.fewer_broadcasts, option.hidden_failures) == (0, 2, 0)


def test_quiet_hours_are_recommended_for_many_night_posts() -> None:
    """From noon, every 30 minutes: 18 of the first 38 are between 22:00 and 07:00."""
    option = recommended(NotificationPolicy(), history(*[BAD] * 38, minutes=30))
    quiet = option["set quiet_hours 22:00-07:00 UTC"]
    assert (quiet.avoided, quiet.deferred, quiet.deferred_failures, quiet.hidden_failures) == (
        18,
        18,
        18,
        0,
    )


def test_quiet_hours_are_not_recommended_for_few_night_posts() -> None:
    """One of five posts is at night."""
    week = DecisionHistory([decision_record(minutes=n) for n in (0, 1, 2, 3, 600)])
    assert "quiet_hours" not in {
        o.change.field for o in recommendations.recommend(NotificationPolicy(), week)
    }


def test_existing_quiet_hours_are_not_replaced() -> None:
    """They were chosen in the channel's own zone."""
    policy = NotificationPolicy(quiet_hours=QuietHours(begins=time(1), ends=time(2)))
    options = recommendations.recommend(policy, history(*[BAD] * 48, minutes=30))
    assert "quiet_hours" not in {option.change.field for option in options}


def test_larger_hourly_limit_is_not_recommended() -> None:
    """It would increase the number of messages."""
    policy = NotificationPolicy(posts_per_hour=5)
    result = recommendations.recommend(policy, history(*[GOOD] * 40))
    assert "posts_per_hour" not in {option.change.field for option in result}


def test_board_is_recommended_for_simultaneous_requests() -> None:
    """Three within a minute of one another and one later need two cards."""
    week = DecisionHistory(
        watches=[
            requested_watch(0),
            requested_watch(50),
            requested_watch(100),
            requested_watch(300),
        ]
    )
    option = recommended(NotificationPolicy(), week)["set board on"]
    assert (option.avoided, option.fewer_cards) == (0, 2)


def test_board_is_not_recommended_without_effect() -> None:
    """It is enabled already, or no jobs are requested together."""
    together = DecisionHistory(watches=[requested_watch(0), requested_watch(1)])
    assert recommendations.recommend(NotificationPolicy(board=True), together) == []
    assert (
        recommendations.recommend(
            NotificationPolicy(),
            DecisionHistory(watches=[requested_watch(0), requested_watch(100)]),
        )
        == []
    )


def test_only_requests_of_one_user_and_place_share_a_board() -> None:
    """Other users and threads get their own cards."""
    week = DecisionHistory(
        watches=[
            requested_watch(0),
            requested_watch(1, asker="U0BEN"),
            requested_watch(2, thread_ts="1.2"),
        ]
    )
    assert recommendations.recommend(NotificationPolicy(), week) == []


def test_following_from_an_old_card_needs_no_new_card() -> None:
    """A click on Follow posts no message."""
    old = f"{(MONDAY - timedelta(hours=1)).timestamp():.6f}"
    week = DecisionHistory(watches=[requested_watch(0), requested_watch(1, card_ts=old)])
    assert recommendations.recommend(NotificationPolicy(), week) == []


EVENTS = st.tuples(
    st.sampled_from(EventKind), st.booleans(), st.integers(0, 1_500), st.sampled_from("abc")
)


@st.composite
def weeks(draw: st.DrawFn) -> DecisionHistory:
    """Generate a week with a few names and watches, in order of time."""
    minutes = 0
    records: list[DecisionRecord] = []
    for event_kind, bad, delay, letter in draw(st.lists(EVENTS, max_size=40)):
        minutes += delay % 1_440 if delay > 1_400 else delay % 40
        records.append(
            decision_record(event_kind, minutes, failed=bad, name=letter, watch_id=letter)
        )
    outcomes = draw(st.dictionaries(st.sampled_from("abc"), st.booleans()))
    reactable = draw(st.frozensets(st.sampled_from("abc")))
    return DecisionHistory(
        records, {("deploys", name): bad for name, bad in outcomes.items()}, reactable
    )


POLICIES = st.builds(
    NotificationPolicy,
    follow_ups=st.sampled_from(FollowUps),
    tasks=st.sampled_from(Tasks),
    broadcast=st.sampled_from(Broadcast),
    posts_per_hour=st.sampled_from([None, 1, 3, 15]),
    quiet_hours=st.sampled_from([None, QuietHours(begins=time(20), ends=time(8))]),
    reaction=st.booleans(),
)


def replay_naively(policy: NotificationPolicy, week: DecisionHistory) -> list[DeliveryAction]:
    """Evaluate a week naively: each step scans all earlier events."""
    actions: list[DeliveryAction] = []
    for n, one in enumerate(week.decisions):
        recent_posts = sum(
            action is DeliveryAction.POST and before.decided_at > one.decided_at - HOUR
            for before, action in zip(week.decisions, actions, strict=False)
        )
        earlier_outcomes = [
            before.failed
            for before in week.decisions[:n]
            if before.name == one.name and before.event_kind in (EventKind.OUTCOME, EventKind.RUN)
        ]
        outcome_before = week.previous_outcomes.get(("deploys", one.name), False)
        context = Context(
            now=one.decided_at,
            recent_posts=recent_posts,
            previously_failed=earlier_outcomes[-1] if earlier_outcomes else outcome_before,
            can_react=one.watch_id in week.reactable,
        )
        event = Event(kind=one.event_kind, failed=one.failed)
        actions.append(evaluate(policy, event, context).action)
    return actions


def changed(policy: NotificationPolicy, change: SettingChange) -> NotificationPolicy:
    """Return the policy after the change."""
    return NotificationPolicy.model_validate(policy.model_dump() | {change.field: change.value})


@given(POLICIES, weeks())
def test_avoided_posts_are_the_difference_of_two_replays(
    policy: NotificationPolicy, week: DecisionHistory
) -> None:
    """Posts under the current policy minus posts under the changed one, counted independently."""
    now = replay_naively(policy, week)
    for option in recommendations.recommend(policy, week):
        then = replay_naively(changed(policy, option.change), week)
        assert option.avoided == now.count(DeliveryAction.POST) - then.count(DeliveryAction.POST)
        assert option.avoided + option.fewer_broadcasts + option.fewer_cards > 0


@given(POLICIES, weeks())
def test_recommendation_counts_hidden_failures(
    policy: NotificationPolicy, week: DecisionHistory
) -> None:
    """The reader sees what the change costs."""
    kept = (DeliveryAction.POST, DeliveryAction.DEFER, DeliveryAction.DIGEST)
    now = replay_naively(policy, week)
    for option in recommendations.recommend(policy, week):
        then = replay_naively(changed(policy, option.change), week)
        hidden = [
            one
            for one, old, new in zip(week.decisions, now, then, strict=True)
            if one.failed and old in kept and new not in kept
        ]
        assert option.hidden_failures == len(hidden)


@given(POLICIES, weeks())
def test_recommended_value_avoids_most_within_its_field(
    policy: NotificationPolicy, week: DecisionHistory
) -> None:
    """No other value of the field avoids more."""
    for option in recommendations.recommend(policy, week):
        others = [c for c in recommendations._CHANGES if c.field == option.change.field]
        for other in others:
            result = recommendations.evaluate_change(policy, week, other)
            assert (
                result.avoided + result.fewer_broadcasts <= option.avoided + option.fewer_broadcasts
            )
