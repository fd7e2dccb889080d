"""Cloud Phone Host's simulator: requests that advance with the clock."""

from contextlib import suppress
from typing import Any

import pytest

from bot.sdk.errors import AnswerNotUnderstood, JobNotFound
from bot.sdk.models import Status
from bot.sdk.testing import ManualClock
from plugins.cph import Cph
from plugins.cph.samples import MISSING_REQUEST, SAMPLES
from plugins.cph.script import PhoneJob, RequestScript
from plugins.cph.simulator import SIMULATOR, Simulator, simulation
from tests.plugins.fixtures import Fetch, Simulated, simulated_fixtures

pytestmark = pytest.mark.anyio

ID = "6837531fd3f54550927b930180a706bf"
RESTARTS, INSTALLS, FAILS, LARGE, SERVER, ENDED = (sample.request for sample in SAMPLES)

simulated, simulator, _ = simulated_fixtures(Cph, simulation, SIMULATOR)


async def test_sample_starts_at_its_first_request(fetch: Fetch, clock: ManualClock) -> None:
    """It advances however long the demo has been running."""
    await clock.advance(1000)
    assert (await fetch(RESTARTS.id)).status is Status.RUNNING


async def test_first_sample_succeeds_in_about_30_seconds(fetch: Fetch, clock: ManualClock) -> None:
    """Its three phones end in sequence."""
    await fetch(RESTARTS.id)
    await clock.advance(15)
    assert (await fetch(RESTARTS.id)).finished_tasks == 1
    await clock.advance(20)
    assert (await fetch(RESTARTS.id)).status is Status.SUCCEEDED


async def test_second_sample_partly_succeeds_with_a_reason(
    fetch: Fetch, clock: ManualClock
) -> None:
    """Two of its ten phones have no space."""
    await fetch(INSTALLS.id)
    await clock.advance(60)
    job = await fetch(INSTALLS.id)
    assert (job.status, len(job.failed_tasks)) == (Status.PARTIAL, 2)
    assert "INSUFFICIENT_STORAGE" in job.message


async def test_third_sample_fails(fetch: Fetch, clock: ManualClock) -> None:
    """Its only phone fails."""
    await fetch(FAILS.id)
    await clock.advance(60)
    assert (await fetch(FAILS.id)).message == "Phone not found. (CPS.0005)"


async def test_one_sample_has_250_phones(fetch: Fetch) -> None:
    """It takes three pages, and more than a card can list."""
    assert len((await fetch(LARGE.id)).tasks) == 250


async def test_one_sample_is_about_a_server(fetch: Fetch) -> None:
    """It names no phone."""
    assert [detail.label for detail in (await fetch(SERVER.id)).details] == ["Server"]


async def test_one_sample_has_already_ended(fetch: Fetch) -> None:
    """The first fetch shows what its command printed."""
    job = await fetch(ENDED.id)
    assert job.status is Status.SUCCEEDED
    assert "load average" in job.message


async def test_one_sample_is_missing(fetch: Fetch) -> None:
    """It shows the "not found" reply."""
    with pytest.raises(JobNotFound):
        await fetch(MISSING_REQUEST.id)


def test_sample_ids_are_valid_and_unique() -> None:
    """Each has 32 hexadecimal digits."""
    ids = [sample.request.id for sample in SAMPLES] + [MISSING_REQUEST.id]
    assert len(set(ids)) == 7
    assert all(Cph.id_format.pattern.fullmatch(id_) for id_ in ids)


async def test_can_finish_a_request(simulator: Simulator, fetch: Fetch) -> None:
    """`finish` sets any status code at once."""
    simulator.add(RequestScript(ID, (PhoneJob("a"), PhoneJob("b"))))
    simulator.finish(ID, -1)
    assert (await fetch(ID)).status is Status.FAILED


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
async def test_list_follows_the_documentation(
    simulated: Simulated, query: dict[str, str], status: int, phones: list[str]
) -> None:
    """`limit` is 1 to 100, `request_ids` has at most 20 ids and precedence, one is required."""
    simulator, provider = simulated
    simulator.add(RequestScript(ID, tuple(PhoneJob(name) for name in "abc")))
    path = f"/v1/{provider.settings.project_id}/cloud-phone/jobs"
    seen = []

    def keep(response: Any) -> None:
        seen.append((response.status_code, response.json().get("jobs", [])))

    with suppress(AnswerNotUnderstood):  # the default for HTTP 400
        await provider.http.call("GET", path, params=query, map_error=keep)
    assert [(code, [job["phone_id"] for job in jobs]) for code, jobs in seen] == [(status, phones)]
