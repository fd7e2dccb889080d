"""The page on AOM matches the code."""

import tomllib
from pathlib import Path

import pytest

from bot.sdk.settings import secret_fields
from plugins.aom import Aom
from plugins.aom.errors import _ERRORS_BY_CODE
from plugins.aom.translator import STATUSES

PAGE = (Path(__file__).parents[3] / "docs/providers/aom.md").read_text("utf-8")


@pytest.mark.parametrize("name", Aom.Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    """The plugin can be set up without reading the code."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", STATUSES)
def test_every_status_is_documented(word: str) -> None:
    """The status table is complete."""
    assert f"`{word}`" in PAGE


def test_example_is_complete_but_for_its_secret() -> None:
    """A copied example works."""
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])["connections"]["workflows"]
    assert example.pop("provider") == Aom.kind
    assert "secret_key" in secret_fields(Aom.Settings)
    assert Aom.Settings(**example | {"secret_key": "made-up"})


@pytest.mark.parametrize("code", [code for code in _ERRORS_BY_CODE if code.startswith("AOM.")])
def test_every_error_code_is_documented(code: str) -> None:
    """Each code in an error sentence can be looked up."""
    assert code in PAGE or f"`.{code.removeprefix('AOM.')}`" in PAGE
