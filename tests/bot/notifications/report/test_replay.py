"""Replay of past decisions under another policy."""

from __future__ import annotations

import pytest

from bot.notifications.policy import Broadcast, FollowUps, NotificationPolicy, Tasks
from bot.notifications.report.replay import DecisionHistory, count_actions, replay
from bot.store import DeliveryAction, EventKind
from tests.bot.history_samples import decision_record, history

GOOD, BAD = (EventKind.OUTCOME, False), (EventKind.OUTCOME, True)
STARTED = (EventKind.CHANGE, False)


def actions(policy: NotificationPolicy, past: DecisionHistory) -> list[DeliveryAction]:
    """Return what the policy would have done."""
    return [decision.action for decision in replay(policy, past)]


def test_replay_under_the_same_policy_changes_nothing() -> None:
    """Every event is posted again."""
    assert actions(NotificationPolicy(), history(STARTED, GOOD, BAD)) == [DeliveryAction.POST] * 3


def test_state_change_depends_on_the_replayed_events() -> None:
    """The first failure and the recovery are posted, a second failure is not."""
    policy = NotificationPolicy(follow_ups=FollowUps.STATE_CHANGES)
    result = actions(policy, history(BAD, BAD, GOOD, GOOD, BAD))
    assert result == [
        DeliveryAction.POST,
        DeliveryAction.UPDATE,
        DeliveryAction.POST,
        DeliveryAction.UPDATE,
        DeliveryAction.POST,
    ]


def test_outcome_before_the_week_counts() -> None:
    """The first success is a recovery if the previous job failed."""
    policy = NotificationPolicy(follow_ups=FollowUps.STATE_CHANGES)
    before = {("deploys", "deploy-api"): True}
    assert actions(policy, history(GOOD, outcomes=before)) == [DeliveryAction.POST]
    assert actions(policy, history(GOOD)) == [DeliveryAction.UPDATE]


def test_series_of_two_connections_are_separate() -> None:
    """A failure in staging has no recovery in production."""
    policy = NotificationPolicy(follow_ups=FollowUps.STATE_CHANGES)
    ref = decision_record().ref.replace(connection="staging")
    week = DecisionHistory([decision_record(failed=True, ref=ref), decision_record(minutes=1)])
    assert actions(policy, week) == [DeliveryAction.POST, DeliveryAction.UPDATE]


def test_hourly_limit_counts_the_replayed_posts() -> None:
    """Filtered events do not count, nor do posts that are an hour old."""
    policy = NotificationPolicy(follow_ups=FollowUps.OUTCOMES, posts_per_hour=2)
    result = actions(policy, history(STARTED, GOOD, STARTED, GOOD, GOOD, minutes=20))
    assert result == [
        DeliveryAction.UPDATE,
        DeliveryAction.POST,
        DeliveryAction.UPDATE,
        DeliveryAction.POST,
        DeliveryAction.POST,
    ]
    result = actions(policy, history(STARTED, GOOD, STARTED, GOOD, GOOD, minutes=19))
    assert result[-2:] == [DeliveryAction.POST, DeliveryAction.DIGEST]


def test_recovery_is_broadcast_only_after_a_failure() -> None:
    """Broadcasts depend on the replayed events too."""
    policy = NotificationPolicy(broadcast=Broadcast.FAILURE_AND_RECOVERY)
    assert [d.broadcast for d in replay(policy, history(GOOD, BAD, GOOD))] == [False, True, True]


@pytest.mark.parametrize(
    ("watches", "action"), [({"watch1"}, DeliveryAction.REACT), ((), DeliveryAction.POST)]
)
def test_reaction_requires_a_message(watches: set[str], action: DeliveryAction) -> None:
    """A slash command leaves no message to react to."""
    week = history(GOOD, reactable=frozenset(watches))
    assert actions(NotificationPolicy(reaction=True), week) == [action]


def test_actions_are_counted() -> None:
    """Each decision is counted once."""
    week = history(STARTED, (EventKind.TASK, True), GOOD)
    result = count_actions(replay(NotificationPolicy(tasks=Tasks.NONE), week))
    assert (
        result[DeliveryAction.POST],
        result[DeliveryAction.UPDATE],
        result[DeliveryAction.DROP],
    ) == (2, 1, 0)
