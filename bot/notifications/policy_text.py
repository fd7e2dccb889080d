"""Labels, choices and sentences of the policy fields. No I/O.

Each sentence is complete, so that it reads well on screen and in a screen reader.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.notifications.policy import FollowUps, Mention, QuietHours, Tasks
from bot.sdk.cards import blocks
from bot.sdk.formatting import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.notifications.policy import NotificationPolicy


@dataclass(frozen=True)
class FieldText:
    """Texts of one policy field."""

    label: str  # of the input in the modal
    description: str  # one sentence
    choices: Mapping[str, str] = field(default_factory=dict)  # value → label


YES_NO = {"on": "yes", "off": "no"}

FIELD_TEXTS: Mapping[str, FieldText] = {
    "follow_ups": FieldText(
        "Follow-ups",
        "What a job's thread hears; the card shows everything in any case.",
        {
            "every": "every change",
            "outcomes": "outcomes only",
            "failures": "failures only",
            "turns": "first failure and back to normal",
        },
    ),
    "tasks": FieldText(
        "Tasks",
        "Of the ends of which single tasks a thread hears.",
        {"failures": "those that fail", "all": "all of them", "none": "none"},
    ),
    "broadcast": FieldText(
        "Shown in the channel",
        "Which outcomes are shown in the channel, beside the thread.",
        {
            "never": "never",
            "failure": "on failure",
            "failure_and_recovery": "on failure and recovery",
        },
    ),
    "mention": FieldText(
        "Whom the outcome calls",
        "Who is notified when a job ends.",
        {"asker": "whoever asked", "nobody": "nobody", "group": "a user group, on failure"},
    ),
    "quiet_hours": FieldText(
        "Quiet hours", "A part of each day in which nothing is told; what waits is told afterwards."
    ),
    "posts_per_hour": FieldText(
        "Follow-ups per hour",
        "At most so many in this channel, 1 to 1,000; the rest comes in one digest."
        " Leave it empty for no limit.",
    ),
    "board": FieldText(
        "Boards", "Several jobs that are asked for at once share one message.", YES_NO
    ),
    "reaction": FieldText(
        "Reactions",
        "A message that asks for a job gets reactions instead of follow-ups in a thread.",
        YES_NO,
    ),
}

_SENTENCES: Mapping[str, Mapping[str, str]] = {
    "follow_ups": {
        "every": "A job's thread hears every change.",
        "outcomes": "A job's thread hears how it ends, and nothing before.",
        "failures": "A job's thread hears of failures only.",
        "turns": "A thread hears of the first failure of a job's name, and when it is well again.",
    },
    "tasks": {
        "failures": "Of single tasks, it hears of those that fail.",
        "all": "It hears of every single task that ends.",
        "none": "It does not hear of single tasks.",
    },
    "broadcast": {
        "never": "Nothing is shown in the channel beside the thread.",
        "failure": "A failure is shown in the channel as well.",
        "failure_and_recovery": "A failure, and the recovery after it, are shown in the channel.",
    },
    "mention": {
        "asker": "The outcome calls whoever asked.",
        "nobody": "The outcome calls nobody.",
    },
    "board": {
        "on": "Several jobs that are asked for at once share one message.",
        "off": "Each job has a message of its own.",
    },
    "reaction": {
        "on": "A message that asks for a job gets reactions instead of follow-ups.",
        "off": "Follow-ups are written; there are no reactions in their place.",
    },
}

# The effect of the tasks field where `follow_ups` is not "every".
_TASKS_EFFECT: Mapping[FollowUps, str] = {
    FollowUps.OUTCOMES: "So it does not hear of single tasks.",
    FollowUps.FAILURES: _SENTENCES["tasks"]["failures"],
    FollowUps.STATE_CHANGES: "A single task that fails counts as a failure.",
}
_MAIN = ("follow_ups", "tasks", "broadcast", "mention")
_OPTIONAL = ("quiet_hours", "posts_per_hour", "board", "reaction")


def sentence(name: str, policy: NotificationPolicy) -> str:
    """Return what a policy says in one field, as mrkdwn."""
    if name == "quiet_hours":
        return _quiet_hours(policy.quiet_hours)
    if name == "posts_per_hour":
        return _budget(policy.posts_per_hour)
    if name == "mention" and policy.mention is Mention.GROUP:
        return _group_mention(policy.group)
    if name == "tasks" and policy.tasks is not Tasks.NONE:
        return _TASKS_EFFECT.get(policy.follow_ups) or _SENTENCES[name][policy.tasks]
    return _SENTENCES[name][choice_key(name, policy)]


def summary(policy: NotificationPolicy) -> str:
    """Return a policy in a few sentences: the main fields, and the optional ones that are set."""
    names = (*_MAIN, *(name for name in _OPTIONAL if getattr(policy, name)))
    return " ".join(sentence(name, policy) for name in names)


def format_value(raw: Any) -> str:
    """Return the value of a field as text for people."""
    if isinstance(raw, bool):
        return "on" if raw else "off"
    if raw in (None, ""):
        return "none"
    return _span(raw) if isinstance(raw, QuietHours) else str(raw).replace("_", " ")


def labelled_choice(name: str, policy: NotificationPolicy) -> str:
    """Return the choice of a policy in one field, with its label: "Tasks: all of them"."""
    text = FIELD_TEXTS[name]
    return f"{text.label}: {text.choices[choice_key(name, policy)]}"


def choice_key(name: str, policy: NotificationPolicy) -> str:
    """Return the key of the choice that a policy makes in one field."""
    raw = getattr(policy, name)
    return format_value(raw) if isinstance(raw, bool) else str(raw)


def _quiet_hours(quiet: QuietHours | None) -> str:
    if quiet is None:
        return "There are no quiet hours."
    if quiet.allow_failures:
        return f"From {_span(quiet)}, only failures are told; the rest waits until then."
    return f"From {_span(quiet)}, nothing is told; what happens waits until then."


def _span(quiet: QuietHours) -> str:
    return f"{quiet.begins:%H:%M} to {quiet.ends:%H:%M} ({quiet.zone})"


def _budget(limit: int | None) -> str:
    if limit is None:
        return "There is no limit to the follow-ups in an hour."
    return f"At most {plural(limit, 'follow-up')} an hour; the rest comes in one digest."


def _group_mention(group: str) -> str:
    if not group:
        return "A failure would call a user group, but none is chosen, so it calls nobody."
    return f"A failure calls {blocks.mention(group)}; other outcomes call nobody."
