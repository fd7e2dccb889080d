"""A stranger's code in a thread of its own: what it holds up is its own compartment."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING

import pytest

from bot.providers import compartment as compartments
from bot.providers.compartment import Compartment, HeldError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.anyio


@pytest.fixture
async def compartment() -> AsyncIterator[Compartment]:
    """A compartment, closed at the end."""
    compartment = Compartment("acme")
    yield compartment
    await compartment.close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, compartment: Compartment) -> Iterator[threading.Event]:
    """What the code in the compartment waits for, blocking it; nobody is patient with it."""
    del compartment  # it is closed after the gate was opened
    monkeypatch.setattr(compartments, "HELD_SECONDS", 0.01)
    monkeypatch.setattr(compartments, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(compartments, "CALL_SECONDS", 0.01)
    gate = threading.Event()
    yield gate
    gate.set()


async def answer() -> str:
    return threading.current_thread().name


async def test_it_answers_from_a_thread_of_its_own(compartment: Compartment) -> None:
    """Always from the same one: a plugin needs no locks."""
    assert {await compartment.run(answer, 5), await compartment.run(answer, 5)} == {"plugin acme"}
    assert compartment.call(lambda: threading.current_thread().name) == "plugin acme"


async def test_what_is_raised_comes_through(compartment: Compartment) -> None:
    """So that it can be told as it is."""

    async def fails() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await compartment.run(fails, 5)


@pytest.mark.parametrize("wish", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
async def test_a_plugin_can_end_neither_its_compartment_nor_the_bot(
    compartment: Compartment, wish: type[BaseException]
) -> None:
    """What would end a thread, or whoever waits, is an error like any other."""

    async def leaves() -> None:
        raise wish

    with pytest.raises(RuntimeError, match="the plugin"):
        await compartment.run(leaves, 5)
    assert await compartment.run(answer, 5)


async def test_an_endless_wait_is_given_up(compartment: Compartment) -> None:
    """The compartment itself is free, so the next one is let in."""
    with pytest.raises(TimeoutError):
        await compartment.run(asyncio.Event().wait, 0.01)
    assert await compartment.run(answer, 5)


async def test_while_it_is_held_the_bots_own_loop_turns(
    compartment: Compartment, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits is told, whoever comes next at once, and after the block all is well."""

    async def blocks() -> bool:
        return gate.wait()

    with pytest.raises(HeldError):
        await compartment.run(blocks, 5)
    with pytest.raises(HeldError):
        await compartment.run(answer, 5)
    gate.set()
    monkeypatch.setattr(compartments, "HELD_SECONDS", 5.0)
    while compartment.held:  # noqa: ASYNC110  a thread lets it turn
        await asyncio.sleep(0)
    assert await compartment.run(answer, 5)


async def test_a_method_that_blocks_is_waited_for_once(
    compartment: Compartment, gate: threading.Event
) -> None:
    """Until the compartment turns again, nobody waits for a second one."""
    with pytest.raises(TimeoutError):
        compartment.call(gate.wait)
    with pytest.raises(HeldError):
        compartment.call(gate.wait)


async def test_the_callers_context_comes_along(compartment: Compartment) -> None:
    """What a log line is marked with is the same on both sides."""
    mark = contextvars.ContextVar("mark", default="")
    mark.set("a question")

    async def marked() -> str:
        return mark.get()

    assert await compartment.run(marked, 5) == "a question"


async def test_what_was_opened_in_it_is_closed_in_it() -> None:
    """A client belongs to the loop that it was made in; then the thread ends."""
    compartment, closed_by = Compartment("acme"), []

    async def close() -> None:
        closed_by.append(threading.current_thread())

    compartment.at_end(close)
    await compartment.run(answer, 5)
    await compartment.close()
    assert [thread.name for thread in closed_by] == ["plugin acme"]
    assert not closed_by[0].is_alive()


async def test_a_compartment_that_was_never_used_has_no_thread() -> None:
    """An installed plugin that nobody asks costs nothing."""
    before = threading.active_count()
    await Compartment("acme").close()
    assert threading.active_count() == before


async def test_a_held_compartment_does_not_keep_the_bot_from_ending(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said in the log; the thread ends when it is let go."""
    monkeypatch.setattr(compartments, "CLOSE_SECONDS", 0.01)
    compartment = Compartment("acme")
    with pytest.raises(TimeoutError):
        compartment.call(gate.wait)
    thread = next(each for each in threading.enumerate() if each.name == "plugin acme")
    await compartment.close()
    assert "acme does not come to an end" in caplog.text
    gate.set()
    await asyncio.to_thread(thread.join)
