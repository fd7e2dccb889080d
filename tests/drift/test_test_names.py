"""Every test says what it promises."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def named_tests(sources: list[Path]) -> Iterator[tuple[str, str]]:
    """Give each test function's place and the first paragraph of its docstring."""
    for path in sources:
        if path.suffix == ".py" and path.name.startswith("test_"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                    node.name.startswith("test_")
                ):
                    said = (ast.get_docstring(node) or "").split("\n\n")[0]
                    yield f"{path.name}:{node.lineno} {node.name}", said


def test_every_test_opens_with_a_sentence(sources: list[Path]) -> None:
    """Its docstring's first paragraph is some words and a full stop."""
    silent = [
        place for place, said in named_tests(sources) if not (said.endswith(".") and " " in said)
    ]
    assert silent == []


def test_every_name_of_a_test_is_a_sentence(sources: list[Path]) -> None:
    """A name of one word says what is tested, not what is promised."""
    short = [place for place, _ in named_tests(sources) if place.count("_") < 3]
    assert short == []
