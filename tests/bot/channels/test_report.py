"""What a channel hears of its own noise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from bot.cards import blocks
from bot.channels.report import report
from bot.noise.decision import Action, Happening
from bot.noise.policy import NoisePolicy
from bot.noise.replay import Past
from bot.noise.week import Week
from bot.playground.limits import problems
from tests.bot.weeks import MONDAY, asked, decided

if TYPE_CHECKING:
    from bot.models import Message
    from bot.store import Decided

UTC = ZoneInfo("UTC")


def told(*what: Decided) -> Message:
    """Return the report of a week in which this was decided."""
    first = MONDAY - timedelta(hours=12)
    return report(Week(first, UTC, what), NoisePolicy(), Past(what))


def buttons(message: Message) -> list[str]:
    """Return what its buttons type."""
    return [block["accessory"]["value"] for block in message.blocks if "accessory" in block]


def shown(message: Message) -> str:
    """Return all of it."""
    return str(message.blocks)


def test_a_channel_without_posts_hears_so() -> None:
    """Nothing to count is an answer as well."""
    assert told().text == "No follow-up was posted in this channel in the last 7 days."


def test_a_channel_that_left_everything_to_the_cards_hears_that_too() -> None:
    """Silence is a figure."""
    said = told(decided(action=Action.UPDATE), decided(action=Action.DIGEST))
    assert said.text.endswith("Instead: 1 left to the card and 1 held back or in a digest.")


def test_the_counts_come_first() -> None:
    """Whoever has it read aloud hears the figure before the words."""
    said = told(decided(bad=True), decided(minutes=1), decided(action=Action.UPDATE))
    assert said.text.startswith("2 follow-ups in this channel in the last 7 days, 1 of failures.")
    assert "had 2." in said.text
    assert said.text.endswith("Beside them: 1 left to the card.")


def test_each_day_and_each_rule_has_its_line() -> None:
    """By day, and by what decided."""
    said = shown(told(decided(), decided(rule="tasks", action=Action.UPDATE)))
    assert "*By day* (UTC): Mon 1, Tue 0, Wed 0, Thu 0, Fri 0, Sat 0, Sun 0" in said
    assert "• `follow_ups`: 1 told" in said
    assert "• `tasks`: 1 left to the card" in said


def test_the_jobs_stand_in_a_table_that_has_a_plain_twin() -> None:
    """Where Slack refuses the newer table, the older one is sent."""
    said = told(decided(name="a & <b>"))
    assert [b["type"] for b in said.blocks if "table" in b["type"]] == ["data_table"]
    assert [b["type"] for b in said.classic if "table" in b["type"]] == ["table"]
    assert "a & <b>" in shown(said)


def test_each_offer_has_its_button() -> None:
    """One click sets it."""
    week = [decided(Happening.CHANGE, n) for n in range(12)]
    assert buttons(told(*week)) == ["set follow_ups outcomes", "set posts_per_hour 10"]


def test_cards_that_could_have_been_one_are_offered_a_board() -> None:
    """In a channel without a follow-up, too."""
    week = Week(MONDAY - timedelta(hours=12), UTC, ())
    said = report(week, NoisePolicy(), Past(asked=[asked(0), asked(1), asked(2)]))
    assert said.text.startswith("No follow-up was posted")
    assert "*One message for jobs asked for together:* 2 cards fewer." in shown(said)
    assert buttons(said) == ["set board on"]


def test_an_offer_that_would_hide_failures_says_so() -> None:
    """Nobody presses the button without knowing."""
    steps = [decided(Happening.TASK, n, bad=True) for n in range(3)]
    said = shown(told(*steps))
    assert "*No single tasks:* 3 follow-ups fewer, would hide 3 failures." in said


def test_an_offer_that_would_tell_failures_later_says_so() -> None:
    """Later is not hidden, and not at once."""
    said = shown(told(*[decided(minutes=n, bad=True) for n in range(11)]))
    assert "1 follow-up fewer, 1 told later in a digest, would tell 1 failure later." in said


@pytest.mark.parametrize("count", [0, 1, 400])
def test_the_report_is_within_slacks_limits(count: int) -> None:
    """However long the names are, and however many rules there are."""
    week = [
        decided(Happening.TASK, n, bad=n % 2 == 0, name="ü<&>" * 200 + str(n), rule=f"rule {n}")
        for n in range(count)
    ]
    said = told(*week)
    for shown_blocks in (said.blocks, said.classic):
        assert problems(list(shown_blocks), "message") == []
    assert blocks.weight(said.blocks) < blocks.MAX_WEIGHT
