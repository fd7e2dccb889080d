"""A channel's past decided about anew."""

from __future__ import annotations

import pytest

from bot.noise.decision import Action, Happening
from bot.noise.policy import Broadcast, FollowUps, NoisePolicy, Tasks
from bot.noise.replay import Past, count, replay
from tests.bot.weeks import decided, past

GOOD, BAD = (Happening.OUTCOME, False), (Happening.OUTCOME, True)
BEGUN = (Happening.CHANGE, False)


def actions(policy: NoisePolicy, of: Past) -> list[Action]:
    """Return what the policy would have done."""
    return [decision.action for decision in replay(policy, of)]


def test_the_policy_that_told_everything_tells_everything_again() -> None:
    """A replay of what happened is what happened."""
    assert actions(NoisePolicy(), past(BEGUN, GOOD, BAD)) == [Action.POST] * 3


def test_a_turn_is_reckoned_from_what_the_replay_has_seen() -> None:
    """The first failure of a name and its recovery are told, the second failure is not."""
    policy = NoisePolicy(follow_ups=FollowUps.TURNS)
    found = actions(policy, past(BAD, BAD, GOOD, GOOD, BAD))
    assert found == [Action.POST, Action.UPDATE, Action.POST, Action.UPDATE, Action.POST]


def test_how_a_name_stood_before_the_week_counts() -> None:
    """The first success of the week is a recovery if the last job before it failed."""
    policy = NoisePolicy(follow_ups=FollowUps.TURNS)
    before = {("deploys", "deploy-api"): True}
    assert actions(policy, past(GOOD, stood=before)) == [Action.POST]
    assert actions(policy, past(GOOD)) == [Action.UPDATE]


def test_names_of_two_connections_stand_apart() -> None:
    """Staging fails, production has nothing to recover from."""
    policy = NoisePolicy(follow_ups=FollowUps.TURNS)
    ref = decided().ref.but(connection="staging")
    week = Past([decided(bad=True, ref=ref), decided(minutes=1)])
    assert actions(policy, week) == [Action.POST, Action.UPDATE]


def test_the_budget_of_an_hour_is_spent_by_the_replays_own_posts() -> None:
    """What another rule leaves out spends nothing, and what is an hour old is forgotten."""
    policy = NoisePolicy(follow_ups=FollowUps.OUTCOMES, posts_per_hour=2)
    found = actions(policy, past(BEGUN, GOOD, BEGUN, GOOD, GOOD, minutes=20))
    assert found == [Action.UPDATE, Action.POST, Action.UPDATE, Action.POST, Action.POST]
    found = actions(policy, past(BEGUN, GOOD, BEGUN, GOOD, GOOD, minutes=19))
    assert found[-2:] == [Action.POST, Action.DIGEST]


def test_a_recovery_is_loud_only_after_a_failure_in_the_replay() -> None:
    """What is shown in the channel depends on the past as well."""
    policy = NoisePolicy(broadcast=Broadcast.TURNS)
    assert [d.loud for d in replay(policy, past(GOOD, BAD, GOOD))] == [False, True, True]


@pytest.mark.parametrize(("watches", "action"), [({"watch1"}, Action.REACT), ((), Action.POST)])
def test_a_reaction_needs_a_message_that_takes_one(watches: set[str], action: Action) -> None:
    """A slash command leaves no message behind."""
    week = past(GOOD, reactable=frozenset(watches))
    assert actions(NoisePolicy(reaction=True), week) == [action]


def test_the_actions_are_counted() -> None:
    """As many as there were."""
    week = past(BEGUN, (Happening.TASK, True), GOOD)
    found = count(replay(NoisePolicy(tasks=Tasks.NONE), week))
    assert (found[Action.POST], found[Action.UPDATE], found[Action.DROP]) == (2, 1, 0)
