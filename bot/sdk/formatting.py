"""Formats durations, counts, lists and statuses as plain text, readable aloud. Pure."""

from __future__ import annotations

import math
import re
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from bot.sdk.models import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


class StatusLabel(NamedTuple):
    """Emoji and word of a status; the emoji is never shown without the word."""

    emoji: str
    word: str  # such as "running": fits after "is", or alone in a list

    def __str__(self) -> str:
        return f"{self.emoji} {self.word}"


STATUS_LABELS: dict[Status, StatusLabel] = {
    Status.QUEUED: StatusLabel("🕒", "queued"),
    Status.RUNNING: StatusLabel("▶️", "running"),
    Status.WAITING: StatusLabel("✋", "waiting for a person"),
    Status.SUCCEEDED: StatusLabel("✅", "succeeded"),
    Status.PARTIAL: StatusLabel("⚠️", "partly succeeded"),
    Status.FAILED: StatusLabel("❌", "failed"),
    Status.CANCELLED: StatusLabel("🚫", "cancelled"),
    Status.SKIPPED: StatusLabel("⏭️", "skipped"),
    Status.UNKNOWN: StatusLabel("❔", "in an unknown status"),
}

# Slack's emoji names, for reactions.
REACTIONS: dict[Status, str] = {
    Status.QUEUED: "clock3",
    Status.RUNNING: "arrow_forward",
    Status.WAITING: "raised_hand",
    Status.SUCCEEDED: "white_check_mark",
    Status.PARTIAL: "warning",
    Status.FAILED: "x",
    Status.CANCELLED: "no_entry_sign",
    Status.SKIPPED: "black_right_pointing_double_triangle_with_vertical_bar",
    Status.UNKNOWN: "grey_question",
}

# Native statuses, letters only, that say the same as ours; any other native status is shown.
_SYNONYMS = {
    Status.QUEUED: re.compile(r"(in)?queued?|queu?ing"),
    Status.RUNNING: re.compile(r"run(ning|s)?"),
    Status.WAITING: re.compile(r"wait(ing|s)?"),
    Status.SUCCEEDED: re.compile(r"succe(ss(ful|fully)?|ed(ed|s)?)"),
    Status.PARTIAL: re.compile(r"part(ial|ially|ly)(succe(ss(ful|fully)?|ed(ed|s)?))?"),
    Status.FAILED: re.compile(r"fail(ed|ure|ing|s)?"),
    Status.CANCELLED: re.compile(r"cancel(l?ed|s)?"),
    Status.SKIPPED: re.compile(r"skip(ped|s)?"),
    Status.UNKNOWN: re.compile(r"unknown"),
}
_OUTCOMES = {
    Status.SUCCEEDED: "succeeded",
    Status.PARTIAL: "succeeded only in part",
    Status.FAILED: "failed",
    Status.CANCELLED: "was cancelled",
    Status.SKIPPED: "was skipped",
}
_ROLLED_BACK = re.compile(r"roll(ed)?back(ed)?")

# Native statuses, letters only, of a running job that deserve a phrase of their own.
_RUNNING_PHRASES = (
    (re.compile(r"roll(ing)?back(ing)?"), "rolling back"),
    (re.compile(r"stopping|terminating"), "stopping"),
    (re.compile(r"cancell?ing"), "being cancelled"),
    (re.compile(r"pausing"), "pausing"),
    (re.compile(r"paused"), "paused"),
    (re.compile(r"suspended"), "suspended"),
    (re.compile(r"retry(ing)?"), "trying again"),
)


def status_label(status: Status) -> StatusLabel:
    """Return the emoji and word of a status."""
    return STATUS_LABELS[status]


def duration(seconds: float) -> str:
    """Return "45 s", "3 m 12 s", "1 h 4 m" or "2 d 3 h": the two largest units."""
    if not math.isfinite(seconds) or seconds < 1:
        return "less than 1 s"
    whole = int(seconds)
    if whole < _HOUR:
        return _two_units(whole, _MINUTE, "m", 1, "s")
    if whole < _DAY:
        return _two_units(whole, _HOUR, "h", _MINUTE, "m")
    return _two_units(whole, _DAY, "d", _HOUR, "h")


def _two_units(whole: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    counts = ((whole // large, large_unit), (whole % large // small, small_unit))
    return " ".join(f"{count} {unit}" for count, unit in counts if count)


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Return "1 task" or "3 tasks"; `nouns` is the plural of an irregular noun."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def counts(done: int, total: int, failed: int = 0) -> str:
    """Return "7 of 9 done, 1 failed"; `done` includes the failed."""
    return f"{done:,} of {total:,} done" + (f", {failed:,} failed" if failed else "")


def progress_bar(done: int, total: int, width: int = 12, *, failed: int = 0) -> str:
    """Return a bar with its numbers: "▰▰▰▰▰▰▰▰▱▱▱▱ 4 of 6 done"; full only when all are done."""
    share = min(1.0, max(0.0, done / total)) if total > 0 else 0.0
    filled = math.floor(share * width)
    return f"{'▰' * filled}{'▱' * (width - filled)} {counts(done, total, failed)}"


def join_names(names: Sequence[str], limit: int = 5) -> str:
    """Return "A", "A and B", "A, B and C" or, over the limit, "A, B and 3 more"."""
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit:,} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def utc_time(when: datetime) -> str:
    """Return "3 Nov 2026, 12:03 UTC", for readers whose time zone is unknown."""
    utc = when.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M} UTC"


def provider_word(status: Status, native: str) -> str:
    """Return the native status if it says more than ours, else ""."""
    return "" if _SYNONYMS[status].fullmatch(_letters(native)) or not native.strip() else native


def status_phrase(status: Status, native: str) -> str:
    """Return a phrase that fits after "is": "running", "rolling back"."""
    if status is not Status.RUNNING:
        return status_label(status).word
    letters = _letters(native)
    phrases = (phrase for pattern, phrase in _RUNNING_PHRASES if pattern.fullmatch(letters))
    return next(phrases, "running")


def outcome_phrase(status: Status, native: str) -> str:
    """Return a phrase that fits after the job's name: "failed", "was cancelled"."""
    rolled_back = status is Status.FAILED and _ROLLED_BACK.fullmatch(_letters(native))
    return "failed and was rolled back" if rolled_back else _OUTCOMES[status]


def _letters(native: str) -> str:
    return "".join(letter for letter in native.casefold() if letter.isalnum())
