"""Every command in the README and the documentation exists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import typer.main

from bot.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
_MAKE = re.compile(r"(?:^|[ $`&;])make ([a-z][a-z-]*)")
_OWN = re.compile(r"(?:^|[ $`&;/])jobthread ([a-z-]+)((?: +[^ \n|&;]+)*)")


@pytest.fixture(scope="module")
def pages(root: Path) -> list[Path]:
    """The README and the documentation."""
    return [root / "README.md", *sorted(root.glob("docs/**/*.md"))]


def code(pages: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield each line of code with the name of its page."""
    for page in pages:
        for block, inline in _CODE.findall(page.read_text("utf-8")):
            for line in (block or inline).splitlines():
                yield page.name, line.partition("  #")[0]


def test_every_make_target_in_the_docs_exists(root: Path, pages: list[Path]) -> None:
    """The Makefile has it."""
    makefile = (root / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {(page, target) for page, line in code(pages) for target in _MAKE.findall(line)}
    assert {(page, target) for page, target in named if target not in targets} == set()


def test_every_command_in_the_docs_exists_with_its_options(pages: list[Path]) -> None:
    """`jobthread` has both."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for page, line in code(pages):
        for command, rest in _OWN.findall(line):
            assert command in commands, f"{page}: jobthread {command}"
            known = {name for option in commands[command].params for name in option.opts}
            options = re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", rest)
            assert set(options) <= known | {"--help"}, f"{page}: {line}"


def test_patterns_find_the_commands_in_a_line() -> None:
    """Other text is no command."""
    assert _OWN.findall("$ jobthread demo --check") == [("demo", " --check")]
    assert _OWN.findall("edit jobthread.toml") == []
    assert _MAKE.findall("make demo ARGS=--check") == ["demo"]
