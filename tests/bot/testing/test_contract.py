"""The contract serves any provider: here one that is as simple as providers get."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

import pytest
from aiohttp import web
from pydantic import BaseModel, SecretStr

from bot.cards.cards import View
from bot.clock import Clock
from bot.models import Job, JobRef, Message, Status
from bot.providers.provider import ConnectionSettings, Endpoint, Provider, Simulation
from bot.testing import Bench, ProviderContract

pytestmark = pytest.mark.anyio


class ToySettings(ConnectionSettings):
    """Where the toy is, and its key."""

    url: str
    key: SecretStr


class ToyPayload(BaseModel):
    """What the toy answers."""

    name: str
    state: str


class Toy(Provider[ToySettings]):
    """A provider of few words."""

    kind = "toy"
    title = "Toy"
    Settings = ToySettings
    statuses: ClassVar[dict[str, Status]] = {"going": Status.RUNNING, "gone": Status.SUCCEEDED}
    id_pattern = re.compile(r"\d+")
    example_id = "7"

    def connect(self) -> Endpoint:
        """Return where the toy is."""
        return Endpoint(self.settings.url, headers={"X-Key": self.settings.key.get_secret_value()})

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return the job."""
        seen = await self.http.get(f"/jobs/{ref.id}", ToyPayload)
        status = self.status(seen.state)
        return Job(ref=ref, name=seen.name, status=status, native_status=seen.state)

    def recognise(self, text: str) -> Iterable[str]:
        """Return the ids in the toy's URLs."""
        return re.findall(rf"{re.escape(self.settings.url)}/jobs/(\d+)", text)

    @classmethod
    def simulator(cls, clock: Clock) -> Simulation:
        """Return the toy's API."""
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


class TestToyKeepsTheContract(ProviderContract):
    """What the author of a plugin writes."""

    provider = Toy
    unknown_id = "404"
    task_counts = (0,)
    times = ()

    def put(self, app: web.Application, native: str, *, name: str = "x", tasks: int = 1) -> str:
        del tasks
        id_ = next(str(n) for n in count() if str(n) not in app[JOBS])
        app[JOBS][id_] = {"name": name, "state": native}
        return id_

    def urls(self, bench: Bench, id_: str) -> Iterable[str]:
        yield f"{bench.provider.settings.url}/jobs/{id_}"


class Careless(Toy):
    """A provider that breaks promises."""

    statuses: ClassVar[dict[str, Status]] = {"going": Status.RUNNING}

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return what is not so."""
        key = self.settings.key.get_secret_value()
        return Job(ref=ref.but(id="1"), name=key, status=Status.SUCCEEDED)

    def recognise(self, text: str) -> Iterable[str]:
        """Take every text for a job."""
        del text
        return ["1"]


class CarelessContract(TestToyKeepsTheContract):
    """Not collected: its name does not begin with Test."""

    provider = Careless


@pytest.mark.parametrize(
    ("promise", "arguments"),
    [
        ("test_it_recognises_nothing_in_other_texts", ()),
        ("test_a_documented_status_is_translated", ("going",)),
        ("test_a_new_status_is_no_error", ()),
        ("test_a_job_has_all_its_tasks", (50,)),
        ("test_a_hostile_name_survives", ("<!channel>",)),
        ("test_its_job_is_the_one_that_was_asked_for", ()),
        ("test_a_job_that_is_not_there_is_not_found", ()),
        ("test_a_job_that_may_not_be_seen_is_denied", ()),
        ("test_an_answer_of_another_shape_is_not_understood", ("<html>",)),
    ],
)
async def test_a_broken_promise_is_found(promise: str, arguments: tuple[Any, ...]) -> None:
    """The contract is worth inheriting."""
    contract = CarelessContract()
    async with contract.connected() as bench:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            await getattr(contract, promise)(bench, *arguments)


class Forgetful(Toy):
    """A provider that reads times, but not their zones."""

    async def fetch_job(self, ref: JobRef) -> Job:
        """Return a job whose times are as the clock on the wall there says."""
        job = await super().fetch_job(ref)
        seen = await self.http.get(f"/jobs/{ref.id}", ToyTimes)
        began = datetime.fromisoformat(seen.began).replace(tzinfo=UTC) if seen.began else None
        return job.but(started_at=began)


class ToyTimes(BaseModel):
    """When the toy began."""

    began: str = ""


class ForgetfulContract(TestToyKeepsTheContract):
    """Not collected."""

    provider = Forgetful
    times = ("Z", "+08:00")

    def put(self, app: web.Application, native: str, *, name: str = "x", tasks: int = 1) -> str:
        id_ = super().put(app, native, name=name, tasks=tasks)
        app[JOBS][id_] |= {"began": "2026-11-22T12:00:00Z"}
        return id_


class Timeless(TestToyKeepsTheContract):
    """Not collected; it says that the API tells times, but its simulator tells none."""

    times = ("Z",)


@pytest.mark.parametrize(
    ("contract", "why"),
    [(ForgetfulContract(), r"'\+08:00' are told as others"), (Timeless(), "tells no time")],
)
async def test_a_zone_that_is_not_read_and_times_that_are_not_tried_are_found(
    contract: ProviderContract, why: str
) -> None:
    """An hour too late is worse than no time at all."""
    async with contract.connected() as bench:
        with pytest.raises(AssertionError, match=why):
            await contract.test_a_time_is_the_same_however_it_is_written(bench)


class Wordy(Toy):
    """A provider whose cards are of more blocks than Slack takes."""

    def format_job(self, job: Job, view: View) -> Message:
        """Return the job's name, over and over."""
        section = {"type": "section", "text": {"type": "plain_text", "text": job.name[:9]}}
        return Message(text="A job.", blocks=(section,) * (51 if view.followed else 50))


class WordyContract(TestToyKeepsTheContract):
    """Not collected; it says no URLs, though its provider recognises some."""

    provider = Wordy

    def urls(self, bench: Bench, id_: str) -> Iterable[str]:
        del bench, id_
        return ()


@pytest.mark.parametrize(
    ("promise", "arguments", "why"),
    [
        ("test_a_hostile_name_survives", ("x",), "51 blocks"),
        ("test_a_job_has_all_its_tasks", (0,), "51 blocks"),
        ("test_it_recognises_its_own_urls", (), "urls"),
    ],
)
async def test_a_card_that_slack_refuses_and_an_empty_test_are_found(
    promise: str, arguments: tuple[Any, ...], why: str
) -> None:
    """Else the author would learn of them from Slack, or never."""
    contract = WordyContract()
    async with contract.connected() as bench:
        with pytest.raises(AssertionError, match=why):
            await getattr(contract, promise)(bench, *arguments)
