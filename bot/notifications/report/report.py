"""Renders the weekly notification report: statistics and recommended settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.notifications.report import recommendations
from bot.sdk import formatting
from bot.sdk.cards import blocks, tables
from bot.sdk.models import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.notifications.policy import NoisePolicy
    from bot.notifications.report.recommendations import Saving
    from bot.notifications.report.replay import Past
    from bot.notifications.report.statistics import Tally, Week
    from bot.sdk.cards.blocks import Block
    from bot.sdk.cards.tables import Cell

NOTHING = "No follow-up was posted in this channel in the last 7 days"


def report(week: Week, policy: NoisePolicy, history: Past) -> Message:
    """Return the report of a week; slow after a busy week, because it replays all decisions."""
    text = _summary(week)
    start, end = [blocks.section(text)], _recommendations(recommendations.best(policy, history))
    if not week.decided:
        return Message(text=text, blocks=(*start, *end))
    start += _lines(week)
    rows = _rows(week)
    return Message(
        text=text,
        blocks=(*start, tables.data_table("The jobs that were told most of", rows), *end),
        classic=(*start, tables.table(rows), *end),
    )


def _summary(week: Week) -> str:
    """Return the main figures, one sentence each."""
    total, busiest = week.whole, week.busiest
    if busiest is None:
        return f"{NOTHING}.{_not_posted(total)}"
    hour = blocks.date(busiest[0], "{date_short_pretty} at {time}")
    return (
        f"{formatting.plural(total.told, 'follow-up')} in this channel in the last 7 days,"
        f" {total.failures:,} of failures."
        f" The busiest hour began {hour} and had {busiest[1]}.{_not_posted(total)}"
    )


def _not_posted(total: Tally) -> str:
    not_posted = replace(total, told=0)
    prefix = "Beside them" if total.told else "Instead"
    return f" {prefix}: {_counts(not_posted)}." if total.untold else ""


def _counts(tally: Tally) -> str:
    counts = (
        (tally.told, "told"),
        (tally.card, "left to the card"),
        (tally.waiting, "deferred or in a digest"),
        (tally.other, "by a reaction or dropped"),
    )
    return formatting.listing([f"{count:,} {word}" for count, word in counts if count])


def _lines(week: Week) -> list[Block]:
    days = ", ".join(f"{day:%a} {count:,}" for day, count in week.days)
    rules = [f"• {blocks.code(rule)}: {_counts(tally)}" for rule, tally in week.rules]
    return [
        blocks.section(f"*By day* ({week.zone.key}): {days}"),
        blocks.section("\n".join(["*By rule:*", *rules])),
    ]


def _rows(week: Week) -> list[Sequence[Cell]]:
    head = ["Job", "Told", "Of failures", "Only on the card", "Deferred or in a digest"]
    return [head, *(_row(name, tally) for name, tally in week.names)]


def _row(name: str, tally: Tally) -> list[Cell]:
    counts = (tally.told, tally.failures, tally.card, tally.waiting)
    return [name, *(f"{count:,}" for count in counts)]


def _recommendations(recommendations: Sequence[Saving]) -> list[Block]:
    if not recommendations:
        return []
    title = "*What would have spared most,* with everything else as it is set now:"
    return [
        blocks.section(title),
        *(_recommendation(n, one) for n, one in enumerate(recommendations)),
    ]


def _recommendation(index: int, option: Saving) -> Block:
    change = option.change
    button = blocks.button(blocks.clip(change.label, 70), f"run_{index}", value=change.command)
    return {**blocks.section(f"*{change.label}:* {_effect(option)}."), "accessory": button}


def _effect(option: Saving) -> str:
    """Return the effect of a change; hidden failures are always included."""
    posts = formatting.plural(option.spared, "follow-up")
    effects = [
        *([f"{posts} fewer"] if option.spared else []),
        *([f"{formatting.plural(option.cards, 'card')} fewer"] if option.cards else []),
        *([f"{option.unshown:,} fewer shown in the channel"] if option.unshown else []),
        *([f"{option.together:,} told later in a digest"] if option.together else []),
        *([f"would hide {formatting.plural(option.hidden, 'failure')}"] if option.hidden else []),
        *([f"would tell {formatting.plural(option.late, 'failure')} later"] if option.late else []),
    ]
    return ", ".join(effects)
