"""Rendering of the weekly notification report."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bot.notifications.policy import NotificationPolicy
from bot.notifications.report.replay import DecisionHistory
from bot.notifications.report.report import render_report
from bot.notifications.report.statistics import WeeklyStatistics
from bot.sdk.cards import message_size
from bot.store import DeliveryAction, EventKind
from localslack.blockkit.validation import problems
from tests.bot.history_samples import MONDAY, decision_record, requested_watch

if TYPE_CHECKING:
    from bot.sdk.models import Message
    from bot.store import DecisionRecord

UTC = ZoneInfo("UTC")


def report_of(*records: DecisionRecord) -> Message:
    """Return the report of a week with these decisions."""
    starts_at = MONDAY - timedelta(hours=12)
    return render_report(
        WeeklyStatistics(starts_at, UTC, records), NotificationPolicy(), DecisionHistory(records)
    )


def buttons(message: Message) -> list[str]:
    """Return the commands of the buttons."""
    return [block["accessory"]["value"] for block in message.blocks if "accessory" in block]


def text_of(message: Message) -> str:
    """Return all blocks as text."""
    return str(message.blocks)


def test_report_without_posts_says_so() -> None:
    """It still is a reply."""
    assert report_of().text == "No follow-up was posted in this channel in the last 7 days."


def test_report_without_posts_counts_the_other_decisions() -> None:
    """Card updates and digest items are counted."""
    message = report_of(
        decision_record(action=DeliveryAction.UPDATE), decision_record(action=DeliveryAction.DIGEST)
    )
    assert message.text.endswith("Instead: 1 left to the card and 1 deferred or in a digest.")


def test_counts_come_first() -> None:
    """A screen reader starts with the number."""
    message = report_of(
        decision_record(failed=True),
        decision_record(minutes=1),
        decision_record(action=DeliveryAction.UPDATE),
    )
    assert message.text.startswith(
        "2 follow-ups in this channel in the last 7 days, 1 of failures."
    )
    assert "had 2." in message.text
    assert message.text.endswith("Beside them: 1 left to the card.")


def test_each_day_and_each_rule_has_its_line() -> None:
    """Counts by day and by rule."""
    message = text_of(
        report_of(decision_record(), decision_record(rule="tasks", action=DeliveryAction.UPDATE))
    )
    assert "*By day* (UTC): Mon 1, Tue 0, Wed 0, Thu 0, Fri 0, Sat 0, Sun 0" in message
    assert "• `follow_ups`: 1 told" in message
    assert "• `tasks`: 1 left to the card" in message


def test_job_table_has_a_classic_fallback() -> None:
    """Slack may reject the newer table block."""
    message = report_of(decision_record(name="a & <b>"))
    assert [b["type"] for b in message.blocks if "table" in b["type"]] == ["data_table"]
    assert [b["type"] for b in message.classic if "table" in b["type"]] == ["table"]
    assert "a & <b>" in text_of(message)


def test_each_recommendation_has_its_button() -> None:
    """One click applies it."""
    week = [decision_record(EventKind.CHANGE, n) for n in range(12)]
    assert buttons(report_of(*week)) == ["set follow_ups outcomes", "set posts_per_hour 10"]


def test_board_is_recommended_for_cards_requested_together() -> None:
    """It needs no thread replies in the week."""
    week = WeeklyStatistics(MONDAY - timedelta(hours=12), UTC, ())
    message = render_report(
        week,
        NotificationPolicy(),
        DecisionHistory(watches=[requested_watch(0), requested_watch(1), requested_watch(2)]),
    )
    assert message.text.startswith("No follow-up was posted")
    assert "*One message for jobs asked for together:* 2 cards fewer." in text_of(message)
    assert buttons(message) == ["set board on"]


def test_recommendation_states_the_hidden_failures() -> None:
    """The reader sees the cost before the click."""
    steps = [decision_record(EventKind.TASK, n, failed=True) for n in range(3)]
    message = text_of(report_of(*steps))
    assert "*No single tasks:* 3 follow-ups fewer, would hide 3 failures." in message


def test_recommendation_states_the_deferred_failures() -> None:
    """Deferred failures are not counted as hidden."""
    message = text_of(report_of(*[decision_record(minutes=n, failed=True) for n in range(11)]))
    assert "1 follow-up fewer, 1 told later in a digest, would tell 1 failure later." in message


@pytest.mark.parametrize("count", [0, 1, 400])
def test_report_is_within_slacks_limits(count: int) -> None:
    """It holds for long names and many rules."""
    week = [
        decision_record(
            EventKind.TASK, n, failed=n % 2 == 0, name="ü<&>" * 200 + str(n), rule=f"rule {n}"
        )
        for n in range(count)
    ]
    message = report_of(*week)
    for shown_blocks in (message.blocks, message.classic):
        assert problems(list(shown_blocks), "message") == []
    assert message_size.json_size(message.blocks) < message_size.MAX_JSON_SIZE
