"""The page on NebulaGraph Explorer matches the code."""

import tomllib
from pathlib import Path

import pytest

from bot.sdk.settings import secret_fields
from plugins.nebula_explorer import MAX_DETAIL_FETCHES, NebulaExplorer
from plugins.nebula_explorer.errors import ERRORS_BY_CODE
from plugins.nebula_explorer.translator import STATUS_NAMES

PAGE = (Path(__file__).parents[3] / "docs/providers/nebula-explorer.md").read_text("utf-8")


@pytest.mark.parametrize("name", NebulaExplorer.Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    """The plugin can be set up without reading the code."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(("code", "word"), STATUS_NAMES.items())
def test_every_status_is_documented(code: int, word: str) -> None:
    """The status table is complete."""
    assert f"| {code} | `{word}` |" in PAGE


@pytest.mark.parametrize("code", ERRORS_BY_CODE)
def test_every_error_code_is_documented(code: int) -> None:
    """Each code in the log can be looked up."""
    assert str(code) in PAGE


def test_number_of_detail_fetches_is_documented() -> None:
    """Users can estimate how old a card may be."""
    assert MAX_DETAIL_FETCHES == 5
    assert "five jobs" in PAGE


def test_example_is_complete_but_for_its_secret() -> None:
    """A copied example works."""
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])["connections"]["graphs"]
    assert example.pop("provider") == NebulaExplorer.kind
    assert secret_fields(NebulaExplorer.Settings) == ("password",)
    assert NebulaExplorer.Settings(**example | {"password": "made-up"})
