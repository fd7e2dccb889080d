"""What the modal's list of jobs offers, and how seldom the connections are asked for it."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Unavailable
from bot.models import Job, JobRef, Status
from bot.playground.limits import offer_problems
from bot.providers.connections import Connections
from bot.providers.provider import ConnectionSettings, Endpoint, Provider
from bot.slack import suggestions
from bot.slack.suggestions import Suggestions, can_be_asked_for, line, offer
from bot.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.anyio


def job(id_: str, name: str = "deploy-api", connection: str = "zebra", **more: Any) -> Job:
    ref = JobRef(connection=connection, id=id_)
    return Job(**{"ref": ref, "name": name, "status": Status.SUCCEEDED, **more})


class Silent(Provider[ConnectionSettings]):
    """Knows jobs by numbers, and lists none."""

    kind = "silent"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}
    id_pattern = re.compile(r"[^\s/]+")

    def __init__(self, name: str, clock: ManualClock) -> None:
        super().__init__(name, ConnectionSettings(), clock)

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        return job(ref.id, connection=ref.connection)


class Listing(Silent):
    """Lists what it is told to: jobs, an error to raise, or nothing before it is let go."""

    def __init__(self, clock: ManualClock, *listed: Job, name: str = "zebra") -> None:
        super().__init__(name, clock)
        self.listed: Sequence[Job] | Exception = listed
        self.asked = 0
        self.free = asyncio.Event()
        self.free.set()

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        self.asked += 1
        await self.free.wait()
        if isinstance(self.listed, Exception):
            raise self.listed
        return self.listed[:limit]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def offered(answer: dict[str, Any]) -> dict[str, list[str]]:
    """Return the values on offer, by the label of their group."""
    assert offer_problems(answer) == []
    return {
        group["label"]["text"]: [option["value"] for option in group["options"]]
        for group in answer.get("option_groups", [])
    }


def offer_of(typed: str, *jobs: Job) -> dict[str, list[str]]:
    connections = Connections([Listing(ManualClock())])
    return offered(offer(connections, {"zebra": jobs}, typed))


async def test_the_newest_jobs_are_offered_by_connection(clock: ManualClock) -> None:
    """In the order of the settings, each list in its own; who cannot list has none."""
    ours = Listing(clock, job("2"), job("1"))
    theirs = Listing(clock, job("9", connection="yak"), name="yak")
    connections = Connections([ours, Silent("mute", clock), theirs])
    found = offered(await Suggestions(connections, clock).answer(""))
    assert found == {"zebra": ["zebra:2", "zebra:1"], "yak": ["yak:9"]}
    assert list(found) == ["zebra", "yak"]


def test_an_option_tells_name_status_and_id() -> None:
    """The status in a word, not by its sign alone."""
    assert line(job("12345")) == "deploy-api · ✅ succeeded · 12345"


def test_of_a_long_option_the_name_is_cut_and_the_status_stays() -> None:
    """Two jobs of one long name can still be told apart."""
    assert line(job("12345", "deploy" * 20)).endswith("… · ✅ succeeded · 12345")


@pytest.mark.parametrize("typed", ["API", "  api ", "345", "zebra:12345", "ZEBRA:123"])
def test_what_is_typed_is_looked_for_in_names_and_ids(typed: str) -> None:
    """However it is written."""
    found = offer_of(typed, job("12345"), job("777", "backup"))
    assert found["zebra"] == ["zebra:12345"]


def test_a_reference_that_is_typed_is_the_first_option() -> None:
    """A job that no list holds can be asked for all the same."""
    connections = Connections([Listing(ManualClock())])
    answer = offer(connections, {"zebra": [job("12345")]}, "zebra:1")
    assert list(offered(answer).values()) == [["zebra:1"], ["zebra:12345"]]
    assert answer["option_groups"][0]["options"][0]["text"]["text"] == "Ask for zebra:1"


def test_a_reference_that_a_list_holds_is_offered_once() -> None:
    """With its name and status."""
    assert offer_of("zebra:12345", job("12345"), job("12345")) == {"zebra": ["zebra:12345"]}


def test_a_bare_id_is_offered_for_every_connection_that_can_mean_it() -> None:
    """Whoever types it chooses."""
    clock = ManualClock()
    connections = Connections([Silent("zebra", clock), Silent("yak", clock)])
    assert offered(offer(connections, {}, "42")) == {"What you typed": ["zebra:42", "yak:42"]}


def test_where_nothing_fits_the_list_is_empty() -> None:
    """Slack then says so in its own words."""
    connections = Connections([Listing(ManualClock())])
    assert offer(connections, {"zebra": [job("1")]}, "no such job") == {"options": []}


@pytest.mark.parametrize("id_", ["two words", "a,b", "a/b", "x" * 145])
def test_a_job_that_no_option_can_ask_for_is_left_out(id_: str) -> None:
    """Too long for Slack, or a command with it would mean something else."""
    connections = Connections([Listing(ManualClock())])
    assert not can_be_asked_for(connections, JobRef(connection="zebra", id=id_))
    assert can_be_asked_for(connections, JobRef(connection="zebra", id="x" * 144))


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=200), st.text(max_size=200)), max_size=150),
    st.integers(1, 120),
    st.text(max_size=20),
)
def test_slack_would_take_every_offer(jobs: list[tuple[str, str]], count: int, typed: str) -> None:
    """Whatever jobs are called, however many there are, and whatever is typed."""
    clock = ManualClock()
    names = [f"c{number}" for number in range(count)]
    connections = Connections([Silent(name, clock) for name in names])
    listed = [job(id_, name) for id_, name in jobs if id_.replace("\0", "")]
    able = [each for each in listed if can_be_asked_for(connections, each.ref)]
    found = offered(offer(connections, dict.fromkeys(names, able), typed))
    assert sum(map(len, found.values())) <= suggestions.MOST_OPTIONS


async def test_a_connection_is_asked_once_for_many_letters(clock: ManualClock) -> None:
    """Its list is used for half a minute, and then asked for again."""
    provider = Listing(clock, job("1"))
    offers = Suggestions(Connections([provider]), clock)
    await asyncio.gather(*(offers.answer(typed) for typed in ("", "d", "de", "dep")))
    await clock.advance(29)
    await offers.answer("depl")
    assert provider.asked == 1
    await clock.advance(2)
    await offers.answer("deplo")
    assert provider.asked == 2


async def test_the_connections_are_asked_at_the_same_time(clock: ManualClock) -> None:
    """Their waits do not add up."""
    slow = [Listing(clock, job("1", connection=name), name=name) for name in ("zebra", "yak")]
    for provider in slow:
        provider.free.clear()
    offers = Suggestions(Connections(slow), clock)
    answering = asyncio.ensure_future(offers.answer(""))
    await clock.advance(1)
    assert [provider.asked for provider in slow] == [1, 1]
    for provider in slow:
        provider.free.set()
    assert len(offered(await answering)) == 2


async def test_a_slow_connection_keeps_nobody_waiting_and_is_there_for_the_next_letter(
    clock: ManualClock,
) -> None:
    """After two seconds the others are offered; the late list is not asked for again."""
    quick, slow = Listing(clock, job("1")), Listing(clock, job("2", connection="yak"), name="yak")
    slow.free.clear()
    offers = Suggestions(Connections([quick, slow]), clock)
    answering = asyncio.ensure_future(offers.answer(""))
    await clock.advance(suggestions.PATIENCE_SECONDS)
    assert list(offered(await answering)) == ["zebra"]
    slow.free.set()
    assert list(offered(await offers.answer(""))) == ["zebra", "yak"]
    assert slow.asked == 1


async def test_a_list_can_be_under_way_before_anything_is_typed(clock: ManualClock) -> None:
    """The modal's opening asks for it."""
    provider = Listing(clock, job("1"))
    offers = Suggestions(Connections([provider]), clock)
    offers.prepare()
    await clock.advance(0)
    assert provider.asked == 1
    assert list(offered(await offers.answer(""))) == ["zebra"]


