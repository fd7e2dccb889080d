"""The noise policy: what becomes of each piece of news, in words that a channel can read."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.noise.decision import Action, Context, Happening, News, Opening, decide, opening
from bot.noise.policy import PRESETS, Broadcast, FollowUps, Mention, NoisePolicy, QuietHours, Tasks

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 18, 0, tzinfo=UTC)
NIGHT = QuietHours(begins=time(22), ends=time(7), zone="UTC")
FAILED, ENDED = (News(happening=Happening.OUTCOME, bad=bad) for bad in (True, False))

# Whether the news is told (x) under: every, outcomes, failures, and turns where the last job of
# that name was well, and where it was not.
COLUMNS = (
    (FollowUps.EVERY, False),
    (FollowUps.OUTCOMES, False),
    (FollowUps.FAILURES, False),
    (FollowUps.TURNS, False),
    (FollowUps.TURNS, True),
)
TOLD = {
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
TASKS_TOLD = {
    (Tasks.NONE, False): "- - - - -",
    (Tasks.NONE, True): "- - - - -",
    (Tasks.FAILURES, False): "- - - - -",
    (Tasks.FAILURES, True): "x - x x -",
    (Tasks.ALL, False): "x - - - -",
    (Tasks.ALL, True): "x - x x -",
}


def context(now: datetime = NOON, **more: object) -> Context:
    """Return the surroundings of a decision."""
    return Context.model_validate({"now": now, **more})


@pytest.mark.parametrize(
    ("tasks", "column", "row"), [*product(Tasks, range(len(COLUMNS)), TOLD.items())]
)
def test_each_policy_tells_what_its_name_says(
    tasks: Tasks, column: int, row: tuple[tuple[Happening, bool], str]
) -> None:
    """What is not told is on the card, and the tasks' setting changes nothing about the rest."""
    ((happening, bad), told) = row
    follow_ups, was_bad = COLUMNS[column]
    policy = NoisePolicy(follow_ups=follow_ups, tasks=tasks)
    decision = decide(policy, News(happening=happening, bad=bad), context(was_bad=was_bad))
    wanted = Action.POST if told.split()[column] == "x" else Action.UPDATE
    assert (decision.action, decision.rule) == (wanted, "follow_ups")


@pytest.mark.parametrize(("column", "row"), [*product(range(len(COLUMNS)), TASKS_TOLD.items())])
def test_tasks_are_told_as_both_settings_allow(
    column: int, row: tuple[tuple[Tasks, bool], str]
) -> None:
    """A channel of outcomes hears of no task; one without tasks hears of none, either."""
    ((tasks, bad), told) = row
    follow_ups, was_bad = COLUMNS[column]
    policy = NoisePolicy(follow_ups=follow_ups, tasks=tasks)
    news = News(happening=Happening.TASK, bad=bad)
    decision = decide(policy, news, context(was_bad=was_bad))
    assert decision.action is (Action.POST if told.split()[column] == "x" else Action.UPDATE)
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
def test_an_outcome_is_shown_in_the_channel_as_the_policy_says(
    *, broadcast: Broadcast, bad: bool, was_bad: bool, loud: bool
) -> None:
    """A recovery is a success after a failure of the same name."""
    news = News(happening=Happening.OUTCOME, bad=bad)
    decision = decide(NoisePolicy(broadcast=broadcast), news, context(was_bad=was_bad))
    assert decision.loud is loud


@pytest.mark.parametrize("happening", [h for h in Happening if h is not Happening.OUTCOME])
def test_nothing_but_an_outcome_is_loud_or_calls_anybody(happening: Happening) -> None:
    """A task that fails is for those who read the thread."""
    decision = decide(NoisePolicy(), News(happening=happening, bad=True), context())
    assert (decision.loud, decision.mention) == (False, "")


@pytest.mark.parametrize(
    ("mention", "bad", "called"),
    [
        (Mention.ASKER, True, "asker"),
        (Mention.ASKER, False, "asker"),
        (Mention.NOBODY, True, ""),
        (Mention.NOBODY, False, ""),
        (Mention.GROUP, True, "S0123ABC"),
        (Mention.GROUP, False, ""),
    ],
)
def test_who_is_called_when_a_job_ends(*, mention: Mention, bad: bool, called: str) -> None:
    """A group is only called when something failed."""
    policy = NoisePolicy(mention=mention, group="S0123ABC")
    news = News(happening=Happening.OUTCOME, bad=bad)
    assert decide(policy, news, context()).mention == called


def test_news_of_the_quiet_hours_is_held_until_they_end() -> None:
    """The end is the next morning's, and it says so."""
    decision = decide(NoisePolicy(quiet_hours=NIGHT), FAILED, context(MIDNIGHT))
    assert (decision.action, decision.rule) == (Action.HOLD, "quiet_hours")
    assert decision.until == MIDNIGHT + timedelta(hours=7)
    assert "until 07:00 (UTC)" in decision.reason


