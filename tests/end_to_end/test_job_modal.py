"""Shortcut → modal → options → submission → card, with the real bot and a local Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.providers.plugin_loader import Plugins, load_plugins
from bot.sdk.models import Job, JobRef, Status
from bot.sdk.testing import ManualClock, serve
from localslack import LocalSlack
from plugins.servicestage import ServiceStage
from plugins.servicestage.script import JobScript, JobStep
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from localslack.api.views import View
    from localslack.client.modal_actions import Submitted

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
    """A bot whose provider can list jobs."""
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


async def open_modal(stage: Stage) -> View:
    """Open the modal with its shortcut."""
    answer = await stage.slack.shortcut("ask_job")
    assert answer.ok, answer.error
    (view,) = stage.slack.modals()
    return view


async def submit_modal(stage: Stage, view: View, value: str, *ticked: str) -> Submitted:
    """Submit the modal with a job, #deploys and the ticked boxes."""
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


async def test_modal_options_are_the_newest_jobs(stage: Stage) -> None:
    """They show name, status and id before anything is typed."""
    (option,) = await stage.slack.suggest(await open_modal(stage), "job", "")
    assert option["value"] == f"deploys:{ID}"
    assert option["text"]["text"].startswith("deploy-api · ▶️ running · ")


async def test_typed_reference_can_be_chosen_in_the_modal(stage: Stage) -> None:
    """It need not be one of the listed jobs."""
    (option,) = await stage.slack.suggest(await open_modal(stage), "job", OTHER)
    assert option["value"] == f"deploys:{OTHER}"
    assert option["text"]["text"].startswith("Ask for deploys:JOB3f8c2b6e")


async def test_modal_posts_the_card_in_the_channel(stage: Stage) -> None:
    """The job is followed there, as after a command."""
    assert (await submit_modal(stage, await open_modal(stage), f"deploys:{ID}")).ok
    card = await stage.posted(set())
    await stage.at_rest()
    assert "running" in card.text
    assert [ref.id for ref in await stage.watches()] == [ID]
    assert stage.slack.modals() == []


async def test_peek_from_the_modal_is_ephemeral(stage: Stage) -> None:
    """It uses the submission's response_url; the job is not followed."""
    assert (await submit_modal(stage, await open_modal(stage), f"deploys:{ID}", "peek")).ok
    await stage.whispered("running")
    assert stage.slack.messages() == []
    assert await stage.watches() == []
    assert stage.slack.called("chat.postEphemeral") == []


async def test_modal_without_a_job_stays_open_with_an_error(stage: Stage) -> None:
    """The error is at the empty input."""
    done = await submit_modal(stage, await open_modal(stage), "")
    assert done.errors == {"job": "Choose a job, or type its reference."}
    assert len(stage.slack.modals()) == 1


async def test_modal_costs_two_slack_calls(stage: Stage) -> None:
    """One opens the modal, one posts the card."""
    before = len(stage.slack.calls)
    await submit_modal(stage, await open_modal(stage), f"deploys:{ID}")
    await stage.posted(set())
    called = [call.method for call in stage.slack.calls[before:]]
    assert called == ["views.open", "chat.postMessage"]


async def test_misspelt_connection_in_recent_gets_a_suggestion(
    stage: Stage,
) -> None:
    """One click lists the jobs of the suggested connection."""
    await stage.says("/job recent Deplyos")
    said = await stage.whispered("Did you mean")
    assert "recent deploys" in said.text
    await stage.slack.click(said, "run")
    await stage.whispered("The newest 1 job of deploys")
