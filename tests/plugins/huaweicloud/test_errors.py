"""Error bodies of Huawei Cloud, however they are written, in our errors."""

from typing import Any

import httpx
import pytest

from bot.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    ProviderError,
    RateLimited,
    Unavailable,
)
from plugins.huaweicloud.errors import explain, read, window


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "APIGW.0301", "error_msg": "no"},
        {"error_code": "APIG.0301", "error_message": "no"},
        {"errorCode": "APIGW.0301", "errorMsg": "no"},
        {"code": "APIGW.0301", "message": "no"},
        {"CODE": "APIGW.0301", "MESSAGE": "no"},
        {"errorCode": "APIGW.0301", "errorMessage": "no"},
        {"error": {"code": "APIGW.0301", "message": "no"}},
        {"error_code": "APIGW.0301", "error": {"message": "no"}},
        {"error_code": "APIGW.0301", "detail": "no"},
    ],
)
def test_code_and_message_are_found_wherever_they_stand(body: dict[str, Any]) -> None:
    """Services write the same things under many keys, or one level down."""
    said = read(httpx.Response(401, json=body).content)
    assert (said.code, said.message) == ("APIGW.0301", "no")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff",
        b'{"error_code": ["x"]}',
        b"[" * 9999,
    ],
)
def test_a_body_that_says_nothing_is_no_error_of_its_own(content: bytes) -> None:
    """HTML, lists and broken JSON leave it to the HTTP status."""
    assert read(content).code == ""


def test_a_code_may_be_a_number() -> None:
    """Some services write the HTTP status there."""
    assert read(b'{"code": 404}').code == "404"


def test_a_code_that_does_not_look_like_one_is_dropped() -> None:
    """Codes are quoted to people, so no other text may pass for one."""
    assert read(b'{"error_code": "<!channel> hello"}').code == ""


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "APIGW.0101", AnswerNotUnderstood),
        (401, "APIGW.0301", CredentialsRefused),
        (401, "APIG.0303", CredentialsRefused),
        (401, "APIGW.0305", CredentialsRefused),
        (401, "APIGW.0307", CredentialsRefused),
        (403, "APIGW.0302", AccessDenied),
        (403, "APIGW.0306", AccessDenied),
        (403, "APIGW.0310", AccessDenied),
        (403, "APIGW.0801", AccessDenied),
        (403, "APIGW.0802", AccessDenied),
        (405, "APIGW.0502", AccessDenied),
        (429, "APIGW.0308", RateLimited),
        (500, "APIGW.0601", Unavailable),
        (503, "APIG.0613", Unavailable),
        (494, "APIGW.0201", CredentialsRefused),
    ],
)
def test_a_gateway_code_has_its_meaning(status: int, code: str, kind: type[ProviderError]) -> None:
    """Each documented code is one of our errors, with a sentence that names the connection."""
    error = explain(httpx.Response(status, json={"error_code": code}), "acme")
    assert type(error) is kind
    assert str(error).startswith("acme")


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500, 502])
def test_what_the_gateway_did_not_say_is_left_to_others(status: int) -> None:
    """A service's own codes are the service's to explain."""
    answer = httpx.Response(status, json={"error_code": "SVCSTG.00100401"})
    assert explain(answer, "acme") is None


def test_a_throttled_call_waits_for_the_window_to_pass() -> None:
    """The gateway says how long its window is."""
    message = "The throttling threshold has been reached: policy user over ratelimit"
    body = {"error_code": "APIGW.0308", "error_msg": f"{message},limit:200,time:5 minute"}
    error = explain(httpx.Response(429, json=body), "acme")
    assert isinstance(error, RateLimited)
    assert error.retry_after == 300.0


def test_a_retry_after_is_worth_more_than_the_window() -> None:
    """Whoever says when to come back knows best."""
    body = {"error_code": "APIGW.0308", "error_msg": "limit:200,time:5 minute"}
    answer = httpx.Response(429, json=body, headers={"Retry-After": "4"})
    error = explain(answer, "acme")
    assert isinstance(error, RateLimited)
    assert error.retry_after == 4.0


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("limit:200,time:1 second", 1.0),
        ("limit:200,time:1 minute", 60.0),
        ("time: 2 hours", 3600.0),
        ("time:0 second", 1.0),
        ("slow down", 30.0),
        ("", 30.0),
    ],
)
def test_the_window_is_read_from_the_message(message: str, seconds: float) -> None:
    """Whatever it says, the wait is between a second and an hour."""
    assert window(message) == seconds
