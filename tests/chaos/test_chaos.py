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
WHOLE = ("--minutes", "3")
PATIENCE_SECONDS = 1_200.0  # three times as long on a slow machine, and what it then catches up

pytestmark = pytest.mark.proof


def run(*arguments: str, seconds: float = 400.0) -> tuple[int, dict[str, Any], str]:
    """Run it; return its exit code, its figures, and all it printed."""
    command = (sys.executable, "-m", "chaos", *arguments)
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
    )
    said = done.stdout + done.stderr
    assert done.stdout, said
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), said


def test_nothing_is_lost_or_told_twice_or_out_of_order_whatever_breaks() -> None:
    """Every thread is as its job was, though the bot was killed and Slack failed all the time."""
    code, figures, said = run(*WHOLE, seconds=PATIENCE_SECONDS)
    assert code == 0, said
    assert (figures["lost"], figures["duplicated"], figures["out_of_order"]) == (0, 0, 0)
    assert figures["kills"] >= 15, said
    assert figures["watches"] >= 500, said
    assert figures["owed"] >= 300, said


@pytest.mark.parametrize("safeguard", ["cas", "key", "lookup"])
def test_the_proof_fails_without_each_of_the_safeguards(safeguard: str) -> None:
    """What is broken on purpose is found, so the proof looks where it should."""
    code, figures, said = run(*QUICK, "--break", safeguard)
    assert code == 1, said
    assert figures["broken"] == safeguard
    assert figures["lost"] + figures["duplicated"] + figures["out_of_order"] > 0
