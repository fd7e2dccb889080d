"""Table blocks within Slack's limits."""

from __future__ import annotations

from bot.sdk.cards import tables


def test_table_stops_before_its_cells_exceed_the_limit() -> None:
    """Whole rows are left out, never half a row."""
    table = tables.table([["Name", "Took"], *[["x" * 400, "1 s"]] * 90])
    cells = [cell["text"] for row in table["rows"] for cell in row]
    assert sum(map(len, cells)) <= 10_000
    assert {len(row) for row in table["rows"]} == {2}
