"""AICC RPA's token is shared, cached until it expires, and fetched rarely."""

import asyncio
from pathlib import Path

import pytest

from bot.sdk.errors import AnswerNotUnderstood, CredentialsRefused, JobthreadError, Unavailable
from bot.sdk.models import JobRef
from bot.sdk.testing import Fault, ManualClock
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.simulator import Simulator

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"
UID = "0c9358552188478a8d5ff9203db8791f"


def ref() -> JobRef:
    return JobRef(connection="acme", id=UID)


async def error_text(rpa: AiccRpa, kind: type[JobthreadError]) -> str:
    """Return the sentence of the error that a fetch raises."""
    with pytest.raises(kind) as caught:
        await rpa.fetch_job(ref())
    return str(caught.value)


async def test_one_token_serves_all_calls(rpa: AiccRpa, simulator: Simulator) -> None:
    """It is kept until expireTime."""
    for _ in range(3):
        await rpa.fetch_job(ref())
    assert simulator.operations == ["gettoken", *["queryJobDetails"] * 3]


async def test_concurrent_calls_share_one_token(rpa: AiccRpa, simulator: Simulator) -> None:
    """Fifty followed jobs do not sign in fifty times."""
    await asyncio.gather(*(rpa.fetch_job(ref()) for _ in range(50)))
    assert simulator.operations.count("gettoken") == 1


async def test_concurrent_calls_share_a_failed_sign_in(rpa: AiccRpa, simulator: Simulator) -> None:
    """A failing server gets one sign-in, not fifty."""
    simulator.faults.plan(Fault(503), times=None)
    polls = (rpa.fetch_job(ref()) for _ in range(50))
    errors = await asyncio.gather(*polls, return_exceptions=True)
    assert {type(error) for error in errors} == {Unavailable}
    assert len(simulator.calls) == 1


async def test_token_is_renewed_before_it_expires(
    rpa: AiccRpa, simulator: Simulator, clock: ManualClock
) -> None:
    """No call fails with an expired token."""
    await rpa.fetch_job(ref())
    await clock.advance(3599)
    await rpa.fetch_job(ref())
    assert simulator.operations == ["gettoken", "queryJobDetails"] * 2


async def test_recorded_token_rejection_renews_it(rpa: AiccRpa, simulator: Simulator) -> None:
    """RPA sends it with HTTP 200."""
    await rpa.fetch_job(ref())
    simulator.faults.plan(Fault(200, (RECORDED / "error_token.json").read_text()))
    assert await rpa.fetch_job(ref())
    assert simulator.operations.count("gettoken") == 2


@pytest.mark.parametrize("code", [900001, 900002])
async def test_token_that_ended_early_is_renewed_once(
    rpa: AiccRpa, simulator: Simulator, code: int
) -> None:
    """The call is repeated with the new one."""
    await rpa.fetch_job(ref())
    simulator.fail_calls(code)
    assert await rpa.fetch_job(ref())
    assert simulator.tokens_issued == 2


async def test_concurrent_calls_renew_an_ended_token_once(
    rpa: AiccRpa, simulator: Simulator
) -> None:
    """Later callers take the new one."""
    await rpa.fetch_job(ref())
    simulator.tokens.clear()
    await asyncio.gather(*(rpa.fetch_job(ref()) for _ in range(20)))
    assert simulator.tokens_issued == 2


async def test_rejected_new_token_pauses_for_five_minutes(
    rpa: AiccRpa, simulator: Simulator, clock: ManualClock
) -> None:
    """Otherwise every poll would sign in again."""
    await rpa.fetch_job(ref())
    simulator.fail_calls(900002, times=2)
    assert "even a new token" in await error_text(rpa, CredentialsRefused)
    calls = len(simulator.calls)
    assert "before 12:05 UTC" in await error_text(rpa, CredentialsRefused)
    assert len(simulator.calls) == calls
    await clock.advance(300)
    assert await rpa.fetch_job(ref())


@pytest.mark.parametrize("code", [200800001, 200800002])
async def test_wrong_secret_is_not_retried_for_five_minutes(
    rpa: AiccRpa, simulator: Simulator, clock: ManualClock, code: int
) -> None:
    """A few wrong ones lock the account."""
    simulator.fail_calls(code)
    for _ in range(3):
        assert "app_secret" in await error_text(rpa, CredentialsRefused)
    assert len(simulator.calls) == 1
    await clock.advance(300)
    assert await rpa.fetch_job(ref())


async def test_locked_account_pauses_sign_in_for_an_hour(
    rpa: AiccRpa, simulator: Simulator, clock: ManualClock
) -> None:
    """The sentence names who can unlock it."""
    simulator.faults.plan(Fault(200, (RECORDED / "error_locked.json").read_text()))
    said = await error_text(rpa, CredentialsRefused)
    await clock.advance(3599)
    assert await error_text(rpa, CredentialsRefused) == said
    assert "locked" in said
    assert "unlock" in said
    assert simulator.operations == ["gettoken"]
    await clock.advance(1)
    assert await rpa.fetch_job(ref())


@pytest.mark.parametrize("code", [10000002, 10000003, 200900003])
async def test_gettoken_parameter_error_is_no_missing_job(
    rpa: AiccRpa, simulator: Simulator, code: int
) -> None:
    """A wrong tenant must not end threads."""
    simulator.fail_calls(code)
    assert "tenant_id" in await error_text(rpa, CredentialsRefused)


async def test_gettoken_without_a_token_is_not_understood(
    rpa: AiccRpa, simulator: Simulator
) -> None:
    """Another system may have answered."""
    simulator.faults.plan(Fault(200, {"errorCode": 0, "authToken": ""}))
    await error_text(rpa, AnswerNotUnderstood)


async def test_token_is_in_no_error_and_no_log(
    rpa: AiccRpa, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """It gives access for an hour."""
    caplog.set_level("DEBUG")
    await rpa.fetch_job(ref())
    body = {"errorCode": 1, "errorMsg": "made-up-token-1", "jobDetail": "made-up-token-1"}
    for code in (0, 1):
        simulator.faults.plan(Fault(200, body | {"errorCode": code}))
        assert "made-up-token" not in await error_text(rpa, AnswerNotUnderstood)
    assert "made-up-token" not in caplog.text
