"""Calls of providers that fail, hang or return invalid results."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

import httpx
import pytest

from bot.providers import guarded_calls
from bot.providers.connections import Connection, Connections
from bot.providers.deadline import acquire_slot
from bot.sdk import ConnectionSettings, Endpoint, IdFormat, Provider
from bot.sdk.cards import job_card
from bot.sdk.errors import AnswerNotUnderstood, JobNotFound, RateLimited, Unavailable
from bot.sdk.models import Change, Job, JobRef, Message, Status
from bot.sdk.testing import ManualClock

pytestmark = pytest.mark.anyio
ONE, TWO = JobRef(connection="zebra", id="1"), JobRef(connection="zebra", id="2")
VIEW = job_card.CardContext(checked_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC))


def job(ref: JobRef = ONE) -> Job:
    return Job(ref=ref, name="deploy", status=Status.RUNNING)


class Zebra(Provider[ConnectionSettings]):
    """Returns the given value, or raises it if it is an exception."""

    kind = "zebra"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}
    batch_size = 10

    def __init__(self, result: Any, message: Any = None) -> None:
        super().__init__("zebra", ConnectionSettings(), ManualClock())
        self.result = result
        self.message = message
        self.batches: list[int] = []

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        del ref
        return self._return_or_raise(self.result)

    async def fetch_jobs(self, refs: Any, seen: Any) -> Any:
        self.seen = seen
        self.batches.append(len(refs))
        return self._return_or_raise(self.result)

    def format_job(self, job: Job, view: job_card.CardContext) -> Message:
        del job, view
        return self._return_or_raise(self.message)

    def format_change(self, change: Change, view: job_card.CardContext) -> Message:
        del change, view
        return self._return_or_raise(self.message)

    def _return_or_raise(self, value: Any) -> Any:
        if isinstance(value, BaseException):
            raise value
        return value


async def test_one_job_is_fetched_alone_and_several_in_a_batch() -> None:
    """Several jobs are one call of `fetch_jobs`."""
    alone = Zebra(job())
    assert await Connection(alone).fetch_batch([ONE]) == {ONE: job()}
    assert alone.batches == []
    batched = Zebra({ONE: job(), TWO: job(TWO)})
    assert await Connection(batched).fetch_batch([ONE, TWO]) == {ONE: job(), TWO: job(TWO)}
    assert batched.batches == [2]


async def test_batch_is_fetched_with_the_jobs_previous_state() -> None:
    """A provider needs no state of its own, which a restart would lose."""
    zebra = Zebra({ONE: job(), TWO: job(TWO)})
    await Connection(zebra).fetch_batch([ONE, TWO], {ONE: job()})
    assert zebra.seen == {ONE: job()}


async def test_provider_error_is_the_result_of_each_job() -> None:
    """The whole batch failed."""
    error = Unavailable("Down.")
    assert await Connection(Zebra(error)).fetch_batch([ONE, TWO]) == {ONE: error, TWO: error}


async def test_each_job_of_a_batch_has_its_own_result() -> None:
    """An error of one job does not affect the others; a missing result is an error."""
    missing = JobNotFound("No.")
    three = JobRef(connection="zebra", id="3")
    found = await Connection(Zebra({ONE: job(), TWO: missing})).fetch_batch([ONE, TWO, three])
    assert (found[ONE], found[TWO]) == (job(), missing)
    assert isinstance(found[three], AnswerNotUnderstood)


@pytest.mark.parametrize("fault", [KeyError("xoxb-secret"), ExceptionGroup("g", [OSError()])])
async def test_plugin_exception_becomes_unavailable(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The exception's text is neither shown nor logged."""
    with caplog.at_level(logging.ERROR):
        found = await Connection(Zebra(fault)).fetch_batch([ONE])
    assert isinstance(found[ONE], Unavailable)
    assert "provider of zebra failed" in caplog.text
    assert "xoxb" not in caplog.text


@pytest.mark.parametrize("result", [None, [], "job", {"1": 2}, 7])
async def test_result_of_the_wrong_type_is_not_understood(result: Any) -> None:
    """Every result is a job or a JobthreadError."""
    for refs in ([ONE], [ONE, TWO]):
        found = await Connection(Zebra(result)).fetch_batch(refs)
        assert [type(found[ref]) for ref in refs] == [AnswerNotUnderstood] * len(refs)


