"""The proof holds, and it would not without any one of what it proves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
QUICK = ("--minutes", "0.35", "--watches", "120")

pytestmark = pytest.mark.proof


def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run it; return its exit code, its figures, and all it printed."""
    command = (sys.executable, "-m", "chaos", *QUICK, *arguments)
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    said = done.stdout + done.stderr
    assert done.stdout, said
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), said


def test_nothing_is_lost_or_told_twice_or_out_of_order_whatever_breaks() -> None:
    """Every thread is as its job was, though the bot was killed and Slack failed all the time."""
    code, figures, said = run()
    assert code == 0, said
    assert (figures["lost"], figures["duplicated"], figures["out_of_order"]) == (0, 0, 0)
    assert figures["kills"] >= 2, said
    assert figures["watches"] >= 80, said
    assert figures["owed"] >= 50, said


@pytest.mark.parametrize("safeguard", ["cas", "key", "lookup"])
def test_the_proof_fails_without_each_of_the_safeguards(safeguard: str) -> None:
    """What is broken on purpose is found, so the proof looks where it should."""
    code, figures, said = run("--break", safeguard)
    assert code == 1, said
    assert figures["broken"] == safeguard
    assert figures["lost"] + figures["duplicated"] + figures["out_of_order"] > 0
