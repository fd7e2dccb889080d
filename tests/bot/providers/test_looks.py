"""Looking at jobs through providers that may do anything."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

import pytest

from bot.cards import cards
from bot.errors import AnswerNotUnderstood, JobNotFound, RateLimited, Unavailable
from bot.models import Change, Job, JobRef, Message, Status
from bot.providers import looks
from bot.providers.patience import place
from bot.providers.provider import ConnectionSettings, Endpoint, Provider
from bot.testing import ManualClock

pytestmark = pytest.mark.anyio
ONE, TWO = JobRef(connection="zebra", id="1"), JobRef(connection="zebra", id="2")
VIEW = cards.View(checked_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC))


def job(ref: JobRef = ONE) -> Job:
    return Job(ref=ref, name="deploy", status=Status.RUNNING)


class Zebra(Provider[ConnectionSettings]):
    """Answers what it is told to: a value, or an error to raise."""

    kind = "zebra"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}
    batch_size = 10

    def __init__(self, answer: Any, message: Any = None) -> None:
        super().__init__("zebra", ConnectionSettings(), ManualClock())
        self.answer = answer
        self.message = message
        self.batches: list[int] = []

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        del ref
        return self._give(self.answer)

    async def fetch_jobs(self, refs: Any, seen: Any) -> Any:
        self.seen = seen
        self.batches.append(len(refs))
        return self._give(self.answer)

    def format_job(self, job: Job, view: cards.View) -> Message:
        del job, view
        return self._give(self.message)

    def format_change(self, change: Change, view: cards.View) -> Message:
        del change, view
        return self._give(self.message)

    def _give(self, value: Any) -> Any:
        if isinstance(value, BaseException):
            raise value
        return value


async def test_one_job_is_fetched_alone_and_several_together() -> None:
    """A provider that takes batches gets one."""
    alone = Zebra(job())
    assert await looks.look(alone, [ONE]) == {ONE: job()}
    assert alone.batches == []
    together = Zebra({ONE: job(), TWO: job(TWO)})
    assert await looks.look(together, [ONE, TWO]) == {ONE: job(), TWO: job(TWO)}
    assert together.batches == [2]


async def test_a_batch_is_asked_for_with_what_is_known_of_it() -> None:
    """So that a provider needs no memory of its own, which a restart would take."""
    zebra = Zebra({ONE: job(), TWO: job(TWO)})
    await looks.look(zebra, [ONE, TWO], {ONE: job()})
    assert zebra.seen == {ONE: job()}


async def test_an_error_of_ours_is_the_answer() -> None:
    """For each of the jobs asked for."""
    error = Unavailable("Down.")
    assert await looks.look(Zebra(error), [ONE, TWO]) == {ONE: error, TWO: error}


async def test_of_a_batch_each_job_has_its_own_answer() -> None:
    """One that is not found does not hide the others; one left out is not understood."""
    missing = JobNotFound("No.")
    three = JobRef(connection="zebra", id="3")
    found = await looks.look(Zebra({ONE: job(), TWO: missing}), [ONE, TWO, three])
    assert (found[ONE], found[TWO]) == (job(), missing)
    assert isinstance(found[three], AnswerNotUnderstood)


@pytest.mark.parametrize("fault", [KeyError("xoxb-secret"), ExceptionGroup("g", [OSError()])])
async def test_a_strangers_fault_stays_inside(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It becomes a sentence, and a line in the log without its text."""
    with caplog.at_level(logging.ERROR):
        found = await looks.look(Zebra(fault), [ONE])
    assert isinstance(found[ONE], Unavailable)
    assert "the provider of zebra failed" in caplog.text
    assert "xoxb" not in caplog.text


@pytest.mark.parametrize("answer", [None, [], "job", {"1": 2}, 7])
async def test_an_answer_of_the_wrong_kind_is_not_understood(answer: Any) -> None:
    """Whatever a provider returns, a job or an error of ours comes out."""
    for refs in ([ONE], [ONE, TWO]):
        found = await looks.look(Zebra(answer), refs)
        assert [type(found[ref]) for ref in refs] == [AnswerNotUnderstood] * len(refs)


async def test_a_wrong_answer_for_one_job_is_not_taken_for_a_job() -> None:
    """Nothing but a job or an error leaves, even in a batch that is right otherwise."""
    found = await looks.look(Zebra({ONE: {"name": "deploy"}, TWO: job(TWO)}), [ONE, TWO])
    assert isinstance(found[ONE], AnswerNotUnderstood)
    assert found[TWO] == job(TWO)


