"""The page on the kind without code says what the code does."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from bot.models import Status
from plugins.http import HttpJobs
from plugins.http.expressions import fault
from plugins.http.settings import AUTH, HttpSettings, Meaning

PAGE = (Path(__file__).parents[3] / "docs/providers/http.md").read_text("utf-8")
USEFUL = PAGE.split("| what | expression |")[1].split("\n\n")[0]


@pytest.mark.parametrize("name", HttpJobs.Settings.model_fields)
def test_every_setting_is_on_the_page(name: str) -> None:
    """Nobody has to read the code to set it up."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("word", [*Status, *get_args(Meaning), *AUTH])
def test_every_word_that_can_be_set_is_on_the_page(word: str) -> None:
    """Our statuses, the meanings of error codes, the ways to sign in."""
    assert f"`{word}`" in PAGE


def test_the_example_of_a_post_is_whole() -> None:
    """What people copy works; Nebula's example has a test file of its own."""
    example = PAGE.split("```toml\n")[2].split("```")[0]
    table = tomllib.loads(example)["connections"]["reports"]
    assert table.pop("provider") == HttpJobs.kind
    assert HttpSettings.model_validate(table)


@pytest.mark.parametrize("line", USEFUL.strip().splitlines()[1:])
def test_every_useful_expression_is_one(line: str) -> None:
    """They are copied into settings."""
    (expression,) = re.findall(r"\| `(.+)` \|$", line)
    assert not fault(expression.replace(r"\|", "|"))
