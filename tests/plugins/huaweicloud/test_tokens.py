"""IAM tokens: fetched once, kept, renewed once."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from bot.errors import AnswerNotUnderstood, CredentialsRefused, RateLimited, Unavailable
from bot.testing import Fault
from plugins.huaweicloud.simulator import TOKENS
from plugins.huaweicloud.tokens import ReadyTokenAuth

pytestmark = pytest.mark.anyio


async def test_a_token_is_asked_for_as_iam_documents_it(gateway: Any) -> None:
    """The account, the user and the project stand where IAM looks for them."""
    await gateway.with_tokens().call("GET", "/v1/jobs")
    asked = gateway.faults.calls[0]
    assert (asked.method, asked.path) == ("POST", f"{TOKENS}?nocatalog=true")
    auth = json.loads(asked.body)["auth"]
    assert auth["scope"] == {"project": {"id": gateway.gate.tenant.project_id}}
    assert auth["identity"]["methods"] == ["password"]


async def test_one_token_serves_many_calls(gateway: Any) -> None:
    """However many calls begin at once, IAM is asked once."""
    http = gateway.with_tokens()
    await asyncio.gather(*(http.call("GET", "/v1/jobs") for _ in range(20)))
    assert gateway.gate.tokens_given == 1


async def test_a_token_is_renewed_shortly_before_it_ends(gateway: Any) -> None:
    """Nobody meets an expired token."""
    http = gateway.with_tokens()
    await http.call("GET", "/v1/jobs")
    await gateway.clock.advance(24 * 3600 - 300)
    await http.call("GET", "/v1/jobs")
    assert gateway.gate.tokens_given == 2
    assert len(gateway.paths) == 4


async def test_a_token_that_was_voided_is_renewed_within_the_call(gateway: Any) -> None:
    """A change of rights voids tokens early; the asker does not notice."""
    http = gateway.with_tokens()
    await http.call("GET", "/v1/jobs")
    gateway.gate.void_tokens()
    calls = (http.call("GET", "/v1/jobs") for _ in range(5))
    assert all(answer.status_code == 200 for answer in await asyncio.gather(*calls))
    assert gateway.gate.tokens_given == 2


async def test_a_new_token_that_is_refused_too_is_not_renewed_again(gateway: Any) -> None:
    """A token of another region is refused for ever: after the second refusal it stops."""
    http = gateway.with_tokens()
    await http.call("GET", "/v1/jobs")
    wanted = gateway.gate.tokens_given + 1
    for _ in range(5):
        gateway.gate.void_tokens()
        gateway.faults.clear()
        gateway.faults.plan(Fault(401, {"error_code": "APIGW.0307"}))
        gateway.faults.plan(Fault())
        gateway.faults.plan(Fault(401, {"error_code": "APIGW.0307"}))
        with pytest.raises(CredentialsRefused, match="even a new token"):
            await http.call("GET", "/v1/jobs")
    assert gateway.gate.tokens_given == wanted


async def test_a_wrong_password_is_not_tried_again_for_five_minutes(gateway: Any) -> None:
    """IAM locks users after a few wrong passwords."""
    http = gateway.with_tokens("wrong")
    calls = (http.call("GET", "/v1/jobs") for _ in range(10))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(answer) for answer in answers} == {CredentialsRefused}
    assert len(gateway.paths) == 1


async def test_a_service_that_says_401_for_not_found_does_not_cost_the_token(gateway: Any) -> None:
    """The token is good: ServiceStage only says so strangely."""
    http = gateway.with_tokens()
    await http.call("GET", "/v1/jobs")
    gateway.faults.plan(Fault(401, {"error_code": "SVCSTG.00100401"}))
    with pytest.raises(CredentialsRefused):  # ServiceStage itself explains it better
        await http.call("GET", "/v1/jobs")
    await http.call("GET", "/v1/jobs")
    assert gateway.gate.tokens_given == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(429, headers={"Retry-After": "9"}), RateLimited),
        (Fault(503), Unavailable),
        (Fault(404, "<html>"), AnswerNotUnderstood),
        (Fault(201, {"token": {"expires_at": "2026-11-23T12:00:00Z"}}), AnswerNotUnderstood),
        (Fault(201, "{", {"X-Subject-Token": "made-up"}), AnswerNotUnderstood),
        (Fault(201, {"token": {}}, {"X-Subject-Token": "made-up"}), AnswerNotUnderstood),
    ],
    ids=repr,
)
async def test_trouble_at_iam_is_told_and_passes(
    gateway: Any, fault: Fault, error: type[Exception]
) -> None:
    """IAM's own troubles are errors of ours, and the next call tries again."""
    http = gateway.with_tokens()
    gateway.faults.plan(fault)
    with pytest.raises(error):
        await http.call("GET", "/v1/jobs")
    assert await http.call("GET", "/v1/jobs")


async def test_iam_that_never_answers_is_given_up(gateway: Any) -> None:
    """The time-out of calls holds for the call to IAM, too."""
    http = gateway.with_tokens()
    http._wire._endpoint = replace(http._wire._endpoint, timeout_seconds=0.05)
    gateway.faults.plan(Fault(hangs=True))
    with pytest.raises(Unavailable):
        await http.call("GET", "/v1/jobs")


async def test_a_ready_token_is_sent_as_it_is(gateway: Any) -> None:
    """Whoever has a token needs nothing else."""
    gateway.gate.tokens["made-up"] = gateway.clock.now().replace(year=2027)
    http = gateway.connect(ReadyTokenAuth("acme", SecretStr("made-up")))
    assert await http.call("GET", "/v1/jobs")


async def test_a_ready_token_that_ended_is_told_with_its_remedy(gateway: Any) -> None:
    """Nobody can renew it but whoever runs the bot."""
    http = gateway.connect(ReadyTokenAuth("acme", SecretStr("made-up")))
    with pytest.raises(CredentialsRefused, match="set access_key and secret_key"):
        await http.call("GET", "/v1/jobs")
