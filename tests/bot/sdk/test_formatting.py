"""Formatting of durations, counts, lists and statuses."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sdk import formatting
from bot.sdk.models import Status


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than 1 s"),
        (0.9, "less than 1 s"),
        (1, "1 s"),
        (45.7, "45 s"),
        (60, "1 m"),
        (192, "3 m 12 s"),
        (3_599, "59 m 59 s"),
        (3_600, "1 h"),
        (3_840, "1 h 4 m"),
        (86_399, "23 h 59 m"),
        (183_600, "2 d 3 h"),
        (float("nan"), "less than 1 s"),
        (-5, "less than 1 s"),
    ],
)
def test_duration_has_its_two_largest_units(seconds: float, said: str) -> None:
    """Seconds do not matter in a job of several days."""
    assert formatting.duration(seconds) == said


def test_counts_mention_failures_only_if_there_are_any() -> None:
    """A successful run does not mention failures."""
    assert formatting.counts(7, 9, 1) == "7 of 9 done, 1 failed"
    assert formatting.counts(9, 9) == "9 of 9 done"


def test_every_status_has_its_own_emoji_and_word() -> None:
    """No two statuses can be confused, by eye or by screen reader."""
    signs = [formatting.status_label(status) for status in Status]
    assert len({sign.emoji for sign in signs}) == len(signs)
    assert len({sign.word for sign in signs}) == len(signs)
    assert all(sign.word.isascii() and sign.word.strip() for sign in signs)


def test_one_is_singular_and_everything_else_plural() -> None:
    """Irregular nouns included."""
    assert [formatting.plural(n, "task") for n in (0, 1, 1_200)] == [
        "0 tasks",
        "1 task",
        "1,200 tasks",
    ]
    assert formatting.plural(2, "copy", "copies") == "2 copies"


@given(done=st.integers(0, 1_000), total=st.integers(0, 1_000), width=st.integers(1, 40))
def test_progress_bar_is_full_only_when_all_are_done(done: int, total: int, width: int) -> None:
    """Its width never changes."""
    bar = formatting.progress_bar(done, total, width).split()[0]
    assert len(bar) == width
    assert ("▱" not in bar) == (total > 0 and done >= total)


def test_progress_bar_has_numbers_beside_it() -> None:
    """A screen reader cannot read the bar."""
    assert formatting.progress_bar(4, 6, failed=1) == "▰▰▰▰▰▰▰▰▱▱▱▱ 4 of 6 done, 1 failed"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B"], "A and B"),
        (["A", "B", "C"], "A, B and C"),
        (["A", "B", "C", "D"], "A, B, C and 1 more"),
    ],
)
def test_listing_names_a_few_and_counts_the_rest(names: list[str], said: str) -> None:
    """A sentence stays short."""
    assert formatting.join_names(names, limit=3) == said


def test_utc_time_is_in_english_and_utc() -> None:
    """The fallback of a date does not depend on the machine's time zone."""
    east = timezone(timedelta(hours=8))
    assert formatting.utc_time(datetime(2026, 11, 3, 20, 3, tzinfo=east)) == "3 Nov 2026, 12:03 UTC"
    assert formatting.utc_time(datetime(2026, 1, 9, tzinfo=UTC)) == "9 Jan 2026, 00:00 UTC"


@pytest.mark.parametrize(
    ("status", "native"),
    [
        (Status.SUCCEEDED, "SUCCEEDED"),
        (Status.SUCCEEDED, "success"),
        (Status.FAILED, "fail"),
        (Status.FAILED, "FAILURE"),
        (Status.CANCELLED, "Canceled"),
        (Status.RUNNING, "Running"),
        (Status.PARTIAL, "PARTIALLY_SUCCEEDED"),
        (Status.QUEUED, ""),
        (Status.QUEUED, "  "),
    ],
)
def test_native_status_with_the_same_meaning_is_left_out(status: Status, native: str) -> None:
    """ "Failed (FAILED)" adds nothing."""
    assert formatting.provider_word(status, native) == ""


@pytest.mark.parametrize(
    ("status", "native"),
    [
        (Status.RUNNING, "ROLLBACKING"),
        (Status.WAITING, "waitApproval"),
        (Status.FAILED, "RollbackFailed"),
        (Status.UNKNOWN, "NEW"),
        (Status.RUNNING, "42"),
    ],
)
def test_native_status_with_more_meaning_is_kept(status: Status, native: str) -> None:
    """What only the provider knows is never lost."""
    assert formatting.provider_word(status, native) == native


def test_running_job_has_a_phrase_for_known_native_statuses() -> None:
    """An unknown native status is just running."""
    assert formatting.status_phrase(Status.RUNNING, "ROLLBACKING") == "rolling back"
    assert formatting.status_phrase(Status.RUNNING, "rolling-back") == "rolling back"
    assert formatting.status_phrase(Status.RUNNING, "PREPARE_ENV") == "running"
    assert formatting.status_phrase(Status.QUEUED, "paused") == "queued"
