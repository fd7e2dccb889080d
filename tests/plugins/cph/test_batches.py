"""Many requests of Cloud Phone in one call: told apart by what earlier looks told."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.errors import JobthreadError, RateLimited
from bot.models import Job, JobRef
from bot.providers.provider import Provider
from bot.testing import Fault, ManualClock, connected
from plugins.cph import Cph
from plugins.cph.script import PhoneJob, RequestScript
from plugins.cph.simulator import Simulator

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"


def ref(id_: str) -> JobRef:
    return JobRef(connection="acme", id=id_)


def held(simulator: Simulator, count: int, phones: int = 2, seconds: float = 60) -> list[JobRef]:
    """Let the simulator hold so many requests that run for so long."""
    jobs = tuple(PhoneJob(f"phone-{n}", seconds) for n in range(phones))
    return [ref(simulator.add(RequestScript(f"{n:032x}", jobs)).id) for n in range(1, count + 1)]


def asked(simulator: Simulator, name: str = "request_ids") -> list[str]:
    """Return the values of a parameter, call by call, and forget the calls."""
    queries = [parse_qs(urlsplit(call.path).query) for call in simulator.calls]
    simulator.calls.clear()
    return [query[name][0] for query in queries if name in query]


def sizes(found: dict[JobRef, Any], refs: list[JobRef]) -> list[int]:
    """Return how many tasks each request has."""
    return [len(found[each].tasks) for each in refs]


@pytest.fixture(autouse=True)
def polled(cph: Provider[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen before is handed in, as the poller does; nothing else is remembered."""
    seen: dict[JobRef, Job] = {}
    fetch = cph.fetch_jobs

    async def fetch_jobs(
        refs: Sequence[JobRef], known: Mapping[JobRef, Job] | None = None
    ) -> dict[JobRef, Job | JobthreadError]:
        before = dict(seen) if known is None else known
        found = await fetch(refs, {ref: before[ref] for ref in refs if ref in before})
        seen.update({ref: job for ref, job in found.items() if isinstance(job, Job)})
        return found

    monkeypatch.setattr(cph, "fetch_jobs", fetch_jobs)


async def test_requests_that_are_known_are_fetched_by_one_call(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """The first look costs a call for each, every further one a call for twenty."""
    refs = held(simulator, 20)
    first = await cph.fetch_jobs(refs)
    assert len(asked(simulator, "request_id")) == 20
    assert await cph.fetch_jobs(refs) == first
    assert asked(simulator) == [",".join(each.id for each in refs)]


async def test_jobs_of_several_requests_come_back_to_their_own(
    cph: Provider[Any], simulator: Simulator, clock: ManualClock
) -> None:
    """The answer does not tell which request a job belongs to; earlier looks do."""
    simulator.add(RequestScript("a" * 32, (PhoneJob("a1", 5), PhoneJob("a2", 60))))
    simulator.add(RequestScript("b" * 32, (PhoneJob("b1", 5, -1), PhoneJob("b2", 60))))
    refs = [ref("a" * 32), ref("b" * 32)]
    await cph.fetch_jobs(refs)
    await clock.advance(10)
    many = await cph.fetch_jobs(refs)
    assert many == {each: await cph.fetch_job(each) for each in refs}


async def test_several_requests_of_many_phones_are_paged_together(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """The pages of one call hold the jobs of all its requests."""
    refs = held(simulator, 3, phones=90)
    await cph.fetch_jobs(refs)
    simulator.calls.clear()
    found = await cph.fetch_jobs(refs)
    assert sizes(found, refs) == [90] * 3
    assert asked(simulator, "offset") == ["0", "100", "200"]


async def test_only_the_unknown_ones_of_a_batch_are_fetched_alone(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """A new watch does not cost the others their batch."""
    *old, new = held(simulator, 4)
    await cph.fetch_jobs(old)
    simulator.calls.clear()
    await cph.fetch_jobs([*old, new])
    assert len(simulator.calls) == 2
    assert asked(simulator, "request_id") == [new.id]


async def test_a_job_that_is_nobodys_makes_each_request_be_fetched_alone(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """It may belong to any of them; guessing would show it in a stranger's thread."""
    refs = held(simulator, 3)
    await cph.fetch_jobs(refs)
    more = tuple(PhoneJob(f"phone-{n}", 60) for n in range(3))
    simulator.add(RequestScript(refs[0].id, more))
    found = await cph.fetch_jobs(refs)
    assert sizes(found, refs) == [3, 2, 2]


async def test_a_request_that_lost_a_job_is_fetched_alone(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """What is missing in a batch may only be missing there."""
    refs = held(simulator, 3)
    await cph.fetch_jobs(refs)
    simulator.add(RequestScript(refs[0].id, (PhoneJob("phone-0", 60),)))
    asked(simulator)
    found = await cph.fetch_jobs(refs)
    assert sizes(found, refs) == [1, 2, 2]
    assert asked(simulator, "request_id") == [refs[0].id]


async def test_after_a_restart_the_first_poll_is_one_call(
    cph: Any, simulator: Simulator, clock: ManualClock
) -> None:
    """What was seen is in the database, so a bot that starts asks as one that has run for days."""
    refs = held(simulator, 20)
    before = await cph.fetch_jobs(refs, {})
    simulator.calls.clear()
    keys = simulator.gate.tenant.key_settings()
    async with connected(Cph, {"endpoint": cph.settings.base_url, **keys}, clock) as restarted:
        assert await restarted.fetch_jobs(refs, before) == before
    assert len(asked(simulator)) == 1


async def test_jobs_without_ids_are_asked_for_one_by_one(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """They could not be told apart."""
    simulator.faults.plan(Fault(200, {"jobs": [{"status": 1, "phone_id": "p"}]}), times=None)
    refs = [ref("a" * 32), ref("b" * 32)]
    await cph.fetch_jobs(refs)
    simulator.calls.clear()
    found = await cph.fetch_jobs(refs)
    assert sizes(found, refs) == [1, 1]
    assert asked(simulator, "request_id") == [each.id for each in refs]


async def test_a_busy_api_is_not_asked_again_for_each_request(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """One refusal is the answer for all of the batch."""
    refs = held(simulator, 5)
    await cph.fetch_jobs(refs)
    simulator.calls.clear()
    simulator.faults.plan(Fault(429, (RECORDED / "error_busy.json").read_text()), times=None)
    found = await cph.fetch_jobs(refs)
    assert {type(error) for error in found.values()} == {RateLimited}
    assert len(simulator.calls) == 1


async def test_a_batch_that_the_api_does_not_take_is_fetched_one_by_one(
    cph: Provider[Any], simulator: Simulator
) -> None:
    """One id that it does not know any more must not hide the others."""
    refs = held(simulator, 3)
    await cph.fetch_jobs(refs)
    simulator.faults.plan(Fault(400, (RECORDED / "error_unlisted.json").read_text()))
    found = await cph.fetch_jobs(refs)
    assert [type(job) for job in found.values()] == [Job] * 3
