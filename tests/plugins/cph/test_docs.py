"""The page on Cloud Phone Host says what the code does."""

import tomllib
from pathlib import Path

import pytest

from bot.problems import secret_fields
from plugins.cph import Cph
from plugins.cph.errors import _MEANINGS
from plugins.cph.translator import STATUSES

PAGE = (Path(__file__).parents[3] / "docs/providers/cph.md").read_text("utf-8")


@pytest.mark.parametrize("name", Cph.Settings.model_fields)
def test_every_setting_is_on_the_page(name: str) -> None:
    """Nobody has to read the code to set it up."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", STATUSES)
def test_every_status_is_on_the_page(word: str) -> None:
    """The table of words is whole."""
    assert f"`{word}`" in PAGE


def test_the_example_needs_only_its_secret_to_be_whole() -> None:
    """What people copy works."""
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])["connections"]["phones"]
    assert example.pop("provider") == Cph.kind
    assert "secret_key" in secret_fields(Cph.Settings)
    assert Cph.Settings(**example | {"secret_key": "made-up"})


@pytest.mark.parametrize("code", [code for code in _MEANINGS if code.startswith("CPS.")])
def test_every_error_code_is_on_the_page(code: str) -> None:
    """Whoever reads one in a sentence can look it up."""
    assert code in PAGE or f"`.{code.removeprefix('CPS.')}`" in PAGE
