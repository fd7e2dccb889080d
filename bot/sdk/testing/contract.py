"""Conformance test suite for providers; a plugin's tests inherit it.

    class TestAcmeConformance(ProviderContract):
        provider = Acme
        unknown_id = "no-such-job"

        def put(self, app, native, *, name="deploy", tasks=1):
            return app[SIMULATOR].add(status=native, name=name, tasks=tasks)

The defaults suit APIs that use plain HTTP statuses; for another API override the class attributes.
"""
# ruff: noqa: S101  a test suite

from __future__ import annotations

import logging
import traceback
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from bot.sdk import conformance
from bot.sdk.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    Unavailable,
)
from bot.sdk.http import MAX_RESPONSE_BYTES
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.provider import Provider
from bot.sdk.testing.clock import ManualClock
from bot.sdk.testing.faults import Fault, Faults
from bot.sdk.testing.harness import ProviderHarness
from bot.sdk.testing.server import connected, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from aiohttp import web

    from bot.sdk.provider import Simulation

SHORT_TIMEOUT_SECONDS = 0.2
ZONES = ("Asia/Shanghai", "America/St_Johns")  # values of the setting `timezone`


class ProviderContract:
    """The tests; a subclass must set `provider` and `unknown_id`, and implement `put`."""

    pytestmark = pytest.mark.anyio

    provider: ClassVar[type[Provider[Any]]]
    unknown_id: ClassVar[str]  # well-formed, but no job has it
    unknown_status: ClassVar[str] = "BRAND_NEW"  # a native status that the API does not have
    task_only_statuses: ClassVar[frozenset[str]] = frozenset()  # native statuses of tasks only
    task_counts: ClassVar[tuple[int, ...]] = (0, 1, 50, 500)  # (0,): the API has no tasks
    name_in_job: ClassVar[bool] = True  # whether the job or a task has the name given to `put`
    # Formats of the API's times: with a zone; "s" or "ms" since 1970; "" is local time in the
    # connection's `timezone`. (): the API has no times.
    time_formats: ClassVar[tuple[str, ...]] = ("Z", "+08:00", "-03:30")

    denied: ClassVar[Fault] = Fault(403, {"error_msg": "no"})
    credentials_refused: ClassVar[Fault] = Fault(401, {"error_msg": "who are you?"})
    rate_limited: ClassVar[Fault] = Fault(429, {"error_msg": "slow down"}, {"Retry-After": "7"})
    retry_after_seconds: ClassVar[float] = 7.0  # the wait that `busy` asks for
    unavailable: ClassVar[tuple[Fault, ...]] = (
        Fault(500),
        Fault(502),
        Fault(503, "<h1>Sorry</h1>"),
    )

    def put(
        self, app: web.Application, native: str, *, name: str = "deploy", tasks: int = 1
    ) -> str:
        """Add a job of this native status to the simulator and return its id.

        `name` is the name of the job or, if the API has no job names, of a task; `tasks` is the
        number of tasks.
        """
        raise NotImplementedError

    def simulation(self, clock: ManualClock) -> Simulation:
        """Return the simulator for the tests; by default the provider's own."""
        simulation = self.provider.simulator(clock)
        assert simulation is not None, "implement simulator(), or override simulation()"
        return simulation

    def urls(self, bench: ProviderHarness, id_: str) -> Iterable[str]:
        """Return URLs that contain the id; none if the provider does not override `find_ids`."""
        del bench, id_
        return ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrize the tests by native status, fault, name and number of tasks."""
        values: dict[str, Iterable[Any]] = {
            "native": sorted(set(self.provider.statuses) - self.task_only_statuses),
            "hostile": conformance.HOSTILE_NAMES,
            "tasks": self.task_counts,
            "server_error": self.unavailable,
        }
        for name in sorted(values.keys() & set(metafunc.fixturenames)):
            metafunc.parametrize(name, values[name], ids=lambda value: ascii(value)[:24])

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Run on asyncio."""
        return "asyncio"

    @pytest.fixture
    async def bench(self) -> AsyncIterator[ProviderHarness]:
        """Provider connected to its simulator."""
        async with self.connected() as bench:
            yield bench

    @asynccontextmanager
    async def connected(
        self, settings: Mapping[str, Any] | None = None, **endpoint: Any
    ) -> AsyncIterator[ProviderHarness]:
        """Serve the simulator and connect the provider to it.

        `settings` and `endpoint` replace settings of the connection and fields of its `Endpoint`.
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
            yield ProviderHarness(provider, simulation.app, faults, clock, self.put)

    def any_job(self, app: web.Application) -> str:
        """Add a job of any status to the simulator and return its id."""
        return self.put(app, next(iter(self.provider.statuses)))

    # Definition

    def test_provider_sets_all_required_attributes(self) -> None:
        """A kind, a title, valid statuses, and an example id that matches the pattern."""
        kind = self.provider
        assert kind.kind
        assert kind.title
        assert all(isinstance(status, Status) for status in kind.statuses.values())
        assert kind.id_format.matches(kind.id_format.example)

    async def test_provider_finds_ids_in_its_own_urls(self, bench: ProviderHarness) -> None:
        """In a bare URL, in a sentence, and in Slack's link markup."""
        id_ = self.provider.id_format.example
        is_overridden = self.provider.find_ids is not Provider.find_ids
        assert list(self.urls(bench, id_)) or not is_overridden, "implement urls() for find_ids()"
        for url in self.urls(bench, id_):
            for text in (url, f"look at {url}, please", f"<{url}>", f"<{url}|the job>"):
                assert list(bench.provider.find_ids(text)) == [id_], text

    async def test_provider_finds_no_ids_in_other_texts(self, bench: ProviderHarness) -> None:
        """Plain words and URLs of other sites are no jobs."""
        for text in ("", "deploy it", "https://example.com/jobs/1", "://", "\x00", "{id}"):
            assert not list(bench.provider.find_ids(text)), text

    async def test_check_returns_a_sentence(self, bench: ProviderHarness) -> None:
        """`jobthread check` prints it."""
        assert (await bench.provider.check()).endswith(".")

    # Results

    async def test_documented_status_is_translated(
        self, bench: ProviderHarness, native: str
    ) -> None:
        """Each native status has its status, and is kept."""
        await conformance.check_documented_status(bench, native)

    async def test_new_status_is_no_error(self, bench: ProviderHarness) -> None:
        """A new native status is UNKNOWN, which is not terminal, and is kept."""
        await conformance.check_new_status(bench, self.unknown_status)

    async def test_job_has_all_its_tasks(self, bench: ProviderHarness, tasks: int) -> None:
        """No task is lost, and the card stays within Slack's limits."""
        await conformance.check_tasks(bench, tasks)

    async def test_hostile_name_causes_no_error(self, bench: ProviderHarness, hostile: str) -> None:
        """Foreign text is not lost, and the card with it is within Slack's limits."""
        await conformance.check_hostile_name(bench, hostile, name_in_job=self.name_in_job)

    async def test_time_is_the_same_in_every_format(self, bench: ProviderHarness) -> None:
        """The format and zone of a response do not change the instant."""
        for spelling in self.time_formats:
            await conformance.check_time_format(bench, spelling)

    async def test_time_without_zone_is_read_in_the_connections_zone(self) -> None:
        """The setting `timezone` is the zone of the API's local times."""
        has_local_times = (
            "" in self.time_formats and "timezone" in self.provider.Settings.model_fields
        )
        for zone in ZONES if has_local_times else ():
            async with self.connected({"timezone": zone}) as bench:
                await conformance.check_time_format(bench, "")

    async def test_job_has_the_requested_reference(self, bench: ProviderHarness) -> None:
        """The job's `ref` is the reference that was fetched."""
        id_ = self.any_job(bench.app)
        assert (await bench.fetch(id_)).ref == bench.ref(id_)

    async def test_fetch_jobs_agrees_with_fetch_job(self, bench: ProviderHarness) -> None:
        """For each reference it returns what `fetch_job` returns or raises.

        This holds with and without the jobs' previous state.
        """
        natives = sorted(set(self.provider.statuses) - self.task_only_statuses)[
            : self.provider.batch_size
        ]
        refs = [bench.ref(self.put(bench.app, native)) for native in natives]
        for batch in (refs, [bench.ref(self.unknown_id)]):
            seen: dict[JobRef, Job] = {}
            for _ in ("first poll", "second poll"):
                results = await bench.provider.fetch_jobs(batch, seen)
                assert results.keys() == set(batch)
                for ref, result in results.items():
                    await self._assert_same_as_fetch_job(bench, ref, result)
                seen = {ref: job for ref, job in results.items() if isinstance(job, Job)}

    async def _assert_same_as_fetch_job(
        self, bench: ProviderHarness, ref: JobRef, result: Job | JobthreadError
    ) -> None:
        if isinstance(result, Job):
            assert await bench.provider.fetch_job(ref) == result
        else:
            error = await bench.fetch_error(ref.id)
            assert (type(error), str(error)) == (type(result), str(result))

    # Errors

    async def test_missing_job_is_not_found(self, bench: ProviderHarness) -> None:
        """The user reads that the id is wrong, not that the connection failed."""
        assert isinstance(await bench.fetch_error(self.unknown_id), JobNotFound)

    async def test_forbidden_job_is_denied(self, bench: ProviderHarness) -> None:
        """Missing permissions differ from wrong credentials."""
        await conformance.check_error(bench, self.denied, AccessDenied)

    async def test_wrong_credentials_are_refused(self, bench: ProviderHarness) -> None:
        """The operator reads that keys or tokens must be renewed."""
        await conformance.check_error(bench, self.credentials_refused, CredentialsRefused)

    async def test_rate_limit_has_the_wait_that_the_api_asks_for(
        self, bench: ProviderHarness
    ) -> None:
        """The seconds are taken from the response."""
        await conformance.check_rate_limit(bench, self.rate_limited, self.retry_after_seconds)

    async def test_server_error_is_unavailable(
        self, bench: ProviderHarness, server_error: Fault
    ) -> None:
        """A 5xx response is a transient error."""
        await conformance.check_error(bench, server_error, Unavailable)

    async def test_refused_connection_is_unavailable(self) -> None:
        """It is a transient error."""
        clock = ManualClock()
        simulation = self.simulation(clock)
        async with serve(simulation.app) as url:
            settings = simulation.settings(url)
        async with connected(self.provider, settings, clock) as provider:
            with pytest.raises(Unavailable):
                await provider.fetch_job(JobRef(connection=provider.name, id=self.unknown_id))

    async def test_unanswered_call_is_unavailable(self) -> None:
        """A call times out."""
        async with self.connected(timeout_seconds=SHORT_TIMEOUT_SECONDS) as bench:
            await conformance.check_error(bench, Fault(hangs=True), Unavailable)

    async def test_truncated_response_is_unavailable(self, bench: ProviderHarness) -> None:
        """Half a body is an error, not a job."""
        truncated = Fault(body="x" * 1000, truncated=True)
        await conformance.check_error(bench, truncated, Unavailable)

    @pytest.mark.parametrize("body", conformance.UNEXPECTED_BODIES)
    async def test_response_of_another_shape_is_not_understood(
        self, bench: ProviderHarness, body: str
    ) -> None:
        """HTML, incomplete JSON and other JSON are transient errors."""
        await conformance.check_error(bench, Fault(200, body), AnswerNotUnderstood)

    async def test_response_above_the_size_limit_is_not_understood(
        self, bench: ProviderHarness
    ) -> None:
        """An endless response does not fill the memory."""
        too_long = Fault(200, b" " * (MAX_RESPONSE_BYTES + 1))
        await conformance.check_error(bench, too_long, AnswerNotUnderstood)

    async def test_provider_works_again_after_errors(self, bench: ProviderHarness) -> None:
        """A transient error leaves no state behind."""
        for fault in (*self.unavailable, Fault(200, "{"), Fault(body="x" * 9, truncated=True)):
            await conformance.fetch_error_under_fault(bench, fault)
            bench.faults.clear()
            assert await bench.fetch(self.any_job(bench.app))

    async def test_no_secret_in_errors_or_logs(self, caplog: pytest.LogCaptureFixture) -> None:
        """Keys, passwords and tokens stay out even if the API repeats them."""
        caplog.set_level(logging.DEBUG)
        async with self.connected() as bench:
            for status in conformance.ECHO_STATUSES:
                error = await conformance.fetch_error_under_fault(
                    bench, Fault(status, conformance.echo_secrets(bench))
                )
                text = "".join(traceback.format_exception(error)) + repr(error)
                conformance.check_no_secret(bench, text, caplog.text)
