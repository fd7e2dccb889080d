"""Self-test of declarative providers: conformance checks at start-up, before any request."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.providers.connections import Connection
from bot.sdk.errors import SettingsError
from bot.sdk.testing import ManualClock
from bot.settings import Settings
from plugins.http import HttpJobs
from plugins.http.json_paths import find_path, replace_at, value_at
from plugins.http.settings import HttpSettings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

EXAMPLE: dict[str, Any] = {
    "build": {
        "state": "ok",
        "title": "shop 2.14",
        "at": "2026-11-22T12:00:00Z",
        "end": 1795348860,
        "steps": [{"no": 1, "name": "compile", "state": "ok", "at": "2026-11-22 12:00:00"}],
    }
}
TABLE: dict[str, Any] = {
    "url": "https://builds.example.com/{id}",
    "auth": "bearer",
    "token": "made-up-token-of-the-builds",
    "status": "build.state",
    "name": "build.title",
    "started": "build.at",
    "finished": "build.end",
    "tasks": "build.steps",
    "task_id": "no",
    "task_name": "name",
    "task_status": "state",
    "task_started": "at",
    "statuses": {"ok": "succeeded", "run": "running", "bad": "failed"},
}


async def start_up_problems(folder: Path, example: Any = EXAMPLE, **changes: Any) -> list[str]:
    """Return the problems that the start-up finds with these settings and this example."""
    (folder / "example.json").write_text(json.dumps(example))
    table = {**TABLE, "example": str(folder / "example.json"), **changes}
    settings = HttpSettings.model_validate({k: v for k, v in table.items() if v is not None})
    return await Connection(HttpJobs("builds", settings, ManualClock())).validate_settings()


async def test_valid_settings_have_no_problems(tmp_path: Path) -> None:
    """The self-test is silent."""
    assert await start_up_problems(tmp_path) == []


async def test_self_test_works_with_any_id_pattern(tmp_path: Path) -> None:
    """It needs none of the API's ids."""
    assert await start_up_problems(tmp_path, id_pattern="[0-9]{4}") == []
    posted = {"method": "POST", "url": "https://builds.example.com/", "body": {"id": "{id:int}"}}
    assert await start_up_problems(tmp_path, id_pattern="[0-9]{4}", **posted) == []


async def test_self_test_needs_an_example() -> None:
    """Without one nothing is checked."""
    settings = HttpSettings.model_validate(TABLE)
    assert await Connection(HttpJobs("builds", settings, ManualClock())).validate_settings() == []


async def test_unlisted_status_in_the_example_is_reported(tmp_path: Path) -> None:
    """The job would be followed forever."""
    (problem,) = await start_up_problems(tmp_path, statuses={"run": "running"})
    assert problem == "connections.builds.statuses: the example's 'ok' is not in it; add it."


async def test_invalid_time_in_the_example_is_reported(tmp_path: Path) -> None:
    """The problem names the key of the expression."""
    (problem,) = await start_up_problems(tmp_path, started="build.title", finished="")
    assert problem.startswith("connections.builds.started: what it finds in the example is not")


async def test_status_taken_for_not_found_is_reported(tmp_path: Path) -> None:
    """The two settings contradict each other."""
    (problem,) = await start_up_problems(tmp_path, not_found="build.state == 'bad'")
    assert problem == (
        "connections.builds.statuses: builds knows no such job; "
        "see what status and not_found find where it says 'bad'."
    )


async def test_computed_status_is_not_checked(tmp_path: Path) -> None:
    """A value that an expression computes has no path to replace."""
    together = "join('/', [build.state, build.title])"
    statuses = {"ok/shop 2.14": "succeeded"}
    assert (
        await start_up_problems(
            tmp_path, status=together, statuses=statuses, task_statuses={"ok": "succeeded"}
        )
        == []
    )


async def test_status_alone_is_enough(tmp_path: Path) -> None:
    """Other keys may be left out, and lists may be empty."""
    kept = ("url", "status", "statuses")
    bare = dict.fromkeys(TABLE.keys() - kept)
    assert await start_up_problems(tmp_path, **bare) == []
    empty = {"build": {**EXAMPLE["build"], "steps": []}}
    assert await start_up_problems(tmp_path, empty) == []


