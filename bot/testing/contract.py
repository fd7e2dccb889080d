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
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    Unavailable,
)
from bot.models import Job, JobRef, Status
from bot.providers import promises
from bot.providers.http import LARGEST_ANSWER
from bot.providers.provider import Provider
from bot.testing.bench import Bench
from bot.testing.clock import ManualClock
from bot.testing.faults import Fault, Faults
from bot.testing.serving import connected, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from aiohttp import web

    from bot.providers.provider import Simulation

IMPATIENT = 0.2  # seconds until a call is given up
ZONES = ("Asia/Shanghai", "America/St_Johns")  # that `timezone` is set to


class ProviderContract:
    """The tests; a subclass must set `provider` and `unknown_id`, and write `put`."""

    pytestmark = pytest.mark.anyio

    provider: ClassVar[type[Provider[Any]]]
    unknown_id: ClassVar[str]  # well-formed, but of no job
    unknown_status: ClassVar[str] = "BRAND_NEW"  # a word that the API does not have yet
    task_only: ClassVar[frozenset[str]] = frozenset()  # words that no job has, only its tasks
    task_counts: ClassVar[tuple[int, ...]] = (0, 1, 50, 500)  # (0,): the API tells of no tasks
    named_by_put: ClassVar[bool] = True  # whether `put`'s name can be seen in the translated job
    # How the API may write times: with a zone; "s" or "ms" since 1970; "" in the connection's
    # `timezone`. (): it tells none.
    times: ClassVar[tuple[str, ...]] = ("Z", "+08:00", "-03:30")

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
            "hostile": promises.HOSTILE_NAMES,
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
    async def connected(
        self, settings: Mapping[str, Any] | None = None, **endpoint: Any
    ) -> AsyncIterator[Bench]:
        """Serve the simulator and connect the provider to it.

        Changes settings of the connection, and fields of its endpoint.
        """
        clock = ManualClock()
        simulation = self.simulation(clock)
        faults = Faults.of(simulation.app, clock)
        async with (
            serve(simulation.app) as url,
            connected(
                self.provider, {**simulation.settings(url), **(settings or {})}, clock, **endpoint
            ) as provider,
        ):
            yield Bench(provider, simulation.app, faults, clock, self.put)

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
        await promises.a_status_has_its_word(bench, native)

    async def test_a_new_status_is_no_error(self, bench: Bench) -> None:
        """A word that the API has not had yet is UNKNOWN, is kept, and ends nothing."""
        await promises.a_new_status_is_unknown(bench, self.unknown_status)

    async def test_a_job_has_all_its_tasks(self, bench: Bench, tasks: int) -> None:
        """No task is lost, however many there are, and the card of them is one that Slack takes."""
        await promises.all_tasks_are_told(bench, tasks)

    async def test_a_hostile_name_survives(self, bench: Bench, hostile: str) -> None:
        """What others wrote is neither lost nor an error, and the card of it can be made."""
        await promises.a_hostile_name_survives(bench, hostile, seen=self.named_by_put)

    async def test_a_time_is_the_same_however_it_is_written(self, bench: Bench) -> None:
        """The same instant is shown, whichever zone its answer was written in."""
        for spelling in self.times:
            await promises.a_time_is_the_same(bench, spelling)

    async def test_a_time_without_a_zone_is_of_the_connections_own(self) -> None:
        """Whoever set the connection up knows in which zone its system's clocks are."""
        zoned = "" in self.times and "timezone" in self.provider.Settings.model_fields
        for zone in ZONES if zoned else ():
            async with self.connected({"timezone": zone}) as bench:
                await promises.a_time_is_the_same(bench, "")

    async def test_its_job_is_the_one_that_was_asked_for(self, bench: Bench) -> None:
        """A job carries the reference by which it was asked for."""
        id_ = self.any_job(bench.app)
        assert (await bench.fetch(id_)).ref == bench.ref(id_)

    async def test_many_looks_agree_with_single_ones(self, bench: Bench) -> None:
        """`fetch_jobs` gives for each reference what `fetch_job` gives, or raises.

        Whatever was seen of the jobs before: nothing, or what they still are.
        """
        words = sorted(set(self.provider.statuses) - self.task_only)[: self.provider.batch_size]
        refs = [bench.ref(self.put(bench.app, word)) for word in words]
        for batch in (refs, [bench.ref(self.unknown_id)]):
            seen: dict[JobRef, Job] = {}
            for _ in ("first", "again"):
                many = await bench.provider.fetch_jobs(batch, seen)
                assert many.keys() == set(batch)
                for ref, found in many.items():
                    await self._agrees(bench, ref, found)
                seen = {ref: found for ref, found in many.items() if isinstance(found, Job)}

    async def _agrees(self, bench: Bench, ref: JobRef, found: Job | JobthreadError) -> None:
        if isinstance(found, Job):
            assert await bench.provider.fetch_job(ref) == found
        else:
            error = await bench.error(ref.id)
            assert (type(error), str(error)) == (type(found), str(found))

    # What goes wrong

    async def test_a_job_that_is_not_there_is_not_found(self, bench: Bench) -> None:
        """The asker hears that the id is wrong, not that something broke."""
        assert isinstance(await bench.error(self.unknown_id), JobNotFound)

    async def test_a_job_that_may_not_be_seen_is_denied(self, bench: Bench) -> None:
        """Missing rights are told apart from wrong credentials."""
        await promises.an_error_has_its_meaning(bench, self.denied, AccessDenied)

    async def test_wrong_credentials_are_told_as_such(self, bench: Bench) -> None:
        """Whoever runs the bot hears that keys or tokens must be renewed."""
        await promises.an_error_has_its_meaning(bench, self.refused, CredentialsRefused)

    async def test_a_busy_api_is_given_the_time_it_asks_for(self, bench: Bench) -> None:
        """The seconds to wait are taken from the answer."""
        await promises.busy_is_left_alone(bench, self.busy, self.busy_seconds)

    async def test_an_api_in_trouble_is_unavailable(self, bench: Bench, trouble: Fault) -> None:
        """An error of the server's own is passing."""
        await promises.an_error_has_its_meaning(bench, trouble, Unavailable)

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
            await promises.an_error_has_its_meaning(bench, Fault(hangs=True), Unavailable)

    async def test_an_answer_that_breaks_off_is_unavailable(self, bench: Bench) -> None:
        """Half an answer is no answer."""
        half = Fault(body="x" * 1000, cut=True)
        await promises.an_error_has_its_meaning(bench, half, Unavailable)

    @pytest.mark.parametrize("body", promises.OTHER_SHAPES)
    async def test_an_answer_of_another_shape_is_not_understood(
        self, bench: Bench, body: str
    ) -> None:
        """HTML, cut-short JSON and other JSON are told as such, and are passing."""
        await promises.an_error_has_its_meaning(bench, Fault(200, body), AnswerNotUnderstood)

    async def test_an_answer_that_is_too_long_is_not_read(self, bench: Bench) -> None:
        """An endless answer does not fill the memory."""
        long = Fault(200, b" " * (LARGEST_ANSWER + 1))
        await promises.an_error_has_its_meaning(bench, long, AnswerNotUnderstood)

    async def test_it_works_again_after_trouble(self, bench: Bench) -> None:
        """An error that is passing leaves nothing behind."""
        for fault in (*self.down, Fault(200, "{"), Fault(body="x" * 9, cut=True)):
            await promises.met(bench, fault)
            bench.faults.clear()
            assert await bench.fetch(self.any_job(bench.app))

    async def test_no_secret_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        """Keys, passwords and tokens are in no error and no log, even if the API repeats them."""
        caplog.set_level(logging.DEBUG)
        async with self.connected() as bench:
            for status in promises.ECHOING:
                error = await promises.met(bench, Fault(status, promises.echo(bench)))
                told = "".join(traceback.format_exception(error)) + repr(error)
                promises.no_secret_in(bench, told, caplog.text)