def test_a_failure_may_pass_the_quiet_hours() -> None:
    """Where a channel wants that; what went well waits all the same."""
    night = NIGHT.but(failures_pass=True)
    policy = NoisePolicy(quiet_hours=night)
    assert decide(policy, FAILED, context(MIDNIGHT)).action is Action.POST
    assert decide(policy, ENDED, context(MIDNIGHT)).action is Action.HOLD


def test_what_nobody_wants_is_not_held_either() -> None:
    """The morning's digest has no more in it than the channel would have heard by day."""
    policy = NoisePolicy(follow_ups=FollowUps.FAILURES, quiet_hours=NIGHT)
    assert decide(policy, ENDED, context(MIDNIGHT)).action is Action.UPDATE


def test_beyond_the_budget_news_goes_into_the_digest() -> None:
    """As many as were allowed are posted, whatever they say."""
    policy = NoisePolicy(posts_per_hour=3)
    assert decide(policy, FAILED, context(spoken=2)).action is Action.POST
    decision = decide(policy, FAILED, context(spoken=3))
    assert (decision.action, decision.rule) == (Action.DIGEST, "posts_per_hour")
    assert "3 follow-ups an hour" in decision.reason


def test_quiet_hours_come_before_the_budget() -> None:
    """A digest that grows is not quiet."""
    policy = NoisePolicy(quiet_hours=NIGHT, posts_per_hour=1)
    assert decide(policy, FAILED, context(MIDNIGHT, spoken=9)).action is Action.HOLD


def test_a_reaction_takes_the_place_of_a_follow_up_where_there_is_a_message_for_it() -> None:
    """A slash command leaves no message, so its thread hears the news."""
    policy = NoisePolicy(reaction=True)
    assert decide(policy, ENDED, context(can_react=True)).action is Action.REACT
    assert decide(policy, ENDED, context()).action is Action.POST


@pytest.mark.parametrize("happening", [Happening.TASK, Happening.TROUBLE, Happening.WELL])
def test_a_reaction_tells_the_status_of_the_job_and_nothing_else(happening: Happening) -> None:
    """A task that failed does not change it."""
    decision = decide(
        NoisePolicy(reaction=True), News(happening=happening, bad=True), context(can_react=True)
    )
    assert decision.action is Action.UPDATE


def test_what_was_held_for_a_thread_that_was_stopped_is_dropped() -> None:
    """Whoever stopped the following does not hear of it in the morning."""
    decision = decide(NoisePolicy(), FAILED, context(stopped=True))
    assert (decision.action, decision.rule) == (Action.DROP, "stopped")


@pytest.mark.parametrize(
    ("board", "reaction", "jobs", "can_react", "how"),
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
def test_how_jobs_are_shown_that_somebody_asks_for(
    *, board: bool, reaction: bool, jobs: int, can_react: bool, how: Opening
) -> None:
    """A reaction tells of one job; a board, where it is wanted, of any number."""
    policy = NoisePolicy(board=board, reaction=reaction)
    assert opening(policy, jobs, can_react=can_react) is how


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
NEWS = st.builds(News, happening=st.sampled_from(Happening), bad=st.booleans())
CONTEXTS = st.builds(
    Context,
    now=st.sampled_from([NOON, MIDNIGHT]),
    spoken=st.integers(0, 6),
    was_bad=st.booleans(),
    can_react=st.booleans(),
    stopped=st.booleans(),
)


@given(POLICIES, NEWS, CONTEXTS)
def test_every_decision_has_its_rule_and_a_sentence(
    policy: NoisePolicy, news: News, context: Context
) -> None:
    """Why is a look-up: the rule is a field of the policy, or that somebody stopped."""
    decision = decide(policy, news, context)
    assert decision.rule in {*NoisePolicy.model_fields, "stopped"}
    assert decision.reason[0].isupper()
    assert decision.reason.endswith(".")


@given(POLICIES, NEWS, CONTEXTS)
def test_only_what_is_held_has_an_end_and_it_is_to_come(
    policy: NoisePolicy, news: News, context: Context
) -> None:
    """Nothing is held for ever, and nothing else waits."""
    decision = decide(policy, news, context)
    assert (decision.until is not None) == (decision.action is Action.HOLD)
    assert decision.until is None or decision.until > context.now


@given(POLICIES, CONTEXTS)
def test_the_loudest_failure_is_never_dropped_but_by_a_person(
    policy: NoisePolicy, context: Context
) -> None:
    """A policy may leave it to the card, a digest or a reaction; it never loses it."""
    dropped = decide(policy, FAILED, context).action is Action.DROP
    assert dropped == context.stopped


def test_the_presets_differ_as_their_names_say() -> None:
    """Quiet tells less than normal, verbose tells more; normal is what nobody has to choose."""
    news = [News(happening=h, bad=bad) for h, bad in product(Happening, (True, False))]
    told = {
        name: sum(decide(policy, one, context()).action is Action.POST for one in news)
        for name, policy in PRESETS.items()
    }
    assert told["quiet"] < told["normal"] < told["verbose"]
    assert PRESETS["normal"] == NoisePolicy()
