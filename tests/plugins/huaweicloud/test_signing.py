"""Request signatures equal Huawei Cloud's own and cover exactly what is sent."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.sdk.errors import CredentialsRefused, Unavailable
from bot.sdk.testing import Fault
from plugins.huaweicloud.signing import Keys, SignedAuth, canonical_url, signed_headers
from plugins.huaweicloud.simulator import signature_error

pytestmark = pytest.mark.anyio

PROJECT = "0123456789abcdef0123456789abcdef"
KEYS = Keys(
    access_key="AKEXAMPLE0000000000",
    secret_key=SecretStr("SKexample0000000000000000000000000000000"),
    security_token=SecretStr(""),
    project_id=PROJECT,
)
TIMESTAMP = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
HOST = "cph.cn-north-4.myhuaweicloud.com"


def test_signature_equals_the_official_sdks() -> None:
    """The official SDK computes the same value for this request."""
    url = httpx.URL(
        f"https://{HOST}/v1/{PROJECT}/cloud-phone/jobs?limit=100&request_ids=a1%2Cb2%2Cc3"
    )
    headers = signed_headers("GET", canonical_url(url), HOST, b"", keys=KEYS, at=TIMESTAMP)
    assert headers == {
        "X-Sdk-Date": "20261122T030405Z",
        "X-Project-Id": PROJECT,
        "Authorization": (
            "SDK-HMAC-SHA256 Access=AKEXAMPLE0000000000, "
            "SignedHeaders=host;x-project-id;x-sdk-date, "
            "Signature=3e8ae97a1ab6356a2223b02cb716f4db490df3f177542d8ec0ca0129b67c479a"
        ),
    }


def test_security_token_is_sent_and_signed() -> None:
    """Temporary keys are unknown to the gateway without it."""
    keys = Keys("AK", SecretStr("SK"), SecretStr("made-up"), "")
    headers = signed_headers("GET", httpx.URL("https://a/"), "a", b"", keys=keys, at=TIMESTAMP)
    assert headers["X-Security-Token"] == "made-up"
    assert "SignedHeaders=host;x-sdk-date;x-security-token," in headers["Authorization"]


def test_url_is_sent_in_its_signed_encoding() -> None:
    """RFC 3986 in path and query, sorted, and `key=` for an empty value."""
    url = httpx.URL("https://a/b c(,)/é%2Cx?z=1&a=b%20c%2Bd%2Ce&e&~=*&k=2&k=1")
    assert str(canonical_url(url)) == (
        "https://a/b%20c%28%2C%29/%C3%A9%2Cx?a=b%20c%2Bd%2Ce&e=&k=1&k=2&z=1&~=%2A"
    )


def test_keys_show_no_secret() -> None:
    """Secrets are masked in accidental logs."""
    assert "SKexample" not in repr(KEYS)


letters = st.characters(codec="utf-8", exclude_categories=["Cc"])
words = st.text(letters, min_size=1, max_size=12).filter(lambda word: word not in (".", ".."))


@given(
    ids=st.lists(words, min_size=1, max_size=3),
    query=st.lists(st.tuples(words, st.text(max_size=12))),
    body=st.binary(max_size=40),
    method=st.sampled_from(["GET", "POST", "PUT"]),
)
def test_gateway_accepts_any_signed_request(
    ids: list[str], query: list[tuple[str, str]], body: bytes, method: str
) -> None:
    """An independent computation from the raw request agrees, for any ids and queries."""
    path = "/v1/" + "/".join(quote(word, safe="") for word in ids)
    url = canonical_url(httpx.URL(f"https://{HOST}{path}", params=query or None))
    headers = signed_headers(method, url, HOST, body, keys=KEYS, at=TIMESTAMP)
    secret = KEYS.secret_key.get_secret_value()
    fault = signature_error(
        method,
        url.raw_path.decode(),
        httpx.Headers({"Host": HOST, **headers}),
        body,
        keys=(KEYS.access_key, secret),
        now=TIMESTAMP,
    )
    assert fault is None


@pytest.mark.parametrize(
    ("path", "params", "wire"),
    [
        ("/v1/jobs", {"ids": "a,b"}, "/v1/jobs?ids=a%2Cb"),
        ("/v1/jobs", {"q": "a b+c"}, "/v1/jobs?q=a%20b%2Bc"),
        ("/v1/jobs", {"b": "2", "a": ["2", "1"], "e": ""}, "/v1/jobs?a=1&a=2&b=2&e="),
        ("/v1/a%2Cb%20(c)", None, "/v1/a%2Cb%20%28c%29"),
        ("/v1/" + quote("ä\u202e漢"), None, "/v1/%C3%A4%E2%80%AE%E6%BC%A2"),
        ("/v1/a%252F", None, "/v1/a%252F"),
    ],
)
async def test_url_reaches_the_gateway_as_signed(
    gateway: Any, path: str, params: dict[str, Any] | None, wire: str
) -> None:
    """Neither httpx nor aiohttp re-encodes the URL, and the gateway accepts it."""
    await gateway.signed().call("GET", path, params=params)
    assert gateway.paths == [wire]


async def test_body_is_signed(gateway: Any) -> None:
    """A call that sends JSON is accepted."""
    answer = await gateway.signed().call("POST", "/v1/jobs", json={"a": "ü"})
    assert answer.status_code == 200


async def test_rejected_key_is_not_used_for_five_minutes(gateway: Any) -> None:
    """Five wrong signatures lock a key, so one rejection stops all calls."""
    http = gateway.signed("wrong")
    for _ in range(10):
        with pytest.raises(CredentialsRefused, match="not asked again before 12:05 UTC"):
            await http.call("GET", "/v1/jobs")
        await gateway.clock.advance(29)
    assert len(gateway.paths) == 1


async def test_rejected_key_is_retried_after_five_minutes(gateway: Any) -> None:
    """A corrected clock or an unlocked key needs no restart."""
    http = gateway.signed()
    gateway.faults.plan(Fault(401, {"error_code": "APIG.0301"}))
    with pytest.raises(CredentialsRefused):
        await http.call("GET", "/v1/jobs")
    await gateway.clock.advance(301)
    assert await http.call("GET", "/v1/jobs")


async def test_concurrent_calls_do_not_lock_a_wrong_key(gateway: Any) -> None:
    """Calls are serialised until the key is verified."""
    http = gateway.signed("wrong")
    calls = [http.call("GET", "/v1/jobs") for _ in range(20)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(answer) for answer in answers} == {CredentialsRefused}
    assert len(gateway.paths) == 1


async def test_verified_key_allows_concurrent_calls(gateway: Any) -> None:
    """Calls with a verified key do not wait for each other."""
    http = gateway.signed()
    await http.call("GET", "/v1/jobs")
    gateway.faults.plan(Fault(after_seconds=5), times=20)
    calls = [asyncio.ensure_future(http.call("GET", "/v1/jobs")) for _ in range(20)]
    while gateway.clock.sleepers < 20:  # noqa: ASYNC110  until the calls are in flight
        await asyncio.sleep(0)
    await gateway.clock.advance(5)
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}


async def test_server_error_does_not_block_the_next_call(gateway: Any) -> None:
    """It neither verifies nor rejects the key."""
    http = gateway.signed()
    gateway.faults.plan(Fault(503))
    with pytest.raises(Unavailable):
        await http.call("GET", "/v1/jobs")
    assert await http.call("GET", "/v1/jobs")


async def test_service_401_does_not_lock_out_the_key(gateway: Any) -> None:
    """Only the gateway's own rejections count."""
    http = gateway.signed()
    gateway.faults.plan(Fault(401, {"error_code": "SVCSTG.00100401"}))
    with pytest.raises(CredentialsRefused):  # mapped to JobNotFound by ServiceStage
        await http.call("GET", "/v1/jobs")
    assert await http.call("GET", "/v1/jobs")


def test_auth_shows_no_secret() -> None:
    """Secrets are masked in accidental logs."""
    assert "SKexample" not in repr(vars(SignedAuth("acme", KEYS, clock=None)))  # type: ignore[arg-type]