@pytest.mark.parametrize("fault", [Unavailable("Down."), KeyError("xoxb-secret")])
async def test_a_connection_that_fails_hides_no_other_and_is_one_line_in_the_log(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """It is left in peace for as long as one that answered."""
    well, ill = Listing(clock, job("1")), Listing(clock, name="yak")
    ill.listed = fault
    offers = Suggestions(Connections([ill, well]), clock)
    with caplog.at_level(logging.WARNING, logger="bot.slack"):
        for typed in ("", "d"):
            assert offered(await offers.answer(typed))["zebra"] == ["zebra:1"]
    assert ill.asked == 1
    assert caplog.text.count("yak does not list its newest jobs") == 1
    assert "xoxb" not in caplog.text


async def test_what_was_known_of_a_connection_stays_on_offer_while_it_fails(
    clock: ManualClock,
) -> None:
    """A job that is chosen is looked at anyway."""
    provider = Listing(clock, job("1"))
    offers = Suggestions(Connections([provider]), clock)
    await offers.answer("")
    provider.listed = Unavailable("Down.")
    await clock.advance(31)
    assert offered(await offers.answer("")) == {"zebra": ["zebra:1"]}
    assert provider.asked == 2


async def test_a_plugin_whose_list_is_no_list_offers_nothing(clock: ManualClock) -> None:
    """Its fault stays its own."""
    provider = Listing(clock)
    provider.listed = 7  # type: ignore[assignment]
    assert await Suggestions(Connections([provider]), clock).answer("") == {"options": []}


async def test_what_is_under_way_is_given_up_at_the_end(clock: ManualClock) -> None:
    """Nothing asks a connection that is about to be closed."""
    provider = Listing(clock)
    provider.free.clear()
    offers = Suggestions(Connections([provider]), clock)
    (asking,) = offers.prepare()
    await offers.close()
    assert asking.cancelled()
