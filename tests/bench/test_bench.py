"""The benchmarks run, and their last line is what a machine can read; no figure is judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.whole
@pytest.mark.parametrize("name", ["ask", "deliver", "follow", "policies", "start"])
def test_a_benchmark_runs_and_ends_with_one_line_of_json(name: str) -> None:
    """Whatever it finds, it ends well: figures, their baseline, and which targets are met."""
    ran = subprocess.run(
        [sys.executable, "-m", "bench", name, "--tiny"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["name"] == name
    assert found["figures"]
    assert found["baseline"]
    assert all(isinstance(target["met"], bool) for target in found["targets"].values())
