"""A user's request, as the inbox stores it."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from bot.commands.request import Request, RequestKind
from bot.store import ReplyTarget

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def request_with(**fields: object) -> Request:
    return Request.model_validate(
        {"kind": RequestKind.COMMAND, "user": "U1", "channel": "C1", "requested_at": NOON, **fields}
    )


def test_request_survives_the_inbox() -> None:
    """It is equal after a round trip through JSON."""
    request = request_with(
        text="deploys:JOB1", thread_ts="1.2", response_url="http://127.0.0.1/respond/1"
    )
    assert Request.model_validate(request.model_dump(mode="json")) == request


def test_reply_target_expires_before_slacks_limit() -> None:
    """A response_url works for 30 minutes; ours expires two minutes earlier."""
    target = request_with(response_url="http://127.0.0.1/respond/1").reply_target()
    assert target.expires_at == (NOON + timedelta(minutes=28)).timestamp()


def test_reply_target_works_without_a_response_url() -> None:
    """A mention has none: the user and the thread are enough."""
    assert request_with(thread_ts="1.2").reply_target() == ReplyTarget("U1", "1.2", None, None)


def test_request_rejects_unknown_fields() -> None:
    """A row of a newer version is rejected, not read in part."""
    with pytest.raises(ValidationError):
        request_with(colour="red")
