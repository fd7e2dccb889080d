"""Which settings would have spared a channel most, counted by hand and by machine."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bot.noise import savings
from bot.noise.decision import Action, Context, Happening, News, decide
from bot.noise.policy import HOUR, Broadcast, FollowUps, NoisePolicy, QuietHours, Tasks
from bot.noise.replay import Past
from tests.bot.weeks import MONDAY, asked, decided, past

if TYPE_CHECKING:
    from bot.noise.savings import Change, Saving
    from bot.store import Decided

GOOD, BAD = (Happening.OUTCOME, False), (Happening.OUTCOME, True)
BEGUN, STEP = (Happening.CHANGE, False), (Happening.TASK, True)


def offered(policy: NoisePolicy, week: Past) -> dict[str, Saving]:
    """Return what is offered, by the command that does it."""
    return {offer.change.command: offer for offer in savings.best(policy, week)}


def test_a_channel_in_which_nothing_happened_is_offered_nothing() -> None:
    """There is nothing to spare."""
    assert savings.best(NoisePolicy(), Past()) == []


def test_a_channel_that_hears_only_what_it_must_is_offered_nothing() -> None:
    """An offer that spares no post is none."""
    policy = NoisePolicy(follow_ups=FollowUps.TURNS, broadcast=Broadcast.NEVER)
    assert savings.best(policy, past(BAD)) == []


def test_the_setting_that_spares_most_comes_first_and_each_field_comes_once() -> None:
    """Six beginnings and six good ends: no turn among twelve posts, two beyond ten an hour."""
    week = past(*[BEGUN, GOOD] * 6)
    found = savings.best(NoisePolicy(), week)
    assert [(o.change.command, o.spared) for o in found] == [
        ("set follow_ups turns", 12),
        ("set posts_per_hour 10", 2),
    ]


def test_at_most_three_are_offered() -> None:
    """More would be a list to read, not a choice."""
    week = past(*[BEGUN, STEP, BAD, GOOD] * 30, reactable=frozenset({"watch1"}))
    found = savings.best(NoisePolicy(), week)
    assert [offer.change.field for offer in found] == ["reaction", "posts_per_hour", "follow_ups"]


def test_of_two_values_that_spare_as_much_the_one_that_hides_fewer_failures_is_offered() -> None:
    """Turns and failures would both spare the beginnings; turns would hide a failure."""
    week = past(BEGUN, GOOD, BAD, BEGUN, GOOD, BAD, BAD)
    found = savings.best(NoisePolicy(), week)
    assert found[0].change.command == "set follow_ups failures"
    assert (found[0].spared, found[0].hidden) == (4, 0)


def test_failures_that_would_be_hidden_are_counted() -> None:
    """No single tasks: two failed steps would be on the card only."""
    offer = offered(NoisePolicy(), past(STEP, STEP, GOOD))["set tasks none"]
    assert (offer.spared, offer.hidden, offer.late) == (2, 2, 0)


def test_failures_that_a_reaction_would_stand_for_are_counted_as_hidden() -> None:
    """A cross on a message is less than a sentence."""
    week = past(BAD, reactable=frozenset({"watch1"}))
    offer = offered(NoisePolicy(), week)["set reaction on"]
    assert (offer.spared, offer.hidden) == (1, 1)


def test_nothing_outside_the_threads_spares_the_channel_and_no_thread() -> None:
    """The failures are still told, where they belong."""
    offer = offered(NoisePolicy(), past(BAD, BAD, GOOD))["set broadcast never"]
    assert (offer.spared, offer.unshown, offer.hidden) == (0, 2, 0)


def test_quiet_hours_are_offered_where_a_good_part_comes_at_night() -> None:
    """From noon on, every 30 minutes: 18 of the first 38 come between 22:00 and 07:00."""
    offer = offered(NoisePolicy(), past(*[BAD] * 38, minutes=30))
    quiet = offer["set quiet_hours 22:00-07:00 UTC"]
    assert (quiet.spared, quiet.together, quiet.late, quiet.hidden) == (18, 18, 18, 0)


def test_quiet_hours_are_not_offered_where_the_nights_are_quiet() -> None:
    """One post at night in five."""
    week = Past([decided(minutes=n) for n in (0, 1, 2, 3, 600)])
    assert "quiet_hours" not in {o.change.field for o in savings.best(NoisePolicy(), week)}


def test_a_channel_with_quiet_hours_keeps_its_own() -> None:
    """Whoever chose them knows the zone."""
    policy = NoisePolicy(quiet_hours=QuietHours(begins=time(1), ends=time(2)))
    offers = savings.best(policy, past(*[BAD] * 48, minutes=30))
    assert "quiet_hours" not in {offer.change.field for offer in offers}


def test_a_budget_that_is_larger_than_the_present_one_is_not_offered() -> None:
    """Nobody is offered more noise."""
    policy = NoisePolicy(posts_per_hour=5)
    found = savings.best(policy, past(*[GOOD] * 40))
    assert "posts_per_hour" not in {offer.change.field for offer in found}


def test_jobs_asked_for_together_would_have_shared_a_message() -> None:
    """Three within a minute of one another and one later: two cards would have done."""
    week = Past(asked=[asked(0), asked(50), asked(100), asked(300)])
    offer = offered(NoisePolicy(), week)["set board on"]
    assert (offer.spared, offer.cards) == (0, 2)


def test_boards_that_hold_already_are_not_offered() -> None:
    """Nor are they where nobody asks for several."""
    together = Past(asked=[asked(0), asked(1)])
    assert savings.best(NoisePolicy(board=True), together) == []
    assert savings.best(NoisePolicy(), Past(asked=[asked(0), asked(100)])) == []


def test_only_what_one_person_asks_in_one_place_shares_a_message() -> None:
    """Another's question, or one in another thread, has its own answer."""
    week = Past(asked=[asked(0), asked(1, asker="U0BEN"), asked(2, thread_ts="1.2")])
    assert savings.best(NoisePolicy(), week) == []


