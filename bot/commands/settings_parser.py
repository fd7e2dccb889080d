"""Parses `/job set …`: words → a settings patch, or an error with suggestions. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from bot.notifications.policy import GROUP_ID_PATTERN, Mention
from bot.notifications.policy_text import FIELD_TEXTS
from bot.sdk.cards.blocks import code
from bot.sdk.fuzzy import closest_match

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.notifications.policy import NotificationPolicy

ALLOW_FAILURES = "allow_failures"  # a part of `quiet_hours` that can be set on its own
_ALIASES = {"followups": "follow_ups", "failures_pass": ALLOW_FAILURES}
SETTABLE_FIELDS = (*FIELD_TEXTS, ALLOW_FAILURES)  # the names that `set` accepts
OFF_WORDS = ("off", "none", "no", "never")
_GROUP = re.compile(GROUP_ID_PATTERN)
_TIME = r"(?:[01]?\d|2[0-3]):[0-5]\d"
_TIME_SPAN = re.compile(rf"(?P<begins>{_TIME}) ?(?:-|\u2013|to) ?(?P<ends>{_TIME})(?: |$)")
_MAX_POSTS = 1000
_EXAMPLES = ("set quiet_hours 22:00-07:00 Europe/Berlin", "set quiet_hours off")


@dataclass(frozen=True)
class ParseError:
    """Why the words cannot be parsed, and what to type instead."""

    message: str  # mrkdwn
    suggestion: str = ""  # the closest valid command
    choices: tuple[str, ...] = ()  # all valid commands


ParseResult = dict[str, Any] | ParseError


@cache
def time_zones() -> tuple[str, ...]:
    """Return the names of the time zones, sorted."""
    return tuple(sorted(available_timezones() - {"Factory", "localtime"}))


def field_name(word: str) -> str:
    """Return the field that a word names, or ""; capitals, hyphens and a colon are ignored."""
    plain = word.lower().replace("-", "_").rstrip(":=")
    return plain if plain in SETTABLE_FIELDS else _ALIASES.get(plain, "")


def resembles_field(word: str) -> bool:
    """Whether a word is the name of a field or close to one."""
    return bool(field_name(word) or closest_match(word.lower(), SETTABLE_FIELDS, 0.75))


def parse_setting(words: Sequence[str], policy: NotificationPolicy) -> ParseResult:
    """Parse the words after `set` into a patch of the current policy."""
    if not words:
        return ParseError(
            "What do you want to set?", choices=tuple(f"set {n}" for n in SETTABLE_FIELDS)
        )
    name, args = field_name(words[0]), tuple(words[1:])
    if not name:
        return _unknown_field(words[0], args)
    if name in _PARSERS:
        return _PARSERS[name](args, policy)
    return _choice(name, args)


def _unknown_field(word: str, args: Sequence[str]) -> ParseError:
    closest = closest_match(word.lower().replace("-", "_"), SETTABLE_FIELDS)
    better = " ".join(["set", closest, *args]) if closest else ""
    choices = tuple(f"set {name}" for name in SETTABLE_FIELDS)
    return ParseError(f"{code(word)} is nothing that can be set.", better, choices)


def _choice(name: str, args: Sequence[str]) -> ParseResult:
    """Parse one of the choices of a field."""
    choices = FIELD_TEXTS[name].choices
    value = args[0].lower().replace("-", "_") if args else ""
    if value in choices:
        return {name: value == "on" if "on" in choices else value}
    return _invalid_value(name, args, tuple(choices))


def _invalid_value(name: str, args: Sequence[str], values: Sequence[str]) -> ParseError:
    choices = tuple(f"set {name} {value}" for value in values)
    if not args:
        return ParseError(
            f"What is {code(name)} to be? {FIELD_TEXTS[name].description}", choices=choices
        )
    closest = closest_match(args[0].lower(), values)
    message = f"{code(name)} cannot be {code(' '.join(args))}."
    return ParseError(message, f"set {name} {closest}" if closest else "", choices)


def _mention(args: Sequence[str], policy: NotificationPolicy) -> ParseResult:
    """Parse whom the outcome mentions; Slack replaces the name of a group by its id."""
    word = args[0] if args else ""
    if _GROUP.fullmatch(word) and word:
        return {"mention": Mention.GROUP.value, "group": word}
    if word.lower() == "group" and not policy.group:
        return ParseError(f"Which group? Write {code('set mention @group')}, or choose it below.")
    if word.startswith("@"):
        message = f"Slack does not tell me which group {code(word)} is: choose it below."
        return ParseError(message)
    return _choice("mention", args)


def _posts_per_hour(args: Sequence[str], policy: NotificationPolicy) -> ParseResult:
    del policy
    word = args[0].lower() if args else ""
    if word in OFF_WORDS:
        return {"posts_per_hour": None}
    if word.isdecimal() and len(word) <= 4 and 1 <= int(word) <= _MAX_POSTS:
        return {"posts_per_hour": int(word)}
    lead = "What" if not args else f"{code(' '.join(args))} is no number of follow-ups. What"
    message = f"{lead} is the limit an hour to be, 1 to {_MAX_POSTS:,} or `off`?"
    return ParseError(message, choices=("set posts_per_hour 20", "set posts_per_hour off"))


def _quiet_hours(args: Sequence[str], policy: NotificationPolicy) -> ParseResult:
    """Parse "22:00-07:00 Europe/Berlin", optionally with "allow_failures", or "off"."""
    text = " ".join(args)
    if text.lower() in OFF_WORDS:
        return {"quiet_hours": None}
    match = _TIME_SPAN.match(text)
    if match is None:
        message = "When are the quiet hours, and in which time zone?"
        return ParseError(message, choices=_EXAMPLES)
    if match["begins"] == match["ends"]:
        return ParseError("Quiet hours must begin and end at different times.", choices=_EXAMPLES)
    words = text[match.end() :].split()
    zone_words = [word for word in words if field_name(word) != ALLOW_FAILURES]
    zone = _zone(zone_words, policy, match[0].strip())
    if isinstance(zone, ParseError):
        return zone
    allowed = policy.quiet_hours is not None and policy.quiet_hours.allow_failures
    span = {"begins": _iso_time(match["begins"]), "ends": _iso_time(match["ends"])}
    return {
        "quiet_hours": {
            **span,
            "zone": zone,
            ALLOW_FAILURES: allowed or len(zone_words) < len(words),
        }
    }


def _iso_time(text: str) -> str:
    hours, minutes = text.split(":")
    return time(int(hours), int(minutes)).isoformat()


def _zone(words: Sequence[str], policy: NotificationPolicy, hours: str) -> str | ParseError:
    """Return the time zone that is typed, or else that of the current policy."""
    if not words:
        if policy.quiet_hours is not None:
            return policy.quiet_hours.zone
        example = f"set quiet_hours {hours} Europe/Berlin"
        return ParseError("In which time zone?", choices=(example,))
    word = words[0].lower()
    known = {zone.lower(): zone for zone in time_zones()}
    if word in known:
        return known[word]
    cities = {name.rpartition("/")[2]: zone for name, zone in known.items()}
    closest = known.get(closest_match(word, known), "") or cities.get(
        closest_match(word, cities), ""
    )
    better = f"set quiet_hours {hours} {closest}" if closest else ""
    return ParseError(f"{code(words[0])} is no time zone that I know.", better)


def _allow_failures(args: Sequence[str], policy: NotificationPolicy) -> ParseResult:
    """Parse whether failures are posted during quiet hours."""
    if policy.quiet_hours is None:
        message = "There are no quiet hours here for failures to pass."
        return ParseError(
            message, choices=("set quiet_hours 22:00-07:00 Europe/Berlin allow_failures",)
        )
    word = args[0].lower() if args else ""
    if word not in ("on", "off"):
        message = "Are failures to be told in quiet hours?"
        return ParseError(
            message, choices=(f"set {ALLOW_FAILURES} on", f"set {ALLOW_FAILURES} off")
        )
    quiet_hours = policy.quiet_hours.replace(allow_failures=word == "on")
    return {"quiet_hours": quiet_hours.model_dump(mode="json")}


_PARSERS: Mapping[str, Callable[[Sequence[str], NotificationPolicy], ParseResult]] = {
    "mention": _mention,
    "posts_per_hour": _posts_per_hour,
    "quiet_hours": _quiet_hours,
    ALLOW_FAILURES: _allow_failures,
}
