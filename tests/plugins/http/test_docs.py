"""The page on the declarative provider matches the code."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from bot.sdk.models import Status
from plugins.http import HttpJobs
from plugins.http.expressions import syntax_problem
from plugins.http.settings import AUTH_METHODS, ErrorMeaning, HttpSettings

PAGE = (Path(__file__).parents[3] / "docs/providers/http.md").read_text("utf-8")
EXPRESSIONS = PAGE.split("| purpose | expression |")[1].split("\n\n")[0]


@pytest.mark.parametrize("word", [*Status, *get_args(ErrorMeaning), *AUTH_METHODS])
def test_every_allowed_value_is_documented(word: str) -> None:
    """Statuses, meanings of error codes, and authentication methods are listed."""
    assert f"`{word}`" in PAGE


def test_post_example_is_complete() -> None:
    """A copied example works; Nebula's example has its own test file."""
    example = PAGE.split("```toml\n")[2].split("```")[0]
    table = tomllib.loads(example)["connections"]["reports"]
    assert table.pop("provider") == HttpJobs.kind
    assert HttpSettings.model_validate(table)


@pytest.mark.parametrize("line", EXPRESSIONS.strip().splitlines()[1:])
def test_every_listed_expression_is_valid(line: str) -> None:
    """Users copy the expressions into their settings."""
    (expression,) = re.findall(r"\| `(.+)` \|$", line)
    assert not syntax_problem(expression.replace(r"\|", "|"))
