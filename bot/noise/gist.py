"""A channel's contract in one sentence, and its values as one would say them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.noise.policy import Broadcast, FollowUps, Mention, QuietHours, Tasks
from bot.words import listing, plural

if TYPE_CHECKING:
    from bot.noise.policy import NoisePolicy

_HEARS = {
    FollowUps.EVERY: "every change of a job",
    FollowUps.OUTCOMES: "how jobs end, and nothing before",
    FollowUps.FAILURES: "failures only",
    FollowUps.TURNS: "the first failure of a job's name, and when it is well again",
}
_OF_TASKS = {
    Tasks.FAILURES: "of the tasks those that fail",
    Tasks.ALL: "every task that ends",
    Tasks.NONE: "no single task",
}
_SHOWN = {
    Broadcast.NEVER: "nothing is shown outside the threads",
    Broadcast.FAILURE: "failures are shown in the channel as well",
    Broadcast.TURNS: "failures and recoveries are shown in the channel as well",
}
_CALLED = {
    Mention.ASKER: "whoever asked is called at the end",
    Mention.NOBODY: "nobody is called",
    Mention.GROUP: "a user group is called when a job fails",
}


def sentence(policy: NoisePolicy) -> str:
    """Return what a channel hears, in one sentence."""
    tasks = "" if policy.follow_ups is FollowUps.OUTCOMES else f", and {_OF_TASKS[policy.tasks]}"
    rest = [_SHOWN[policy.broadcast], _CALLED[policy.mention], *_limits(policy)]
    return f"This channel hears {_HEARS[policy.follow_ups]}{tasks}; {listing(rest, len(rest))}."


def _limits(policy: NoisePolicy) -> list[str]:
    most = policy.posts_per_hour
    return [
        *([f"it is quiet {value(policy.quiet_hours)}"] if policy.quiet_hours else []),
        *([f"it takes {plural(most, 'follow-up')} an hour at the most"] if most else []),
        *(["jobs asked for together share a message"] if policy.board else []),
        *(["a reaction takes the place of follow-ups where it can"] if policy.reaction else []),
    ]


def value(held: Any) -> str:
    """Return the value of a setting as one would say it."""
    if isinstance(held, QuietHours):
        passing = ", but not for failures" if held.failures_pass else ""
        return f"{held.begins:%H:%M} to {held.ends:%H:%M} ({held.zone}){passing}"
    if isinstance(held, bool):
        return "on" if held else "off"
    return "none" if held in (None, "") else str(held).replace("_", " ")
