"""The log: a line an event, whoever writes it, with no secret and no stack trace."""

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


def discreet(text: str, *args: object) -> str:
    record = logging.LogRecord("bot", logging.INFO, __file__, 1, text, args, None)
    assert logs.Discretion().filter(record)
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
def test_a_secret_is_taken_out_and_the_rest_of_the_line_stays(secret: str) -> None:
    """The line can still be read."""
    line = discreet(f"before {secret} after")
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
def test_what_a_secret_is_called_and_what_stands_beside_it_stays(secret: str, rest: str) -> None:
    """The line still tells what was sent and where to."""
    assert discreet(secret).endswith(f": {rest}")


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=40),
    st.sampled_from(["xoxb-{}", "xapp-1-{}", "wss://x/link?t={}", "bearer {}", "BEARER: {}"]),
)
def test_no_token_passes_as_an_argument_either(token: str, form: str) -> None:
    """It makes no difference how the line was put together."""
    said = form.format(token)
    line = discreet("said %s and %r", said, [said])
    assert token not in line.split("said")[1]
    line = discreet("said %s", {"Authorization": f"Bearer {token}"})
    assert token not in line.split("said")[1]


def test_an_ordinary_line_passes_as_it_is() -> None:
    """Discretion does not make the log useless."""
    line = discreet("GET /v3/%s of %s answered %d", "jobs", "deploys", 404)
    assert line.endswith("INFO bot: GET /v3/jobs of deploys answered 404")


@pytest.mark.parametrize(
    "line",
    [
        "Slack does not accept the bot's token: `jobthread check` tells more.",
        "the token has expired, and basic settings are read again",
        "GET http://127.0.0.1:8080/jobs of deploys answered 404",
    ],
)
def test_words_about_secrets_pass(line: str) -> None:
    """A sentence that only speaks of a token can still be read."""
    assert discreet(line).endswith(line)


def test_a_long_line_is_made_discreet_at_once() -> None:
    """Whatever a stranger sends: no pattern goes over it again and again."""
    for piece in ("a", "token", "://", 'token":', "Basic ", "x:y@"):
        began = time.monotonic()
        discreet(piece * (200_000 // len(piece)))
        assert time.monotonic() - began < 2


def test_an_event_is_one_line() -> None:
    """What a stranger sends cannot forge a second line."""
    assert "\n" not in discreet("a job named %s", "x\n2026-11-22 ERROR bot: forged\r\nagain")


def test_a_line_that_cannot_be_put_together_breaks_nothing() -> None:
    """A library's mistake in its own log call is not its caller's trouble."""
    assert "cannot be written (TypeError)" in discreet("%d jobs", "many")


def test_a_stack_trace_becomes_a_class_and_its_places(log_output: io.StringIO) -> None:
    """Where it was raised finds the fault; locals and text stay inside."""
    try:
        {}["xoxb-secret"]
    except KeyError:
        logging.getLogger("bot.store").exception("it failed")
    (line,) = log_output.getvalue().splitlines()
    assert "it failed (KeyError at test_logs.py:" in line
    assert "Traceback" not in line
    assert "xoxb" not in line


def test_what_slacks_own_client_logs_is_discreet_too(log_output: io.StringIO) -> None:
    """It logs whole stack traces, and addresses that open a connection."""

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


def test_the_stack_that_a_line_asks_for_is_left_out(log_output: io.StringIO) -> None:
    """`stack_info` is a stack trace as well."""
    logging.getLogger("bot").warning("look", stack_info=True)
    assert len(log_output.getvalue().splitlines()) == 1


def test_the_libraries_chatter_stays_out(log_output: io.StringIO) -> None:
    """A body that Bolt logs at INFO is never written."""
    logging.getLogger("slack_bolt").info("body: token=abc")
    logging.getLogger("httpx").info("GET https://…")
    logging.getLogger("bot").info("connected")
    assert [line.split(": ")[-1] for line in log_output.getvalue().splitlines()] == ["connected"]
