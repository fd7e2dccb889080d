"""The page on NebulaGraph Explorer matches the code."""

from pathlib import Path

from plugins.nebula_explorer import MAX_DETAIL_FETCHES

PAGE = (Path(__file__).parents[3] / "docs/providers/nebula-explorer.md").read_text("utf-8")


def test_number_of_detail_fetches_is_documented() -> None:
    """Users can estimate how old a card may be."""
    assert MAX_DETAIL_FETCHES == 5
    assert "five jobs" in PAGE
