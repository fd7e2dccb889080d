"""Sample jobs of the simulator, with algorithms that Explorer has."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sdk import Sample
from plugins.nebula_explorer.script import FAILED, JobScript, Step


@dataclass(frozen=True)
class SampleJob:
    """A sample job and its description."""

    title: str
    hint: str
    job: JobScript


STEPS = (Step("Query", 5), Step("BFS", 9), Step("PageRank", 14), Step("Louvain", 11))

SAMPLES = (
    SampleJob(
        "One that succeeds",
        "Four tasks in about 40 seconds, from the moment it is first asked for.",
        JobScript(2071, "fraud_rings_20261122", STEPS),
    ),
    SampleJob(
        "One that fails at a task",
        "Explorer does not tell why.",
        JobScript(
            2072,
            "recommendations_20261122",
            (*STEPS[:2], Step("PageRank", 10, FAILED), STEPS[3]),
        ),
    ),
    SampleJob(
        "One that somebody stops",
        "After 20 seconds; it takes 4 more to stop.",
        JobScript(2073, "shortest_paths_20261122", STEPS, stopped_after=20.0),
    ),
    SampleJob(
        "One of 30 tasks",
        "Three seconds for each.",
        JobScript(
            2074,
            "communities_20261122",
            tuple(Step(f"Louvain_{number:02}", 3) for number in range(1, 31)),
        ),
    ),
    SampleJob(
        "One that has already ended",
        "It took 42 seconds, an hour ago.",
        JobScript(1964, "workflow_xkkjf_20220712103332", STEPS, began_seconds_ago=3600),
    ),
)
MISSING_JOB = Sample("One that does not exist", "40404", "Explorer knows no such job.")
