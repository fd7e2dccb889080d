"""Sample builds of the simulator."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.sdk import Sample
from plugins.http.script import BuildScript, BuildStep


@dataclass(frozen=True)
class SampleBuild:
    """A sample build and its description."""

    title: str
    hint: str
    build: BuildScript


STEPS = (
    BuildStep("Check out", 3),
    BuildStep("Compile", 9),
    BuildStep("Unit tests", 12),
    BuildStep("Publish image", 6),
)
FAILED_TESTS = (
    "FAILED tests/test_basket.py::test_a_voucher_is_used_once - assert 2 == 1\n"
    "1 failed, 417 passed in 11.82s"
)
APPROVAL = BuildStep("Release to production", 20, active_state="waiting")

SAMPLES = (
    SampleBuild(
        "One that succeeds",
        "Four steps in about 33 seconds, from the moment it is first asked for.",
        BuildScript("build-1042", "shop-web main #1042", STEPS),
    ),
    SampleBuild(
        "One whose tests fail",
        "The step says which.",
        BuildScript(
            "build-1043",
            "shop-web voucher #1043",
            (*STEPS[:2], replace(STEPS[2], final_state="failed", output=FAILED_TESTS), STEPS[3]),
            trigger="pull request",
        ),
    ),
    SampleBuild(
        "One that waits for a person",
        "Somebody approves its release after 20 seconds.",
        BuildScript("build-1044", "shop-web v2.14 #1044", (*STEPS, APPROVAL), trigger="tag"),
    ),
    SampleBuild(
        "One that has already ended",
        "It took half a minute, an hour ago.",
        BuildScript("build-1041", "shop-web main #1041", STEPS, began_seconds_ago=3600),
    ),
)
MISSING_BUILD = Sample("One that does not exist", "build-9999", "The API knows no such build.")
