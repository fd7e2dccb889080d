"""Sessions share one sign-in and pause after a rejection."""

import asyncio
from datetime import timedelta

import pytest

from bot.sdk.errors import AccessDenied, CredentialsRefused, ProviderError, Unavailable
from bot.sdk.testing import ManualClock
from plugins.selfhosted.session import AccountLocked, Session, SessionEnded, SingleFlight, Token

pytestmark = pytest.mark.anyio


class SignInStub:
    """Issues tokens T1, T2 …; `errors` are raised by the next sign-ins."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.session = Session(clock, self.sign_in)
        self.errors: list[ProviderError] = []
        self.sign_ins = 0

    async def sign_in(self) -> Token:
        self.sign_ins += 1
        number = self.sign_ins
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        return Token(f"T{number}", self.clock.now() + timedelta(seconds=60))

    async def call_with(self, *ended: str) -> str:
        """Make a call for which these tokens have expired; return the token that worked."""

        async def call(token: str) -> str:
            await asyncio.sleep(0)
            if token in ended:
                raise SessionEnded("Even a new token has ended.", next_step="Mend it.")
            return token

        return await self.session.call(call)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def stub(clock: ManualClock) -> SignInStub:
    return SignInStub(clock)


async def test_token_is_kept_while_it_is_valid(stub: SignInStub, clock: ManualClock) -> None:
    """It is renewed afterwards."""
    seen = []
    for seconds in (0, 59, 1):
        await clock.advance(seconds)
        seen.append(await stub.call_with())
    assert seen == ["T1", "T1", "T2"]


async def test_concurrent_callers_get_the_same_token(stub: SignInStub) -> None:
    """One sign-in serves all."""
    assert set(await asyncio.gather(*(stub.call_with() for _ in range(9)))) == {"T1"}


async def test_expired_token_is_renewed_once_for_all(stub: SignInStub) -> None:
    """A caller that notices later takes the new one."""
    await stub.call_with()
    assert set(await asyncio.gather(*(stub.call_with("T1") for _ in range(9)))) == {"T2"}
    assert stub.sign_ins == 2


async def test_waiting_callers_share_the_failure(stub: SignInStub) -> None:
    """A failing server gets one sign-in, not one per caller."""
    stub.errors = [Unavailable("It is down.")]
    errors = await asyncio.gather(*(stub.call_with() for _ in range(9)), return_exceptions=True)
    assert {type(error) for error in errors} == {Unavailable}
    assert stub.sign_ins == 1
    assert await stub.call_with() == "T2"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (CredentialsRefused("The key is wrong."), 300),
        (AccessDenied("The user may not."), 300),
        (AccountLocked("The account is locked."), 3600),
    ],
)
async def test_rejection_pauses_the_sign_in(
    stub: SignInStub, clock: ManualClock, error: ProviderError, seconds: float
) -> None:
    """The sentence states until when."""
    stub.errors = [error]
    for wait in (0, seconds - 1):
        await clock.advance(wait)
        with pytest.raises(CredentialsRefused, match=r"is not asked again before 1\d:\d\d UTC"):
            await stub.call_with()
    assert stub.sign_ins == 1
    await clock.advance(1)
    assert await stub.call_with() == "T2"


async def test_rejected_new_token_starts_a_pause(stub: SignInStub) -> None:
    """Otherwise every call would sign in."""
    with pytest.raises(CredentialsRefused, match="Mend it") as caught:
        await stub.call_with("T1", "T2")
    assert not isinstance(caught.value, SessionEnded)
    with pytest.raises(CredentialsRefused):
        await stub.call_with()
    assert stub.sign_ins == 2


def test_token_repr_hides_its_value() -> None:
    """It might reach a log."""
    assert "made-up" not in repr(Token("made-up", ManualClock().now()))


async def test_shared_work_survives_a_cancelled_caller() -> None:
    """The other callers still need its result."""
    together, go = SingleFlight(), asyncio.Event()

    async def work() -> str:
        await go.wait()
        return "done"

    first, second = (asyncio.ensure_future(together.do(work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert await second == "done"
    assert await asyncio.gather(first, return_exceptions=True) != ["done"]
