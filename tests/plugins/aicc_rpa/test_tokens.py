"""How AICC RPA is signed in to: a token for all, kept until it ends, and never knocked for."""

import asyncio
from pathlib import Path

import pytest

from bot.errors import AnswerNotUnderstood, CredentialsRefused, JobthreadError, Unavailable
from bot.models import JobRef
from bot.testing import Fault, ManualClock
from plugins.aicc_rpa import AiccRpa
from plugins.aicc_rpa.simulator import Simulator

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parent / "data"
UID = "0c9358552188478a8d5ff9203db8791f"


def ref() -> JobRef:
    return JobRef(connection="acme", id=UID)


async def refused(rpa: AiccRpa, kind: type[JobthreadError]) -> str:
    """Return the sentence with which a look fails."""
    with pytest.raises(kind) as caught:
        await rpa.fetch_job(ref())
    return str(caught.value)


async def test_one_token_serves_all_calls(rpa: AiccRpa, simulator: Simulator) -> None:
    """It is kept until expireTime."""
    for _ in range(3):
        await rpa.fetch_job(ref())
    assert simulator.asked == ["gettoken", *["queryJobDetails"] * 3]


async def test_calls_at_the_same_time_wait_for_one_token(
    rpa: AiccRpa, simulator: Simulator
) -> None:
    """Fifty followed jobs do not sign in fifty times."""
    await asyncio.gather(*(rpa.fetch_job(ref()) for _ in range(50)))
    assert simulator.asked.count("gettoken") == 1


async def test_calls_at_the_same_time_share_a_failure_to_sign_in(
    rpa: AiccRpa, simulator: Simulator
) -> None:
    """A server in trouble is not asked fifty times."""
    simulator.faults.plan(Fault(503), times=None)
    looks = (rpa.fetch_job(ref()) for _ in range(50))
    errors = await asyncio.gather(*looks, return_exceptions=True)
    assert {type(error) for error in errors} == {Unavailable}
    assert len(simulator.calls) == 1


async def test_a_token_is_renewed_before_it_ends(
    rpa: AiccRpa, simulator: Simulator, clock: ManualClock
) -> None:
    """So that no call fails for it."""
    await rpa.fetch_job(ref())
    await clock.advance(3599)
    await rpa.fetch_job(ref())
    assert simulator.asked == ["gettoken", "queryJobDetails"] * 2


async def test_a_recorded_refusal_of_a_token_renews_it(rpa: AiccRpa, simulator: Simulator) -> None:
    """As RPA sends it: with HTTP 200."""
    await rpa.fetch_job(ref())
    simulator.faults.plan(Fault(200, (RECORDED / "error_token.json").read_text()))
    assert await rpa.fetch_job(ref())
    assert simulator.asked.count("gettoken") == 2


@pytest.mark.parametrize("code", [900001, 900002])
async def test_a_token_that_ended_early_is_renewed_once(
    rpa: AiccRpa, simulator: Simulator, code: int
) -> None:
    """The call is made again with the new one."""
    await rpa.fetch_job(ref())
    simulator.refuse(code)
    assert await rpa.fetch_job(ref())
    assert simulator.tokens_given == 2


async def test_many_calls_whose_token_ended_renew_it_once(
    rpa: AiccRpa, simulator: Simulator
) -> None:
    """Whoever comes second takes the new one."""
    await rpa.fetch_job(ref())
    simulator.tokens.clear()
    await asyncio.gather(*(rpa.fetch_job(ref()) for _ in range(20)))
    assert simulator.tokens_given == 2


async def test_a_new_token_that_is_refused_ends_the_asking_for_five_minutes(
    rpa: AiccRpa, simulator: Simulator, clock: ManualClock
) -> None:
    """Else every look would sign in anew."""
    await rpa.fetch_job(ref())
    simulator.refuse(900002, times=2)
    assert "even a new token" in await refused(rpa, CredentialsRefused)
    calls = len(simulator.calls)
    assert "before 12:05 UTC" in await refused(rpa, CredentialsRefused)
    assert len(simulator.calls) == calls
    await clock.advance(300)
    assert await rpa.fetch_job(ref())


@pytest.mark.parametrize("code", [200800001, 200800002])
async def test_a_wrong_key_is_not_tried_again_for_five_minutes(
    rpa: AiccRpa, simulator: Simulator, clock: ManualClock, code: int
) -> None:
    """A few wrong ones lock the account."""
    simulator.refuse(code)
    for _ in range(3):
        assert "app_secret" in await refused(rpa, CredentialsRefused)
    assert len(simulator.calls) == 1
    await clock.advance(300)
    assert await rpa.fetch_job(ref())


async def test_a_locked_account_is_left_alone_and_told(
    rpa: AiccRpa, simulator: Simulator, clock: ManualClock
) -> None:
    """For an hour no token is asked for, and people hear who can unlock it."""
    simulator.faults.plan(Fault(200, (RECORDED / "error_locked.json").read_text()))
    said = await refused(rpa, CredentialsRefused)
    await clock.advance(3599)
    assert await refused(rpa, CredentialsRefused) == said
    assert "locked" in said
    assert "unlock" in said
    assert simulator.asked == ["gettoken"]
    await clock.advance(1)
    assert await rpa.fetch_job(ref())


@pytest.mark.parametrize("code", [10000002, 10000003, 200900003])
async def test_a_parameter_error_of_gettoken_is_no_missing_job(
    rpa: AiccRpa, simulator: Simulator, code: int
) -> None:
    """Threads must not end because a tenant is wrong."""
    simulator.refuse(code)
    assert "tenant_id" in await refused(rpa, CredentialsRefused)


async def test_a_gettoken_without_a_token_is_not_understood(
    rpa: AiccRpa, simulator: Simulator
) -> None:
    """It may have been something else that answered."""
    simulator.faults.plan(Fault(200, {"errorCode": 0, "authToken": ""}))
    await refused(rpa, AnswerNotUnderstood)


async def test_the_token_is_in_no_error_and_no_log(
    rpa: AiccRpa, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """It opens the API for an hour."""
    caplog.set_level("DEBUG")
    await rpa.fetch_job(ref())
    body = {"errorCode": 1, "errorMsg": "made-up-token-1", "jobDetail": "made-up-token-1"}
    for code in (0, 1):
        simulator.faults.plan(Fault(200, body | {"errorCode": code}))
        assert "made-up-token" not in await refused(rpa, AnswerNotUnderstood)
    assert "made-up-token" not in caplog.text
