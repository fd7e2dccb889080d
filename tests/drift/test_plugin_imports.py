"""Built-in and new plugins import only what any plugin may import, and not in a circle."""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

import pytest

from bot import sdk
from bot.cli.scaffold import package as scaffold
from bot.sdk import testing
from tests.drift.syntax_trees import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KIT = {"bot.sdk", *(f"bot.sdk.{name}" for name in sdk.__all__)}
TEST_KIT = {"bot.sdk.testing", *(f"bot.sdk.testing.{name}" for name in testing.__all__)}
LIBRARIES = {"httpx", "pydantic"}
SHARED = {"plugins.huaweicloud", "plugins.selfhosted"}  # building blocks of several plugins
JMESPATH_USER = "plugins.http"


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of each imported module or name, type-only imports included."""
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_allowed(name: str, package: str, *, is_simulator: bool, is_test: bool) -> bool:
    """Whether a file of a package may import a name."""
    root = name.split(".", maxsplit=1)[0]
    if root == "bot":
        return name in KIT or ((is_simulator or is_test) and name in TEST_KIT)
    if any(name.startswith(f"{own}.") for own in {package, *SHARED}):
        return True
    libraries = LIBRARIES | ({"jmespath"} if package == JMESPATH_USER else set())
    libraries |= {"aiohttp"} if is_simulator or is_test else set()
    libraries |= {"pytest"} if is_test else set()
    return root in libraries | sys.stdlib_module_names


def forbidden(path: Path, package: str, *, is_test: bool = False) -> list[str]:
    """Return the imports of a file that are not allowed."""
    is_simulator = path.name == "simulator.py"
    return [
        f"{path.name}: {name}"
        for name in imports(path)
        if not is_allowed(name, package, is_simulator=is_simulator, is_test=is_test)
    ]


def test_built_in_plugins_import_only_what_is_allowed(root: Path) -> None:
    """The kit, httpx, pydantic, the standard library, their own package and the shared ones."""
    files = [path for path in root.glob("plugins/*/*.py") if "tests" not in path.parts]
    assert len(files) > 60
    assert [each for path in files for each in forbidden(path, f"plugins.{path.parent.name}")] == []


def test_new_plugin_imports_only_what_is_allowed(tmp_path: Path) -> None:
    """The tests of a new plugin also import pytest and the test kit."""
    plugin = scaffold.write("acme", tmp_path / "new")
    for path in plugin.rglob("*.py"):
        assert forbidden(path, "jobthread_acme", is_test=path.parent.name == "tests") == []


@pytest.mark.parametrize(
    "statement",
    [
        "import bot.store",
        "from bot.sdk.models import Job",
        "from bot.sdk import fuzzy",
        "from bot.sdk.testing import Faults",
        "import aiohttp",
        "import sqlalchemy",
        "import jmespath",
        "from plugins.aom import script",
    ],
)
def test_other_imports_are_found(tmp_path: Path, statement: str) -> None:
    """Also inside a function or under TYPE_CHECKING."""
    (tmp_path / "api.py").write_text(f"def _():\n    {statement}\n")
    assert len(forbidden(tmp_path / "api.py", "plugins.cph")) == 1


def test_names_used_as_attributes_of_the_kit_are_public(tmp_path: Path) -> None:
    """A new plugin writes `sdk.Provider`."""
    plugin = scaffold.write("acme", tmp_path / "new")
    tree = ast.parse((plugin / "jobthread_acme/__init__.py").read_text("utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "sdk"
    }
    assert used
    assert used <= set(sdk.__all__)


def module_of(name: str, root: Path) -> str:
    """Return the file's module of an imported name of plugins."""
    path = root.joinpath(*name.split("."))
    is_module = path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
    return name if is_module else name.rpartition(".")[0]


def graph_of(root: Path) -> dict[str, set[str]]:
    """Return the modules of plugins that each module imports."""
    graph: dict[str, set[str]] = {}
    for path in root.glob("plugins/*/*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        names = (name for name in imports(path) if name.startswith("plugins."))
        graph[module] = {module_of(name, root) for name in names} - {module}
    return graph


def test_no_circle_of_files_or_folders(root: Path) -> None:
    """Type-only imports count."""
    graph = graph_of(root)
    folders: dict[str, set[str]] = {}
    for module, targets in graph.items():
        folder = module.split(".")[1]
        folders.setdefault(folder, set()).update(
            {each.split(".")[1] for each in targets} - {folder}
        )
    for each in (graph, folders):
        TopologicalSorter(each).prepare()  # raises CycleError
