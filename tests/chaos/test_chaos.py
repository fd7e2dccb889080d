"""The delivery proof passes, and fails without any one safeguard."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
QUICK = ("--minutes", "0.35", "--watches", "120")
FULL = ("--minutes", "3")
TIMEOUT_SECONDS = 1_200.0  # a slow machine takes three times as long, and then catches up

pytestmark = pytest.mark.proof


def run(*arguments: str, seconds: float = 400.0) -> tuple[int, dict[str, Any], str]:
    """Run the proof; return its exit code, its figures and its output."""
    command = (sys.executable, "-m", "chaos", *arguments)
    process = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
    )
    output = process.stdout + process.stderr
    assert process.stdout, output
    return process.returncode, json.loads(process.stdout.splitlines()[-1]), output


def test_no_message_is_lost_duplicated_or_out_of_order() -> None:
    """Every thread matches its job, despite kills of the bot and constant faults of Slack."""
    code, figures, output = run(*FULL, seconds=TIMEOUT_SECONDS)
    assert code == 0, output
    assert (figures["lost"], figures["duplicated"], figures["out_of_order"]) == (0, 0, 0)
    assert figures["kills"] >= 15, output
    assert figures["watches"] >= 500, output
    assert figures["expected"] >= 300, output


@pytest.mark.parametrize("safeguard", ["cas", "key", "lookup"])
def test_proof_fails_without_each_safeguard(safeguard: str) -> None:
    """A disabled safeguard produces violations, so the proof can detect them."""
    code, figures, output = run(*QUICK, "--break", safeguard)
    assert code == 1, output
    assert figures["disabled_safeguard"] == safeguard
    assert figures["lost"] + figures["duplicated"] + figures["out_of_order"] > 0
