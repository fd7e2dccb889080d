"""Seven-day statistics of a channel."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.notifications.policy import NotificationPolicy, QuietHours
from bot.notifications.report.statistics import Tally, WeeklyStatistics, tally, week_start
from bot.store import DeliveryAction
from tests.bot.history_samples import MONDAY, decision_record

NOW = MONDAY + timedelta(days=6)


def week(*actions: tuple[float, DeliveryAction], zone: str = "UTC") -> WeeklyStatistics:
    """Return statistics of these decisions, at minutes after Monday noon."""
    quiet = QuietHours(begins=time(22), ends=time(7), zone=zone)
    starts_at, time_zone = week_start(NotificationPolicy(quiet_hours=quiet), NOW)
    return WeeklyStatistics(
        starts_at, time_zone, [decision_record(minutes=at, action=action) for at, action in actions]
    )


def test_week_is_today_and_the_six_days_before() -> None:
    """It starts at midnight."""
    assert week_start(NotificationPolicy(), NOW) == (
        datetime(2026, 11, 16, tzinfo=UTC),
        ZoneInfo("UTC"),
    )


def test_week_starts_at_midnight_in_the_channels_zone() -> None:
    """The zone of the quiet hours is used for the days too."""
    quiet = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")
    first, _ = week_start(NotificationPolicy(quiet_hours=quiet), NOW)
    assert first.astimezone(UTC) == datetime(2026, 11, 15, 23, tzinfo=UTC)


def test_every_day_is_listed_and_only_posts_count() -> None:
    """A day without posts has the count 0."""
    statistics = week(
        (0, DeliveryAction.POST),
        (1, DeliveryAction.POST),
        (2, DeliveryAction.UPDATE),
        (1_440, DeliveryAction.POST),
    )
    assert [count for _, count in statistics.by_day] == [2, 1, 0, 0, 0, 0, 0]


def test_late_post_utc_can_belong_to_the_next_day() -> None:
    """Days are those of the zone."""
    late = (11.5 * 60, DeliveryAction.POST)  # 23:30 UTC
    assert [count for _, count in week(late, zone="Europe/Berlin").by_day][:2] == [0, 1]


def test_busiest_hour_is_a_clock_hour() -> None:
    """Posts at 12:50 and 13:10 are in two hours; three from 14:00 are in one."""
    posts = [(at, DeliveryAction.POST) for at in (50, 70, 120, 130, 179)]
    assert week(*posts).busiest_hour == (MONDAY + timedelta(hours=2), 3)


def test_week_without_posts_has_no_busiest_hour() -> None:
    """Card updates do not count."""
    assert week((0, DeliveryAction.UPDATE)).busiest_hour is None


def test_tally_counts_every_decision_once() -> None:
    """The counts add up to the number of decisions."""
    counts = tally([decision_record(action=action, failed=True) for action in DeliveryAction])
    assert counts == Tally(posted=1, failures=1, card_only=1, deferred=2, other=2)
    assert counts.posted + counts.not_posted == len(DeliveryAction)


def test_rules_and_names_are_sorted_by_count() -> None:
    """The largest source of notifications comes first."""
    records = [
        *(
            decision_record(rule="tasks", name="nightly", action=DeliveryAction.UPDATE)
            for _ in range(3)
        ),
        *(decision_record(rule="follow_ups", name="deploy-api") for _ in range(2)),
    ]
    statistics = WeeklyStatistics(MONDAY, ZoneInfo("UTC"), records)
    assert statistics.by_rule == [("tasks", Tally(card_only=3)), ("follow_ups", Tally(posted=2))]
    assert statistics.by_name == [("deploy-api", Tally(posted=2)), ("nightly", Tally(card_only=3))]


def test_statistics_list_at_most_five_names() -> None:
    """Names with fewer posts are left out."""
    records = [decision_record(name=f"job-{n}") for n in range(9)]
    assert len(WeeklyStatistics(MONDAY, ZoneInfo("UTC"), records).by_name) == 5
