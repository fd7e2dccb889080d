"""Labels, choices and sentences of the policy fields."""

from __future__ import annotations

from datetime import UTC, datetime, time
from enum import StrEnum

import pytest

from bot.notifications.decision import Context, Event, evaluate
from bot.notifications.policy import FollowUps, Mention, NotificationPolicy, QuietHours, Tasks
from bot.notifications.policy_text import FIELD_TEXTS, choice_key, format_value, sentence, summary
from bot.store import DeliveryAction, EventKind

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FIELDS = set(NotificationPolicy.model_fields)


def test_every_policy_field_has_texts() -> None:
    """The group belongs to the mention."""
    assert set(FIELD_TEXTS) == FIELDS - {"group"}


@pytest.mark.parametrize("name", [n for n in FIELD_TEXTS if FIELD_TEXTS[n].choices])
def test_choices_match_the_values_of_the_field(name: str) -> None:
    """A new value needs a label."""
    kind = NotificationPolicy.model_fields[name].annotation
    assert isinstance(kind, type)
    values = [str(value) for value in kind] if issubclass(kind, StrEnum) else ["on", "off"]
    assert sorted(FIELD_TEXTS[name].choices) == sorted(values)


@pytest.mark.parametrize("name", FIELD_TEXTS)
def test_every_choice_has_a_distinct_sentence(name: str) -> None:
    """It starts with a capital and ends with a full stop."""
    values = [
        value == "on" if value in ("on", "off") else value for value in FIELD_TEXTS[name].choices
    ]
    text = [sentence(name, NotificationPolicy.model_validate({name: value})) for value in values]
    text = text or [sentence(name, NotificationPolicy())]
    assert all(line[0].isupper() and line.endswith(".") for line in text)
    assert len(set(text)) == len(text)


def test_quiet_hours_text_has_span_zone_and_failures() -> None:
    """The text says when, in which zone, and whether failures are posted."""
    quiet = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")
    text = sentence("quiet_hours", NotificationPolicy(quiet_hours=quiet))
    assert text.startswith("From 22:00 to 07:00 (Europe/Berlin), nothing is told")
    passing = NotificationPolicy(quiet_hours=quiet.replace(allow_failures=True))
    assert "only failures are told" in sentence("quiet_hours", passing)


def test_mentioned_group_is_shown_as_a_mention() -> None:
    """Slack renders the mention as the group's handle."""
    calling = NotificationPolicy(mention=Mention.GROUP, group="S0ONCALL")
    assert sentence("mention", calling) == (
        "A failure calls <!subteam^S0ONCALL>; other outcomes call nobody."
    )


def test_missing_group_is_described_as_no_mention() -> None:
    """This happens when the defaults under the overrides change."""
    assert "calls nobody" in sentence("mention", NotificationPolicy(mention=Mention.GROUP))


@pytest.mark.parametrize("follow_ups", FollowUps)
@pytest.mark.parametrize("tasks", Tasks)
def test_task_sentence_agrees_with_the_decision(follow_ups: FollowUps, tasks: Tasks) -> None:
    """It takes `follow_ups` into account, as the decision does."""
    policy = NotificationPolicy(follow_ups=follow_ups, tasks=tasks)
    actions = {
        bad: evaluate(policy, Event(kind=EventKind.TASK, failed=bad), Context(now=NOON)).action
        for bad in (False, True)
    }
    text = sentence("tasks", policy)
    assert ("not hear" in text) == (DeliveryAction.POST not in actions.values())
    assert ("every single task" in text) == (actions[False] is DeliveryAction.POST)


def test_hourly_limit_uses_singular_and_plural() -> None:
    """One follow-up, two follow-ups."""
    one, two = NotificationPolicy(posts_per_hour=1), NotificationPolicy(posts_per_hour=2)
    assert "At most 1 follow-up an hour" in sentence("posts_per_hour", one)
    assert "At most 2 follow-ups an hour" in sentence("posts_per_hour", two)


def test_boolean_field_is_chosen_by_on_or_off() -> None:
    """These are the words that people type."""
    assert choice_key("board", NotificationPolicy(board=True)) == "on"
    assert choice_key("board", NotificationPolicy()) == "off"


NIGHT = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")


def test_summary_of_the_default_policy_has_no_limits() -> None:
    """It has four sentences, and none about fields that are not set."""
    assert summary(NotificationPolicy()) == (
        "A job's thread hears every change. Of single tasks, it hears of those that fail."
        " A failure is shown in the channel as well. The outcome calls whoever asked."
    )


def test_summary_includes_the_optional_fields_that_are_set() -> None:
    """Quiet hours, hourly limit, boards and reactions."""
    text = summary(
        NotificationPolicy(quiet_hours=NIGHT, posts_per_hour=1, board=True, reaction=True)
    )
    assert "From 22:00 to 07:00 (Europe/Berlin), nothing is told" in text
    assert "At most 1 follow-up an hour" in text
    assert "Several jobs that are asked for at once share one message." in text
    assert "gets reactions instead of follow-ups." in text


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (FollowUps.EVERY, "every"),
        (None, "none"),
        ("", "none"),
        (True, "on"),
        (False, "off"),
        (20, "20"),
        (NIGHT, "22:00 to 07:00 (Europe/Berlin)"),
        (NIGHT.replace(allow_failures=True), "22:00 to 07:00 (Europe/Berlin)"),
    ],
)
def test_field_value_is_formatted_for_people(raw: object, words: str) -> None:
    """No enum name, None or True is shown."""
    assert format_value(raw) == words
