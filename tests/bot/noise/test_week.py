"""The figures of a channel's week."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.noise.decision import Action
from bot.noise.policy import NoisePolicy, QuietHours
from bot.noise.week import Tally, Week, begin, tally
from tests.bot.weeks import MONDAY, decided

NOW = MONDAY + timedelta(days=6)


def week(*told: tuple[float, Action], zone: str = "UTC") -> Week:
    """Return a week in which these things were decided, at minutes after Monday noon."""
    quiet = QuietHours(begins=time(22), ends=time(7), zone=zone)
    first, where = begin(NoisePolicy(quiet_hours=quiet), NOW)
    return Week(first, where, [decided(minutes=at, action=action) for at, action in told])


def test_seven_days_are_today_and_the_six_before() -> None:
    """The week begins with a midnight."""
    assert begin(NoisePolicy(), NOW) == (datetime(2026, 11, 16, tzinfo=UTC), ZoneInfo("UTC"))


def test_the_midnight_is_that_of_the_channels_own_zone() -> None:
    """Whoever named a zone for the quiet hours means it for the days, too."""
    quiet = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")
    first, _ = begin(NoisePolicy(quiet_hours=quiet), NOW)
    assert first.astimezone(UTC) == datetime(2026, 11, 15, 23, tzinfo=UTC)


def test_every_day_is_there_and_only_posts_count() -> None:
    """A day without a post is a nought, not a gap."""
    figures = week((0, Action.POST), (1, Action.POST), (2, Action.UPDATE), (1_440, Action.POST))
    assert [count for _, count in figures.days] == [2, 1, 0, 0, 0, 0, 0]


def test_a_post_before_midnight_utc_can_be_tomorrows_elsewhere() -> None:
    """Days are those of the zone."""
    late = (11.5 * 60, Action.POST)  # 23:30 UTC
    assert [count for _, count in week(late, zone="Europe/Berlin").days][:2] == [0, 1]


def test_the_busiest_hour_is_one_of_the_clock() -> None:
    """Two posts at 12:50 and 13:10 are in two hours; three from 14:00 are in one."""
    posts = [(at, Action.POST) for at in (50, 70, 120, 130, 179)]
    assert week(*posts).busiest == (MONDAY + timedelta(hours=2), 3)


def test_a_week_without_posts_has_no_busiest_hour() -> None:
    """What was left to the card makes no hour busy."""
    assert week((0, Action.UPDATE)).busiest is None


def test_what_became_of_the_news_adds_up() -> None:
    """Each decision is counted once."""
    found = tally([decided(action=action, bad=True) for action in Action])
    assert found == Tally(told=1, failures=1, card=1, waiting=2, other=2)
    assert found.told + found.untold == len(Action)


def test_rules_and_names_come_with_the_largest_first() -> None:
    """Whoever reads the first line knows where the noise comes from."""
    told = [
        *(decided(rule="tasks", name="nightly", action=Action.UPDATE) for _ in range(3)),
        *(decided(rule="follow_ups", name="deploy-api") for _ in range(2)),
    ]
    figures = Week(MONDAY, ZoneInfo("UTC"), told)
    assert figures.rules == [("tasks", Tally(card=3)), ("follow_ups", Tally(told=2))]
    assert figures.names == [("deploy-api", Tally(told=2)), ("nightly", Tally(card=3))]


def test_five_names_are_enough() -> None:
    """The rest told less."""
    told = [decided(name=f"job-{n}") for n in range(9)]
    assert len(Week(MONDAY, ZoneInfo("UTC"), told).names) == 5
