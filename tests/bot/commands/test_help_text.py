"""Help text and list replies."""

from __future__ import annotations

import json

import pytest

from bot.commands import help_text
from bot.sdk.cards import message_size
from bot.sdk.models import Job, Message, Status
from tests.bot.commands.deploys_provider import NORTH, REF, connections_named


def texts(message: Message) -> list[str]:
    found = [b["text"]["text"] for b in message.blocks if b["type"] == "section"]
    return [message.text, *found]


def test_help_shows_examples_that_work_here() -> None:
    """A new user can copy a line."""
    message = help_text.help_text("/ops", connections_named("north"), "U0BOT", NORTH)
    said = json.dumps(message.blocks)
    assert "For example: `/ops north:JOB77`" in message.text
    assert "<@U0BOT>" in said
    for verb in ("peek", "watch", "unwatch", "list", "connections"):
        assert f"`/ops {verb}" in said


def test_help_without_connections_shows_the_syntax() -> None:
    """It also works before anything is configured."""
    assert "connection:id" in help_text.help_text("/job", connections_named(), "", None).text


def test_help_without_a_known_job_shows_a_placeholder() -> None:
    """A provider's own example id is no real job; the placeholder cannot be mistaken for one."""
    message = help_text.help_text("/ops", connections_named("north"), "", None)
    assert "As in: `/ops north:&lt;job id&gt;`" in message.text
    assert "JOB1234" not in json.dumps(message.blocks)


def test_connection_list_shows_examples() -> None:
    """Titles are escaped."""
    message = help_text.connection_list(connections_named("north", "south"), {"north": NORTH})
    assert message.text == "2 connections can be asked."
    assert "• *north* · The &lt;deployer&gt;, such as `north:JOB77`" in texts(message)[2]
    assert "• *south* · The &lt;deployer&gt;, `south:&lt;job id&gt;`" in texts(message)[2]


def test_empty_connection_list_says_how_to_add_one() -> None:
    """An empty list has a next step."""
    assert "jobthread.toml" in help_text.connection_list(connections_named(), {}).text


def test_connection_list_has_no_upper_limit() -> None:
    """The last of a hundred connections is listed."""
    message = help_text.connection_list(
        connections_named(*(f"region-{n:03}" for n in range(100))), {}
    )
    assert "region-099" in " ".join(texts(message))


def test_watch_list_shows_status_and_the_number_left_out() -> None:
    """It shows at most forty lines."""
    job = Job(ref=REF, name="deploy-api", status=Status.RUNNING)
    one = help_text.watch_list([("deploys:JOB1", job, "https://acme.slack.com/p1")], "/job")
    assert one.text == "1 job is followed here."
    assert "<https://acme.slack.com/p1|deploy-api>" in " ".join(texts(one))
    many = help_text.watch_list([("deploys:JOB1", job, None)] * 45, "/job")
    assert "… and 5 more" in json.dumps(many.blocks, ensure_ascii=False)


def test_empty_watch_list_says_how_to_start() -> None:
    """The sentence contains the next step."""
    assert "`/job help`" in help_text.watch_list([], "/job").text


@pytest.mark.parametrize("letter", ["x", "\u4efb", "&", '"'])
def test_lists_of_long_names_fit_into_one_message(letter: str) -> None:
    """What does not fit is left out and counted."""
    jobs = [
        Job(ref=REF, name=letter * 300, status=Status.RUNNING, native_status=letter * 60)
        for _ in range(60)
    ]
    watches = help_text.watch_list([(str(REF), each, None) for each in jobs], "/job")
    recent = help_text.recent_jobs("deploys", jobs[:30])
    assert message_size.fits(watches)
    assert message_size.fits(recent)
    assert "more" in str(watches.blocks[-1])
    assert len(recent.blocks[-1]["rows"]) > 2
