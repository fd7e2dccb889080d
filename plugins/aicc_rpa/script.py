"""What a simulated job does, as a script: from a script and a moment to the API's answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MOST_ENTRIES = 60  # failed runs that a queue remembers


@dataclass(frozen=True)
class Run:
    """One run of the robot: how long it takes, the word it ends with, and why it failed."""

    seconds: float = 10.0
    ends: str = "success"
    reason: str = ""


@dataclass(frozen=True)
class RobotScript:
    """A job: its runs one after the other, and over again unless it runs only once."""

    uid: str
    name: str
    runs: tuple[Run, ...] = (Run(),)
    mode: str = "once"
    rest_seconds: float = 4.0  # before each run
    queue: str = ""  # the queue's name
    suspended: bool = False
    began_seconds_ago: float = 0.0  # when it is first asked for

    @property
    def queue_uid(self) -> str:
        """The queue's UUID, as long as the API's own."""
        return f"0001{self.uid}" if self.queue else ""


@dataclass(frozen=True)
class Moment:
    """How a job stands at a moment: runs begun so far, and what is known of the latest."""

    begun: int
    started: float  # seconds since the job began
    run: Run | None  # the latest; None before the first
    over: bool = False


def standing(script: RobotScript, at: float) -> Moment:
    """Return how the job stands so many seconds after it began."""
    if script.suspended:
        return Moment(0, 0.0, None)
    rounds = [script.rest_seconds + run.seconds for run in script.runs]
    whole = 0 if script.mode == "once" else int(at // sum(rounds))
    now, seen = whole * sum(rounds), Moment(0, 0.0, None)
    if whole:
        last = script.runs[-1]
        seen = Moment(whole * len(rounds), now - last.seconds, last, over=True)
    for number, run in enumerate(script.runs, start=whole * len(rounds) + 1):
        start = now + script.rest_seconds
        if at < start:
            break
        now = start + run.seconds
        seen = Moment(number, start, run, over=at >= now)
    return seen


def payload(script: RobotScript, began: datetime, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return the job's details as the API answers them at a moment."""
    seen = standing(script, (now - began).total_seconds())
    told: dict[str, Any] = {
        "uid": script.uid,
        "jobName": script.name,
        "createTime": stamp(began, zone),
        "runMode": "online",
        "mode": script.mode,
        "jobType": "procedure",
        "status": _status(script, seen),
        "procedureName": script.name,
        "procedureVersion": "1.0.5",
        "timeout": 120,
    }
    if seen.run:
        told["startTime"] = stamp(began + timedelta(seconds=seen.started), zone)
        told["workstationName"] = "robot-07"
        told["recentTaskStatus"] = seen.run.ends if seen.over else "processing"
    if script.queue:
        told |= {"queueUid": script.queue_uid, "queueName": script.queue}
    return told


def _status(script: RobotScript, seen: Moment) -> str:
    if script.suspended:
        return "suspend"
    if seen.run is None:
        return "init"
    done = script.mode == "once" and seen.over and seen.begun == len(script.runs)
    return "success" if done else "running"


def failed_entries(script: RobotScript, began: datetime, now: datetime) -> list[dict[str, Any]]:
    """Return the queue's entries whose runs have failed, oldest first."""
    seen = standing(script, (now - began).total_seconds())
    length = sum(script.rest_seconds + run.seconds for run in script.runs)
    entries = []
    for number in range(max(1, seen.begun - MOST_ENTRIES), seen.begun + 1):
        place = (number - 1) % len(script.runs)
        run, over = script.runs[place], number < seen.begun or seen.over
        before = sum(script.rest_seconds + each.seconds for each in script.runs[:place])
        at = (number - 1) // len(script.runs) * length + before
        if over and run.ends == "failed":
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


def stamp(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment as the API writes it: without its zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
