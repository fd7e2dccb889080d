"""A declared connection is held to the contract's promises before it is asked anything."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.errors import SettingsError
from bot.providers import looks
from bot.settings import Settings
from bot.testing import ManualClock
from plugins.http import HttpJobs
from plugins.http.places import at, place, put
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


async def told(folder: Path, example: Any = EXAMPLE, **changes: Any) -> list[str]:
    """Return what is said of these settings and this example at the start."""
    (folder / "example.json").write_text(json.dumps(example))
    table = {**TABLE, "example": str(folder / "example.json"), **changes}
    settings = HttpSettings.model_validate({k: v for k, v in table.items() if v is not None})
    return await looks.rehearsed([HttpJobs("builds", settings, ManualClock())])


async def test_settings_that_keep_every_promise_are_not_talked_about(tmp_path: Path) -> None:
    """Most people never hear of the rehearsal."""
    assert await told(tmp_path) == []


async def test_ids_may_look_like_anything(tmp_path: Path) -> None:
    """The rehearsal needs none of the API's own."""
    assert await told(tmp_path, id_pattern="[0-9]{4}") == []
    posted = {"method": "POST", "url": "https://builds.example.com/", "body": {"id": "{id:int}"}}
    assert await told(tmp_path, id_pattern="[0-9]{4}", **posted) == []


async def test_without_an_example_nothing_is_rehearsed() -> None:
    """There is nothing to rehearse with."""
    settings = HttpSettings.model_validate(TABLE)
    assert await looks.rehearsed([HttpJobs("builds", settings, ManualClock())]) == []


async def test_a_word_of_the_example_without_a_meaning_is_told(tmp_path: Path) -> None:
    """The job would be followed for ever."""
    (problem,) = await told(tmp_path, statuses={"run": "running"})
    assert problem == "connections.builds.statuses: the example's 'ok' is not in it; add it."


async def test_a_time_that_is_none_is_told(tmp_path: Path) -> None:
    """Under the key whose expression finds it."""
    (problem,) = await told(tmp_path, started="build.title", finished="")
    assert problem.startswith("connections.builds.started: what it finds in the example is not")


async def test_a_status_that_is_taken_for_no_job_is_told(tmp_path: Path) -> None:
    """Two settings that do not go together."""
    (problem,) = await told(tmp_path, not_found="build.state == 'bad'")
    assert problem == (
        "connections.builds.statuses: builds knows no such job; "
        "see what status and not_found find where it says 'bad'."
    )


async def test_a_status_that_has_no_word_of_its_own_is_left_alone(tmp_path: Path) -> None:
    """What an expression puts together cannot be put anywhere."""
    together = "join('/', [build.state, build.title])"
    statuses = {"ok/shop 2.14": "succeeded"}
    assert (
        await told(tmp_path, status=together, statuses=statuses, task_statuses={"ok": "succeeded"})
        == []
    )


async def test_a_job_without_anything_but_a_status_is_enough(tmp_path: Path) -> None:
    """Every other key may be left out, and lists may be empty."""
    kept = ("url", "status", "statuses")
    bare = dict.fromkeys(TABLE.keys() - kept)
    assert await told(tmp_path, **bare) == []
    empty = {"build": {**EXAMPLE["build"], "steps": []}}
    assert await told(tmp_path, empty) == []


async def test_the_bot_does_not_start_with_settings_that_break_a_promise(tmp_path: Path) -> None:
    """It is told as every problem of the settings is; nothing was opened yet."""
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


async def test_it_tells_no_secret(tmp_path: Path) -> None:
    """Whatever is wrong."""
    problems = await told(tmp_path, not_found="error_msg", statuses={"run": "running"})
    assert problems
    assert TABLE["token"] not in "".join(problems)


async def test_it_takes_no_time_and_no_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However long the recorded answer is: a start with ten such connections is not felt."""
    caplog.set_level(logging.DEBUG)
    steps = [{**EXAMPLE["build"]["steps"][0], "no": n} for n in range(5_000)]
    began = time.perf_counter()
    assert await told(tmp_path, {"build": {**EXAMPLE["build"], "steps": steps}}) == []
    assert time.perf_counter() - began < 2.0  # a tenth of it, on a machine that is at leisure
    assert not caplog.records


def test_a_place_is_found_and_filled() -> None:
    """The answer itself stays as it is."""
    path = place("build.steps[0].name", EXAMPLE)
    assert path == ("build", "steps", 0, "name")
    assert at(put(EXAMPLE, path, "link"), path) == "link"
    assert at(EXAMPLE, path) == "compile"


@pytest.mark.parametrize("expression", ["'always'", "build.nothing.here", "length(build.steps)"])
def test_what_stands_nowhere_has_no_place(expression: str) -> None:
    """A literal, a gap, and what is counted."""
    assert place(expression, EXAMPLE) is None
