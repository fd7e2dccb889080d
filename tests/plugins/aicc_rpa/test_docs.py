"""The page on AICC RPA matches the code."""

import tomllib
from pathlib import Path

import pytest

from bot.sdk.settings import secret_fields
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.errors import ERRORS_BY_CODE
from plugins.aicc_rpa.translator import STATUSES

PAGE = (Path(__file__).parents[3] / "docs/providers/aicc-rpa.md").read_text("utf-8")


@pytest.mark.parametrize("name", AiccRpa.Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    """The plugin can be set up without reading the code."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", STATUSES)
def test_every_status_is_documented(word: str) -> None:
    """The status table is complete."""
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("code", ERRORS_BY_CODE)
def test_every_error_code_is_documented(code: int) -> None:
    """Each code in the log can be looked up."""
    assert str(code) in PAGE


def test_example_is_complete_but_for_its_secret() -> None:
    """A copied example works once its CA file exists."""
    example = tomllib.loads(PAGE.split("```toml\n")[1].split("```")[0])["connections"]["robots"]
    assert example.pop("provider") == AiccRpa.kind
    assert example.pop("ca_file")
    assert secret_fields(AiccRpa.Settings) == ("app_secret",)
    assert AiccRpa.Settings(**example | {"app_secret": "made-up"})
