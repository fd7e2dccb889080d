"""Tables as blocks, within Slack's limits, whatever text their cells are given. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.cards import blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell = str | blocks.Block  # plain, or a part of rich text such as `blocks.date_part` makes


def table(
    rows: Sequence[Sequence[Cell]], *, align: Sequence[str] = (), limit: int = 10_000
) -> blocks.Block:
    """Return a table, its heading in the first row: 100 rows, 20 columns, `limit` units in all."""
    kept: list[list[blocks.Block]] = []
    room = min(limit, 10_000)
    for row in rows[:100]:
        cells = [_cell(content) for content in row[:20]]
        room -= sum(_length_of(cell) for cell in cells)
        if room < 0:
            break
        kept.append(cells)
    columns = [{"align": side} for side in align[:20]]
    return {"type": "table", "rows": kept, **({"column_settings": columns} if columns else {})}


def data_table(caption: str, rows: Sequence[Sequence[Cell]]) -> blocks.Block:
    """Return a table that its reader can sort and page, its heading in the first row."""
    return {
        **table(rows),
        "type": "data_table",
        "caption": blocks.clip(blocks.one_line(caption), 150),
    }


def _length_of(cell: blocks.Block) -> int:
    return blocks.length(cell["text"]) if "text" in cell else 40  # a moment, however it is written


def _cell(content: Cell) -> blocks.Block:
    if not isinstance(content, str):
        return blocks.rich_text(blocks.line(content))
    kept = blocks.clip(blocks.one_line(content), 450)
    return {"type": "raw_text", "text": kept if blocks.visible(kept) else blocks.NOTHING}