async def test_invalid_result_of_one_job_is_an_error() -> None:
    """The other results of the batch are kept."""
    found = await Connection(Zebra({ONE: {"name": "deploy"}, TWO: job(TWO)})).fetch_batch(
        [ONE, TWO]
    )
    assert isinstance(found[ONE], AnswerNotUnderstood)
    assert found[TWO] == job(TWO)


async def test_endless_call_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It times out."""
    monkeypatch.setattr(guarded_calls, "CALL_TIMEOUT_SECONDS", 0.01)

    class Endless(Zebra):
        async def fetch_job(self, ref: JobRef) -> Job:
            del ref
            return await asyncio.get_running_loop().create_future()

    found = await Connection(Endless(None)).fetch_batch([ONE])
    assert isinstance(found[ONE], Unavailable)


@pytest.mark.parametrize("fault", [SystemExit(1), type("Stop", (BaseException,), {})()])
@pytest.mark.parametrize("refs", [[ONE], [ONE, TWO]])
async def test_plugin_cannot_end_the_process(
    fault: BaseException, refs: list[JobRef], caplog: pytest.LogCaptureFixture
) -> None:
    """SystemExit and other base exceptions become Unavailable."""
    found = await Connection(Zebra(fault)).fetch_batch(refs)
    assert [type(found[ref]) for ref in refs] == [Unavailable] * len(refs)
    assert "provider of zebra failed" in caplog.text


async def test_plugin_cannot_end_the_process_in_a_batch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each fetch is a task, in which SystemExit would end the event loop."""

    class Single(Zebra):
        async def fetch_jobs(self, refs: Any, seen: Any) -> Any:
            return await Provider.fetch_jobs(self, refs, seen)

    found = await Connection(Single(SystemExit(1))).fetch_batch([ONE, TWO])
    assert "provider of zebra failed: RuntimeError" in caplog.text
    assert [type(found[ref]) for ref in (ONE, TWO)] == [Unavailable] * 2


async def test_synchronous_fetch_method_is_unavailable() -> None:
    """Whether it raises or returns."""

    class Plain(Zebra):
        def fetch_job(self, ref: JobRef) -> Any:
            del ref
            return self._return_or_raise(self.result)

    for result in (job(), KeyError("xoxb-secret"), None):
        assert isinstance((await Connection(Plain(result)).fetch_batch([ONE]))[ONE], Unavailable)
        assert isinstance(await Connection(Plain(result)).fetch(ONE), Unavailable)


class Listing(Zebra):
    """Returns the given value as its list of jobs."""

    async def recent_jobs(self, limit: int) -> Any:
        del limit
        return self._return_or_raise(self.result)


def failing() -> Any:
    yield job()
    raise SystemExit(1)


@pytest.mark.parametrize("result", [None, 7, failing()])
async def test_invalid_list_is_not_understood(result: Any) -> None:
    """No list, or one whose iteration fails."""
    assert isinstance(await Connection(Listing(result)).recent(5), AnswerNotUnderstood)


async def test_list_is_filtered_and_limited() -> None:
    """Other values are dropped; an endless iterator is cut off."""
    endless = (one for n in count() for one in (n, job()))
    assert await Connection(Listing(endless)).recent(2) == [job(), job()]


async def test_queue_timeout_does_not_open_the_circuit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many slow jobs of one connection delay each other; the API itself works."""
    monkeypatch.setattr(guarded_calls, "QUEUE_TIMEOUT_SECONDS", 0.01)

    class Crowded(Zebra):
        async def fetch_job(self, ref: JobRef) -> Job:
            async with acquire_slot(asyncio.Semaphore(0)):
                return job(ref)

    crowded = Connection(Crowded(None))
    for _ in range(9):
        found = (await crowded.fetch_batch([ONE]))[ONE]
        assert "gave up after 0 s" in str(found)


def test_card_that_raises_system_exit_is_the_default_card() -> None:
    """Cards and thread replies are rendered in the bot's own tasks."""
    zebra = Zebra(None, SystemExit(1))
    change = Change(before=None, after=job(), status_changed=True)
    assert Connection(zebra).card(job(), VIEW) == job_card.render_card(job(), VIEW)
    assert Connection(zebra).reply(change, VIEW) == job_card.render_change(change, VIEW)


async def test_cancellation_is_not_swallowed() -> None:
    """Shutdown is no failure of the provider."""
    with pytest.raises(asyncio.CancelledError):
        await Connection(Zebra(asyncio.CancelledError())).fetch_batch([ONE])


