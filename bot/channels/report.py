"""What a channel hears of its own noise: the figures of a week, and what would have spared most."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot import words
from bot.cards import blocks, grids
from bot.models import Message
from bot.noise import savings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.cards.blocks import Block
    from bot.cards.grids import Cell
    from bot.noise.policy import NoisePolicy
    from bot.noise.replay import Past
    from bot.noise.savings import Saving
    from bot.noise.week import Tally, Week

NOTHING = "No follow-up was posted in this channel in the last 7 days"


def report(figures: Week, policy: NoisePolicy, past: Past) -> Message:
    """Return the channel's week; replaying it takes a while where much happened."""
    text = _first(figures)
    begin, end = [blocks.section(text)], _offers(savings.best(policy, past))
    if not figures.decided:
        return Message(text=text, blocks=(*begin, *end))
    begin += _lines(figures)
    rows = _rows(figures)
    return Message(
        text=text,
        blocks=(*begin, grids.data_table("The jobs that were told most of", rows), *end),
        classic=(*begin, grids.table(rows), *end),
    )


def _first(figures: Week) -> str:
    """Return the figures that matter most, as one sentence each."""
    whole, busiest = figures.whole, figures.busiest
    if busiest is None:
        return f"{NOTHING}.{_untold(whole)}"
    hour = blocks.date(busiest[0], "{date_short_pretty} at {time}")
    return (
        f"{words.plural(whole.told, 'follow-up')} in this channel in the last 7 days,"
        f" {whole.failures:,} of failures."
        f" The busiest hour began {hour} and had {busiest[1]}.{_untold(whole)}"
    )


def _untold(whole: Tally) -> str:
    untold = replace(whole, told=0)
    lead = "Beside them" if whole.told else "Instead"
    return f" {lead}: {_split(untold)}." if whole.untold else ""


def _split(tally: Tally) -> str:
    counts = (
        (tally.told, "told"),
        (tally.card, "left to the card"),
        (tally.waiting, "held back or in a digest"),
        (tally.other, "by a reaction or dropped"),
    )
    return words.listing([f"{count:,} {word}" for count, word in counts if count])


def _lines(figures: Week) -> list[Block]:
    days = ", ".join(f"{day:%a} {count:,}" for day, count in figures.days)
    rules = [f"• {blocks.code(rule)}: {_split(tally)}" for rule, tally in figures.rules]
    return [
        blocks.section(f"*By day* ({figures.zone.key}): {days}"),
        blocks.section("\n".join(["*By rule:*", *rules])),
    ]


def _rows(figures: Week) -> list[Sequence[Cell]]:
    head = ["Job", "Told", "Of failures", "Only on the card", "Held or in a digest"]
    return [head, *(_row(name, tally) for name, tally in figures.names)]


def _row(name: str, tally: Tally) -> list[Cell]:
    counts = (tally.told, tally.failures, tally.card, tally.waiting)
    return [name, *(f"{count:,}" for count in counts)]


def _offers(offers: Sequence[Saving]) -> list[Block]:
    if not offers:
        return []
    begin = "*What would have spared most,* with everything else as it is set now:"
    return [blocks.section(begin), *(_offer(n, one) for n, one in enumerate(offers))]


def _offer(place: int, offer: Saving) -> Block:
    change = offer.change
    button = blocks.button(blocks.clip(change.label, 70), f"run_{place}", value=change.command)
    return {**blocks.section(f"*{change.label}:* {_promise(offer)}."), "accessory": button}


def _promise(offer: Saving) -> str:
    """Return what would have been otherwise; what would be hidden is never left out."""
    posts = words.plural(offer.spared, "follow-up")
    said = [
        *([f"{posts} fewer"] if offer.spared else []),
        *([f"{words.plural(offer.cards, 'card')} fewer"] if offer.cards else []),
        *([f"{offer.unshown:,} fewer shown in the channel"] if offer.unshown else []),
        *([f"{offer.together:,} told later in a digest"] if offer.together else []),
        *([f"would hide {words.plural(offer.hidden, 'failure')}"] if offer.hidden else []),
        *([f"would tell {words.plural(offer.late, 'failure')} later"] if offer.late else []),
    ]
    return ", ".join(said)
