"""Renders the weekly notification report: statistics and recommended settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.notifications.report import recommendations
from bot.sdk import formatting
from bot.sdk.cards import blocks, message_size, tables
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.models import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.notifications.policy import NotificationPolicy
    from bot.notifications.report.recommendations import Recommendation
    from bot.notifications.report.replay import DecisionHistory
    from bot.notifications.report.statistics import Tally, WeeklyStatistics
    from bot.sdk.cards.blocks import Block
    from bot.sdk.cards.tables import Cell

_MAX_NAME_SIZE = 450  # JSON size
NOTHING = "No follow-up was posted in this channel in the last 7 days"


def render_report(
    week: WeeklyStatistics, policy: NotificationPolicy, history: DecisionHistory
) -> Message:
    """Return the report of a week; slow after a busy week, because it replays all decisions."""
    text = _summary(week)
    start, end = (
        [blocks.section(text)],
        _recommendations(recommendations.recommend(policy, history)),
    )
    if not week.decisions:
        return Message(text=text, blocks=(*start, *end))
    start += _lines(week)
    rows = _rows(week)
    return Message(
        text=text,
        blocks=(*start, tables.data_table("The jobs that were told most of", rows), *end),
        classic=(*start, tables.table(rows), *end),
    )


def _summary(week: WeeklyStatistics) -> str:
    """Return the main figures, one sentence each."""
    total, busiest = week.total, week.busiest_hour
    if busiest is None:
        return f"{NOTHING}.{_not_posted(total)}"
    hour = blocks.date(busiest[0], "{date_short_pretty} at {time}")
    return (
        f"{formatting.plural(total.posted, 'follow-up')} in this channel in the last 7 days,"
        f" {total.failures:,} of failures."
        f" The busiest hour began {hour} and had {busiest[1]}.{_not_posted(total)}"
    )


def _not_posted(total: Tally) -> str:
    not_posted = replace(total, posted=0)
    prefix = "Beside them" if total.posted else "Instead"
    return f" {prefix}: {_counts(not_posted)}." if total.not_posted else ""


def _counts(tally: Tally) -> str:
    counts = (
        (tally.posted, "told"),
        (tally.card_only, "left to the card"),
        (tally.deferred, "deferred or in a digest"),
        (tally.other, "by a reaction or dropped"),
    )
    return formatting.join_names([f"{count:,} {word}" for count, word in counts if count])


def _lines(week: WeeklyStatistics) -> list[Block]:
    days = ", ".join(f"{day:%a} {count:,}" for day, count in week.by_day)
    rules = [f"• {blocks.code(rule)}: {_counts(tally)}" for rule, tally in week.by_rule]
    return [
        blocks.section(f"*By day* ({week.zone.key}): {days}"),
        blocks.section("\n".join(["*By rule:*", *rules])),
    ]


def _rows(week: WeeklyStatistics) -> list[Sequence[Cell]]:
    head = ["Job", "Told", "Of failures", "Only on the card", "Deferred or in a digest"]
    return [head, *(_row(name, tally) for name, tally in week.by_name)]


def _row(name: str, tally: Tally) -> list[Cell]:
    counts = (tally.posted, tally.failures, tally.card_only, tally.deferred)
    return [message_size.clip(name, _MAX_NAME_SIZE), *(f"{count:,}" for count in counts)]


def _recommendations(recommendations: Sequence[Recommendation]) -> list[Block]:
    if not recommendations:
        return []
    title = "*What would have spared most,* with everything else as it is set now:"
    return [
        blocks.section(title),
        *(_recommendation(n, one) for n, one in enumerate(recommendations)),
    ]


def _recommendation(index: int, option: Recommendation) -> Block:
    change = option.change
    button = blocks.button(
        blocks.clip(change.label, 70), ActionId.RUN.with_suffix(index), value=change.command
    )
    return {**blocks.section(f"*{change.label}:* {_effect(option)}."), "accessory": button}


def _effect(option: Recommendation) -> str:
    """Return the effect of a change; hidden failures are always included."""
    posts = formatting.plural(option.avoided, "follow-up")
    effects = [
        *([f"{posts} fewer"] if option.avoided else []),
        *([f"{formatting.plural(option.fewer_cards, 'card')} fewer"] if option.fewer_cards else []),
        *(
            [f"{option.fewer_broadcasts:,} fewer shown in the channel"]
            if option.fewer_broadcasts
            else []
        ),
        *([f"{option.deferred:,} told later in a digest"] if option.deferred else []),
        *(
            [f"would hide {formatting.plural(option.hidden_failures, 'failure')}"]
            if option.hidden_failures
            else []
        ),
        *(
            [f"would tell {formatting.plural(option.deferred_failures, 'failure')} later"]
            if option.deferred_failures
            else []
        ),
    ]
    return ", ".join(effects)
