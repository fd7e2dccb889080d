"""The built-in providers come in by the door for strangers."""

from __future__ import annotations

import ast
import tomllib
from typing import TYPE_CHECKING

from bot.providers.plugin_loader import PluginState, load_plugins
from bot.sdk.hookspecs import GROUP

if TYPE_CHECKING:
    from pathlib import Path


def entry_points(root: Path) -> dict[str, str]:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    found: dict[str, str] = project["entry-points"][GROUP]
    return found


def registers(package: Path) -> bool:
    """Tell whether a package defines one of the hooks."""
    hooks = {"register_providers", "job_changed"}
    tree = ast.parse(package.read_text("utf-8"))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return any(isinstance(node, functions) and node.name in hooks for node in tree.body)


def test_each_folder_that_is_a_plugin_has_its_entry_point(root: Path) -> None:
    """And there is no entry point without its folder."""
    packages = [path for path in root.glob("plugins/*/__init__.py") if registers(path)]
    expected = {f"plugins.{path.parent.name}" for path in packages}
    assert set(entry_points(root).values()) == expected


def test_every_built_in_plugin_is_ready(root: Path) -> None:
    """What is installed is what the project file says."""
    ready = {p.name: p for p in load_plugins().listing if p.state is PluginState.READY}
    assert entry_points(root).keys() <= ready.keys()
    assert all(ready[name].kinds for name in entry_points(root))
