"""Huawei Cloud's error bodies are parsed in every spelling and mapped to exceptions."""

from typing import Any

import httpx
import pytest

from bot.sdk.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    CredentialsRefused,
    ProviderError,
    RateLimited,
    Unavailable,
)
from plugins.huaweicloud.errors import map_error, parse_error_body, throttling_seconds


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
def test_code_and_message_are_found_at_any_level(body: dict[str, Any]) -> None:
    """Services use several keys for them, at the top level or one level below."""
    said = parse_error_body(httpx.Response(401, json=body).content)
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
def test_body_without_error_leaves_it_to_http_status(content: bytes) -> None:
    """HTML, lists and broken JSON give no error of their own."""
    assert parse_error_body(content).code == ""


def test_code_may_be_a_number() -> None:
    """Some services send the HTTP status as the code."""
    assert parse_error_body(b'{"code": 404}').code == "404"


def test_text_that_is_no_code_is_dropped() -> None:
    """Codes are shown to users, so no other text may be taken for one."""
    assert parse_error_body(b'{"error_code": "<!channel> hello"}').code == ""


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
def test_gateway_code_maps_to_an_exception(
    status: int, code: str, kind: type[ProviderError]
) -> None:
    """Each documented code has an exception whose sentence names the connection."""
    error = map_error(httpx.Response(status, json={"error_code": code}), "acme")
    assert type(error) is kind
    assert str(error).startswith("acme")


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500, 502])
def test_service_codes_are_left_to_the_service(status: int) -> None:
    """Only gateway codes are mapped here."""
    answer = httpx.Response(status, json={"error_code": "SVCSTG.00100401"})
    assert map_error(answer, "acme") is None


def test_throttled_call_waits_for_the_window() -> None:
    """The message states the length of the window."""
    message = "The throttling threshold has been reached: policy user over ratelimit"
    body = {"error_code": "APIGW.0308", "error_msg": f"{message},limit:200,time:5 minute"}
    error = map_error(httpx.Response(429, json=body), "acme")
    assert isinstance(error, RateLimited)
    assert error.retry_after == 300.0


def test_retry_after_takes_precedence_over_window() -> None:
    """The header states the exact wait."""
    body = {"error_code": "APIGW.0308", "error_msg": "limit:200,time:5 minute"}
    answer = httpx.Response(429, json=body, headers={"Retry-After": "4"})
    error = map_error(answer, "acme")
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
def test_window_is_parsed_from_the_message(message: str, seconds: float) -> None:
    """The wait is between a second and an hour."""
    assert throttling_seconds(message) == seconds
