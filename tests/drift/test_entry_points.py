"""Built-in plugins are registered by entry points, like third-party plugins."""

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
    """Return whether a package implements a hook."""
    hooks = {"register_providers", "job_changed"}
    tree = ast.parse(package.read_text("utf-8"))
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return any(isinstance(node, functions) and node.name in hooks for node in tree.body)


def test_every_plugin_folder_has_an_entry_point(root: Path) -> None:
    """Every entry point has a folder, too."""
    packages = [path for path in root.glob("plugins/*/__init__.py") if registers(path)]
    expected = {f"plugins.{path.parent.name}" for path in packages}
    assert set(entry_points(root).values()) == expected


def test_every_built_in_plugin_is_ready(root: Path) -> None:
    """The installed entry points are those of pyproject.toml."""
    ready = {p.name: p for p in load_plugins().listing if p.state is PluginState.READY}
    assert entry_points(root).keys() <= ready.keys()
    assert all(ready[name].kinds for name in entry_points(root))
