"""The simulated gateway is as strict as the real one."""

from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from bot.errors import CredentialsRefused, RateLimited
from plugins.huaweicloud.errors import explain
from plugins.huaweicloud.signing import exact, signed_headers

pytestmark = pytest.mark.anyio


async def code(gateway: Any, *, secret: str = "", seconds_off: float = 0) -> str:
    """Return the gateway's code for one signed call, sent without the pause of our own signer."""
    url = exact(httpx.URL(f"{gateway.url}/v1/jobs"))
    at = gateway.clock.now() + timedelta(seconds=seconds_off)
    host = url.netloc.decode()
    headers = signed_headers("GET", url, host, b"", keys=gateway.keys(secret), at=at)
    answer = await ask(url, headers)
    return str(answer.json().get("error_code", ""))


async def ask(url: httpx.URL | str, headers: dict[str, str]) -> httpx.Response:
    """Call the gateway as anybody could."""
    async with httpx.AsyncClient() as client:
        return await client.get(url, headers=headers)


async def test_a_good_signature_is_let_in(gateway: Any) -> None:
    """Who signs as published is let in."""
    assert await code(gateway) == ""


async def test_a_wrong_signature_is_refused(gateway: Any) -> None:
    """Who signs with another secret is not."""
    assert await code(gateway, secret="another") == "APIGW.0301"


@pytest.mark.parametrize("seconds_off", [-901, 901])
async def test_a_clock_that_is_far_off_is_refused(gateway: Any, seconds_off: float) -> None:
    """A signature is good for fifteen minutes."""
    assert await code(gateway, seconds_off=seconds_off) == "APIGW.0301"


async def test_five_wrong_signatures_lock_the_key_for_five_minutes(gateway: Any) -> None:
    """Even the right signature is refused meanwhile."""
    for _ in range(5):
        await code(gateway, secret="another")
    assert await code(gateway) == "APIGW.0301"
    await gateway.clock.advance(300)
    assert await code(gateway) == ""


async def test_a_token_ends_after_a_day(gateway: Any) -> None:
    """Then the gateway wants another."""
    gateway.gate.tokens["made-up"] = gateway.clock.now() + timedelta(hours=24)
    await gateway.clock.advance(24 * 3600)
    answer = await ask(f"{gateway.url}/v1/jobs", {"X-Auth-Token": "made-up"})
    assert answer.json()["error_code"] == "APIGW.0307"


async def test_a_wrong_password_gets_no_token(gateway: Any) -> None:
    """IAM answers 401."""
    with pytest.raises(CredentialsRefused):
        await gateway.with_tokens("wrong").call("GET", "/v1/jobs")


async def test_too_many_calls_are_throttled_until_the_window_has_passed(gateway: Any) -> None:
    """The wait that the answer tells is long enough."""
    gateway.gate.calls_limit = 2
    call = partial(gateway.signed().call, "GET", "/v1/jobs", explain=partial(explain, name="acme"))
    for _ in range(2):
        await call()
    with pytest.raises(RateLimited) as caught:
        await call()
    assert caught.value.retry_after == 300
    await gateway.clock.advance(caught.value.retry_after)
    assert await call()
