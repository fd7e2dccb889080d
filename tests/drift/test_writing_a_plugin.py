"""docs/writing-a-plugin.md: its files run, and its code blocks are parts of those files."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from typing import TYPE_CHECKING, Any

import pluggy
import pytest
from aiohttp import web

from bot.sdk import JobRef, Provider, Status, hookspecs
from bot.sdk.testing import ManualClock, ProviderContract, connected, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROVIDER = "jobthread_acme/__init__.py"
REF = JobRef(connection="builds", id="job-20417")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PATH = re.compile(r"# ([\w./-]+\.(?:py|toml))\n")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The page."""
    return (root / "docs/writing-a-plugin.md").read_text("utf-8")


def blocks(page: str, language: str) -> Iterator[str]:
    """Yield the page's code blocks in a language."""
    return (code for found, code in _BLOCK.findall(page) if found == language)


def files(page: str) -> list[tuple[str, str]]:
    """Return the blocks that are whole files, in order; the first line of each is its path."""
    every = [*blocks(page, "python"), *blocks(page, "toml")]
    return [(named[1], code) for code in every if (named := _PATH.match(code))]


def finished(page: str) -> dict[str, str]:
    """Return the files of the finished plugin."""
    return dict(files(page))


def write_files(contents: dict[str, str], folder: Path) -> Path:
    """Write files into a folder."""
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, "utf-8")
    return folder


@pytest.fixture(scope="module")
def plugin(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished plugin."""
    return write_files(finished(page), tmp_path_factory.mktemp("page"))


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Loads the provider that a folder's plugin registers."""

    def load(folder: Path) -> type[Provider[Any]]:
        monkeypatch.syspath_prepend(folder)
        manager = pluggy.PluginManager(hookspecs.GROUP)
        manager.add_hookspecs(hookspecs)
        manager.register(importlib.import_module("jobthread_acme"))
        manager.check_pending()
        (brought,) = manager.hook.register_providers()
        provider: type[Provider[Any]] = brought[0]
        return provider

    yield load
    for name in [name for name in sys.modules if name.split(".")[0] == "jobthread_acme"]:
        del sys.modules[name]


def api(page: str) -> web.Application:
    """Return an API that answers as the page shows."""
    shown = re.compile(r"^GET /api(/jobs/[\w-]+)\n.*?\n\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    ((path, body),) = shown.findall(page)

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    app = web.Application()
    app.router.add_get(path, show)
    return app


def run(root: Path, plugin: Path, *words: str) -> str:
    """Run a Python tool over the finished plugin, with this checkout's jobthread."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=plugin,
        env={**os.environ, "PYTHONPATH": str(root), "MYPYPATH": str(root)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_first_version_has_at_most_twenty_lines(page: str) -> None:
    """As its heading says; empty lines do not count."""
    _, first = files(page)[0]
    lines = [line for line in first.splitlines() if line and not line.startswith("#")]
    assert len(lines) <= 20
    assert files(page)[0][0] == PROVIDER


@pytest.mark.anyio
async def test_first_version_fetches_a_job(page: str, tmp_path: Path, loaded: Any) -> None:
    """The API answers as the page shows."""
    acme = loaded(write_files(dict(files(page)[:1]), tmp_path))
    async with (
        serve(api(page)) as url,
        connected(acme, {"url": url}, ManualClock()) as provider,
    ):
        job = await provider.fetch_job(REF)
    assert (job.name, job.status) == ("shop 2.14", Status.RUNNING)


@pytest.mark.anyio
async def test_finished_version_parses_the_answer_on_the_page(
    page: str, plugin: Path, loaded: Any
) -> None:
    """The job has its step, its times and its link."""
    acme = loaded(plugin)
    async with (
        serve(api(page)) as url,
        connected(acme, {"url": url, "token": "made-up"}, ManualClock()) as provider,
    ):
        job = await provider.fetch_job(REF)
    assert job.url == "https://acme.example.com/job-20417"
    assert [(task.name, task.status) for task in job.tasks] == [("build", Status.SUCCEEDED)]
    assert job.created_at is not None


@pytest.mark.whole
def test_finished_version_passes_its_tests(root: Path, plugin: Path) -> None:
    """The conformance suite and the plugin's own tests."""
    output = run(root, plugin, "pytest", "-q", "-p", "no:cacheprovider")
    assert int(output.split(" passed", maxsplit=1)[0].split()[-1]) > 40


@pytest.mark.whole
def test_finished_version_passes_ruff_and_strict_mypy(root: Path, plugin: Path) -> None:
    """Authors copy this code."""
    run(root, plugin, "ruff", "check", "--no-cache", ".")
    run(root, plugin, "ruff", "format", "--check", "--no-cache", ".")
    cache = ("--cache-dir", str(plugin.parent / "mypy"))
    run(
        root,
        plugin,
        "mypy",
        "--strict",
        "--follow-imports=silent",
        *cache,
        "jobthread_acme",
        "tests",
    )


def test_every_code_block_is_part_of_the_finished_version(page: str) -> None:
    """No step shows code that the finished file does not have."""
    whole = finished(page)[PROVIDER].splitlines()
    for piece in blocks(page, "python"):
        if not _PATH.match(piece):
            wanted = textwrap.dedent(piece).strip()
            size = wanted.count("\n") + 1
            parts = (whole[start : start + size] for start in range(len(whole)))
            assert any(textwrap.dedent("\n".join(part)) == wanted for part in parts), piece


def test_settings_on_the_page_are_valid(page: str, plugin: Path, loaded: Any) -> None:
    """Each table needs only its secret to be complete."""
    acme = loaded(plugin)
    tables = [tomllib.loads(code) for code in blocks(page, "toml") if "[connections." in code]
    assert len(tables) == 2
    for table in tables:
        fields = table["connections"]["builds"]
        assert fields.pop("provider") == acme.kind
        assert acme.Settings(**fields, token="made-up")


def test_entry_point_on_the_page_names_the_plugin(page: str) -> None:
    """It is in the entry-point group that the bot loads."""
    project = tomllib.loads(finished(page)["pyproject.toml"])["project"]
    assert project["entry-points"] == {hookspecs.GROUP: {"acme": "jobthread_acme"}}


def test_every_attribute_of_the_contract_is_documented(page: str) -> None:
    """An author can use the suite without reading its source."""
    for name in ProviderContract.__annotations__:
        assert f"`{name}`" in page