def test_a_job_that_is_followed_from_an_old_card_needs_no_new_one() -> None:
    """A click on Follow posts nothing."""
    old = f"{(MONDAY - timedelta(hours=1)).timestamp():.6f}"
    week = Past(asked=[asked(0), asked(1, card_ts=old)])
    assert savings.best(NoisePolicy(), week) == []


HAPPENED = st.tuples(
    st.sampled_from(Happening), st.booleans(), st.integers(0, 1_500), st.sampled_from("abc")
)


@st.composite
def weeks(draw: st.DrawFn) -> Past:
    """A week of a few names and watches, in order of time."""
    minutes = 0
    told: list[Decided] = []
    for happening, bad, wait, letter in draw(st.lists(HAPPENED, max_size=40)):
        minutes += wait % 1_440 if wait > 1_400 else wait % 40
        told.append(decided(happening, minutes, bad=bad, name=letter, watch_id=letter))
    stood = draw(st.dictionaries(st.sampled_from("abc"), st.booleans()))
    reactable = draw(st.frozensets(st.sampled_from("abc")))
    return Past(told, {("deploys", name): bad for name, bad in stood.items()}, reactable)


POLICIES = st.builds(
    NoisePolicy,
    follow_ups=st.sampled_from(FollowUps),
    tasks=st.sampled_from(Tasks),
    broadcast=st.sampled_from(Broadcast),
    posts_per_hour=st.sampled_from([None, 1, 3, 15]),
    quiet_hours=st.sampled_from([None, QuietHours(begins=time(20), ends=time(8))]),
    reaction=st.booleans(),
)


def told(policy: NoisePolicy, week: Past) -> list[Action]:
    """Decide about a week in the plainest way: at each step, look at all that went before."""
    made: list[Action] = []
    for n, one in enumerate(week.decided):
        spoken = sum(
            action is Action.POST and before.at > one.at - HOUR
            for before, action in zip(week.decided, made, strict=False)
        )
        ends = [
            before.bad
            for before in week.decided[:n]
            if before.name == one.name and before.happening in (Happening.OUTCOME, Happening.RUN)
        ]
        stood = week.stood.get(("deploys", one.name), False)
        context = Context(
            now=one.at,
            spoken=spoken,
            was_bad=ends[-1] if ends else stood,
            can_react=one.watch_id in week.reactable,
        )
        news = News(happening=one.happening, bad=one.bad)
        made.append(decide(policy, news, context).action)
    return made


def changed(policy: NoisePolicy, change: Change) -> NoisePolicy:
    """Return the policy after somebody has pressed the button."""
    return NoisePolicy.model_validate(policy.model_dump() | {change.field: change.value})


@given(POLICIES, weeks())
def test_what_is_said_to_be_spared_is_the_difference_of_the_two_weeks(
    policy: NoisePolicy, week: Past
) -> None:
    """Posts under the present policy less posts under the changed one, counted apart."""
    now = told(policy, week)
    for offer in savings.best(policy, week):
        then = told(changed(policy, offer.change), week)
        assert offer.spared == now.count(Action.POST) - then.count(Action.POST)
        assert offer.spared + offer.unshown + offer.cards > 0


@given(POLICIES, weeks())
def test_an_offer_that_would_hide_failures_counts_them(policy: NoisePolicy, week: Past) -> None:
    """Whoever reads the offer knows what it costs."""
    kept = (Action.POST, Action.HOLD, Action.DIGEST)
    now = told(policy, week)
    for offer in savings.best(policy, week):
        then = told(changed(policy, offer.change), week)
        hidden = [
            one
            for one, old, new in zip(week.decided, now, then, strict=True)
            if one.bad and old in kept and new not in kept
        ]
        assert offer.hidden == len(hidden)


@given(POLICIES, weeks())
def test_nothing_better_is_left_out(policy: NoisePolicy, week: Past) -> None:
    """Of the changes of one field, the one that is offered spares most."""
    for offer in savings.best(policy, week):
        others = [c for c in savings._CHANGES if c.field == offer.change.field]
        for other in others:
            found = savings.saving(policy, week, other)
            assert found.spared + found.unshown <= offer.spared + offer.unshown
