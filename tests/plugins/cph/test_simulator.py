"""The simulated Cloud Phone Host: requests that move with the clock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from bot.errors import AnswerNotUnderstood, JobNotFound
from bot.models import Job, JobRef, Status
from bot.testing import ManualClock, connected, serve
from plugins.cph import Cph
from plugins.cph.samples import NOT_A_REQUEST, SAMPLES
from plugins.cph.script import PhoneJob, RequestScript
from plugins.cph.simulator import SIMULATOR, Simulator, simulation

pytestmark = pytest.mark.anyio

ID = "6837531fd3f54550927b930180a706bf"
RESTARTS, INSTALLS, FAILS, LARGE, SERVER, ENDED = (sample.request for sample in SAMPLES)

Look = Callable[[str], Awaitable[Job]]


@pytest.fixture
async def world(clock: ManualClock) -> AsyncIterator[tuple[Simulator, Any]]:
    whole = simulation(clock)
    async with (
        serve(whole.app) as url,
        connected(Cph, whole.settings(url), clock) as provider,
    ):
        yield whole.app[SIMULATOR], provider


@pytest.fixture
def simulator(world: Any) -> Any:
    return world[0]


@pytest.fixture
def look(world: Any) -> Look:
    async def look(id_: str) -> Job:
        job: Job = await world[1].fetch_job(JobRef(connection="acme", id=id_))
        return job

    return look


async def test_a_sample_begins_when_it_is_first_asked_for(look: Look, clock: ManualClock) -> None:
    """People see it move, however long the demo has been open."""
    await clock.advance(1000)
    assert (await look(RESTARTS.id)).status is Status.RUNNING


async def test_the_first_sample_succeeds_in_about_30_seconds(
    look: Look, clock: ManualClock
) -> None:
    """Three phones, one after the other."""
    await look(RESTARTS.id)
    await clock.advance(15)
    assert (await look(RESTARTS.id)).finished_tasks == 1
    await clock.advance(20)
    assert (await look(RESTARTS.id)).status is Status.SUCCEEDED


async def test_the_second_sample_succeeds_in_part_with_a_reason(
    look: Look, clock: ManualClock
) -> None:
    """Two phones of ten are full."""
    await look(INSTALLS.id)
    await clock.advance(60)
    job = await look(INSTALLS.id)
    assert (job.status, len(job.failed_tasks)) == (Status.PARTIAL, 2)
    assert "INSUFFICIENT_STORAGE" in job.message


async def test_the_third_sample_fails(look: Look, clock: ManualClock) -> None:
    """All of its one phone."""
    await look(FAILS.id)
    await clock.advance(60)
    assert (await look(FAILS.id)).message == "Phone not found. (CPS.0005)"


async def test_a_sample_has_250_phones(look: Look) -> None:
    """More than two pages, and more than a card can list."""
    assert len((await look(LARGE.id)).tasks) == 250


async def test_a_sample_is_about_a_server(look: Look) -> None:
    """No phone is named."""
    assert [detail.label for detail in (await look(SERVER.id)).details] == ["Server"]


async def test_a_sample_has_already_ended(look: Look) -> None:
    """At the first look, with what its command printed."""
    job = await look(ENDED.id)
    assert job.status is Status.SUCCEEDED
    assert "load average" in job.message


async def test_a_sample_does_not_exist(look: Look) -> None:
    """To see what is said then."""
    with pytest.raises(JobNotFound):
        await look(NOT_A_REQUEST.id)


def test_the_ids_of_the_samples_fit_and_are_all_different() -> None:
    """32 hexadecimal digits each."""
    ids = [sample.request.id for sample in SAMPLES] + [NOT_A_REQUEST.id]
    assert len(set(ids)) == 7
    assert all(Cph.id_pattern.fullmatch(id_) for id_ in ids)


async def test_a_test_can_finish_a_request(simulator: Simulator, look: Look) -> None:
    """At once, with any number."""
    simulator.add(RequestScript(ID, (PhoneJob("a"), PhoneJob("b"))))
    simulator.finish(ID, -1)
    assert (await look(ID)).status is Status.FAILED


@pytest.mark.parametrize(
    ("query", "status", "phones"),
    [
        ({"request_id": ID}, 200, ["a", "b", "c"]),
        ({"request_id": ID, "limit": "2"}, 200, ["a", "b"]),
        ({"request_id": ID, "limit": "2", "offset": "2"}, 200, ["c"]),
        ({"request_id": "x", "request_ids": ID}, 200, ["a", "b", "c"]),
        ({"request_id": "x"}, 200, []),
        ({"request_id": ID, "limit": "101"}, 400, []),
        ({"request_id": ID, "offset": "-1"}, 400, []),
        ({"request_id": ID, "limit": "ten"}, 400, []),
        ({"request_ids": ",".join("abcdefghijklmnopqrstu")}, 400, []),
        ({}, 400, []),
    ],
)
async def test_it_answers_as_the_page_says(
    world: Any, query: dict[str, str], status: int, phones: list[str]
) -> None:
    """limit is 1 to 100, request_ids holds at most 20 and wins, one of the two is needed."""
    simulator, provider = world
    simulator.add(RequestScript(ID, tuple(PhoneJob(name) for name in "abc")))
    path = f"/v1/{provider.settings.project_id}/cloud-phone/jobs"
    seen = []

    def keep(response: Any) -> None:
        seen.append((response.status_code, response.json().get("jobs", [])))

    with suppress(AnswerNotUnderstood):  # what a 400 means to those who do not look closer
        await provider.http.call("GET", path, params=query, explain=keep)
    assert [(code, [job["phone_id"] for job in jobs]) for code, jobs in seen] == [(status, phones)]
