"""The simulated gateway is as strict as the real one."""

from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from bot.sdk.errors import CredentialsRefused, RateLimited
from plugins.huaweicloud.errors import map_error
from plugins.huaweicloud.signing import canonical_url, signed_headers

pytestmark = pytest.mark.anyio


async def code(gateway: Any, *, secret: str = "", seconds_off: float = 0) -> str:
    """Return the gateway's code for one signed call, sent without our signer's lockout."""
    url = canonical_url(httpx.URL(f"{gateway.url}/v1/jobs"))
    at = gateway.clock.now() + timedelta(seconds=seconds_off)
    host = url.netloc.decode()
    headers = signed_headers("GET", url, host, b"", keys=gateway.keys(secret), at=at)
    answer = await call(url, headers)
    return str(answer.json().get("error_code", ""))


async def call(url: httpx.URL | str, headers: dict[str, str]) -> httpx.Response:
    """Call the gateway with these headers."""
    async with httpx.AsyncClient() as client:
        return await client.get(url, headers=headers)


async def test_valid_signature_is_accepted(gateway: Any) -> None:
    """A request signed by the published rules passes."""
    assert await code(gateway) == ""


async def test_wrong_signature_is_rejected(gateway: Any) -> None:
    """A signature with another secret fails."""
    assert await code(gateway, secret="another") == "APIGW.0301"


@pytest.mark.parametrize("seconds_off", [-901, 901])
async def test_clock_skew_over_15_minutes_is_rejected(gateway: Any, seconds_off: float) -> None:
    """A signature is valid for fifteen minutes."""
    assert await code(gateway, seconds_off=seconds_off) == "APIGW.0301"


async def test_five_wrong_signatures_lock_key_for_5_minutes(gateway: Any) -> None:
    """The right signature is rejected meanwhile, too."""
    for _ in range(5):
        await code(gateway, secret="another")
    assert await code(gateway) == "APIGW.0301"
    await gateway.clock.advance(300)
    assert await code(gateway) == ""


async def test_token_expires_after_24_hours(gateway: Any) -> None:
    """The gateway then requires a new one."""
    gateway.gate.tokens["made-up"] = gateway.clock.now() + timedelta(hours=24)
    await gateway.clock.advance(24 * 3600)
    answer = await call(f"{gateway.url}/v1/jobs", {"X-Auth-Token": "made-up"})
    assert answer.json()["error_code"] == "APIGW.0307"


async def test_wrong_password_gets_no_token(gateway: Any) -> None:
    """IAM answers 401."""
    with pytest.raises(CredentialsRefused):
        await gateway.with_tokens("wrong").call("GET", "/v1/jobs")


async def test_calls_over_the_limit_are_throttled(gateway: Any) -> None:
    """The wait stated in the response is long enough."""
    gateway.gate.max_calls = 2
    call = partial(
        gateway.signed().call, "GET", "/v1/jobs", map_error=partial(map_error, name="acme")
    )
    for _ in range(2):
        await call()
    with pytest.raises(RateLimited) as caught:
        await call()
    assert caught.value.retry_after == 300
    await gateway.clock.advance(caught.value.retry_after)
    assert await call()
