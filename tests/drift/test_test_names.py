"""Names and docstrings of tests: readable, short, and in a file that mirrors the code's."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.drift.syntax_trees import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_NAME = 60


class NamedTest(NamedTuple):
    """A test function: its file and line, its name and its docstring's first paragraph."""

    place: str
    name: str
    summary: str


@pytest.fixture(scope="module")
def named_tests(sources: list[Path]) -> list[NamedTest]:
    """Every test function of the repository; a test stands in a module or in a class of one."""
    files = [path for path in sources if path.suffix == ".py" and path.name.startswith("test_")]
    return [test for path in files for test in _tests_of(path)]


def _tests_of(path: Path) -> Iterator[NamedTest]:
    for node in _functions(syntax_tree(path).body):
        if node.name.startswith("test_"):
            summary = (ast.get_docstring(node) or "").split("\n\n")[0]
            yield NamedTest(f"{path.name}:{node.lineno}", node.name, summary)


def _functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body)


def test_every_docstring_opens_with_a_sentence(named_tests: list[NamedTest]) -> None:
    """Its first paragraph is some words and a full stop."""
    wrong = [t for t in named_tests if not (t.summary.endswith(".") and " " in t.summary)]
    assert wrong == []


def test_every_name_is_a_sentence(named_tests: list[NamedTest]) -> None:
    """A name of one or two words says what is tested, not what must hold."""
    assert [test for test in named_tests if test.name.count("_") < 3] == []


def test_no_name_is_longer_than_sixty_characters(named_tests: list[NamedTest]) -> None:
    """A longer name is cut in reports; the docstring has room for the rest."""
    assert [test for test in named_tests if len(test.name) > LONGEST_NAME] == []
