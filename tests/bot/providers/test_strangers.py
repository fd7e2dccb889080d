"""A stranger's plugin that blocks its thread, in the bot as it runs: it costs only its own jobs."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from aiohttp import web

from bot.app import Bot
from bot.cards.cards import View
from bot.errors import Unavailable
from bot.models import Job, JobRef, Status
from bot.playground import LocalSlack
from bot.providers import compartment as compartments
from bot.providers import looks
from bot.providers.compartment import Compartment
from bot.providers.connections import connect
from bot.providers.provider import ConnectionSettings, Endpoint, Provider
from bot.providers.references import in_urls
from bot.providers.registry import Plugin, Plugins, load_plugins
from bot.testing import ManualClock, serve
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from pathlib import Path

    from bot.models import Message
    from bot.playground.messages import Message as Said
    from bot.providers.connections import Connections

pytestmark = pytest.mark.anyio
GATE = threading.Event()
ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"


class Ours(Provider[ConnectionSettings]):
    """Answers at once."""

    kind = "ours"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        return Job(ref=ref, name="deploy", status=Status.RUNNING)


class Blocking(Ours):
    """Holds its thread, wherever it is called, until the gate is opened."""

    kind = "blocking"

    async def fetch_job(self, ref: JobRef) -> Job:
        GATE.wait()
        return await super().fetch_job(ref)

    def recognise(self, text: str) -> Iterable[str]:
        GATE.wait()
        yield from text.split("https://jobs.example.com/")[1:]

    def format_job(self, job: Job, view: View) -> Message:
        GATE.wait()
        return super().format_job(job, view).model_copy(update={"text": "its own card"})


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody waits long; the gate is closed, and opened at the end."""
    monkeypatch.setattr(compartments, "HELD_SECONDS", 0.1)
    monkeypatch.setattr(compartments, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(compartments, "CALL_SECONDS", 0.01)
    GATE.clear()
    yield
    GATE.set()


@pytest.fixture
def clock() -> ManualClock:
    """Time to turn."""
    return ManualClock()


@pytest.fixture
async def connections(clock: ManualClock) -> AsyncIterator[Connections]:
    """One connection of ours, one of a stranger's."""
    tables: dict[str, dict[str, Any]] = {"a": {"provider": "ours"}, "b": {"provider": "blocking"}}
    kinds: dict[str, type[Provider[Any]]] = {"ours": Ours, "blocking": Blocking}
    made = connect(tables, kinds, clock, compartments={"blocking": Compartment("blocking")})
    yield made
    GATE.set()
    await made.close()


async def let_go(provider: Provider[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Open the gate, wait until the compartment turns again, and be patient with it from now on."""
    GATE.set()
    assert provider.compartment is not None
    async with asyncio.timeout(5):
        while provider.compartment.held:  # noqa: ASYNC110  a thread lets it turn
            await asyncio.sleep(0)
    monkeypatch.setattr(compartments, "HELD_SECONDS", 5.0)
    monkeypatch.setattr(compartments, "CALL_SECONDS", 5.0)


@asynccontextmanager
async def stage_with(folder: Path, kind: type[Provider[Any]]) -> AsyncIterator[Stage]:
    """Set the stage with one more connection, b, of a plugin that is a stranger's."""
    installed = load_plugins()
    stranger = Plugin(name="acme", distribution="acme-jobs", kinds=(kind.kind,))
    plugins = Plugins(
        (*installed.listing, stranger), {**installed.kinds, kind.kind: kind}, installed.hooks
    )
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = settings_for(slack, url, folder)
        tables = {**settings.connections, "b": {"provider": kind.kind}}
        settings = settings.model_copy(update={"connections": tables})
        async with Bot(settings, clock=clock, plugins=plugins) as bot:
            yield Stage(slack, simulator, clock, settings, bot)
            GATE.set()


async def until(stage: Stage, card: Said, words: str) -> None:
    """Let time pass until a thread says so."""
    async with asyncio.timeout(20):
        while not any(words in message.text for message in stage.thread(card)):
            await stage.polls()
            await stage.at_rest()


def ref(connection: str) -> JobRef:
    return JobRef(connection=connection, id="1")


async def test_while_a_plugin_blocks_another_connection_answers(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    """The asker of the blocked one gets a sentence, and the log names the connection."""
    blocked = await looks.first_look(connections["b"], ref("b"))
    assert isinstance(blocked, Unavailable)
    assert blocked.sentence == "The plugin that asks b hangs."
    assert isinstance(await looks.first_look(connections["a"], ref("a")), Job)
    assert "the plugin of b blocks its own compartment" in caplog.text


async def test_a_connection_that_hangs_rests_and_is_well_again_after_the_block(
    connections: Connections, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it rests nothing is asked; a try in between is told at once; in the end it answers."""
    provider = connections["b"]
    await looks.first_look(provider, ref("b"))
    assert "has not answered lately" in str(await looks.first_look(provider, ref("b")))
    await clock.advance(61)
    assert "hangs" in str(await looks.first_look(provider, ref("b")))
    await let_go(provider, monkeypatch)
    await clock.advance(61)
    assert isinstance(await looks.first_look(provider, ref("b")), Job)


async def test_a_strangers_calls_go_out_of_its_own_loop_and_end_with_it(clock: ManualClock) -> None:
    """Its client is opened there and closed there; nothing is left open, no thread goes on."""
    app = web.Application()
    app.router.add_get("/jobs/1", _told)

    class Calling(Ours):
        kind = "calling"

        def connect(self) -> Endpoint:
            return Endpoint(url)

        async def fetch_job(self, ref: JobRef) -> Job:
            answer = await self.http.call("GET", f"/jobs/{ref.id}")
            return Job(ref=ref, name=answer.json()["name"], status=Status.RUNNING)

    async with serve(app) as url:
        kinds: dict[str, type[Provider[Any]]] = {"calling": Calling}
        own = {"calling": Compartment("calling")}
        made = connect({"b": {"provider": "calling"}}, kinds, clock, compartments=own)
        found = await asyncio.gather(*(looks.first_look(made["b"], ref("b")) for _ in range(50)))
        await made.close()
    assert {job.name for job in found if isinstance(job, Job)} == {"deploy"}
    assert "plugin calling" not in [thread.name for thread in threading.enumerate()]


async def _told(request: web.Request) -> web.Response:
    del request
    return web.json_response({"name": "deploy"})


async def test_a_card_that_blocks_is_the_plain_one(connections: Connections) -> None:
    """What was seen is shown all the same."""
    job = Job(ref=ref("b"), name="deploy", status=Status.RUNNING)
    view = View(checked_at=connections["b"].clock.now())
    plain = looks.card(connections["a"], job, view)
    assert looks.card(connections["b"], job, view) == plain


async def test_a_search_for_urls_that_blocks_finds_nothing(connections: Connections) -> None:
    """The other connections' URLs are found as ever."""
    assert in_urls(connections, "https://jobs.example.com/1") == ()


async def test_after_a_block_the_plugins_own_methods_are_used_again(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not switched off for good."""
    job = Job(ref=ref("b"), name="deploy", status=Status.RUNNING)
    view = View(checked_at=connections["b"].clock.now())
    looks.card(connections["b"], job, view)
    await let_go(connections["b"], monkeypatch)
    assert looks.card(connections["b"], job, view).text == "its own card"


async def test_the_thread_is_told_once_that_a_plugin_hangs_and_once_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile a job of another connection is followed as ever."""
    monkeypatch.setattr(compartments, "CALL_SECONDS", 5.0)
    async with stage_with(tmp_path, Blocking) as stage:
        stage.servicestage.add(JobScript(ID, (JobStep("PREPARE", 30),), queued_seconds=0))
        GATE.set()
        card = await stage.asks("/job b:1")
        GATE.clear()
        await until(stage, card, "hangs")
        other = await stage.asks(f"/job deploys:{ID}")
        await until(stage, other, "succeeded")
        provider = stage.bot.connections["b"]
        await let_go(provider, monkeypatch)
        await until(stage, card, "👍")
        told = [message.text for message in stage.thread(card)]
    assert len(told) == 2
