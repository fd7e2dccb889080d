"""A new plugin, built as a wheel and installed beside the bot."""

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

ROOT = Path(__file__).parents[4]


def clean_environment() -> dict[str, str]:
    """Return the environment without variables that refer to the checkout or to settings."""
    excluded = ("JOBTHREAD_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(excluded)}


def run(*command: str | Path, at: Path) -> str:
    """Run a command in a folder and return its output."""
    env = clean_environment()
    done = subprocess.run(command, cwd=at, env=env, check=False, capture_output=True, text=True)
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
    """The programs of a virtual environment with both wheels.

    Their dependencies come from the tests' environment by a .pth file. It does not bring the
    editable jobthread along: .pth files are read only in an environment's own folder.
    """
    environment = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", environment, at=environment)
    python = environment / "bin" / "python"
    install = ("install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    run(sys.executable, "-m", "pip", "--python", python, *install, *wheels, at=environment)
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = Path(run(python, "-c", program, at=environment).strip())
    (site_packages / "third_party.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


@pytest.fixture(scope="module")
def settings(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with settings for the plugin's simulator, which runs in another process."""
    folder = tmp_path_factory.mktemp("settings")
    with subprocess.Popen(
        [programs / "jobthread", "simulate", "acme"],
        cwd=folder,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        toml = "".join(takewhile(lambda line: "Ctrl-C" not in line, process.stdout))
        (folder / "jobthread.toml").write_text(toml)
        yield folder
        process.send_signal(signal.SIGINT)


def test_bot_and_plugin_are_imported_from_their_wheels(programs: Path, tmp_path: Path) -> None:
    """Not from the checkout or the plugin's folder."""
    program = "import bot, jobthread_acme, plugins.servicestage as p; print(bot, jobthread_acme, p)"
    output = run(programs / "python", "-c", program, at=tmp_path)
    assert output.count(f"from '{programs.parent}{os.sep}") == 3, output


def test_plugin_is_listed_as_not_configured(programs: Path, tmp_path: Path) -> None:
    """With its distribution, its version and its provider."""
    output = run(programs / "jobthread", "plugins", at=tmp_path)
    assert re.search(r"(?m)^acme +not configured +jobthread-acme 0\.1\.0 +acme$", output), output
    assert re.search(r"(?m)^servicestage +not configured ", output), output


def test_plugin_shows_a_job_of_its_simulator(programs: Path, settings: Path) -> None:
    """With its name, its status and its steps."""
    output = run(programs / "jobthread", "show", "acme:job-1001", at=settings)
    for words in ("shop 2.14", "running", "check out"):
        assert words in output, output


def test_plugin_finds_the_id_in_a_url(programs: Path, settings: Path) -> None:
    """`jobthread show` accepts a job's URL."""
    url = re.search(r'^url = "(.*)"', (settings / "jobthread.toml").read_text(), re.MULTILINE)
    assert url is not None
    assert "shop 2.15" in run(
        programs / "jobthread", "show", f"{url[1]}/jobs/job-1002", at=settings
    )


def test_plugin_templates_are_in_the_bots_wheel(programs: Path, tmp_path: Path) -> None:
    """An installed bot can write a plugin without the repository."""
    program = "from bot.cli.scaffold.package import write; print(write('other'))"
    run(programs / "python", "-c", program, at=tmp_path)
    assert (tmp_path / "jobthread-other/jobthread_other/simulator.py").is_file()
