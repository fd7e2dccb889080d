"""What the bot says of what there is: help, systems, watches, jobs."""

from __future__ import annotations

import json
from typing import ClassVar

from bot import catalogues
from bot.models import Job, JobRef, Message, Status
from bot.providers.connections import Connections
from bot.providers.provider import ConnectionSettings, Endpoint, Provider
from bot.testing import ManualClock

REF = JobRef(connection="deploys", id="JOB1")
NORTH = JobRef(connection="north", id="JOB77")


class Deploys(Provider[ConnectionSettings]):
    """One connection with an example."""

    kind = "deploys"
    title = "The <deployer>"
    Settings: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    statuses: ClassVar[dict[str, Status]] = {}
    example_id = "JOB1234"

    def connect(self) -> Endpoint:
        return Endpoint("http://127.0.0.1")

    async def fetch_job(self, ref: JobRef) -> Job:
        raise NotImplementedError


def made(*names: str) -> Connections:
    return Connections(Deploys(name, ConnectionSettings(), ManualClock()) for name in names)


def texts(message: Message) -> list[str]:
    found = [b["text"]["text"] for b in message.blocks if b["type"] == "section"]
    return [message.text, *found]


def test_help_shows_examples_that_work_here() -> None:
    """A newcomer can copy a line."""
    message = catalogues.help_text("/ops", made("north"), "U0BOT", NORTH)
    said = json.dumps(message.blocks)
    assert "For example: `/ops north:JOB77`" in message.text
    assert "<@U0BOT>" in said
    for verb in ("peek", "watch", "unwatch", "list", "connections"):
        assert f"`/ops {verb}" in said


def test_help_without_connections_still_shows_the_form() -> None:
    """Before anything is set up."""
    assert "connection:id" in catalogues.help_text("/job", made(), "", None).text


def test_help_without_a_known_job_shows_no_job() -> None:
    """The vendor's own example is no job of anybody here; what stands there is plainly a form."""
    message = catalogues.help_text("/ops", made("north"), "", None)
    assert "As in: `/ops north:&lt;job id&gt;`" in message.text
    assert "JOB1234" not in json.dumps(message.blocks)


def test_connections_are_listed_with_their_examples() -> None:
    """Titles are other people's words."""
    message = catalogues.connection_list(made("north", "south"), {"north": NORTH})
    assert message.text == "2 connections can be asked."
    assert "• *north* · The &lt;deployer&gt;, such as `north:JOB77`" in texts(message)[2]
    assert "• *south* · The &lt;deployer&gt;, `south:&lt;job id&gt;`" in texts(message)[2]


def test_without_connections_the_list_says_who_can_add_one() -> None:
    """An empty list is no answer."""
    assert "jobthread.toml" in catalogues.connection_list(made(), {}).text


def test_every_connection_is_listed_however_many_there_are() -> None:
    """The last one is as good as the first."""
    message = catalogues.connection_list(made(*(f"region-{n:03}" for n in range(100))), {})
    assert "region-099" in " ".join(texts(message))


def test_a_list_of_watches_tells_name_and_state_and_how_many_are_left_out() -> None:
    """Forty lines are enough for anybody."""
    job = Job(ref=REF, name="deploy-api", status=Status.RUNNING)
    one = catalogues.watch_list([("deploys:JOB1", job, "https://acme.slack.com/p1")], "/job")
    assert one.text == "1 job is followed here."
    assert "<https://acme.slack.com/p1|deploy-api>" in " ".join(texts(one))
    many = catalogues.watch_list([("deploys:JOB1", job, None)] * 45, "/job")
    assert "… and 5 more" in json.dumps(many.blocks, ensure_ascii=False)


def test_an_empty_list_says_how_to_begin() -> None:
    """The next step is in the sentence."""
    assert "`/job help`" in catalogues.watch_list([], "/job").text
