"""Third-party plugin that blocks its thread: only its own connections are affected."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from aiohttp import web

from bot.app import Bot
from bot.providers import plugin_thread
from bot.providers.connection_builder import connect
from bot.providers.plugin_loader import Plugin, Plugins, load_plugins
from bot.providers.plugin_thread import PluginThread
from bot.providers.references import find_in_urls
from bot.sdk import ConnectionSettings, Endpoint, Provider
from bot.sdk.cards.job_card import CardContext
from bot.sdk.errors import Unavailable
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock, serve
from localslack import LocalSlack
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.harness import BotHarness, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from pathlib import Path

    from bot.providers.connections import Connections
    from bot.sdk.models import Message
    from localslack.state.messages import Message as SlackMessage

pytestmark = pytest.mark.anyio
GATE = threading.Event()
ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


class BuiltIn(Provider[ConnectionSettings]):
    """Responds at once."""

    kind = "built-in"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        return Job(ref=ref, name="deploy", status=Status.RUNNING)


class Blocking(BuiltIn):
    """Blocks its thread in every method until the gate is open."""

    kind = "blocking"

    async def fetch_job(self, ref: JobRef) -> Job:
        GATE.wait()
        return await super().fetch_job(ref)

    def find_ids(self, text: str) -> Iterable[str]:
        GATE.wait()
        yield from text.split("https://jobs.example.com/")[1:]

    def format_job(self, job: Job, view: CardContext) -> Message:
        GATE.wait()
        return super().format_job(job, view).model_copy(update={"text": "its own card"})


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All timeouts are short; the gate is closed, and open after the test."""
    monkeypatch.setattr(plugin_thread, "PING_INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(plugin_thread, "PING_TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(plugin_thread, "CALL_TIMEOUT_SECONDS", 0.01)
    GATE.clear()
    yield
    GATE.set()


@pytest.fixture
def clock() -> ManualClock:
    """Manual clock."""
    return ManualClock()


@pytest.fixture
def thread() -> PluginThread:
    """Thread of the third-party plugin."""
    return PluginThread("blocking")


@pytest.fixture
async def connections(clock: ManualClock, thread: PluginThread) -> AsyncIterator[Connections]:
    """Connection a of a built-in provider, b of a third-party plugin."""
    tables: dict[str, dict[str, Any]] = {
        "a": {"provider": "built-in"},
        "b": {"provider": "blocking"},
    }
    kinds: dict[str, type[Provider[Any]]] = {"built-in": BuiltIn, "blocking": Blocking}
    connections = connect(tables, kinds, clock, threads={"blocking": thread})
    yield connections
    GATE.set()
    await connections.close()


async def unblock(thread: PluginThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open the gate, wait until the plugin thread runs, and restore long timeouts."""
    GATE.set()
    async with asyncio.timeout(5):
        while thread.blocked:  # noqa: ASYNC110  another thread resets it
            await asyncio.sleep(0)
    monkeypatch.setattr(plugin_thread, "PING_INTERVAL_SECONDS", 5.0)
    monkeypatch.setattr(plugin_thread, "CALL_TIMEOUT_SECONDS", 5.0)


def plugins_with(kind: type[Provider[Any]]) -> Plugins:
    """Return the installed plugins and a third-party plugin."""
    installed = load_plugins()
    third_party = Plugin(name="acme", distribution="acme-jobs", kinds=(kind.kind,))
    return Plugins(
        (*installed.listing, third_party), {**installed.kinds, kind.kind: kind}, installed.hooks
    )


@asynccontextmanager
async def stage_with(folder: Path, plugins: Plugins) -> AsyncIterator[BotHarness]:
    """Start the bot with one more connection, b, of a third-party plugin."""
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = settings_for(slack, url, folder)
        tables = {**settings.connections, "b": {"provider": "blocking"}}
        settings = settings.model_copy(update={"connections": tables})
        async with Bot(settings, clock=clock, plugins=plugins) as bot:
            yield BotHarness(slack, simulator, clock, settings, bot)
            GATE.set()


async def poll_until(harness: BotHarness, card: SlackMessage, words: str) -> None:
    """Advance the clock until a reply in the card's thread has these words."""
    async with asyncio.timeout(20):
        while not any(words in message.text for message in harness.thread(card)):
            await harness.advance_poll()
            await harness.settle()


def ref(connection: str) -> JobRef:
    return JobRef(connection=connection, id="1")


async def test_blocking_plugin_does_not_affect_other_connections(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own call fails with a sentence, and the log names the connection."""
    blocked = await connections["b"].fetch(ref("b"))
    assert isinstance(blocked, Unavailable)
    assert blocked.sentence == "The plugin that asks b hangs."
    assert isinstance(await connections["a"].fetch(ref("a")), Job)
    assert "the plugin of b blocks its thread" in caplog.text


async def test_blocked_plugin_opens_the_circuit_until_it_runs_again(
    connections: Connections,
    thread: PluginThread,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An open circuit makes no calls; a probe while it is blocked fails; after that calls work."""
    provider = connections["b"]
    await provider.fetch(ref("b"))
    assert "has not answered lately" in str(await provider.fetch(ref("b")))
    await clock.advance(61)
    assert "hangs" in str(await provider.fetch(ref("b")))
    await unblock(thread, monkeypatch)
    await clock.advance(61)
    assert isinstance(await provider.fetch(ref("b")), Job)


async def test_http_client_of_a_plugin_lives_in_its_thread(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is opened and closed there, and the thread ends."""
    monkeypatch.setattr(plugin_thread, "PING_INTERVAL_SECONDS", 5.0)
    app = web.Application()
    app.router.add_get("/jobs/1", _job)

    class Calling(BuiltIn):
        kind = "calling"

        def connect(self) -> Endpoint:
            return Endpoint(url)

        async def fetch_job(self, ref: JobRef) -> Job:
            response = await self.http.call("GET", f"/jobs/{ref.id}")
            return Job(ref=ref, name=response.json()["name"], status=Status.RUNNING)

    async with serve(app) as url:
        kinds: dict[str, type[Provider[Any]]] = {"calling": Calling}
        threads = {"calling": PluginThread("calling")}
        opened = connect({"b": {"provider": "calling"}}, kinds, clock, threads=threads)
        fetches = (opened["b"].fetch(ref("b")) for _ in range(50))
        jobs = await asyncio.gather(*fetches)
        await opened.close()
    assert {job.name for job in jobs if isinstance(job, Job)} == {"deploy"}
    assert "plugin calling" not in [thread.name for thread in threading.enumerate()]


async def _job(request: web.Request) -> web.Response:
    del request
    return web.json_response({"name": "deploy"})


async def test_blocking_card_is_replaced_by_the_default_card(connections: Connections) -> None:
    """The job is still shown."""
    job = Job(ref=ref("b"), name="deploy", status=Status.RUNNING)
    view = CardContext(checked_at=connections["b"].clock.now())
    default = connections["a"].card(job, view)
    assert connections["b"].card(job, view) == default


async def test_blocking_url_search_finds_nothing(connections: Connections) -> None:
    """It times out and raises no error."""
    assert find_in_urls(connections, "https://jobs.example.com/1") == ()


async def test_plugin_methods_are_used_again_after_a_block(
    connections: Connections, thread: PluginThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default card is temporary."""
    job = Job(ref=ref("b"), name="deploy", status=Status.RUNNING)
    view = CardContext(checked_at=connections["b"].clock.now())
    connections["b"].card(job, view)
    await unblock(thread, monkeypatch)
    assert connections["b"].card(job, view).text == "its own card"


async def test_slack_thread_gets_one_reply_per_outage_and_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile a job of another connection is followed as usual."""
    monkeypatch.setattr(plugin_thread, "CALL_TIMEOUT_SECONDS", 5.0)
    plugins = plugins_with(Blocking)
    async with stage_with(tmp_path, plugins) as harness:
        harness.servicestage.add(JobScript(ID, (JobStep("PREPARE", 30),), queued_seconds=0))
        GATE.set()
        card = await harness.request_card("/job b:1")
        GATE.clear()
        await poll_until(harness, card, "hangs")
        other = await harness.request_card(f"/job deploys:{ID}")
        await poll_until(harness, other, "succeeded")
        await unblock(plugins.threads()[Blocking.kind], monkeypatch)
        await poll_until(harness, card, "👍")
        replies = [message.text for message in harness.thread(card)]
    assert len(replies) == 2
