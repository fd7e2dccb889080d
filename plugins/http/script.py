"""Script of a simulated build: computes the API response at a given time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

TERMINAL_STATUSES = frozenset({"succeeded", "partial", "failed", "cancelled", "skipped"})


@dataclass(frozen=True)
class BuildStep:
    """One step: its duration, its final status and its output."""

    name: str
    seconds: float = 7.0
    final_state: str = "succeeded"
    output: str = ""
    active_state: str = "running"  # until it ends


@dataclass(frozen=True)
class BuildScript:
    """A build: steps in sequence, until one of them fails."""

    id: str
    name: str
    steps: tuple[BuildStep, ...] = ()
    trigger: str = "push"
    queued_seconds: float = 3.0
    began_seconds_ago: float = 0.0  # before the first request
    state: str = ""  # fixed status; empty: derived from the steps


def answer(script: BuildScript, began: datetime, now: datetime) -> dict[str, Any]:
    """Return the API response at a given time."""
    at = (now - began).total_seconds()
    steps: list[dict[str, Any]] = []
    start, failed = script.queued_seconds, False
    for step in script.steps:
        steps.append(_step(step, len(steps) + 1, start, at, began, skipped=failed))
        start += 0 if failed else step.seconds
        failed = failed or step.final_state == "failed"
    state = script.state or _state(script, steps, at)
    ended = state in TERMINAL_STATUSES and at >= start
    return {
        "build": {
            "id": script.id,
            "title": script.name,
            "trigger": script.trigger,
            "state": state,
            "queued_at": int(began.timestamp() * 1000),
            "started_at": _stamp(began, script.queued_seconds, at),
            "finished_at": _stamp(began, start, at) if ended else None,
            "steps": steps,
        }
    }


def _state(script: BuildScript, steps: list[dict[str, Any]], at: float) -> str:
    words = [step["state"] for step in steps]
    if at < script.queued_seconds:
        return "queued"
    if "waiting" in words:
        return "waiting"
    if not set(words) <= TERMINAL_STATUSES:
        return "running"
    return "failed" if "failed" in words else "succeeded"


def _step(
    step: BuildStep, number: int, start: float, at: float, began: datetime, *, skipped: bool
) -> dict[str, Any]:
    """Return a step as it is at a given time; a skipped step takes no time."""
    end = start if skipped else start + step.seconds
    word = "queued" if at < start else step.active_state if at < end else step.final_state
    return {
        "number": number,
        "name": step.name,
        "state": "skipped" if skipped and at >= start else word,
        "started_at": None if skipped else _stamp(began, start, at),
        "finished_at": None if skipped else _stamp(began, end, at),
        "output": step.output if at >= end and not skipped else "",
    }


def _stamp(began: datetime, seconds: float, at: float) -> str | None:
    """Return a time as the API writes it; None if it is in the future."""
    return (began + timedelta(seconds=seconds)).isoformat() if at >= seconds else None
