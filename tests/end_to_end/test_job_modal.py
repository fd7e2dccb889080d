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
from tests.harness import BotHarness, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from localslack.client.modal_actions import SubmissionResult
    from localslack.state.views import View

pytestmark = pytest.mark.anyio

ID = "JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e"
OTHER = "JOB3f8c2b6e-51d7-4a09-9e64-b7d1c0a82f35"


class Listing(ServiceStage):
    """A ServiceStage that can list its jobs."""

    async def recent_jobs(self, limit: int) -> Sequence[Job]:
        ref = JobRef(connection=self.name, id=ID)
        return [Job(ref=ref, name="deploy-api", status=Status.RUNNING)][:limit]


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotHarness]:
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
            yield BotHarness(slack, simulator, clock, settings, bot)


async def open_modal(harness: BotHarness) -> View:
    """Open the modal with its shortcut."""
    answer = await harness.slack.shortcut("ask_job")
    assert answer.ok, answer.error
    (view,) = harness.slack.modals()
    return view


async def submit_modal(
    harness: BotHarness, view: View, value: str, *ticked: str
) -> SubmissionResult:
    """Submit the modal with a job, #deploys and the ticked boxes."""
    channel = harness.slack.workspace.channel("deploys").id
    chosen = {"type": "external_select", "selected_option": {"value": value} if value else None}
    values: dict[str, Any] = {
        "job": {"job": chosen},
        "channel": {"channel": {"type": "conversations_select", "selected_conversation": channel}},
        "for_whom": {
            "for_whom": {"type": "checkboxes", "selected_options": [{"value": t} for t in ticked]}
        },
    }
    return await harness.slack.submit(view, values)


async def test_modal_options_are_the_newest_jobs(harness: BotHarness) -> None:
    """They show name, status and id before anything is typed."""
    (option,) = await harness.slack.suggest(await open_modal(harness), "job", "")
    assert option["value"] == f"deploys:{ID}"
    assert option["text"]["text"].startswith("deploy-api · ▶️ running · ")


async def test_typed_reference_can_be_chosen_in_the_modal(harness: BotHarness) -> None:
    """It need not be one of the listed jobs."""
    (option,) = await harness.slack.suggest(await open_modal(harness), "job", OTHER)
    assert option["value"] == f"deploys:{OTHER}"
    assert option["text"]["text"].startswith("Ask for deploys:JOB3f8c2b6e")


async def test_modal_posts_the_card_in_the_channel(harness: BotHarness) -> None:
    """The job is followed there, as after a command."""
    assert (await submit_modal(harness, await open_modal(harness), f"deploys:{ID}")).ok
    card = await harness.wait_for_post(set())
    await harness.settle()
    assert "running" in card.text
    assert [ref.id for ref in await harness.watches()] == [ID]
    assert harness.slack.modals() == []


async def test_peek_from_the_modal_is_ephemeral(harness: BotHarness) -> None:
    """It uses the submission's response_url; the job is not followed."""
    assert (await submit_modal(harness, await open_modal(harness), f"deploys:{ID}", "peek")).ok
    await harness.wait_for_ephemeral("running")
    assert harness.slack.messages() == []
    assert await harness.watches() == []
    assert harness.slack.calls_of("chat.postEphemeral") == []


async def test_modal_without_a_job_stays_open_with_an_error(harness: BotHarness) -> None:
    """The error is at the empty input."""
    done = await submit_modal(harness, await open_modal(harness), "")
    assert done.errors == {"job": "Choose a job, or type its reference."}
    assert len(harness.slack.modals()) == 1


async def test_modal_costs_two_slack_calls(harness: BotHarness) -> None:
    """One opens the modal, one posts the card."""
    before = len(harness.slack.calls)
    await submit_modal(harness, await open_modal(harness), f"deploys:{ID}")
    await harness.wait_for_post(set())
    called = [call.method for call in harness.slack.calls[before:]]
    assert called == ["views.open", "chat.postMessage"]


async def test_misspelt_connection_in_recent_gets_a_suggestion(
    harness: BotHarness,
) -> None:
    """One click lists the jobs of the suggested connection."""
    await harness.says("/job recent Deplyos")
    said = await harness.wait_for_ephemeral("Did you mean")
    assert "recent deploys" in said.text
    await harness.slack.click(said, "run")
    await harness.wait_for_ephemeral("The newest 1 job of deploys")
