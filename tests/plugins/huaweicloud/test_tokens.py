"""IAM tokens are fetched once, cached, and renewed once."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from bot.sdk.errors import AnswerNotUnderstood, CredentialsRefused, RateLimited, Unavailable
from bot.sdk.testing import Fault
from plugins.huaweicloud.simulator import TOKENS_PATH
from plugins.huaweicloud.tokens import StaticTokenAuth

pytestmark = pytest.mark.anyio


async def test_token_request_has_iams_documented_form(gateway: Any) -> None:
    """Account, user and project are at the documented keys."""
    await gateway.with_tokens().call("GET", "/v1/jobs")
    call = gateway.faults.calls[0]
    assert (call.method, call.path) == ("POST", f"{TOKENS_PATH}?nocatalog=true")
    auth = json.loads(call.body)["auth"]
    assert auth["scope"] == {"project": {"id": gateway.gate.tenant.project_id}}
    assert auth["identity"]["methods"] == ["password"]


async def test_one_token_serves_many_calls(gateway: Any) -> None:
    """Concurrent calls share one request to IAM."""
    http = gateway.with_tokens()
    await asyncio.gather(*(http.call("GET", "/v1/jobs") for _ in range(20)))
    assert gateway.gate.tokens_issued == 1


async def test_token_is_renewed_before_it_expires(gateway: Any) -> None:
    """No call is sent with an expired token."""
    http = gateway.with_tokens()
    await http.call("GET", "/v1/jobs")
    await gateway.clock.advance(24 * 3600 - 300)
    await http.call("GET", "/v1/jobs")
    assert gateway.gate.tokens_issued == 2
    assert len(gateway.paths) == 4


async def test_revoked_token_is_renewed_within_the_call(gateway: Any) -> None:
    """A change of permissions revokes tokens early; the call still succeeds."""
    http = gateway.with_tokens()
    await http.call("GET", "/v1/jobs")
    gateway.gate.revoke_tokens()
    calls = (http.call("GET", "/v1/jobs") for _ in range(5))
    assert all(answer.status_code == 200 for answer in await asyncio.gather(*calls))
    assert gateway.gate.tokens_issued == 2


async def test_rejected_new_token_is_not_renewed_again(gateway: Any) -> None:
    """A token of another region is always rejected: the second rejection starts a lockout."""
    http = gateway.with_tokens()
    await http.call("GET", "/v1/jobs")
    wanted = gateway.gate.tokens_issued + 1
    for _ in range(5):
        gateway.gate.revoke_tokens()
        gateway.faults.clear()
        gateway.faults.plan(Fault(401, {"error_code": "APIGW.0307"}))
        gateway.faults.plan(Fault())
        gateway.faults.plan(Fault(401, {"error_code": "APIGW.0307"}))
        with pytest.raises(CredentialsRefused, match="even a new token"):
            await http.call("GET", "/v1/jobs")
    assert gateway.gate.tokens_issued == wanted


async def test_wrong_password_is_not_retried_for_5_minutes(gateway: Any) -> None:
    """IAM locks users after a few wrong passwords."""
    http = gateway.with_tokens("wrong")
    calls = (http.call("GET", "/v1/jobs") for _ in range(10))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(answer) for answer in answers} == {CredentialsRefused}
    assert len(gateway.paths) == 1


async def test_service_401_does_not_drop_the_token(gateway: Any) -> None:
    """The token is valid: ServiceStage sends 401 for "not found"."""
    http = gateway.with_tokens()
    await http.call("GET", "/v1/jobs")
    gateway.faults.plan(Fault(401, {"error_code": "SVCSTG.00100401"}))
    with pytest.raises(CredentialsRefused):  # mapped to JobNotFound by ServiceStage
        await http.call("GET", "/v1/jobs")
    await http.call("GET", "/v1/jobs")
    assert gateway.gate.tokens_issued == 1


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
async def test_iam_error_is_raised_and_the_next_call_retries(
    gateway: Any, fault: Fault, error: type[Exception]
) -> None:
    """IAM's errors map to exceptions and leave no lockout."""
    http = gateway.with_tokens()
    gateway.faults.plan(fault)
    with pytest.raises(error):
        await http.call("GET", "/v1/jobs")
    assert await http.call("GET", "/v1/jobs")


async def test_iam_request_times_out(gateway: Any) -> None:
    """The timeout of calls applies to the token request, too."""
    http = gateway.with_tokens()
    http._transport._endpoint = replace(http._transport._endpoint, timeout_seconds=0.05)
    gateway.faults.plan(Fault(hangs=True))
    with pytest.raises(Unavailable):
        await http.call("GET", "/v1/jobs")


async def test_static_token_is_sent_unchanged(gateway: Any) -> None:
    """It needs no further setting."""
    gateway.gate.tokens["made-up"] = gateway.clock.now().replace(year=2027)
    http = gateway.connect(StaticTokenAuth("acme", SecretStr("made-up")))
    assert await http.call("GET", "/v1/jobs")


async def test_expired_static_token_error_names_the_fix(gateway: Any) -> None:
    """The bot cannot renew it."""
    http = gateway.connect(StaticTokenAuth("acme", SecretStr("made-up")))
    with pytest.raises(CredentialsRefused, match="set access_key and secret_key"):
        await http.call("GET", "/v1/jobs")
