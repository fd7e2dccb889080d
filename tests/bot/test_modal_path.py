"""Shortcut → modal → list → submission → card, through the real bot and a local Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.models import Job, JobRef, Status
from bot.playground import LocalSlack
from bot.providers.registry import Plugins, load_plugins
from bot.testing import ManualClock, serve
from plugins.servicestage import ServiceStage
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from bot.playground.modals import Submitted
    from bot.playground.views import View

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"


class Listing(ServiceStage):
    """A ServiceStage that can list its jobs."""

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        ref = JobRef(connection=self.name, id=ID)
        return [Job(ref=ref, name="deploy-api", status=Status.RUNNING)][:limit]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage whose jobs can be listed."""
    clock = ManualClock()
    simulator = Simulator(clock)
    installed = load_plugins()
    plugins = Plugins(installed.listing, {"servicestage": Listing}, installed.hooks)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        settings = settings_for(slack, url, tmp_path)
        async with Bot(settings, clock=clock, plugins=plugins) as bot:
            for id_ in (ID, OTHER):
                simulator.add(JobScript(id_, (JobStep("PREPARE", 30),), queued_seconds=0))
            yield Stage(slack, simulator, clock, settings, bot)


async def opened(stage: Stage) -> View:
    """Open the modal by its shortcut."""
    answer = await stage.slack.shortcut("ask_job")
    assert answer.ok, answer.error
    (view,) = stage.slack.modals()
    return view


async def submits(stage: Stage, view: View, value: str, *ticked: str) -> Submitted:
    """Choose a job and #deploys, tick boxes, and submit."""
    channel = stage.slack.workspace.channel("deploys").id
    chosen = {"type": "external_select", "selected_option": {"value": value} if value else None}
    values: dict[str, Any] = {
        "job": {"job": chosen},
        "channel": {"channel": {"type": "conversations_select", "selected_conversation": channel}},
        "for_whom": {
            "for_whom": {"type": "checkboxes", "selected_options": [{"value": t} for t in ticked]}
        },
    }
    return await stage.slack.submit(view, values)


async def test_the_list_of_the_modal_holds_the_newest_jobs(stage: Stage) -> None:
    """Before anything is typed, with name, status and id."""
    (option,) = await stage.slack.suggest(await opened(stage), "job", "")
    assert option["value"] == f"deploys:{ID}"
    assert option["text"]["text"].startswith("deploy-api · ▶️ running · ")


async def test_a_reference_that_is_typed_into_the_modal_can_be_chosen(stage: Stage) -> None:
    """Though it is in no list."""
    (option,) = await stage.slack.suggest(await opened(stage), "job", OTHER)
    assert option["value"] == f"deploys:{OTHER}"
    assert option["text"]["text"].startswith("Ask for deploys:JOB3f8c2b6e")


async def test_a_job_asked_for_in_the_modal_gets_its_card_in_the_channel(stage: Stage) -> None:
    """And is followed there, as after a command."""
    assert (await submits(stage, await opened(stage), f"deploys:{ID}")).ok
    card = await stage.posted(set())
    await stage.at_rest()
    assert "running" in card.text
    assert [ref.id for ref in await stage.watches()] == [ID]
    assert stage.slack.modals() == []


async def test_a_peek_from_the_modal_is_seen_by_the_asker_only(stage: Stage) -> None:
    """Through the submission's own response_url; nothing is followed."""
    assert (await submits(stage, await opened(stage), f"deploys:{ID}", "peek")).ok
    await stage.whispered("running")
    assert stage.slack.messages() == []
    assert await stage.watches() == []
    assert stage.slack.called("chat.postEphemeral") == []


async def test_a_modal_without_a_job_stays_open_and_says_so(stage: Stage) -> None:
    """At the input that lacks it."""
    done = await submits(stage, await opened(stage), "")
    assert done.errors == {"job": "Choose a job, or type its reference."}
    assert len(stage.slack.modals()) == 1


async def test_opening_and_submitting_cost_two_calls_of_slacks(stage: Stage) -> None:
    """The modal and the card."""
    before = len(stage.slack.calls)
    await submits(stage, await opened(stage), f"deploys:{ID}")
    await stage.posted(set())
    called = [call.method for call in stage.slack.calls[before:]]
    assert called == ["views.open", "chat.postMessage"]


async def test_a_connection_that_is_nearly_right_is_mended_where_jobs_are_listed(
    stage: Stage,
) -> None:
    """One click lists the jobs of the connection that was meant."""
    await stage.says("/job recent Deplyos")
    said = await stage.whispered("Did you mean")
    assert "recent deploys" in said.text
    await stage.slack.click(said, "run")
    await stage.whispered("The newest 1 job of deploys")
