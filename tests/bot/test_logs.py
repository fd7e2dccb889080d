"""Log: one line per record, secrets redacted, no stack traces."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import logs

if TYPE_CHECKING:
    import io


def redacted(text: str, *args: object) -> str:
    record = logging.LogRecord("bot", logging.INFO, __file__, 1, text, args, None)
    assert logs.RedactingFilter().filter(record)
    return logging.Formatter(logs.FORMAT).format(record)


SECRETS = [
    "xoxb-1234-5678-AbCd",
    "xoxe.xoxp-1-Mi0yLTE",
    "xapp-1-A111-222-abc",
    "wss://wss-primary.slack.com/link/?ticket=1b2c&app_id=5d",
    "https://hooks.slack.com/commands/T1/2/3abc",
    "http://127.0.0.1:4999/respond/T0PLAYGRND/sEcReT",
    "https://slack.example/response/T1/sEcReT",
    "Bearer sEcReT",
    "Signature=0123456789abcdef",
    "X-Auth-Token: MIIsEcReT",
    "'X-Security-Token': 'sEcReT'",
    "{'x-subject-token': 'sEcReT'}",
    "explorer_token=sEcReT",
    "postgresql+asyncpg://jobthread:sEcReT@db.internal/jobs",
    "postgresql://jobthread:p@sEcReT@db.internal/jobs",
    "mysql://root:p@ss/sEcReT@db.internal/jobs",
    "https://sEcReT@api.example/jobs",
    "Basic dXNlcjpzRWNSZVQ=",
    "basic: dXNlcjpzRWNSZVQ",
    '"authToken": "sEcReT"',
    '{"authToken":"sEc \\" sEcReT","job":1}',
    '{\\"secret_key\\": \\"sEcReT\\"}',
    "password=sEcReT",
    "Password = 'sEc sEcReT'",
    "https://api.example/jobs?token=sEcReT&page=2",
    "https://api.example/jobs?page=2&X-Amz-Signature=sEcReT",
    "X-Auth-Token: sEcReT",
    "[(b'X-Auth-Token', b'sEcReT')]",
    '"secrets": ["one", "sEcReT"]',
    '"credential": {"access": "x", "secret": "sEcReT"}',
    "Authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=sEcReT",
    "Set-Cookie: sid=sEcReT; Path=/",
    "api_key: sEcReT",
    "passwd:sEcReT",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secret_is_redacted_and_the_rest_of_the_line_kept(secret: str) -> None:
    """The line stays readable."""
    line = redacted(f"before {secret} after")
    assert "before" in line
    assert "…" in line
    assert "after" in line
    assert not any(
        part in line
        for part in ("sEcReT", "dXNl", "1234-5678", "Mi0yLTE", "A111", "ticket", "3abc", "9ab")
    )


@pytest.mark.parametrize(
    ("secret", "rest"),
    [
        ('{"authToken": "sEcReT", "job": 7}', '{"authToken": "…", "job": 7}'),
        ("/jobs?token=sEcReT&page=2", "/jobs?token=…&page=2"),
        ("mysql://root:p@sEcReT@db.internal/jobs", "mysql://…@db.internal/jobs"),
        ("password=sEcReT", "password=…"),
        ('{"token": "sEcReT, which was cu', '{"token": "…'),
    ],
)
def test_name_of_a_secret_and_its_neighbours_are_kept(secret: str, rest: str) -> None:
    """The line still shows what was sent where."""
    assert redacted(secret).endswith(f": {rest}")


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=40),
    st.sampled_from(["xoxb-{}", "xapp-1-{}", "wss://x/link?t={}", "bearer {}", "BEARER: {}"]),
)
def test_token_in_an_argument_is_redacted(token: str, form: str) -> None:
    """However the line is formatted."""
    said = form.format(token)
    line = redacted("said %s and %r", said, [said])
    assert token not in line.split("said")[1]
    line = redacted("said %s", {"Authorization": f"Bearer {token}"})
    assert token not in line.split("said")[1]


def test_ordinary_line_is_unchanged() -> None:
    """Redaction keeps the log useful."""
    line = redacted("GET /v3/%s of %s answered %d", "jobs", "deploys", 404)
    assert line.endswith("INFO bot: GET /v3/jobs of deploys answered 404")


@pytest.mark.parametrize(
    "line",
    [
        "Slack does not accept the bot's token: `jobthread check` tells more.",
        "the token has expired, and basic settings are read again",
        "GET http://127.0.0.1:8080/jobs of deploys answered 404",
    ],
)
def test_sentence_about_secrets_is_unchanged(line: str) -> None:
    """A sentence that only mentions a token is not redacted."""
    assert redacted(line).endswith(line)


def test_long_line_is_redacted_in_linear_time() -> None:
    """No pattern backtracks over untrusted text."""
    for piece in ("a", "token", "://", 'token":', "Basic ", "x:y@"):
        began = time.monotonic()
        redacted(piece * (200_000 // len(piece)))
        assert time.monotonic() - began < 2


def test_record_is_one_line() -> None:
    """Untrusted text cannot forge a second line."""
    assert "\n" not in redacted("a job named %s", "x\n2026-11-22 ERROR bot: forged\r\nagain")


def test_unformattable_record_raises_nothing() -> None:
    """A library's wrong log call does not break its caller."""
    assert "unformattable log record (TypeError)" in redacted("%d jobs", "many")


def test_stack_trace_becomes_a_class_and_its_frames(log_output: io.StringIO) -> None:
    """Locals and the exception's text are not logged."""
    try:
        {}["xoxb-secret"]
    except KeyError:
        logging.getLogger("bot.store").exception("it failed")
    (line,) = log_output.getvalue().splitlines()
    assert "it failed (KeyError at test_logs.py:" in line
    assert "Traceback" not in line
    assert "xoxb" not in line


def test_log_of_slack_sdk_is_redacted(log_output: io.StringIO) -> None:
    """It logs stack traces, and URLs that open a connection."""

    def connect() -> None:
        raise OSError("cannot reach wss://wss.slack.com/link/?ticket=t1")

    try:
        connect()
    except OSError as error:
        said = f"Failed to connect (error: {error}); Retrying..."
        logging.getLogger("slack_sdk.socket_mode").exception(said)
    (line,) = log_output.getvalue().splitlines()
    assert "Failed to connect" in line
    assert "ticket" not in line
    assert "Traceback" not in line


def test_stack_info_is_left_out(log_output: io.StringIO) -> None:
    """It is a stack trace as well."""
    logging.getLogger("bot").warning("slow", stack_info=True)
    assert len(log_output.getvalue().splitlines()) == 1


def test_info_records_of_libraries_are_dropped(log_output: io.StringIO) -> None:
    """Bolt logs whole bodies at INFO."""
    logging.getLogger("slack_bolt").info("body: token=abc")
    logging.getLogger("httpx").info("GET https://…")
    logging.getLogger("bot").info("connected")
    assert [line.split(": ")[-1] for line in log_output.getvalue().splitlines()] == ["connected"]