async def test_an_endless_wait_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that never answers is down."""
    monkeypatch.setattr(looks, "LONGEST_SECONDS", 0.01)

    class Endless(Zebra):
        async def fetch_job(self, ref: JobRef) -> Job:
            del ref
            return await asyncio.get_running_loop().create_future()

    found = await looks.look(Endless(None), [ONE])
    assert isinstance(found[ONE], Unavailable)


@pytest.mark.parametrize("fault", [SystemExit(1), type("Stop", (BaseException,), {})()])
@pytest.mark.parametrize("refs", [[ONE], [ONE, TWO]])
async def test_a_plugin_that_wants_to_end_the_program_is_broken(
    fault: BaseException, refs: list[JobRef], caplog: pytest.LogCaptureFixture
) -> None:
    """The bot goes on, and so do the other connections."""
    found = await looks.look(Zebra(fault), refs)
    assert [type(found[ref]) for ref in refs] == [Unavailable] * len(refs)
    assert "the provider of zebra failed" in caplog.text


async def test_a_plugin_that_ends_one_of_several_looks_is_broken_too() -> None:
    """Each of them is a task, out of which such an error would end the event loop."""

    class Single(Zebra):
        async def fetch_jobs(self, refs: Any) -> Any:
            return await Provider.fetch_jobs(self, refs)

    found = await looks.look(Single(SystemExit(1)), [ONE, TWO])
    assert [type(found[ref]) for ref in (ONE, TWO)] == [Unavailable] * 2


async def test_a_method_that_is_no_coroutine_is_a_plugins_fault() -> None:
    """What it raises or returns at once comes no further either."""

    class Plain(Zebra):
        def fetch_job(self, ref: JobRef) -> Any:
            del ref
            return self._give(self.answer)

    for answer in (job(), KeyError("xoxb-secret"), None):
        assert isinstance((await looks.look(Plain(answer), [ONE]))[ONE], Unavailable)
        assert isinstance(await looks.first_look(Plain(answer), ONE), Unavailable)


class Listing(Zebra):
    """Lists what it is told to."""

    async def recent_jobs(self, limit: int) -> Any:
        del limit
        return self._give(self.answer)


def failing() -> Any:
    yield job()
    raise SystemExit(1)


@pytest.mark.parametrize("answer", [None, 7, failing()])
async def test_a_list_that_cannot_be_read_is_not_understood(answer: Any) -> None:
    """Whatever a provider returns for its newest jobs."""
    assert isinstance(await looks.recent(Listing(answer), 5), AnswerNotUnderstood)


async def test_of_a_list_only_the_jobs_are_taken_and_no_more_than_were_asked_for() -> None:
    """Even of one that has no end."""
    endless = (one for n in count() for one in (n, job()))
    assert await looks.recent(Listing(endless), 2) == [job(), job()]


async def test_a_look_that_waited_for_a_place_in_vain_is_no_failure_of_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Many slow jobs of one connection hold each other up; that is no reason to let it rest."""
    monkeypatch.setattr(looks, "WAITING_SECONDS", 0.01)

    class Crowded(Zebra):
        async def fetch_job(self, ref: JobRef) -> Job:
            async with place(asyncio.Semaphore(0)):
                return job(ref)

    crowded = Crowded(None)
    for _ in range(9):
        found = (await looks.look(crowded, [ONE]))[ONE]
        assert "waited 0 s in vain" in str(found)


def test_a_card_that_wants_to_end_the_program_is_a_plain_one() -> None:
    """Cards and follow-ups are made in the bot's own tasks."""
    zebra = Zebra(None, SystemExit(1))
    change = Change(before=None, after=job(), status_changed=True)
    assert looks.card(zebra, job(), VIEW) == cards.job(job(), VIEW)
    assert looks.follow_up(zebra, change, VIEW) == cards.change(change, VIEW)


async def test_whoever_cancels_a_look_is_obeyed() -> None:
    """The end of the program is no fault of the provider's."""
    with pytest.raises(asyncio.CancelledError):
        await looks.look(Zebra(asyncio.CancelledError()), [ONE])


async def test_a_job_goes_by_the_reference_it_was_asked_for() -> None:
    """Even where the provider spells it in another way."""
    found = await looks.look(Zebra(job(TWO)), [ONE])
    assert found[ONE] == job(ONE)


def test_a_providers_own_card_and_follow_up_are_used() -> None:
    """They replace the plain ones."""
    own = Message(text="mine")
    change = Change(before=None, after=job(), status_changed=True)
    assert looks.card(Zebra(None, own), job(), VIEW) == own
    assert looks.follow_up(Zebra(None, own), change, VIEW) == own


@pytest.mark.parametrize("message", [KeyError("xoxb-secret"), None, "text"])
def test_where_a_providers_own_card_fails_the_plain_one_is_shown(
    message: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The job is shown all the same, and the log says why it looks plain."""
    change = Change(before=None, after=job(), status_changed=True)
    with caplog.at_level(logging.ERROR):
        assert looks.card(Zebra(None, message), job(), VIEW) == cards.job(job(), VIEW)
        said = looks.follow_up(Zebra(None, message), change, VIEW)
    assert said == cards.change(change, VIEW)
    assert caplog.text.count("zebra cannot format a") == 2
    assert "xoxb" not in caplog.text


def test_a_job_whose_connection_is_gone_has_the_plain_card() -> None:
    """What was seen can still be shown."""
    change = Change(before=None, after=job(), status_changed=True)
    assert looks.card(None, job(), VIEW) == cards.job(job(), VIEW)
    assert looks.follow_up(None, change, VIEW) == cards.change(change, VIEW)


async def test_a_provider_that_keeps_failing_is_not_asked_for_a_while() -> None:
    """Its own jobs wait; nobody hammers it."""
    zebra = Zebra(Unavailable("down"))
    for _ in range(9):
        found = await looks.look(zebra, [ONE])
    assert "has not answered lately" in str(found[ONE])


async def test_a_rehearsal_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What is wrong with the plugin is not wrong with the settings."""

    class Stagestruck(Zebra):
        async def rehearse(self) -> list[str]:
            raise KeyError("xoxb-secret")

    assert await looks.rehearsed([Stagestruck(None)]) == []
    assert "zebra cannot be rehearsed: KeyError" in caplog.text


async def test_a_busy_provider_is_asked_again_when_it_said() -> None:
    """Until then the answer says how long that is."""
    zebra = Zebra(RateLimited("busy", retry_after=90))
    await looks.look(zebra, [ONE])
    assert "busy. Ask again in 90 s" in str((await looks.look(zebra, [ONE]))[ONE])
