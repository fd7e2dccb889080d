"""The promises that every provider keeps, as tests that a plugin's author inherits.

    class TestAcmeKeepsTheContract(ProviderContract):
        provider = Acme
        unknown_id = "no-such-job"

        def put(self, app, native, *, name="deploy", tasks=1):
            return app[SIMULATOR].add(status=native, name=name, tasks=tasks)

The rest has defaults for APIs that speak plain HTTP; a provider whose API says things in its own
way overrides the class attributes below.
"""
# ruff: noqa: S101  asserting is what a contract does

from __future__ import annotations

import logging
import traceback
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pydantic import SecretStr

from bot.cards import View
from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from bot.http import LARGEST_ANSWER
from bot.models import Job, JobRef, Status
from bot.provider import Provider
from bot.testing.clock import ManualClock
from bot.testing.faults import Fault, Faults
from bot.testing.limits import exceeded
from bot.testing.serving import connected, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from aiohttp import web

    from bot.provider import Simulation

HOSTILE_NAMES = (
    "<!channel> <@U0123> <https://example.com|click>",
    "*bold* _it_ ~no~ `code` ``` &amp; > quote",
    "abc\u202egnp.exe\u2066\u200b\u200f",
    "x" * 10_000,
    "tab\tnewline\nbell\x07escape\x1b[31m delete\x7f next\x85",
    "👩‍👩‍👧 é 漢字 \U000e0041",
)
IMPATIENT = 0.2  # seconds until a call is given up


@dataclass(frozen=True)
class Bench:
    """A provider connected to its simulator, and the means to disturb it."""

    provider: Provider[Any]
    app: web.Application
    faults: Faults
    clock: ManualClock

    def ref(self, id_: str) -> JobRef:
        """Return a reference to a job of this connection."""
        return JobRef(connection=self.provider.name, id=id_)

    async def fetch(self, id_: str) -> Job:
        """Look at a job."""
        return await self.provider.fetch_job(self.ref(id_))

    async def error(self, id_: str) -> JobthreadError:
        """Look at a job, and return the error that must come."""
        with pytest.raises(JobthreadError) as caught:
            await self.fetch(id_)
        return caught.value