async def test_bot_does_not_start_with_failing_settings(tmp_path: Path) -> None:
    """The problem is listed with all others; nothing was opened yet."""
    (tmp_path / "example.json").write_text(json.dumps(EXAMPLE))
    connection = {**TABLE, "provider": "http", "statuses": {"run": "running"}}
    settings = Settings(
        slack={"bot_token": "xoxb-made-up", "app_token": "xapp-made-up"},
        store={"url": f"sqlite+aiosqlite:///{tmp_path / 'jobthread.db'}"},
        connections={"builds": {**connection, "example": str(tmp_path / "example.json")}},
    )
    with pytest.raises(SettingsError, match=r"connections\.builds\.statuses: the example's 'ok'"):
        await Bot(settings).__aenter__()
    assert not (tmp_path / "jobthread.db").exists()


async def test_self_test_shows_no_secret(tmp_path: Path) -> None:
    """This holds for every problem."""
    problems = await start_up_problems(tmp_path, not_found="error_msg", statuses={"run": "running"})
    assert problems
    assert TABLE["token"] not in "".join(problems)


async def test_self_test_is_fast_and_logs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Long recorded answers and ten connections do not delay the start."""
    caplog.set_level(logging.DEBUG)
    steps = [{**EXAMPLE["build"]["steps"][0], "no": n} for n in range(5_000)]
    began = time.perf_counter()
    assert await start_up_problems(tmp_path, {"build": {**EXAMPLE["build"], "steps": steps}}) == []
    assert time.perf_counter() - began < 2.0  # about 0.2 s on an idle machine
    assert not caplog.records


def test_value_is_found_and_replaced() -> None:
    """The recorded answer stays unchanged."""
    path = find_path("build.steps[0].name", EXAMPLE)
    assert path == ("build", "steps", 0, "name")
    assert value_at(replace_at(EXAMPLE, path, "link"), path) == "link"
    assert value_at(EXAMPLE, path) == "compile"


@pytest.mark.parametrize("expression", ["'always'", "build.nothing.here", "length(build.steps)"])
def test_computed_value_has_no_path(expression: str) -> None:
    """Literals, missing values and counts are computed."""
    assert find_path(expression, EXAMPLE) is None


JOB = {"status": "state", "statuses": {"ok": "succeeded"}, "tasks": "steps", "task_status": "state"}


async def example_problems(path: Path, **changes: Any) -> list[str]:
    """Return the problems of settings whose recorded answer is in this file."""
    table = {"url": "https://builds.example.com/{id}", **JOB, "example": str(path), **changes}
    settings = HttpSettings.model_validate(table)
    return await Connection(HttpJobs("builds", settings, ManualClock())).validate_settings()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("{", "must be a file that holds an answer as JSON"),
        ({"job": {"state": "ok"}}, "status finds nothing in it"),
        ({"state": {"now": "ok"}}, "status finds nothing in it"),
        ({"state": "ok", "steps": {"a": 1}}, "what tasks finds is not a list"),
        ({"state": "ok", "gone": True}, "not_found says that there is no job in it"),
        ({"state": "ok", "code": 7}, "error_code finds an error in it (unlisted)"),
        ({"state": "ok", "code": 4}, "error_code finds an error in it (busy)"),
    ],
)
async def test_example_without_a_job_is_reported(tmp_path: Path, answer: Any, why: str) -> None:
    """The settings are tried before the first request."""
    path = tmp_path / "answer.json"
    path.write_text(answer if isinstance(answer, str) else json.dumps(answer))
    errors = {"not_found": "gone", "error_code": "code", "error_codes": {"4": "busy"}}
    (problem,) = await example_problems(path, **errors)
    assert problem.startswith("connections.builds.example ")
    assert why in problem


async def test_missing_example_is_reported(tmp_path: Path) -> None:
    """The sentence names the key."""
    (problem,) = await example_problems(tmp_path / "missing.json")
    assert problem == (
        "connections.builds.example must be a file that holds an answer as JSON:"
        " check its path and rights."
    )


async def test_example_with_a_new_job_is_no_problem(tmp_path: Path) -> None:
    """Some values may be missing: it has no end."""
    (tmp_path / "answer.json").write_text(json.dumps({"state": "ok"}))
    assert await example_problems(tmp_path / "answer.json", finished="end") == []