async def test_job_keeps_the_requested_reference() -> None:
    """Also if the provider writes it differently."""
    found = await Connection(Zebra(job(TWO))).fetch_batch([ONE])
    assert found[ONE] == job(ONE)


def test_providers_own_card_and_thread_reply_are_used() -> None:
    """They replace the default ones."""
    own = Message(text="mine")
    change = Change(before=None, after=job(), status_changed=True)
    assert Connection(Zebra(None, own)).card(job(), VIEW) == own
    assert Connection(Zebra(None, own)).reply(change, VIEW) == own


@pytest.mark.parametrize("message", [KeyError("xoxb-secret"), None, "text"])
def test_failing_card_is_replaced_by_the_default_card(
    message: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The failure is logged, without the exception's text."""
    change = Change(before=None, after=job(), status_changed=True)
    with caplog.at_level(logging.ERROR):
        assert Connection(Zebra(None, message)).card(job(), VIEW) == job_card.render_card(
            job(), VIEW
        )
        reply = Connection(Zebra(None, message)).reply(change, VIEW)
    assert reply == job_card.render_change(change, VIEW)
    assert caplog.text.count("the provider of zebra failed to format a") == 2
    assert "xoxb" not in caplog.text


def test_job_of_a_removed_connection_has_the_default_card() -> None:
    """Its last known state can still be shown."""
    change = Change(before=None, after=job(), status_changed=True)
    removed = Connections([]).renderer("zebra")
    assert removed.card(job(), VIEW) == job_card.render_card(job(), VIEW)
    assert removed.reply(change, VIEW) == job_card.render_change(change, VIEW)


async def test_failing_provider_opens_the_circuit() -> None:
    """It gets no calls for a while."""
    zebra = Connection(Zebra(Unavailable("down")))
    for _ in range(9):
        found = await zebra.fetch_batch([ONE])
    assert "has not answered lately. Polling is paused. Try again in" in str(found[ONE])


async def test_failing_validation_is_no_problem(caplog: pytest.LogCaptureFixture) -> None:
    """A fault of the plugin is no fault of the settings; it is logged."""

    class Failing(Zebra):
        async def validate_settings(self) -> list[str]:
            raise KeyError("xoxb-secret")

    assert await Connection(Failing(None)).validate_settings() == []
    assert "validating the settings of zebra failed: KeyError" in caplog.text


async def test_rate_limited_provider_gets_no_calls_until_retry_after() -> None:
    """The error shows the wait."""
    zebra = Connection(Zebra(RateLimited("busy", retry_after=90)))
    await zebra.fetch_batch([ONE])
    assert "busy. Ask again in 90 s" in str((await zebra.fetch_batch([ONE]))[ONE])


def test_connection_describes_its_provider() -> None:
    """Commands need no provider for it."""
    zebra = Connection(Zebra(None))
    assert (zebra.name, zebra.kind, zebra.title) == ("zebra", "zebra", "zebra")
    assert (zebra.batch_size, zebra.base_url) == (10, "http://127.0.0.1")
    assert (zebra.lists_jobs, Connection(Listing(None)).lists_jobs) == (False, True)


def test_only_an_example_of_the_settings_is_a_job() -> None:
    """The example of a class shows the form of an id."""

    class Documented(Zebra):
        id_format = IdFormat(example="form")

    provider = Documented(None)
    assert Connection(provider).example is None
    provider.id_format = IdFormat(example="1")
    assert Connection(provider).example == ONE


async def test_job_of_a_removed_connection_cannot_be_fetched() -> None:
    """The error names the connection."""
    connections = Connections([])
    alone, batch = await connections.fetch(ONE), await connections.fetch_batch([ONE, TWO])
    for error in (alone, *batch.values()):
        assert str(error).startswith("There is no connection zebra any more.")


async def test_excerpt_of_the_misunderstood_response_is_logged() -> None:
    """It has the problems and no secret; the error keeps no response."""
    error = AnswerNotUnderstood("What?")
    request = httpx.Request("GET", "http://127.0.0.1/", headers={"X-Auth-Token": "made-up-token"})
    error.response = httpx.Response(200, text="made-up-token: 1", request=request)
    error.problems = "name: missing"
    found = await Connection(Zebra(error)).fetch(ONE)
    assert found is error
    assert error.details.startswith("name: missing; HTTP 200")
    assert "made-up-token" not in error.details
    assert error.response is None