class ProviderContract:
    """The tests; a subclass must set `provider` and `unknown_id`, and write `put`."""

    pytestmark = pytest.mark.anyio

    provider: ClassVar[type[Provider[Any]]]
    unknown_id: ClassVar[str]  # well-formed, but of no job
    unknown_status: ClassVar[str] = "BRAND_NEW"  # a word that the API does not have yet
    task_only: ClassVar[frozenset[str]] = frozenset()  # words that no job has, only its tasks
    task_counts: ClassVar[tuple[int, ...]] = (0, 1, 50, 500)  # (0,): the API tells of no tasks
    named_by_put: ClassVar[bool] = True  # whether `put`'s name can be seen in the translated job

    denied: ClassVar[Fault] = Fault(403, {"error_msg": "no"})
    refused: ClassVar[Fault] = Fault(401, {"error_msg": "who are you?"})
    busy: ClassVar[Fault] = Fault(429, {"error_msg": "slow down"}, {"Retry-After": "7"})
    busy_seconds: ClassVar[float] = 7.0  # that `busy` asks to wait
    down: ClassVar[tuple[Fault, ...]] = (Fault(500), Fault(502), Fault(503, "<h1>Sorry</h1>"))

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        """Let the simulator hold a job of this native status, and return its id.

        `name` is that of the job or of a task, whichever the API has; `tasks` says how many.
        """
        raise NotImplementedError

    def simulation(self, clock: ManualClock) -> Simulation:
        """Return the simulator to test with: the provider's own."""
        simulation = self.provider.simulator(clock)
        assert simulation is not None, "write simulator(), or override simulation()"
        return simulation

    def urls(self, bench: Bench, id_: str) -> Iterable[str]:
        """Return URLs in which this connection recognises the id; none if it has no `recognise`."""
        del bench, id_
        return ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each status, fault, name and number of tasks."""
        several: dict[str, Iterable[Any]] = {
            "native": sorted(set(self.provider.statuses) - self.task_only),
            "hostile": HOSTILE_NAMES,
            "tasks": self.task_counts,
            "trouble": self.down,
        }
        for name in sorted(several.keys() & set(metafunc.fixturenames)):
            metafunc.parametrize(name, several[name], ids=lambda value: ascii(value)[:24])

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Run on asyncio."""
        return "asyncio"

    @pytest.fixture
    async def bench(self) -> AsyncIterator[Bench]:
        """A provider connected to its simulator."""
        async with self.connected() as bench:
            yield bench

    @asynccontextmanager
    async def connected(self, **endpoint: Any) -> AsyncIterator[Bench]:
        """Serve the simulator and connect the provider to it; changes fields of its endpoint."""
        clock = ManualClock()
        simulation = self.simulation(clock)
        faults = Faults.of(simulation.app, clock)
        async with (
            serve(simulation.app) as url,
            connected(self.provider, simulation.settings(url), clock, **endpoint) as provider,
        ):
            yield Bench(provider, simulation.app, faults, clock)

    def any_job(self, app: web.Application) -> str:
        """Let the simulator hold a job of some status, and return its id."""
        return self.put(app, next(iter(self.provider.statuses)))

    # What it is

    def test_it_has_all_that_a_provider_must_set(self) -> None:
        """A kind to write in the settings, a title, statuses, and an example that fits."""
        kind = self.provider
        assert kind.kind
        assert kind.title
        assert all(isinstance(status, Status) for status in kind.statuses.values())
        assert kind.id_pattern.fullmatch(kind.example_id)

    async def test_it_recognises_its_own_urls(self, bench: Bench) -> None:
        """An id is found in a pasted URL, alone, in a sentence, and as Slack writes links."""
        id_ = self.provider.example_id
        recognises = self.provider.recognise is not Provider.recognise
        assert list(self.urls(bench, id_)) or not recognises, "recognise() is written: write urls()"
        for url in self.urls(bench, id_):
            for text in (url, f"look at {url}, please", f"<{url}>", f"<{url}|the job>"):
                assert list(bench.provider.recognise(text)) == [id_], text

    async def test_it_recognises_nothing_in_other_texts(self, bench: Bench) -> None:
        """Plain words and the URLs of strangers are not taken for jobs."""
        for text in ("", "deploy it", "https://example.com/jobs/1", "://", "\x00", "{id}"):
            assert not list(bench.provider.recognise(text)), text

    async def test_its_check_answers_in_a_sentence(self, bench: Bench) -> None:
        """`jobthread check` can say that the connection works."""
        assert (await bench.provider.check()).endswith(".")

    # What it tells

    async def test_a_documented_status_is_translated(self, bench: Bench, native: str) -> None:
        """Each word of the API has its word of ours, and is kept."""
        job = await bench.fetch(self.put(bench.app, native))
        assert (job.status, job.native_status) == (self.provider.statuses[native], native)

    async def test_a_new_status_is_no_error(self, bench: Bench) -> None:
        """A word that the API has not had yet is UNKNOWN, is kept, and ends nothing."""
        job = await bench.fetch(self.put(bench.app, self.unknown_status))
        assert (job.status, job.native_status) == (Status.UNKNOWN, self.unknown_status)
        assert not job.status.terminal

    async def test_a_job_has_all_its_tasks(self, bench: Bench, tasks: int) -> None:
        """No task is lost, however many there are, and the card of them is one that Slack takes."""
        native = next(iter(self.provider.statuses))
        job = await bench.fetch(self.put(bench.app, native, tasks=tasks))
        assert len({task.id for task in job.tasks}) == len(job.tasks) == tasks
        self._fits(bench, job)

    async def test_a_hostile_name_survives(self, bench: Bench, hostile: str) -> None:
        """What others wrote is neither lost nor an error, and the card of it can be made."""
        job = await bench.fetch(
            self.put(bench.app, next(iter(self.provider.statuses)), name=hostile)
        )
        assert Job.model_validate_json(job.model_dump_json()) == job
        if self.named_by_put:
            assert hostile in (job.name, *(task.name for task in job.tasks))
        self._fits(bench, job)
        card = bench.provider.format_job(job, View(checked_at=bench.clock.now()))
        assert "<!channel>" not in " ".join([card.text, *_formatted(card.blocks + card.classic)])

    def _fits(self, bench: Bench, job: Job) -> None:
        """Fail unless the job's card is within Slack's limits, followed or not."""
        for followed in (False, True):
            view = View(checked_at=bench.clock.now(), followed=followed, interval_seconds=15.0)
            assert exceeded(bench.provider.format_job(job, view)) == []

    async def test_its_job_is_the_one_that_was_asked_for(self, bench: Bench) -> None:
        """A job carries the reference by which it was asked for."""
        id_ = self.any_job(bench.app)
        assert (await bench.fetch(id_)).ref == bench.ref(id_)

    async def test_many_looks_agree_with_single_ones(self, bench: Bench) -> None:
        """`fetch_jobs` gives for each reference what `fetch_job` gives, or raises."""
        words = sorted(set(self.provider.statuses) - self.task_only)[: self.provider.batch_size]
        refs = [bench.ref(self.put(bench.app, word)) for word in words]
        for batch in (refs, [bench.ref(self.unknown_id)]):
            many = await bench.provider.fetch_jobs(batch)
            assert many.keys() == set(batch)
            for ref, seen in many.items():
                await self._agrees(bench, ref, seen)

    async def _agrees(self, bench: Bench, ref: JobRef, seen: Job | JobthreadError) -> None:
        if isinstance(seen, Job):
            assert await bench.provider.fetch_job(ref) == seen
        else:
            error = await bench.error(ref.id)
            assert (type(error), str(error)) == (type(seen), str(seen))

    # What goes wrong

    async def test_a_job_that_is_not_there_is_not_found(self, bench: Bench) -> None:
        """The asker hears that the id is wrong, not that something broke."""
        assert isinstance(await bench.error(self.unknown_id), JobNotFound)

    async def test_a_job_that_may_not_be_seen_is_denied(self, bench: Bench) -> None:
        """Missing rights are told apart from wrong credentials."""
        assert isinstance(await self.met(bench, self.denied), AccessDenied)

    async def test_wrong_credentials_are_told_as_such(self, bench: Bench) -> None:
        """Whoever runs the bot hears that keys or tokens must be renewed."""
        assert isinstance(await self.met(bench, self.refused), CredentialsRefused)

    async def test_a_busy_api_is_given_the_time_it_asks_for(self, bench: Bench) -> None:
        """The seconds to wait are taken from the answer."""
        error = await self.met(bench, self.busy)
        assert isinstance(error, RateLimited)
        assert error.retry_after == self.busy_seconds

    async def test_an_api_in_trouble_is_unavailable(self, bench: Bench, trouble: Fault) -> None:
        """An error of the server's own is passing."""
        assert isinstance(await self.met(bench, trouble), Unavailable)

    async def test_an_api_that_is_gone_is_unavailable(self) -> None:
        """A refused connection is passing."""
        clock = ManualClock()
        simulation = self.simulation(clock)
        async with serve(simulation.app) as url:
            settings = simulation.settings(url)
        async with connected(self.provider, settings, clock) as provider:
            with pytest.raises(Unavailable):
                await provider.fetch_job(JobRef(connection=provider.name, id=self.unknown_id))

    async def test_an_api_that_never_answers_is_unavailable(self) -> None:
        """A call is given up in the end."""
        async with self.connected(timeout_seconds=IMPATIENT) as bench:
            assert isinstance(await self.met(bench, Fault(hangs=True)), Unavailable)

    async def test_an_answer_that_breaks_off_is_unavailable(self, bench: Bench) -> None:
        """Half an answer is no answer."""
        assert isinstance(await self.met(bench, Fault(body="x" * 1000, cut=True)), Unavailable)

    @pytest.mark.parametrize(
        "body",
        ["<html><h1>Welcome</h1></html>", "", '{"job": {"status": "RUN', "[]", "null", '{"a": 1}'],
    )
    async def test_an_answer_of_another_shape_is_not_understood(
        self, bench: Bench, body: str
    ) -> None:
        """HTML, cut-short JSON and other JSON are told as such, and are passing."""
        assert isinstance(await self.met(bench, Fault(200, body)), AnswerNotUnderstood)

    async def test_an_answer_that_is_too_long_is_not_read(self, bench: Bench) -> None:
        """An endless answer does not fill the memory."""
        long = Fault(200, b" " * (LARGEST_ANSWER + 1))
        assert isinstance(await self.met(bench, long), AnswerNotUnderstood)

    async def test_it_works_again_after_trouble(self, bench: Bench) -> None:
        """An error that is passing leaves nothing behind."""
        for fault in (*self.down, Fault(200, "{"), Fault(body="x" * 9, cut=True)):
            await self.met(bench, fault)
            bench.faults.clear()
            assert await bench.fetch(self.any_job(bench.app))

    async def test_no_secret_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        """Keys, passwords and tokens are in no error and no log, even if the API repeats them."""
        caplog.set_level(logging.DEBUG)
        async with self.connected() as bench:
            secrets = secrets_of(bench.provider)
            echo = {"error_msg": " ".join(secrets), "message": " ".join(secrets)}
            for status in (200, 400, 403, 404, 409, 429, 500, 401):
                error = await self.met(bench, Fault(status, echo))
                told = "".join(traceback.format_exception(error)) + repr(error)
                assert not [secret for secret in secrets if secret in told + caplog.text]
            assert not [secret for secret in secrets if secret in repr(bench.provider.settings)]

    async def met(self, bench: Bench, fault: Fault) -> ProviderError:
        """Look at a job once all is well, then while every call meets the fault; give its error."""
        bench.faults.clear()
        id_ = self.any_job(bench.app)
        if not bench.faults.calls:
            await bench.fetch(id_)
        bench.faults.plan(fault, times=None)
        error = await bench.error(id_)
        assert isinstance(error, ProviderError)
        assert str(error).endswith(".")
        return error


def _formatted(blocks: Any) -> Iterator[str]:
    """Return the texts in which Slack would read markup."""
    if isinstance(blocks, dict) and blocks.get("type") in ("mrkdwn", "markdown"):
        yield str(blocks.get("text"))
    for part in blocks.values() if isinstance(blocks, dict) else blocks:
        if isinstance(part, dict | list | tuple):
            yield from _formatted(part)


def secrets_of(provider: Provider[Any]) -> list[str]:
    """Return what a connection's settings keep secret."""
    values = (getattr(provider.settings, name) for name in type(provider.settings).model_fields)
    found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    return [secret for secret in found if secret]
