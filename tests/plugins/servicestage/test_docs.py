"""The page on ServiceStage matches the code."""

import tomllib
from pathlib import Path

import pytest

from bot.sdk.settings import secret_fields
from plugins.servicestage import ServiceStage
from plugins.servicestage.translator import STATUSES

PAGE = (Path(__file__).parents[3] / "docs/providers/servicestage.md").read_text("utf-8")


@pytest.mark.parametrize("name", ServiceStage.Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    """The plugin can be set up without reading the code."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", STATUSES)
def test_every_status_is_documented(word: str) -> None:
    """The status table is complete."""
    assert f"`{word}`" in PAGE


def test_example_is_complete_but_for_its_secret() -> None:
    """A copied example works."""
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])["connections"]["deploys"]
    assert example.pop("provider") == ServiceStage.kind
    assert "secret_key" in secret_fields(ServiceStage.Settings)
    assert ServiceStage.Settings(**example | {"secret_key": "made-up"})
