"""What a person did, kept until it is answered."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from bot.asks import Ask, Kind

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def ask(**fields: object) -> Ask:
    return Ask.model_validate(
        {"kind": Kind.COMMAND, "user": "U1", "channel": "C1", "at": NOON, **fields}
    )


def test_an_ask_survives_the_inbox() -> None:
    """What is written as JSON is read as it was."""
    asked = ask(text="deploys:JOB1", thread_ts="1.2", response_url="http://127.0.0.1/respond/1")
    assert Ask.model_validate(asked.model_dump(mode="json")) == asked


def test_the_way_back_ends_before_slack_closes_it() -> None:
    """A response_url answers for thirty minutes; ours ends two minutes sooner."""
    until = ask(response_url="http://127.0.0.1/respond/1").way_back()["until"]
    assert until == (NOON + timedelta(minutes=28)).timestamp()


def test_without_a_response_url_the_asker_can_still_be_reached() -> None:
    """A mention has none: the asker's name and thread are enough."""
    assert ask(thread_ts="1.2").way_back() == {
        "asker": "U1",
        "thread_ts": "1.2",
        "response_url": None,
        "until": None,
    }


def test_a_field_of_a_newer_version_is_not_swallowed() -> None:
    """A row that cannot be understood whole is not understood."""
    with pytest.raises(ValidationError):
        ask(colour="red")
