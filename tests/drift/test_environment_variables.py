"""The shipped package reads its settings from the environment, and nothing else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.sdk.clock import SystemClock
from bot.settings import read
from tests.drift.syntax_trees import syntax_tree

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = ("bot", "localslack", "plugins")
READERS = {
    "bot/settings.py",  # names of variables that are no setting
    "bot/settings_env.py",  # names of variables that could mean two connections
    "bot/cli/demo/demo.py",  # passes the environment on to the bot, without its settings
}
ACCESS = frozenset({"environ", "environb", "getenv", "getenvb", "putenv"})


def names(path: Path) -> set[str]:
    """Return all names, attributes and imported names of a module."""
    nodes = list(ast.walk(syntax_tree(path)))
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    found |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return found | {node.name for node in nodes if isinstance(node, ast.alias)}


def test_only_settings_read_the_environment(root: Path) -> None:
    """No other module could have a switch in it."""
    modules = [path for package in SHIPPED for path in (root / package).rglob("*.py")]
    shipped = [path for path in modules if "node_modules" not in path.parts]
    readers = {path.relative_to(root).as_posix() for path in shipped if names(path) & ACCESS}
    assert readers == READERS


@pytest.mark.parametrize("name", ["SABOTAGE", "BREAK", "CLOCK_AHEAD", "CLOCK"])
def test_variables_that_are_no_setting_change_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot runs by the system's clock, whatever they hold."""
    monkeypatch.setenv("JOBTHREAD_SLACK__BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("JOBTHREAD_SLACK__APP_TOKEN", "xapp-1")
    expected = read(None)
    monkeypatch.setenv(f"JOBTHREAD_{name}", "/nope")
    found = read(None)
    assert not found.problems
    assert found.settings is not None
    assert expected.settings is not None
    assert found.settings.model_dump() == expected.settings.model_dump()
    assert type(Bot(found.settings).clock) is SystemClock
