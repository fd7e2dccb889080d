"""docs/hooks.md: every hook, method and attribute, with its signature."""

from __future__ import annotations

import ast
import inspect
import re
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import pluggy
import pytest

from bot.sdk import Change, Job, JobRef, Provider, Status, hookspecs
from bot.sdk.http import Http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
NOT_AN_AUTHORS = {"close"}  # of Http: the bot closes what it opened


class _LastNames(ast.NodeTransformer):
    """Write `job_card.CardContext` as plugins do, which import `CardContext`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        ours = isinstance(node.value, ast.Name) and node.value.id == "job_card"
        return ast.Name(node.attr, ast.Load()) if ours else node


def signature(node: FUNCTIONS) -> str:
    """Return a function's signature on one line."""
    node = _LastNames().visit(node)
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    kept = "".join(f"@{mark} " for mark in marks if mark in ("classmethod", "staticmethod"))
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = ast.unparse(node.returns) if node.returns else ""
    return f"{kept}{word} {node.name}({ast.unparse(node.args)}) -> {returns}"


def written(heading: str) -> str:
    """Return the signature in a heading, in the same form."""
    source = re.sub(r"^(@\w+) ", r"\1\n", heading)
    (node,) = ast.parse(f"{source}: ...").body
    assert isinstance(node, FUNCTIONS)
    return signature(node)


def body(thing: Any) -> list[ast.stmt]:
    """Return the statements of a class or a module."""
    tree = ast.parse(inspect.getsource(thing))
    return tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else tree.body


def methods(thing: type) -> Iterator[str]:
    """Yield the signature of each public method of a class; properties are for the bot."""
    for node in body(thing):
        if isinstance(node, FUNCTIONS) and not node.name.startswith("_"):
            marks = {ast.unparse(mark) for mark in node.decorator_list}
            if "property" not in marks and not (thing is Http and node.name in NOT_AN_AUTHORS):
                yield signature(node)


def hooks() -> Iterator[str]:
    """Yield the signature of each hook."""
    for node in body(hookspecs):
        if isinstance(node, FUNCTIONS) and "hookspec" in map(ast.unparse, node.decorator_list):
            yield signature(node)


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The page."""
    return (root / "docs/hooks.md").read_text("utf-8")


def documented(page: str) -> list[str]:
    return [written(heading) for heading in re.findall(r"^### `(.+)`$", page, re.MULTILINE)]


def test_every_hook_and_method_has_its_signature_on_the_page(page: str) -> None:
    """The page has no others."""
    expected = [*hooks(), *methods(Provider), *methods(Http)]
    assert sorted(documented(page)) == sorted(expected)


def test_required_methods_are_the_abstract_ones(page: str) -> None:
    """Their chapter has no others."""
    must = page.split("## What a provider must implement")[1].partition("\n## ")[0]
    named = {re.split(r"[ (]", line.split("def ")[1])[0] for line in documented(must)}
    assert named == set(Provider.__abstractmethods__)


def test_every_attribute_is_on_the_page_with_its_type(page: str) -> None:
    """Attributes without a default are marked as needed."""
    rows = re.findall(r"^\| `(\w+): (.+?)` \| (Required\. )?", page, re.MULTILINE)
    stated = {(name, type_.replace(r"\|", "|"), bool(needed)) for name, type_, needed in rows}
    assert stated == {
        (ast.unparse(node.target), ast.unparse(node.annotation), node.value is None)
        for node in body(Provider)
        if isinstance(node, ast.AnnAssign)
    }


def test_every_method_has_an_explanation(page: str) -> None:
    """A heading alone is no documentation."""
    chapters = re.split(r"^### .+$", page, flags=re.MULTILINE)[1:]
    assert all(len(chapter.split("\n## ")[0].split()) > 3 for chapter in chapters)


def change(status: Status) -> Change:
    job = Job(ref=JobRef(connection="acme", id="1"), name="deploy", status=status)
    return Change(before=None, after=job.replace(native_status="broke"), status_changed=True)


@pytest.mark.anyio
async def test_listener_on_the_page_receives_changes(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authors copy this code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobthread_bell.py").write_text(page.split("```python\n")[1].partition("```")[0])
    spec = spec_from_file_location("jobthread_bell", tmp_path / "jobthread_bell.py")
    assert spec is not None
    assert spec.loader is not None
    bell = module_from_spec(spec)
    spec.loader.exec_module(bell)
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(bell)
    manager.check_pending()
    for status in (Status.RUNNING, Status.SUCCEEDED, Status.FAILED):
        for called in manager.hook.job_changed(change=change(status)):
            await called
    assert (tmp_path / "failed.txt").read_text() == "acme:1 broke\n"
