"""What `jobthread new-plugin` writes, and what it refuses."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner, Result

import bot
from bot import newplugin, testing
from bot.errors import JobthreadError
from bot.newplugin.command import new_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
LONGEST = 60  # lines of a simple provider


def run(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python tool in a folder, with this checkout's jobthread."""
    paths = {"PYTHONPATH": str(ROOT), "MYPYPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=at,
        env={**os.environ, **paths},
        check=False,
        capture_output=True,
        text=True,
    )


def typed(*words: str) -> Result:
    """Type the command."""
    app = typer.Typer()
    app.command()(new_plugin)
    return CliRunner().invoke(app, words)


@pytest.mark.whole
def test_its_tests_pass_as_they_were_written(plugin: Path) -> None:
    """An author begins with what works."""
    done = run("pytest", "-q", "-p", "no:cacheprovider", at=plugin)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split(" passed")[0].split()[-1]) > 30


@pytest.mark.whole
def test_a_strict_type_checker_has_nothing_to_say(plugin: Path) -> None:
    """The annotations of what an author imports are there, and right."""
    strict = ("--strict", "--follow-imports=silent", "--cache-dir", str(plugin.parent / "mypy"))
    done = run("mypy", *strict, "jobthread_acme", "tests", at=plugin)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["acme", "build-farm-of-the-north"])
def test_a_linter_has_nothing_to_say(tmp_path: Path, name: str) -> None:
    """Its default rules are kept, and its formatter would change nothing."""
    newplugin.write(name, tmp_path / "new")
    for words in (("check",), ("format", "--check")):
        done = run("ruff", *words, "--no-cache", ".", at=tmp_path / "new")
        assert done.returncode == 0, done.stdout


def test_the_provider_is_short(plugin: Path) -> None:
    """One that is simple is simple to write."""
    assert (plugin / "jobthread_acme/__init__.py").read_text("utf-8").count("\n") <= LONGEST


def imported(plugin: Path) -> Iterator[tuple[str, str]]:
    """Give each module of ours that a plugin imports from, with each name."""
    for path in plugin.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bot":
                yield from ((str(node.module), alias.name) for alias in node.names)


def test_it_leans_only_on_what_authors_are_promised(plugin: Path) -> None:
    """It shows by example what stays when jobthread changes."""
    promised = {("bot", name) for name in bot.__all__}
    promised |= {("bot.testing", name) for name in testing.__all__}
    promised |= {("bot.clock", "Clock")}  # in the signature of `Provider.simulator`
    assert set(imported(plugin)) <= promised


def test_a_name_of_several_words_is_written_in_each_language_s_way(tmp_path: Path) -> None:
    """Dashes where they are allowed, underscores and capitals where not."""
    newplugin.write("build-farm", tmp_path)
    provider = (tmp_path / "jobthread_build_farm/__init__.py").read_text("utf-8")
    assert "class BuildFarm(Provider[BuildFarmSettings]):" in provider
    assert 'kind, title = "build-farm", "Build Farm"' in provider
    assert 'build-farm = "jobthread_build_farm"' in (tmp_path / "pyproject.toml").read_text("utf-8")


def test_it_needs_the_jobthread_that_wrote_it(plugin: Path) -> None:
    """An older one may lack what the code uses."""
    project = (plugin / "pyproject.toml").read_text("utf-8")
    assert f'dependencies = ["jobthread>={newplugin._version()}"]' in project


@pytest.mark.parametrize(
    "name",
    ["", "Acme", "4you", "a--b", "acme-", "a_b", "../acme", "a/b", "a b", "acme\n", "é", "a" * 41],
)
def test_a_name_that_cannot_be_used_is_refused_with_a_rule(tmp_path: Path, name: str) -> None:
    """Nothing is written, and the sentence says what a name looks like."""
    with pytest.raises(JobthreadError, match=r"cannot be a plugin's name.* such as build-farm"):
        newplugin.write(name, tmp_path / "new")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["job", "provider", "status", "payload", "connection", "none"])
def test_a_name_that_the_code_uses_already_is_refused(tmp_path: Path, name: str) -> None:
    """A class Job of the author's would hide ours."""
    with pytest.raises(JobthreadError, match="would be confused with"):
        newplugin.write(name, tmp_path / "new")


def test_a_name_may_be_typed_with_the_prefix_that_the_folder_has(tmp_path: Path) -> None:
    """People type what they see."""
    newplugin.write("jobthread-acme", tmp_path)
    assert (tmp_path / "jobthread_acme").is_dir()


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    """A folder that holds anything is refused, and keeps what it holds."""
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(JobthreadError, match="is there already, and not empty"):
        newplugin.write("acme", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """Such as one inside a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(JobthreadError, match=r"cannot be written \(NotADirectoryError\)\.$"):
        newplugin.write("acme", tmp_path / "file" / "new")


def test_without_a_folder_it_is_written_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the name that its distribution will have; the next steps are said."""
    monkeypatch.chdir(tmp_path)
    result = typed("acme")
    assert result.exit_code == 0, result.output
    assert "cd jobthread-acme" in result.output
    assert (tmp_path / "jobthread-acme/pyproject.toml").is_file()


def test_what_is_refused_is_said_on_the_error_stream(tmp_path: Path) -> None:
    """A sentence and exit code 1, no trace."""
    result = typed("Acme", str(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("'Acme' cannot be a plugin's name.")
