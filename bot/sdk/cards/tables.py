"""Table blocks within Slack's limits for any cell text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sdk.cards import blocks
from bot.sdk.cards.message_size import json_size

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell = str | blocks.Block  # plain text, or a rich text element such as from `blocks.date_element`


def table(
    rows: Sequence[Sequence[Cell]],
    *,
    align: Sequence[str] = (),
    limit: int = 10_000,
    max_json_size: int | None = None,
) -> blocks.Block:
    """Return a table with a header row: at most 100 rows, 20 columns, `limit` units in all.

    `max_json_size`: of all rows. Rows that do not fit are left out.
    """
    kept: list[list[blocks.Block]] = []
    remaining = min(limit, 10_000)
    size = 0
    for row in rows[:100]:
        cells = [_cell(content) for content in row[:20]]
        remaining -= sum(_length_of(cell) for cell in cells)
        size += json_size(cells) + 1 if max_json_size is not None else 0
        if remaining < 0 or size > (max_json_size or 0):
            break
        kept.append(cells)
    columns = [{"align": side} for side in align[:20]]
    return {"type": "table", "rows": kept, **({"column_settings": columns} if columns else {})}


def data_table(caption: str, rows: Sequence[Sequence[Cell]]) -> blocks.Block:
    """Return a table with a header row that the reader can sort and page."""
    return {
        **table(rows),
        "type": "data_table",
        "caption": blocks.clip(blocks.one_line(caption), 150),
    }


def _length_of(cell: blocks.Block) -> int:
    return blocks.length(cell["text"]) if "text" in cell else 40  # upper bound for a date


def _cell(content: Cell) -> blocks.Block:
    if not isinstance(content, str):
        return blocks.rich_text(blocks.line(content))
    kept = blocks.clip(blocks.one_line(content), 450)
    return {"type": "raw_text", "text": kept if blocks.is_visible(kept) else blocks.PLACEHOLDER}
