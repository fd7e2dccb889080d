"""Plugin thread: third-party code that blocks it does not block the bot."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING

import pytest

from bot.providers import plugin_thread
from bot.providers.plugin_thread import PluginBlocked, PluginThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.anyio


@pytest.fixture
async def thread() -> AsyncIterator[PluginThread]:
    """A plugin thread, closed after the test."""
    thread = PluginThread("acme")
    yield thread
    await thread.close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, thread: PluginThread) -> Iterator[threading.Event]:
    """An event for blocking the plugin thread; all timeouts are short."""
    del thread  # must be closed after this fixture opens the gate
    monkeypatch.setattr(plugin_thread, "PING_INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(plugin_thread, "PING_TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(plugin_thread, "CALL_TIMEOUT_SECONDS", 0.01)
    gate = threading.Event()
    yield gate
    gate.set()


async def thread_name() -> str:
    return threading.current_thread().name


async def test_all_calls_run_in_one_plugin_thread(thread: PluginThread) -> None:
    """A plugin needs no locks."""
    names = {await thread.run(thread_name, 5), await thread.run(thread_name, 5)}
    assert names == {"plugin acme"}
    assert thread.call(lambda: threading.current_thread().name) == "plugin acme"


async def test_exception_reaches_the_caller(thread: PluginThread) -> None:
    """It is raised unchanged."""

    async def fails() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await thread.run(fails, 5)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
async def test_plugin_cannot_end_its_thread_or_the_bot(
    thread: PluginThread, error: type[BaseException]
) -> None:
    """Exceptions that would end the thread or cancel the caller become RuntimeError."""

    async def exits() -> None:
        raise error

    with pytest.raises(RuntimeError, match="the plugin"):
        await thread.run(exits, 5)
    assert await thread.run(thread_name, 5)


async def test_endless_call_times_out(thread: PluginThread) -> None:
    """The thread is not blocked, so the next call runs."""
    with pytest.raises(TimeoutError):
        await thread.run(asyncio.Event().wait, 0.01)
    assert await thread.run(thread_name, 5)


async def test_blocked_thread_does_not_block_the_bots_loop(
    thread: PluginThread, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The current call fails, the next one fails at once, and calls work after the block."""

    async def blocks() -> bool:
        return gate.wait()

    with pytest.raises(PluginBlocked):
        await thread.run(blocks, 5)
    with pytest.raises(PluginBlocked):
        await thread.run(thread_name, 5)
    gate.set()
    monkeypatch.setattr(plugin_thread, "PING_INTERVAL_SECONDS", 5.0)
    while thread.blocked:  # noqa: ASYNC110  another thread resets it
        await asyncio.sleep(0)
    assert await thread.run(thread_name, 5)


async def test_blocking_method_is_waited_for_once(
    thread: PluginThread, gate: threading.Event
) -> None:
    """Until the thread runs again, further calls fail at once."""
    with pytest.raises(TimeoutError):
        thread.call(gate.wait)
    with pytest.raises(PluginBlocked):
        thread.call(gate.wait)


async def test_call_runs_in_the_callers_context(thread: PluginThread) -> None:
    """Log records of both threads have the same correlation id."""
    log_id = contextvars.ContextVar("log_id", default="")
    log_id.set("a1b2c3")

    async def read_log_id() -> str:
        return log_id.get()

    assert await thread.run(read_log_id, 5) == "a1b2c3"


async def test_close_callbacks_run_in_the_thread_before_it_ends() -> None:
    """An HTTP client belongs to the event loop in which it was created."""
    thread, closed_by = PluginThread("acme"), []

    async def close() -> None:
        closed_by.append(threading.current_thread())

    thread.on_close(close)
    await thread.run(thread_name, 5)
    await thread.close()
    assert [thread.name for thread in closed_by] == ["plugin acme"]
    assert not closed_by[0].is_alive()


async def test_thread_starts_at_the_first_call() -> None:
    """An unused plugin has no thread."""
    before = threading.active_count()
    await PluginThread("acme").close()
    assert threading.active_count() == before


async def test_blocked_thread_does_not_prevent_shutdown(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the thread ends after the block."""
    monkeypatch.setattr(plugin_thread, "JOIN_TIMEOUT_SECONDS", 0.01)
    thread = PluginThread("acme")
    with pytest.raises(TimeoutError):
        thread.call(gate.wait)
    (os_thread,) = (each for each in threading.enumerate() if each.name == "plugin acme")
    await thread.close()
    assert "the thread of plugin acme does not stop" in caplog.text
    gate.set()
    await asyncio.to_thread(os_thread.join)
