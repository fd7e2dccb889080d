"""What a contract says, sentence by sentence."""

from __future__ import annotations

from datetime import UTC, datetime, time
from enum import StrEnum

import pytest

from bot.noise.clauses import CLAUSES, chosen, gist, sentence, value
from bot.noise.decision import Action, Context, Happening, News, decide
from bot.noise.policy import FollowUps, Mention, NoisePolicy, QuietHours, Tasks

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FIELDS = set(NoisePolicy.model_fields)


def test_every_field_of_a_policy_is_a_clause() -> None:
    """The group is a part of whom the outcome calls."""
    assert set(CLAUSES) == FIELDS - {"group"}


@pytest.mark.parametrize("name", [n for n in CLAUSES if CLAUSES[n].choices])
def test_the_choices_of_a_clause_are_those_of_its_field(name: str) -> None:
    """A new value needs its words."""
    kind = NoisePolicy.model_fields[name].annotation
    assert isinstance(kind, type)
    values = [str(value) for value in kind] if issubclass(kind, StrEnum) else ["on", "off"]
    assert sorted(CLAUSES[name].choices) == sorted(values)


@pytest.mark.parametrize("name", CLAUSES)
def test_every_choice_is_a_whole_sentence(name: str) -> None:
    """It reads well aloud: a capital first, a full stop last, no two alike."""
    values = [value == "on" if value in ("on", "off") else value for value in CLAUSES[name].choices]
    said = [sentence(name, NoisePolicy.model_validate({name: value})) for value in values]
    said = said or [sentence(name, NoisePolicy())]
    assert all(line[0].isupper() and line.endswith(".") for line in said)
    assert len(set(said)) == len(said)


def test_quiet_hours_are_told_with_zone_and_failures() -> None:
    """Whoever hears it knows when, where, and what is told all the same."""
    quiet = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")
    said = sentence("quiet_hours", NoisePolicy(quiet_hours=quiet))
    assert said.startswith("From 22:00 to 07:00 (Europe/Berlin), nothing is told")
    passing = NoisePolicy(quiet_hours=quiet.but(failures_pass=True))
    assert "only failures are told" in sentence("quiet_hours", passing)


def test_a_group_that_is_called_is_named() -> None:
    """As a mention, which Slack shows by its handle."""
    calling = NoisePolicy(mention=Mention.GROUP, group="S0ONCALL")
    assert sentence("mention", calling) == (
        "A failure calls <!subteam^S0ONCALL>; other outcomes call nobody."
    )


def test_a_group_that_nobody_chose_is_told_to_call_nobody() -> None:
    """As when the settings under a channel's own have changed."""
    assert "calls nobody" in sentence("mention", NoisePolicy(mention=Mention.GROUP))


@pytest.mark.parametrize("follow_ups", FollowUps)
@pytest.mark.parametrize("tasks", Tasks)
def test_what_is_said_of_tasks_is_what_a_thread_hears_of_them(
    follow_ups: FollowUps, tasks: Tasks
) -> None:
    """It goes with what is said of follow-ups, and with what is decided."""
    policy = NoisePolicy(follow_ups=follow_ups, tasks=tasks)
    told = {
        bad: decide(policy, News(happening=Happening.TASK, bad=bad), Context(now=NOON)).action
        for bad in (False, True)
    }
    said = sentence("tasks", policy)
    assert ("not hear" in said) == (Action.POST not in told.values())
    assert ("every single task" in said) == (told[False] is Action.POST)


def test_a_number_of_posts_is_told_in_the_right_number() -> None:
    """One follow-up, two follow-ups."""
    one, two = NoisePolicy(posts_per_hour=1), NoisePolicy(posts_per_hour=2)
    assert "At most 1 follow-up an hour" in sentence("posts_per_hour", one)
    assert "At most 2 follow-ups an hour" in sentence("posts_per_hour", two)


def test_a_yes_or_no_is_chosen_by_its_word() -> None:
    """As people type it."""
    assert chosen("board", NoisePolicy(board=True)) == "on"
    assert chosen("board", NoisePolicy()) == "off"


NIGHT = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")


def test_a_channel_that_chose_nothing_is_told_what_it_hears_and_no_limits() -> None:
    """Four sentences, and none about what is not set."""
    assert gist(NoisePolicy()) == (
        "A job's thread hears every change. Of single tasks, it hears of those that fail."
        " A failure is shown in the channel as well. The outcome calls whoever asked."
    )


def test_a_channel_with_limits_is_told_them_as_well() -> None:
    """Quiet hours, a budget, boards and reactions are told where they are set."""
    said = gist(NoisePolicy(quiet_hours=NIGHT, posts_per_hour=1, board=True, reaction=True))
    assert "From 22:00 to 07:00 (Europe/Berlin), nothing is told" in said
    assert "At most 1 follow-up an hour" in said
    assert "Several jobs that are asked for at once share one message." in said
    assert "gets reactions instead of follow-ups." in said


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (FollowUps.EVERY, "every"),
        (None, "none"),
        ("", "none"),
        (True, "on"),
        (False, "off"),
        (20, "20"),
        (NIGHT, "22:00 to 07:00 (Europe/Berlin)"),
        (NIGHT.but(failures_pass=True), "22:00 to 07:00 (Europe/Berlin)"),
    ],
)
def test_a_value_is_said_as_people_say_it(held: object, words: str) -> None:
    """No enum, no None and no True is read aloud."""
    assert value(held) == words
