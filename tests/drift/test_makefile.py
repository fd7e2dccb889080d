"""Which Python the Makefile takes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("python3.13", "python3.12", "python3.11", "python3")


@pytest.fixture
def pythons(tmp_path: Path) -> Path:
    """A folder in front of PATH in which every Python fails, as pyenv's shims do."""
    for name in NAMES:
        script = tmp_path / name
        script.write_text("#!/bin/sh\nexit 127\n")
        script.chmod(0o755)
    return tmp_path


def make(root: Path, pythons: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run `make` for a new environment in this folder."""
    line = ("make", "-B", "-C", pythons, "-f", root / "Makefile", *args, ".venv-lowest/installed")
    (pythons / "requirements").mkdir(exist_ok=True)
    for name in ("requirements/lowest.txt", "pyproject.toml"):
        (pythons / name).touch()
    own = ("PYTHON", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES")  # of a make that runs this test
    env = {name: value for name, value in os.environ.items() if name not in own}
    env["PATH"] = f"{pythons}{os.pathsep}{env['PATH']}"
    return subprocess.run(line, env=env, check=False, capture_output=True, text=True)


@pytest.mark.parametrize("name", NAMES)
def test_makefile_takes_the_python_that_runs(root: Path, pythons: Path, name: str) -> None:
    """The others exist and fail."""
    (pythons / name).unlink()
    (pythons / name).symlink_to(sys.executable)
    assert f"|| {name} -m venv .venv-lowest\n" in make(root, pythons, "-n").stdout


def test_missing_python_is_a_clear_sentence(root: Path, pythons: Path) -> None:
    """It says what to install, or how to name a Python."""
    done = make(root, pythons)
    assert done.returncode != 0
    assert "jobthread needs Python 3.11 or newer." in done.stderr
    assert "PYTHON=/path/to/python" in done.stderr
