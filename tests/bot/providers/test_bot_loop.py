"""A built-in provider runs in the bot's own event loop."""

from __future__ import annotations

import pytest

from bot.providers.bot_loop import MAX_STEP_SECONDS, BotLoop

pytestmark = pytest.mark.anyio


async def test_coroutine_runs_in_the_current_loop() -> None:
    """Its result is returned."""

    async def answer() -> int:
        return 42

    assert await BotLoop().run(answer, 1.0) == 42


async def test_synchronous_method_is_called_directly() -> None:
    """With its arguments."""
    assert BotLoop().call_method(divmod, 7, 2) == (3, 1)


async def test_close_runs_the_registered_functions() -> None:
    """In their order."""
    closed: list[str] = []
    loop = BotLoop()
    for name in ("first", "second"):

        async def close(name: str = name) -> None:
            closed.append(name)

        loop.on_close(close)
    await loop.close()
    assert closed == ["first", "second"]


def test_step_limit_is_finite() -> None:
    """A call that blocks the bot's loop for longer opens the circuit."""
    assert BotLoop().max_step_seconds == MAX_STEP_SECONDS
