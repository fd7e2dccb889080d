"""The page on ServiceStage says what the code does."""

import tomllib
from pathlib import Path

import pytest

from bot.problems import secret_fields
from plugins.servicestage import ServiceStage
from plugins.servicestage.translator import STATUSES

PAGE = (Path(__file__).parents[3] / "docs/providers/servicestage.md").read_text("utf-8")


@pytest.mark.parametrize("name", ServiceStage.Settings.model_fields)
def test_every_setting_is_on_the_page(name: str) -> None:
    """Nobody has to read the code to set it up."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", STATUSES)
def test_every_status_is_on_the_page(word: str) -> None:
    """The table of words is whole."""
    assert f"`{word}`" in PAGE


def test_the_example_needs_only_its_secret_to_be_whole() -> None:
    """What people copy works."""
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])["connections"]["deploys"]
    assert example.pop("provider") == ServiceStage.kind
    assert "secret_key" in secret_fields(ServiceStage.Settings)
    assert ServiceStage.Settings(**example | {"secret_key": "made-up"})
