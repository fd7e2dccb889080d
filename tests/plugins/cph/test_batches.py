"""Batch polling of Cloud Phone requests, matched by the task ids seen before."""

from pathlib import Path
from typing import Any

import pytest

from bot.sdk.errors import RateLimited
from bot.sdk.models import Job, JobRef
from bot.sdk.provider import Provider
from bot.sdk.testing import Fault, ManualClock, connected
from plugins.cph import Cph
from plugins.cph.script import PhoneJob, RequestScript
from plugins.cph.simulator import Simulator
from tests.plugins.cph.requests import add_requests, sent_values
from tests.plugins.fixtures import pass_last_seen_jobs, ref

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"


def task_counts(found: dict[JobRef, Any], refs: list[JobRef]) -> list[int]:
    """Return the number of tasks of each request."""
    return [len(found[each].tasks) for each in refs]


@pytest.fixture(autouse=True)
def last_seen_jobs(cph: Provider[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider gets the jobs seen before."""
    pass_last_seen_jobs(cph, monkeypatch)


async def test_seen_requests_are_fetched_by_one_call(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """The first poll takes a call per request, later ones a call per twenty."""
    refs = add_requests(simulator, 20)
    first = await cph.fetch_jobs(refs)
    assert len(sent_values(simulator, "request_id")) == 20
    assert await cph.fetch_jobs(refs) == first
    assert sent_values(simulator) == [",".join(each.id for each in refs)]


async def test_batched_jobs_return_to_their_requests(
    cph: Provider[Any], simulator: Simulator, clock: ManualClock
) -> None:
    """The response omits the request; jobs are matched by the ids seen before."""
    simulator.add(RequestScript("a" * 32, (PhoneJob("a1", 5), PhoneJob("a2", 60))))
    simulator.add(RequestScript("b" * 32, (PhoneJob("b1", 5, -1), PhoneJob("b2", 60))))
    refs = [ref("a" * 32), ref("b" * 32)]
    await cph.fetch_jobs(refs)
    await clock.advance(10)
    many = await cph.fetch_jobs(refs)
    assert many == {each: await cph.fetch_job(each) for each in refs}


async def test_large_requests_are_paged_together(cph: Provider[Any], simulator: Simulator) -> None:
    """The pages of one call hold the jobs of all its requests."""
    refs = add_requests(simulator, 3, phones=90)
    await cph.fetch_jobs(refs)
    simulator.calls.clear()
    found = await cph.fetch_jobs(refs)
    assert task_counts(found, refs) == [90] * 3
    assert sent_values(simulator, "offset") == ["0", "100", "200"]


async def test_only_unseen_requests_are_fetched_alone(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """A new watch does not cost the others their batch."""
    *old, new = add_requests(simulator, 4)
    await cph.fetch_jobs(old)
    simulator.calls.clear()
    await cph.fetch_jobs([*old, new])
    assert len(simulator.calls) == 2
    assert sent_values(simulator, "request_id") == [new.id]


async def test_unknown_job_makes_the_batch_fall_back(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """It may belong to any request, and must not appear in another thread."""
    refs = add_requests(simulator, 3)
    await cph.fetch_jobs(refs)
    more = tuple(PhoneJob(f"phone-{n}", 60) for n in range(3))
    simulator.add(RequestScript(refs[0].id, more))
    found = await cph.fetch_jobs(refs)
    assert task_counts(found, refs) == [3, 2, 2]


async def test_request_with_a_missing_job_is_fetched_alone(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """The job may be missing in the batch only."""
    refs = add_requests(simulator, 3)
    await cph.fetch_jobs(refs)
    simulator.add(RequestScript(refs[0].id, (PhoneJob("phone-0", 60),)))
    sent_values(simulator)
    found = await cph.fetch_jobs(refs)
    assert task_counts(found, refs) == [1, 2, 2]
    assert sent_values(simulator, "request_id") == [refs[0].id]


async def test_first_poll_after_a_restart_is_one_call(
    cph: Any, simulator: Simulator, clock: ManualClock
) -> None:
    """The jobs seen before are in the database."""
    refs = add_requests(simulator, 20)
    before = await cph.fetch_jobs(refs, {})
    simulator.calls.clear()
    keys = simulator.gateway.tenant.key_settings()
    async with connected(Cph, {"endpoint": cph.settings.base_url, **keys}, clock) as restarted:
        assert await restarted.fetch_jobs(refs, before) == before
    assert len(sent_values(simulator)) == 1


async def test_jobs_without_ids_are_fetched_one_by_one(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """They cannot be matched."""
    simulator.faults.plan(Fault(200, {"jobs": [{"status": 1, "phone_id": "p"}]}), times=None)
    refs = [ref("a" * 32), ref("b" * 32)]
    await cph.fetch_jobs(refs)
    simulator.calls.clear()
    found = await cph.fetch_jobs(refs)
    assert task_counts(found, refs) == [1, 1]
    assert sent_values(simulator, "request_id") == [each.id for each in refs]


async def test_rate_limit_applies_to_the_whole_batch(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """The API is not called again for each request."""
    refs = add_requests(simulator, 5)
    await cph.fetch_jobs(refs)
    simulator.calls.clear()
    simulator.faults.plan(Fault(429, (RECORDED / "error_busy.json").read_text()), times=None)
    found = await cph.fetch_jobs(refs)
    assert {type(error) for error in found.values()} == {RateLimited}
    assert len(simulator.calls) == 1


async def test_rejected_batch_is_fetched_one_by_one(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """One unknown id must not hide the other requests."""
    refs = add_requests(simulator, 3)
    await cph.fetch_jobs(refs)
    simulator.faults.plan(Fault(400, (RECORDED / "error_unlisted.json").read_text()))
    found = await cph.fetch_jobs(refs)
    assert [type(job) for job in found.values()] == [Job] * 3
