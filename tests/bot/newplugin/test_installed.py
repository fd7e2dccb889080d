"""A new plugin, built and installed beside the bot as people do it, and asked for a job."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parents[3]


def apart() -> dict[str, str]:
    """Return this environment without what leads to the checkout or to settings."""
    ours = ("JOBTHREAD_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def run(*words: str | Path, at: Path) -> str:
    """Run a command in a folder and return what it says."""
    done = subprocess.run(words, cwd=at, env=apart(), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheels of the bot and of the plugin."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in (ROOT, plugin):
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, at=source)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def programs(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds both wheels.

    What they need is taken from the environment of the tests, by a path that does not bring its
    editable jobthread along: a .pth file is read in an environment's own folder only.
    """
    place = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", place, at=place)
    python = place / "bin" / "python"
    install = ("install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    run(sys.executable, "-m", "pip", "--python", python, *install, *wheels, at=place)
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", at=place)
    (Path(own.strip()) / "third_party.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin"


@pytest.fixture(scope="module")
def settings(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with settings that reach the plugin's simulator, in a process of its own."""
    folder = tmp_path_factory.mktemp("settings")
    with subprocess.Popen(
        [programs / "jobthread", "simulate", "acme"],
        cwd=folder,
        env=apart(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = "".join(takewhile(lambda line: "Ctrl-C" not in line, process.stdout))
        (folder / "jobthread.toml").write_text(said)
        yield folder
        process.send_signal(signal.SIGINT)


def test_both_come_from_their_wheels(programs: Path, tmp_path: Path) -> None:
    """Neither the checkout nor the plugin's folder is looked at."""
    program = "import bot, jobthread_acme, plugins.servicestage as p; print(bot, jobthread_acme, p)"
    said = run(programs / "python", "-c", program, at=tmp_path)
    assert said.count(f"from '{programs.parent}{os.sep}") == 3, said


def test_the_plugin_is_listed_as_not_configured(programs: Path, tmp_path: Path) -> None:
    """With its distribution, its version and the provider that it brings."""
    said = run(programs / "jobthread", "plugins", at=tmp_path)
    assert re.search(r"(?m)^acme +not configured +jobthread-acme 0\.1\.0 +acme$", said), said
    assert re.search(r"(?m)^servicestage +not configured ", said), said


def test_the_plugin_shows_a_job_of_its_simulator(programs: Path, settings: Path) -> None:
    """The card has the job's name, its status and its steps."""
    said = run(programs / "jobthread", "show", "acme:job-1001", at=settings)
    for words in ("shop 2.14", "running", "check out"):
        assert words in said, said


def test_the_plugin_recognises_the_url_of_a_job(programs: Path, settings: Path) -> None:
    """People paste what they have."""
    url = re.search(r'^url = "(.*)"', (settings / "jobthread.toml").read_text(), re.MULTILINE)
    assert url is not None
    assert "shop 2.15" in run(
        programs / "jobthread", "show", f"{url[1]}/jobs/job-1002", at=settings
    )


def test_new_plugin_s_files_are_in_the_bot_s_wheel(programs: Path, tmp_path: Path) -> None:
    """Whoever installed the bot can write a plugin without its repository."""
    program = "from bot.newplugin import write; print(write('other'))"
    run(programs / "python", "-c", program, at=tmp_path)
    assert (tmp_path / "jobthread-other/jobthread_other/simulator.py").is_file()
