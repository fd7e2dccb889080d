"""The page on AICC RPA says what the code does."""

import tomllib
from pathlib import Path

import pytest

from bot.problems import secret_fields
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.errors import MEANINGS
from plugins.aicc_rpa.translator import STATUSES

PAGE = (Path(__file__).parents[3] / "docs/providers/aicc-rpa.md").read_text("utf-8")


@pytest.mark.parametrize("name", AiccRpa.Settings.model_fields)
def test_every_setting_is_on_the_page(name: str) -> None:
    """Nobody has to read the code to set it up."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", STATUSES)
def test_every_status_is_on_the_page(word: str) -> None:
    """The table of words is whole."""
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("code", MEANINGS)
def test_every_error_code_is_on_the_page(code: int) -> None:
    """Whoever reads one in the log finds it."""
    assert str(code) in PAGE


def test_the_example_needs_only_its_secret_to_be_whole() -> None:
    """What people copy works, but for its file of certificates."""
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])["connections"]["robots"]
    assert example.pop("provider") == AiccRpa.kind
    assert example.pop("ca_file")
    assert secret_fields(AiccRpa.Settings) == ("app_secret",)
    assert AiccRpa.Settings(**example | {"app_secret": "made-up"})
