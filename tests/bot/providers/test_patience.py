"""A look has its own time, and another one to wait for a place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.providers.patience import Patience, place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Turn = Callable[[float], Awaitable[None]]

pytestmark = pytest.mark.anyio
SECONDS, WAITING_SECONDS = 60.0, 45.0


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turn]:
    """Turn the loop's own clock, by which time-outs go."""
    passed = 0.0

    async def turned(seconds: float) -> None:
        nonlocal passed
        if not passed:
            loop = asyncio.get_running_loop()
            real = loop.time
            monkeypatch.setattr(loop, "time", lambda: real() + passed)
        for _ in range(5):
            await asyncio.sleep(0)
        passed += seconds
        for _ in range(5):
            await asyncio.sleep(0)

    return turned  # type: ignore[return-value]


async def look(places: asyncio.Semaphore, *calls: asyncio.Event) -> Patience:
    """Hold a place until each of the calls is answered, all at once."""
    patience = Patience(SECONDS, WAITING_SECONDS)

    async def call(answered: asyncio.Event) -> None:
        async with place(places):
            await answered.wait()

    try:
        async with patience:
            await asyncio.gather(*map(call, calls))
    except TimeoutError:
        assert patience.over
    return patience


async def test_time_begins_when_the_place_is_taken(turn: Turn) -> None:
    """However long others hold it, within bounds."""
    places, answered = asyncio.Semaphore(1), asyncio.Event()
    await places.acquire()
    looking = asyncio.ensure_future(look(places, answered))
    await turn(44)
    places.release()
    await turn(59)
    answered.set()
    assert not (await looking).over


async def test_a_place_that_is_held_too_long_ends_the_look(turn: Turn) -> None:
    """The one who waited holds no place, and waits for none any more."""
    places, answered = asyncio.Semaphore(0), asyncio.Event()
    looking = asyncio.ensure_future(look(places, answered))
    await turn(44)
    await turn(46)
    patience = await looking
    assert (patience.over, patience.in_vain) == (True, True)
    places.release()
    assert not places.locked()


async def test_too_long_an_answer_ends_the_look(turn: Turn) -> None:
    """And its place is free again."""
    places = asyncio.Semaphore(1)
    looking = asyncio.ensure_future(look(places, asyncio.Event()))
    await turn(59)
    await turn(61)
    patience = await looking
    assert (patience.over, patience.in_vain) == (True, False)
    assert not places.locked()


async def test_while_one_call_is_answered_the_time_of_the_others_counts(turn: Turn) -> None:
    """A look that asks many things at once does not live for ever."""
    places = asyncio.Semaphore(1)
    looking = asyncio.ensure_future(look(places, asyncio.Event(), asyncio.Event()))
    await turn(59)
    await turn(61)
    assert (await looking).over


async def test_what_was_waited_is_not_given_again(turn: Turn) -> None:
    """One call after the other, each behind somebody else: both waits are one."""
    places, first = asyncio.Semaphore(0), asyncio.Event()
    patience = Patience(SECONDS, WAITING_SECONDS)

    async def calls() -> None:
        async with patience:
            for answered in (first, asyncio.Event()):
                async with place(places):
                    await answered.wait()

    looking = asyncio.ensure_future(calls())
    await turn(30)
    places.release()
    await turn(0)
    other = asyncio.ensure_future(places.acquire())
    first.set()
    await turn(16)
    with pytest.raises(TimeoutError):
        await looking
    assert patience.in_vain
    assert await other


async def test_without_a_look_a_place_is_only_a_place() -> None:
    """Whoever calls an API by himself waits as long as he likes; a look that is over as well."""
    places = asyncio.Semaphore(1)
    async with place(places):
        assert places.locked()
    patience = Patience(SECONDS, WAITING_SECONDS)
    async with patience:
        pass
    patience.move(queuing=1)
    assert not patience.over
