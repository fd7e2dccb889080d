"""Sessions: sign in once for all who wait, and never too often."""

import asyncio
from datetime import timedelta

import pytest

from bot.errors import AccessDenied, CredentialsRefused, ProviderError, Unavailable
from bot.testing import ManualClock
from plugins.selfhosted.session import Locked, Session, SessionEnded, Together, Token

pytestmark = pytest.mark.anyio


class Door:
    """Gives out tokens T1, T2 …; `refuses` says no to the next who come."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.session = Session(clock, self.sign_in)
        self.refuses: list[ProviderError] = []
        self.knocks = 0

    async def sign_in(self) -> Token:
        self.knocks += 1
        number = self.knocks
        await asyncio.sleep(0)
        if self.refuses:
            raise self.refuses.pop(0)
        return Token(f"T{number}", self.clock.now() + timedelta(seconds=60))

    async def ask(self, *ended: str) -> str:
        """Make a call for which these tokens have ended; return the token that did."""

        async def call(token: str) -> str:
            await asyncio.sleep(0)
            if token in ended:
                raise SessionEnded("Even a new token has ended.", next_step="Mend it.")
            return token

        return await self.session.ask(call)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def door(clock: ManualClock) -> Door:
    return Door(clock)


async def test_a_token_is_kept_while_it_is_fresh(door: Door, clock: ManualClock) -> None:
    """And renewed when it is not."""
    seen = []
    for seconds in (0, 59, 1):
        await clock.advance(seconds)
        seen.append(await door.ask())
    assert seen == ["T1", "T1", "T2"]


async def test_who_comes_at_the_same_time_gets_the_same_token(door: Door) -> None:
    """One knock serves all."""
    assert set(await asyncio.gather(*(door.ask() for _ in range(9)))) == {"T1"}


async def test_a_token_that_ended_is_renewed_once_for_all(door: Door) -> None:
    """Whoever finds out late takes the new one."""
    await door.ask()
    assert set(await asyncio.gather(*(door.ask("T1") for _ in range(9)))) == {"T2"}
    assert door.knocks == 2


async def test_who_waits_shares_the_failure(door: Door) -> None:
    """A door in trouble is not knocked at by everybody in turn."""
    door.refuses = [Unavailable("It is down.")]
    errors = await asyncio.gather(*(door.ask() for _ in range(9)), return_exceptions=True)
    assert {type(error) for error in errors} == {Unavailable}
    assert door.knocks == 1
    assert await door.ask() == "T2"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (CredentialsRefused("The key is wrong."), 300),
        (AccessDenied("The user may not."), 300),
        (Locked("The account is locked."), 3600),
    ],
)
async def test_after_a_refusal_nobody_knocks_for_a_while(
    door: Door, clock: ManualClock, error: ProviderError, seconds: float
) -> None:
    """The sentence says until when."""
    door.refuses = [error]
    for wait in (0, seconds - 1):
        await clock.advance(wait)
        with pytest.raises(CredentialsRefused, match=r"is not asked again before 1\d:\d\d UTC"):
            await door.ask()
    assert door.knocks == 1
    await clock.advance(1)
    assert await door.ask() == "T2"


async def test_a_new_token_that_has_ended_begins_a_pause(door: Door) -> None:
    """Else every call would knock."""
    with pytest.raises(CredentialsRefused, match="Mend it") as caught:
        await door.ask("T1", "T2")
    assert not isinstance(caught.value, SessionEnded)
    with pytest.raises(CredentialsRefused):
        await door.ask()
    assert door.knocks == 2


def test_a_token_is_not_in_its_representation() -> None:
    """It might reach a log."""
    assert "made-up" not in repr(Token("made-up", ManualClock().now()))


async def test_work_goes_on_when_one_who_waits_for_it_leaves() -> None:
    """The others still want its outcome."""
    together, go = Together(), asyncio.Event()

    async def work() -> str:
        await go.wait()
        return "done"

    first, second = (asyncio.ensure_future(together.do(work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert await second == "done"
    assert await asyncio.gather(first, return_exceptions=True) != ["done"]
