"""Conformance test suite, run on a minimal provider and on faulty ones."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

import pytest
from aiohttp import web
from pydantic import BaseModel, SecretStr

from bot.sdk import ConnectionSettings, Endpoint, IdFormat, Provider, Simulation
from bot.sdk.cards.job_card import CardContext
from bot.sdk.clock import Clock
from bot.sdk.models import Job, JobRef, Message, Status
from bot.sdk.testing import ProviderContract, ProviderHarness

pytestmark = pytest.mark.anyio


class ToySettings(ConnectionSettings):
    """URL and key of the toy API."""

    url: str
    key: SecretStr


class ToyPayload(BaseModel):
    """Response of the toy API."""

    name: str
    state: str


class Toy(Provider[ToySettings]):
    """A minimal provider."""

    kind = "toy"
    title = "Toy"
    Settings = ToySettings
    statuses: ClassVar[dict[str, Status]] = {"going": Status.RUNNING, "gone": Status.SUCCEEDED}
    id_format = IdFormat(re.compile(r"\d+"), example="7")

    def connect(self) -> Endpoint:
        """Return URL and headers."""
        return Endpoint(self.settings.url, headers={"X-Key": self.settings.key.get_secret_value()})

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job."""
        payload = await self.http.get(f"/jobs/{ref.id}", ToyPayload)
        status = self.status(payload.state)
        return Job(ref=ref, name=payload.name, status=status, native_status=payload.state)

    def find_ids(self, text: str) -> Iterable[str]:
        """Return the ids in URLs of the toy API."""
        return re.findall(rf"{re.escape(self.settings.url)}/jobs/(\d+)", text)

    @classmethod
    def simulator(cls, clock: Clock) -> Simulation:
        """Return the simulated toy API."""
        del clock
        app = web.Application()
        app[JOBS] = {}
        app.router.add_get("/jobs/{id}", _show)
        return Simulation(
            app, lambda url: {"provider": "toy", "url": url, "key": "made-up-key"}, ()
        )


JOBS: web.AppKey[dict[str, dict[str, str]]] = web.AppKey("jobs", dict)


async def _show(request: web.Request) -> web.Response:
    job = request.app[JOBS].get(request.match_info["id"])
    return web.json_response(job or {}, status=200 if job else 404)


class TestToyConformance(ProviderContract):
    """The test class that a plugin author writes."""

    provider = Toy
    unknown_id = "404"
    task_counts = (0,)
    time_formats = ()

    def put(self, app: web.Application, native: str, *, name: str = "x", tasks: int = 1) -> str:
        del tasks
        id_ = next(str(n) for n in count() if str(n) not in app[JOBS])
        app[JOBS][id_] = {"name": name, "state": native}
        return id_

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        yield f"{bench.provider.settings.url}/jobs/{id_}"


class Faulty(Toy):
    """A provider that fails many checks."""

    statuses: ClassVar[dict[str, Status]] = {"going": Status.RUNNING}

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return a wrong job that contains a secret."""
        key = self.settings.key.get_secret_value()
        return Job(ref=ref.replace(id="1"), name=key, status=Status.SUCCEEDED)

    def find_ids(self, text: str) -> Iterable[str]:
        """Find an id in every text."""
        del text
        return ["1"]


class FaultyConformance(TestToyConformance):
    """Not collected: its name does not begin with Test."""

    provider = Faulty


@pytest.mark.parametrize(
    ("test", "arguments"),
    [
        ("test_provider_finds_no_ids_in_other_texts", ()),
        ("test_documented_status_is_translated", ("going",)),
        ("test_new_status_is_no_error", ()),
        ("test_job_has_all_its_tasks", (50,)),
        ("test_hostile_name_causes_no_error", ("<!channel>",)),
        ("test_job_has_the_requested_reference", ()),
        ("test_missing_job_is_not_found", ()),
        ("test_forbidden_job_is_denied", ()),
        ("test_response_of_another_shape_is_not_understood", ("<html>",)),
    ],
)
async def test_faulty_provider_fails(test: str, arguments: tuple[Any, ...]) -> None:
    """Each test detects its fault."""
    contract = FaultyConformance()
    async with contract.connected() as bench:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            await getattr(contract, test)(bench, *arguments)


class ZoneIgnoring(Toy):
    """A provider that parses times but ignores their zones."""

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return a job whose local times are taken for UTC."""
        job = await super().fetch_job(ref)
        start = (await self.http.get(f"/jobs/{ref.id}", ToyTimes)).started_at
        started_at = datetime.fromisoformat(start).replace(tzinfo=UTC) if start else None
        return job.replace(started_at=started_at)


class ToyTimes(BaseModel):
    """Start time of a toy job."""

    started_at: str = ""


class ZoneIgnoringConformance(TestToyConformance):
    """Not collected."""

    provider = ZoneIgnoring
    time_formats = ("Z", "+08:00")

    def put(self, app: web.Application, native: str, *, name: str = "x", tasks: int = 1) -> str:
        id_ = super().put(app, native, name=name, tasks=tasks)
        app[JOBS][id_] |= {"started_at": "2026-11-22T12:00:00Z"}
        return id_


class TimelessConformance(TestToyConformance):
    """Not collected; it declares a time format, but its simulator has no times."""

    time_formats = ("Z",)


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (ZoneIgnoringConformance(), r"'\+08:00' are parsed to other instants"),
        (TimelessConformance(), "has no time"),
    ],
)
async def test_ignored_zones_and_missing_times_fail(
    contract: ProviderContract, message: str
) -> None:
    """A wrong time is worse than none, and a test without times checks nothing."""
    async with contract.connected() as bench:
        with pytest.raises(AssertionError, match=message):
            await contract.test_time_is_the_same_in_every_format(bench)


class Oversized(Toy):
    """A provider whose cards exceed Slack's block limit."""

    def format_job(self, job: Job, view: CardContext) -> Message:
        """Return 50 or 51 sections."""
        section = {"type": "section", "text": {"type": "plain_text", "text": job.name[:9]}}
        return Message(text="A job.", blocks=(section,) * (51 if view.followed else 50))


class OversizedConformance(TestToyConformance):
    """Not collected; `urls` returns none, although its provider finds ids in URLs."""

    provider = Oversized

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        del bench, id_
        return ()


@pytest.mark.parametrize(
    ("test", "arguments", "message"),
    [
        ("test_hostile_name_causes_no_error", ("x",), "51 blocks"),
        ("test_job_has_all_its_tasks", (0,), "51 blocks"),
        ("test_provider_finds_ids_in_its_own_urls", (), "urls"),
    ],
)
async def test_oversized_card_and_missing_urls_fail(
    test: str, arguments: tuple[Any, ...], message: str
) -> None:
    """Slack would reject the card, and a test without URLs checks nothing."""
    contract = OversizedConformance()
    async with contract.connected() as bench:
        with pytest.raises(AssertionError, match=message):
            await getattr(contract, test)(bench, *arguments)
