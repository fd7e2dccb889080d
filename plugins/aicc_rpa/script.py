"""Script of a simulated job: computes the API response at a given time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MAX_QUEUE_ITEMS = 60  # failed runs that a queue keeps


@dataclass(frozen=True)
class Run:
    """One run of the robot: its duration, its final status and its failure reason."""

    seconds: float = 10.0
    final_status: str = "success"
    reason: str = ""


@dataclass(frozen=True)
class RobotScript:
    """A job: its runs in sequence, repeated unless the mode is "once"."""

    uid: str
    name: str
    runs: tuple[Run, ...] = (Run(),)
    mode: str = "once"
    rest_seconds: float = 4.0  # before each run
    queue: str = ""  # the queue's name
    suspended: bool = False
    began_seconds_ago: float = 0.0  # before the first request

    @property
    def queue_uid(self) -> str:
        """The queue's UUID, of the same length as the API's own."""
        return f"0001{self.uid}" if self.queue else ""


@dataclass(frozen=True)
class RunState:
    """The state of a job at a given time: the number of runs started, and the latest run."""

    runs_started: int
    started: float  # seconds since the job started
    run: Run | None  # the latest; None before the first
    ended: bool = False


def state_at(script: RobotScript, at: float) -> RunState:
    """Return the job's state so many seconds after its start."""
    if script.suspended:
        return RunState(0, 0.0, None)
    rounds = [script.rest_seconds + run.seconds for run in script.runs]
    whole = 0 if script.mode == "once" else int(at // sum(rounds))
    now, seen = whole * sum(rounds), RunState(0, 0.0, None)
    if whole:
        last = script.runs[-1]
        seen = RunState(whole * len(rounds), now - last.seconds, last, ended=True)
    for number, run in enumerate(script.runs, start=whole * len(rounds) + 1):
        start = now + script.rest_seconds
        if at < start:
            break
        now = start + run.seconds
        seen = RunState(number, start, run, ended=at >= now)
    return seen


def payload(script: RobotScript, began: datetime, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return the job's details as the API returns them at a given time."""
    seen = state_at(script, (now - began).total_seconds())
    details: dict[str, Any] = {
        "uid": script.uid,
        "jobName": script.name,
        "createTime": format_time(began, zone),
        "runMode": "online",
        "mode": script.mode,
        "jobType": "procedure",
        "status": _status(script, seen),
        "procedureName": script.name,
        "procedureVersion": "1.0.5",
        "timeout": 120,
    }
    if seen.run:
        details["startTime"] = format_time(began + timedelta(seconds=seen.started), zone)
        details["workstationName"] = "robot-07"
        details["recentTaskStatus"] = seen.run.final_status if seen.ended else "processing"
    if script.queue:
        details |= {"queueUid": script.queue_uid, "queueName": script.queue}
    return details


def _status(script: RobotScript, seen: RunState) -> str:
    if script.suspended:
        return "suspend"
    if seen.run is None:
        return "init"
    done = script.mode == "once" and seen.ended and seen.runs_started == len(script.runs)
    return "success" if done else "running"


def failed_items(script: RobotScript, began: datetime, now: datetime) -> list[dict[str, Any]]:
    """Return the queue items of the failed runs, oldest first."""
    seen = state_at(script, (now - began).total_seconds())
    length = sum(script.rest_seconds + run.seconds for run in script.runs)
    entries = []
    for number in range(max(1, seen.runs_started - MAX_QUEUE_ITEMS), seen.runs_started + 1):
        index = (number - 1) % len(script.runs)
        run, over = script.runs[index], number < seen.runs_started or seen.ended
        before = sum(script.rest_seconds + each.seconds for each in script.runs[:index])
        at = (number - 1) // len(script.runs) * length + before
        if over and run.final_status == "failed":
            entries.append(_entry(script, number, began + timedelta(seconds=at), run))
    return entries


def _entry(script: RobotScript, number: int, created: datetime, run: Run) -> dict[str, Any]:
    return {
        "id": number,
        "uid": f"{number:032x}",
        "queueName": script.queue,
        "queueUid": script.queue_uid,
        "createTime": int(created.timestamp() * 1000),
        "status": "failed",
        "priority": "normal",
        "failedReason": run.reason,
        "failedReasonDetail": "",
        "progress": 40,
    }


def format_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return a time as the API writes it: without its zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
