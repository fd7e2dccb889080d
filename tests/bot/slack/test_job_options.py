"""Options of the job select, and the cache of recent jobs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.providers.connections import Connection, Connections
from bot.sdk import ConnectionSettings, Endpoint, Provider
from bot.sdk.errors import Unavailable
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock
from bot.slack import job_options
from bot.slack.job_options import JobOptions, build_options, is_requestable, option_text
from localslack.blockkit.validation import options_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.anyio


def job(id_: str, name: str = "deploy-api", connection: str = "zebra", **more: Any) -> Job:
    ref = JobRef(connection=connection, id=id_)
    return Job(**{"ref": ref, "name": name, "status": Status.SUCCEEDED, **more})


class WithoutListing(Provider[ConnectionSettings]):
    """Provider that cannot list recent jobs."""

    kind = "silent"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def __init__(self, name: str, clock: ManualClock) -> None:
        super().__init__(name, ConnectionSettings(), clock)

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        return job(ref.id, connection=ref.connection)


class Listing(WithoutListing):
    """Provider that lists the given jobs or raises; it waits until `free` is set."""

    def __init__(self, clock: ManualClock, *listed: Job, name: str = "zebra") -> None:
        super().__init__(name, clock)
        self.listed: Sequence[Job] | Exception = listed
        self.fetches = 0
        self.free = asyncio.Event()
        self.free.set()

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        self.fetches += 1
        await self.free.wait()
        if isinstance(self.listed, Exception):
            raise self.listed
        return self.listed[:limit]


def connected(*providers: WithoutListing) -> Connections:
    return Connections(map(Connection, providers))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def option_values(answer: dict[str, Any]) -> dict[str, list[str]]:
    """Return the values of the options, by the label of their group."""
    assert options_problems(answer) == []
    return {
        group["label"]["text"]: [option["value"] for option in group["options"]]
        for group in answer.get("option_groups", [])
    }


def options_for(typed: str, *jobs: Job) -> dict[str, list[str]]:
    connections = connected(Listing(ManualClock()))
    return option_values(build_options(connections, {"zebra": jobs}, typed))


async def test_recent_jobs_are_offered_by_connection(clock: ManualClock) -> None:
    """In the order of the settings; a provider that cannot list jobs has no group."""
    ours = Listing(clock, job("2"), job("1"))
    theirs = Listing(clock, job("9", connection="yak"), name="yak")
    connections = connected(ours, WithoutListing("mute", clock), theirs)
    found = option_values(await JobOptions(connections, clock).options(""))
    assert found == {"zebra": ["zebra:2", "zebra:1"], "yak": ["yak:9"]}
    assert list(found) == ["zebra", "yak"]


def test_option_shows_name_status_and_id() -> None:
    """The status is an emoji and a word."""
    assert option_text(job("12345")) == "deploy-api · ✅ succeeded · 12345"


def test_long_option_cuts_the_name_and_keeps_the_status() -> None:
    """Two jobs with one long name can still be distinguished."""
    assert option_text(job("12345", "deploy" * 20)).endswith("… · ✅ succeeded · 12345")


@pytest.mark.parametrize("typed", ["API", "  api ", "345", "zebra:12345", "ZEBRA:123"])
def test_typed_text_matches_names_and_references(typed: str) -> None:
    """In any case."""
    found = options_for(typed, job("12345"), job("777", "backup"))
    assert found["zebra"] == ["zebra:12345"]


def test_typed_reference_is_the_first_option() -> None:
    """A job that is in no list can be requested, too."""
    connections = connected(Listing(ManualClock()))
    answer = build_options(connections, {"zebra": [job("12345")]}, "zebra:1")
    assert list(option_values(answer).values()) == [["zebra:1"], ["zebra:12345"]]
    assert answer["option_groups"][0]["options"][0]["text"]["text"] == "Ask for zebra:1"


def test_listed_reference_is_offered_once() -> None:
    """With its name and status."""
    assert options_for("zebra:12345", job("12345"), job("12345")) == {"zebra": ["zebra:12345"]}


def test_bare_id_is_offered_for_every_matching_connection() -> None:
    """The user chooses."""
    clock = ManualClock()
    connections = connected(WithoutListing("zebra", clock), WithoutListing("yak", clock))
    assert option_values(build_options(connections, {}, "42")) == {
        "What you typed": ["zebra:42", "yak:42"]
    }


def test_options_are_empty_without_a_match() -> None:
    """Slack then shows its own text."""
    connections = connected(Listing(ManualClock()))
    assert build_options(connections, {"zebra": [job("1")]}, "no such job") == {"options": []}


@pytest.mark.parametrize("id_", ["two words", "a,b", "a/b", "x" * 145])
def test_job_that_an_option_cannot_request_is_left_out(id_: str) -> None:
    """Too long for Slack, or ambiguous as a command."""
    connections = connected(Listing(ManualClock()))
    assert not is_requestable(connections, JobRef(connection="zebra", id=id_))
    assert is_requestable(connections, JobRef(connection="zebra", id="x" * 144))


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=200), st.text(max_size=200)), max_size=150),
    st.integers(1, 120),
    st.text(max_size=20),
)
def test_slack_accepts_the_options_for_any_jobs(
    jobs: list[tuple[str, str]], count: int, typed: str
) -> None:
    """For any names, number of connections and typed text."""
    clock = ManualClock()
    names = [f"c{number}" for number in range(count)]
    connections = connected(*(WithoutListing(name, clock) for name in names))
    listed = [job(id_, name) for id_, name in jobs if id_.replace("\0", "")]
    able = [each for each in listed if is_requestable(connections, each.ref)]
    found = option_values(build_options(connections, dict.fromkeys(names, able), typed))
    assert sum(map(len, found.values())) <= job_options.MAX_OPTIONS


async def test_keystrokes_share_one_fetch_per_connection(clock: ManualClock) -> None:
    """The list is cached for half a minute."""
    provider = Listing(clock, job("1"))
    suggester = JobOptions(connected(provider), clock)
    await asyncio.gather(*(suggester.options(typed) for typed in ("", "d", "de", "dep")))
    await clock.advance(29)
    await suggester.options("depl")
    assert provider.fetches == 1
    await clock.advance(2)
    await suggester.options("deplo")
    assert provider.fetches == 2


async def test_connections_are_fetched_concurrently(clock: ManualClock) -> None:
    """Their delays do not add up."""
    slow = [Listing(clock, job("1", connection=name), name=name) for name in ("zebra", "yak")]
    for provider in slow:
        provider.free.clear()
    suggester = JobOptions(connected(*slow), clock)
    answering = asyncio.ensure_future(suggester.options(""))
    await clock.advance(1)
    assert [provider.fetches for provider in slow] == [1, 1]
    for provider in slow:
        provider.free.set()
    assert len(option_values(await answering)) == 2


async def test_slow_connection_is_skipped_until_its_list_arrives(
    clock: ManualClock,
) -> None:
    """After two seconds the others are offered; the late list is not fetched twice."""
    quick, slow = Listing(clock, job("1")), Listing(clock, job("2", connection="yak"), name="yak")
    slow.free.clear()
    suggester = JobOptions(connected(quick, slow), clock)
    answering = asyncio.ensure_future(suggester.options(""))
    await clock.advance(job_options.TIMEOUT_SECONDS)
    assert list(option_values(await answering)) == ["zebra"]
    slow.free.set()
    assert list(option_values(await suggester.options(""))) == ["zebra", "yak"]
    assert slow.fetches == 1


async def test_lists_are_prefetched_when_the_modal_opens(clock: ManualClock) -> None:
    """Before anything is typed."""
    provider = Listing(clock, job("1"))
    suggester = JobOptions(connected(provider), clock)
    suggester.prefetch()
    await clock.advance(0)
    assert provider.fetches == 1
    assert list(option_values(await suggester.options(""))) == ["zebra"]


@pytest.mark.parametrize("fault", [Unavailable("Down."), KeyError("xoxb-secret")])
async def test_failing_connection_hides_no_other(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    """It is one log line, and cached as long as a list."""
    healthy, failing = Listing(clock, job("1")), Listing(clock, name="yak")
    failing.listed = fault
    suggester = JobOptions(connected(failing, healthy), clock)
    with caplog.at_level(logging.WARNING, logger="bot.slack"):
        for typed in ("", "d"):
            assert option_values(await suggester.options(typed))["zebra"] == ["zebra:1"]
    assert failing.fetches == 1
    assert caplog.text.count("cannot list the recent jobs of yak") == 1
    assert "xoxb" not in caplog.text


async def test_cached_jobs_stay_while_a_connection_fails(
    clock: ManualClock,
) -> None:
    """A chosen job is fetched anyway."""
    provider = Listing(clock, job("1"))
    suggester = JobOptions(connected(provider), clock)
    await suggester.options("")
    provider.listed = Unavailable("Down.")
    await clock.advance(31)
    assert option_values(await suggester.options("")) == {"zebra": ["zebra:1"]}
    assert provider.fetches == 2


async def test_plugin_with_an_invalid_list_offers_nothing(clock: ManualClock) -> None:
    """Other connections are not affected."""
    provider = Listing(clock)
    provider.listed = 7  # type: ignore[assignment]
    assert await JobOptions(connected(provider), clock).options("") == {"options": []}


async def test_close_cancels_running_fetches(clock: ManualClock) -> None:
    """No fetch outlives its connection."""
    provider = Listing(clock)
    provider.free.clear()
    suggester = JobOptions(connected(provider), clock)
    (fetch,) = suggester.prefetch()
    await suggester.close()
    assert fetch.cancelled()
