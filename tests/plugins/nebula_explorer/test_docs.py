"""The page on NebulaGraph Explorer says what the code does."""

import tomllib
from pathlib import Path

import pytest

from bot.problems import secret_fields
from plugins.nebula_explorer import DETAILS, NebulaExplorer
from plugins.nebula_explorer.errors import MEANINGS
from plugins.nebula_explorer.translator import WORDS

PAGE = (Path(__file__).parents[3] / "docs/providers/nebula-explorer.md").read_text("utf-8")


@pytest.mark.parametrize("name", NebulaExplorer.Settings.model_fields)
def test_every_setting_is_on_the_page(name: str) -> None:
    """Nobody has to read the code to set it up."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(("code", "word"), WORDS.items())
def test_every_status_is_on_the_page(code: int, word: str) -> None:
    """The table of words is whole."""
    assert f"| {code} | `{word}` |" in PAGE


@pytest.mark.parametrize("code", MEANINGS)
def test_every_error_code_is_on_the_page(code: int) -> None:
    """Whoever reads one in the log finds it."""
    assert str(code) in PAGE


def test_the_number_of_looks_in_turn_is_on_the_page() -> None:
    """People want to know how old a card may be."""
    assert DETAILS == 5
    assert "five jobs" in PAGE


def test_the_example_needs_only_its_secret_to_be_whole() -> None:
    """What people copy works."""
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])["connections"]["graphs"]
    assert example.pop("provider") == NebulaExplorer.kind
    assert secret_fields(NebulaExplorer.Settings) == ("password",)
    assert NebulaExplorer.Settings(**example | {"password": "made-up"})
