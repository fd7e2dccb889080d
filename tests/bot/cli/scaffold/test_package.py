"""`jobthread new-plugin`: the written package, and rejected names and folders."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from bot import sdk
from bot.cli.main import app
from bot.cli.scaffold import package as scaffold
from bot.sdk import testing
from bot.sdk.errors import JobthreadError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
MAX_LINES = 60  # of a simple provider


def run(*command: str, at: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python tool in a folder, with this checkout's jobthread."""
    paths = {"PYTHONPATH": str(ROOT), "MYPYPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=at,
        env={**os.environ, **paths},
        check=False,
        capture_output=True,
        text=True,
    )


def invoke(*arguments: str) -> Result:
    """Run `jobthread new-plugin` with these arguments."""
    return CliRunner().invoke(app, ["new-plugin", *arguments])


@pytest.mark.whole
def test_tests_of_a_new_plugin_pass(plugin: Path) -> None:
    """The author starts with a working plugin."""
    done = run("pytest", "-q", "-p", "no:cacheprovider", at=plugin)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split(" passed")[0].split()[-1]) > 30


@pytest.mark.whole
def test_new_plugin_passes_strict_mypy(plugin: Path) -> None:
    """The public API is fully and correctly annotated."""
    strict = ("--strict", "--follow-imports=silent", "--cache-dir", str(plugin.parent / "mypy"))
    done = run("mypy", *strict, "jobthread_acme", "tests", at=plugin)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["acme", "build-farm-of-the-north"])
def test_new_plugin_passes_ruff(tmp_path: Path, name: str) -> None:
    """Both its default rules and its formatter."""
    scaffold.write(name, tmp_path / "new")
    for arguments in (("check",), ("format", "--check")):
        done = run("ruff", *arguments, "--no-cache", ".", at=tmp_path / "new")
        assert done.returncode == 0, done.stdout


def test_new_provider_is_short(plugin: Path) -> None:
    """It has at most 60 lines."""
    assert (plugin / "jobthread_acme/__init__.py").read_text("utf-8").count("\n") <= MAX_LINES


def imported(plugin: Path) -> Iterator[tuple[str, str]]:
    """Yield each module of the bot that a plugin imports from, with each imported name."""
    for path in plugin.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bot":
                yield from ((str(node.module), alias.name) for alias in node.names)


def test_new_plugin_imports_only_the_public_api(plugin: Path) -> None:
    """Other names may change between versions."""
    public = {("bot.sdk", name) for name in sdk.__all__} | {("bot", "sdk")}
    public |= {("bot.sdk.testing", name) for name in testing.__all__}

    assert set(imported(plugin)) <= public


def test_name_of_several_words_is_adapted_to_each_place(tmp_path: Path) -> None:
    """Dashes in the kind, underscores in the package, capitals in the class."""
    scaffold.write("build-farm", tmp_path)
    provider = (tmp_path / "jobthread_build_farm/__init__.py").read_text("utf-8")
    assert "class BuildFarm(sdk.Provider[BuildFarmSettings]):" in provider
    assert 'kind, title = "build-farm", "Build Farm"' in provider
    assert 'build-farm = "jobthread_build_farm"' in (tmp_path / "pyproject.toml").read_text("utf-8")


def test_new_plugin_requires_the_current_version(plugin: Path) -> None:
    """An older jobthread may lack a name that the plugin imports."""
    project = (plugin / "pyproject.toml").read_text("utf-8")
    assert f'dependencies = ["jobthread>={scaffold._minor_version()}"]' in project


@pytest.mark.parametrize(
    "name",
    ["", "Acme", "4you", "a--b", "acme-", "a_b", "../acme", "a/b", "a b", "acme\n", "é", "a" * 41],
)
def test_invalid_name_is_rejected_with_the_rule(tmp_path: Path, name: str) -> None:
    """Nothing is written, and the message shows a valid name."""
    with pytest.raises(JobthreadError, match=r"cannot be a plugin's name.* such as build-farm"):
        scaffold.write(name, tmp_path / "new")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["job", "provider", "status", "payload", "connection", "none"])
def test_name_of_a_used_class_is_rejected(tmp_path: Path, name: str) -> None:
    """A provider named Job would shadow the imported class."""
    with pytest.raises(JobthreadError, match="would be confused with"):
        scaffold.write(name, tmp_path / "new")


def test_name_may_have_the_prefix_of_the_folder(tmp_path: Path) -> None:
    """`jobthread-acme` is the same as `acme`."""
    scaffold.write("jobthread-acme", tmp_path)
    assert (tmp_path / "jobthread_acme").is_dir()


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    """A folder that is not empty is rejected."""
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(JobthreadError, match="is there already, and not empty"):
        scaffold.write("acme", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_folder_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    """The message is a sentence with the exception's name."""
    (tmp_path / "file").write_text("")
    with pytest.raises(JobthreadError, match=r"cannot be written \(NotADirectoryError\)\.$"):
        scaffold.write("acme", tmp_path / "file" / "new")


def test_default_folder_is_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the distribution's name; the output shows the next steps."""
    monkeypatch.chdir(tmp_path)
    result = invoke("acme")
    assert result.exit_code == 0, result.output
    assert "cd jobthread-acme" in result.output
    assert (tmp_path / "jobthread-acme/pyproject.toml").is_file()


def test_rejected_name_is_reported_on_stderr(tmp_path: Path) -> None:
    """A sentence and exit code 1, without a stack trace."""
    result = invoke("Acme", str(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("'Acme' cannot be a plugin's name.")
