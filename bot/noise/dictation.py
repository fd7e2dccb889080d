"""What people type after `set`: words → a change of the contract, or what to type instead. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from bot.cards.blocks import code
from bot.likeness import closest
from bot.noise.clauses import CLAUSES
from bot.noise.policy import GROUP_ID, Mention

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.noise.policy import NoisePolicy

PASSING = "failures_pass"  # a part of the quiet hours that can be set by itself
SETTABLE = (*CLAUSES, PASSING)  # what `set` takes
OFF = ("off", "none", "no", "never")
_GROUP = re.compile(GROUP_ID)
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_HOURS = re.compile(rf"(?P<begins>{_TIME}) ?(?:-|\u2013|to) ?(?P<ends>{_TIME})(?: |$)")
_MOST_POSTS = 1000
_EXAMPLES = ("set quiet_hours 22:00-07:00 Europe/Berlin", "set quiet_hours off")


@dataclass(frozen=True)
class Unclear:
    """Why a change was not understood, and what to type instead."""

    said: str  # mrkdwn
    better: str = ""  # what was probably meant, as one would type it
    choices: tuple[str, ...] = ()  # all that may be typed


Understood = dict[str, Any] | Unclear


@cache
def zones() -> tuple[str, ...]:
    """Return the names of the time zones, in order."""
    return tuple(sorted(available_timezones() - {"Factory", "localtime"}))


def named(word: str) -> str:
    """Return the field that a word names, written in any of the usual ways, or ""."""
    plain = word.lower().replace("-", "_").rstrip(":=")
    return plain if plain in SETTABLE else {"followups": "follow_ups"}.get(plain, "")


def is_like_a_field(word: str) -> bool:
    """Whether a word names a field, or nearly does."""
    return bool(named(word) or closest(word.lower(), SETTABLE, 75))


def understood(words: Sequence[str], policy: NoisePolicy) -> Understood:
    """Return the change that the words after `set` ask for, where this policy holds."""
    if not words:
        return Unclear("What do you want to set?", choices=tuple(f"set {n}" for n in SETTABLE))
    name, rest = named(words[0]), tuple(words[1:])
    if not name:
        return _no_field(words[0], rest)
    if name in _PARSERS:
        return _PARSERS[name](rest, policy)
    return _choice(name, rest)


def _no_field(word: str, rest: Sequence[str]) -> Unclear:
    near = closest(word.lower().replace("-", "_"), SETTABLE)
    better = " ".join(["set", near, *rest]) if near else ""
    choices = tuple(f"set {name}" for name in SETTABLE)
    return Unclear(f"{code(word)} is nothing that can be set.", better, choices)


def _choice(name: str, rest: Sequence[str]) -> Understood:
    """Return what one of a clause's choices stands for."""
    choices = CLAUSES[name].choices
    value = rest[0].lower().replace("-", "_") if rest else ""
    if value in choices:
        return {name: value == "on" if "on" in choices else value}
    return _no_value(name, rest, tuple(choices))


def _no_value(name: str, rest: Sequence[str], values: Sequence[str]) -> Unclear:
    choices = tuple(f"set {name} {value}" for value in values)
    if not rest:
        return Unclear(f"What is {code(name)} to be? {CLAUSES[name].meaning}", choices=choices)
    near = closest(rest[0].lower(), values)
    said = f"{code(name)} cannot be {code(' '.join(rest))}."
    return Unclear(said, f"set {name} {near}" if near else "", choices)


def _mention(rest: Sequence[str], policy: NoisePolicy) -> Understood:
    """Read whom the outcome calls; a group comes as its id, which Slack puts for its name."""
    word = rest[0] if rest else ""
    if _GROUP.fullmatch(word) and word:
        return {"mention": Mention.GROUP.value, "group": word}
    if word.lower() == "group" and not policy.group:
        return Unclear(f"Which group? Write {code('set mention @group')}, or choose it below.")
    if word.startswith("@"):
        said = f"Slack does not tell me which group {code(word)} is: choose it below."
        return Unclear(said)
    return _choice("mention", rest)


def _budget(rest: Sequence[str], policy: NoisePolicy) -> Understood:
    del policy
    word = rest[0].lower() if rest else ""
    if word in OFF:
        return {"posts_per_hour": None}
    if word.isdecimal() and len(word) <= 4 and 1 <= int(word) <= _MOST_POSTS:
        return {"posts_per_hour": int(word)}
    why = "What" if not rest else f"{code(' '.join(rest))} is no number of follow-ups. What"
    said = f"{why} is the limit an hour to be, 1 to {_MOST_POSTS:,} or `off`?"
    return Unclear(said, choices=("set posts_per_hour 20", "set posts_per_hour off"))


def _quiet(rest: Sequence[str], policy: NoisePolicy) -> Understood:
    """Read "22:00-07:00 Europe/Berlin", perhaps with "failures_pass", or "off"."""
    text = " ".join(rest)
    if text.lower() in OFF:
        return {"quiet_hours": None}
    found = _HOURS.match(text)
    if found is None:
        said = "When are the quiet hours, and in which time zone?"
        return Unclear(said, choices=_EXAMPLES)
    if found["begins"] == found["ends"]:
        return Unclear("Quiet hours must begin and end at different times.", choices=_EXAMPLES)
    words = text[found.end() :].split()
    zone = _zone([w for w in words if w.lower() != PASSING], policy, found[0].strip())
    if isinstance(zone, Unclear):
        return zone
    passed = policy.quiet_hours is not None and policy.quiet_hours.failures_pass
    span = {"begins": _clock(found["begins"]), "ends": _clock(found["ends"])}
    return {"quiet_hours": {**span, "zone": zone, PASSING: passed or PASSING in text.lower()}}


def _clock(text: str) -> str:
    hours, minutes = text.split(":")
    return time(int(hours), int(minutes)).isoformat()


def _zone(words: Sequence[str], policy: NoisePolicy, hours: str) -> str | Unclear:
    """Return the time zone that is meant: the one that is typed, or the one that holds."""
    if not words:
        if policy.quiet_hours is not None:
            return policy.quiet_hours.zone
        example = f"set quiet_hours {hours} Europe/Berlin"
        return Unclear("In which time zone?", choices=(example,))
    word = words[0].lower()
    known = {zone.lower(): zone for zone in zones()}
    if word in known:
        return known[word]
    cities = {name.rpartition("/")[2]: zone for name, zone in known.items()}
    near = known.get(closest(word, known), "") or cities.get(closest(word, cities), "")
    better = f"set quiet_hours {hours} {near}" if near else ""
    return Unclear(f"{code(words[0])} is no time zone that I know.", better)


def _failures(rest: Sequence[str], policy: NoisePolicy) -> Understood:
    """Read whether failures are told in quiet hours."""
    if policy.quiet_hours is None:
        said = "There are no quiet hours here for failures to pass."
        return Unclear(said, choices=("set quiet_hours 22:00-07:00 Europe/Berlin failures_pass",))
    word = rest[0].lower() if rest else ""
    if word not in ("on", "off"):
        said = "Are failures to be told in quiet hours?"
        return Unclear(said, choices=(f"set {PASSING} on", f"set {PASSING} off"))
    passing = policy.quiet_hours.but(failures_pass=word == "on")
    return {"quiet_hours": passing.model_dump(mode="json")}


_PARSERS: Mapping[str, Callable[[Sequence[str], NoisePolicy], Understood]] = {
    "mention": _mention,
    "posts_per_hour": _budget,
    "quiet_hours": _quiet,
    PASSING: _failures,
}
