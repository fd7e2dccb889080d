"""What is told in a channel, read and changed by its people, through the real bot."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.noise.policy import Broadcast, FollowUps, Mention, NoisePolicy, Tasks
from bot.playground import LocalSlack
from bot.settings import NotifySettings
from bot.testing import ManualClock, serve
from plugins.servicestage.simulator import Simulator
from tests.bot.conftest import Stage, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.noise.contracts import Contract
    from bot.playground.views import View

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def staged(folder: Path, **notify: Any) -> AsyncIterator[Stage]:
    """Set the stage with a `[notify]` of one's own."""
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        own = {"notify": NotifySettings.model_validate(notify)}
        settings = settings_for(slack, url, folder).model_copy(update=own)
        async with Bot(settings, clock=clock) as bot:
            yield Stage(slack, simulator, clock, settings, bot)


async def contract(stage: Stage, channel: str = "deploys") -> Contract:
    """Return what holds in a channel."""
    workspace = stage.slack.workspace
    async with stage.bot.store.begin() as tx:
        return await stage.bot.notices.contract(
            tx, workspace.team.id, workspace.channel(channel).id
        )


async def policy(stage: Stage) -> NoisePolicy:
    """Return the policy that holds in #deploys."""
    return (await contract(stage)).policy


async def opened(stage: Stage, user: str = "ada") -> View:
    """Open the modal by `/job settings`."""
    await stage.says("/job settings", user=user)
    return await stage.slack.until(lambda: next(iter(stage.slack.modals(user)), None))


async def saved(stage: Stage, revision: int) -> None:
    """Wait until the contract has been changed so often."""

    async def revised() -> bool:
        return (await contract(stage)).revision >= revision

    for _ in range(500):
        if await revised():
            return await stage.at_rest()
        await stage.clock.advance(0.01)
    raise AssertionError("Nothing was saved.")


async def test_the_modal_opens_at_once_and_nothing_else_is_said(stage: Stage) -> None:
    """With what holds now in every input, and one call of Slack's."""
    before = len(stage.slack.calls)
    view = await opened(stage)
    assert [call.method for call in stage.slack.calls[before:]] == ["views.open"]
    assert view.values["follow_ups.0"]["follow_ups"]["selected_option"]["value"] == "every"
    assert stage.slack.ephemerals() == []


async def test_what_is_saved_in_the_modal_holds_in_the_channel(stage: Stage) -> None:
    """All of it, and only what differs from the defaults is the channel's own."""
    view = await opened(stage)
    answers = {
        "follow_ups": "outcomes",
        "mention": "group",
        "group": "S0ONCALL",
        "begins": "22:00",
        "ends": "07:00",
        "zone": "Europe/Berlin",
        "failures_pass": ["on"],
        "posts_per_hour": "20",
    }
    view = await stage.slack.fill(view, answers)
    assert (await stage.slack.submit(view)).ok
    said = await stage.whispered("Changed what is told here")
    held = await contract(stage)
    assert held.policy.follow_ups is FollowUps.OUTCOMES
    assert (held.policy.mention, held.policy.group) == (Mention.GROUP, "S0ONCALL")
    assert held.policy.posts_per_hour == 20
    assert held.policy.quiet_hours
    assert held.policy.quiet_hours.failures_pass
    assert set(held.origins) == {"follow_ups", "mention", "group", "quiet_hours", "posts_per_hour"}
    assert "From 22:00 to 07:00 (Europe/Berlin)" in said.text


async def test_a_half_filled_in_span_of_quiet_hours_is_told_at_its_input(stage: Stage) -> None:
    """The modal stays open, nothing is saved."""
    view = await stage.slack.fill(await opened(stage), {"begins": "22:00"})
    done = await stage.slack.submit(view)
    assert done.errors == {"ends.0": "Quiet hours need both ends: choose this one, too."}
    assert (await contract(stage)).revision == 0


async def test_a_preset_refills_the_open_modal_and_saves_nothing(stage: Stage) -> None:
    """What was filled in of the rest stays."""
    view = await stage.slack.fill(await opened(stage), {"begins": "22:00"})
    assert (await stage.slack.click(view, "refill:quiet")).ok
    (view,) = stage.slack.modals()
    assert view.values["follow_ups.1"]["follow_ups"]["selected_option"]["value"] == "outcomes"
    assert view.values["begins.0"]["begins"]["selected_time"] == "22:00"
    assert (await contract(stage)).revision == 0


async def test_back_to_default_in_the_modal_clears_what_the_channel_set(stage: Stage) -> None:
    """Once it is saved."""
    await stage.says("/job set posts_per_hour 5")
    await saved(stage, 1)
    view = await opened(stage)
    assert (await stage.slack.click(view, "refill:default")).ok
    (view,) = stage.slack.modals()
    assert (await stage.slack.submit(view)).ok
    await saved(stage, 2)
    held = await contract(stage)
    assert (held.policy, held.origins) == (NoisePolicy(), {})


async def test_a_modal_that_somebody_else_overtook_says_so(stage: Stage) -> None:
    """Nothing of the other's is overwritten."""
    view = await opened(stage)
    await stage.says("/job verbose", user="ben")
    await saved(stage, 1)
    done = await stage.slack.submit(view)
    assert "Somebody changed this while you had it open" in done.errors["follow_ups.0"]
    assert (await policy(stage)).tasks is Tasks.ALL


async def test_a_contract_that_changes_back_does_not_hide_that_it_was_changed(
    stage: Stage,
) -> None:
    """Back to default counts as a change, too."""
    await stage.says("/job verbose")
    await saved(stage, 1)
    view = await opened(stage)
    await stage.says("/job default", user="ben")
    await saved(stage, 2)
    await stage.says("/job quiet", user="ben")
    await saved(stage, 3)
    assert (await stage.slack.submit(view)).errors


async def test_the_lists_of_the_modal_offer_zones_and_groups(stage: Stage) -> None:
    """The asker's own zone first; groups by handle, name or id."""
    view = await opened(stage, "grace")
    zones = await stage.slack.suggest(view, "zone", "", user="grace")
    assert [zone["value"] for zone in zones[:2]] == ["Europe/Berlin", "UTC"]
    (found,) = await stage.slack.suggest(view, "zone", "porto velho", user="grace")
    assert found["value"] == "America/Porto_Velho"
    (group,) = await stage.slack.suggest(view, "group", "@onc", user="grace")
    assert (group["value"], group["text"]["text"]) == ("S0ONCALL", "@oncall · On call")


async def test_where_groups_are_hidden_an_id_can_be_typed(stage: Stage) -> None:
    """As without the scope `usergroups:read`."""
    stage.slack.faults.refuse("missing_scope", "usergroups.list", times=None)
    (group,) = await stage.slack.suggest(await opened(stage), "group", "s0oncall")
    assert group["value"] == "S0ONCALL"


async def test_where_the_modal_does_not_open_the_contract_is_read_out(stage: Stage) -> None:
    """With every clause, its origin, and buttons."""
    stage.slack.faults.refuse("internal_error", "views.open")
    await stage.says("/job settings")
    said = await stage.whispered("This is what is told here")
    assert "A job's thread hears every change. (Built in.)" in said.text
    assert "Nobody has changed it here." in said.text


async def test_a_mention_reads_the_contract_out_and_a_click_opens_the_modal(stage: Stage) -> None:
    """A mention has no trigger, a click has one."""
    await stage.says("@jobthread settings")
    said = await stage.whispered("This is what is told here")
    assert stage.slack.messages()[1:] == []
    assert (await stage.slack.click(said, "contract_change")).ok
    assert len(stage.slack.modals()) == 1


async def test_a_contract_is_read_and_changed_in_two_clicks(stage: Stage) -> None:
    """The first opens it, the second is a preset."""
    await stage.says("@jobthread settings")
    said = await stage.whispered("This is what is told here")
    await stage.slack.click(said, "run_0")
    await stage.whispered("Changed what is told here")
    assert (await policy(stage)).broadcast is Broadcast.NEVER


@pytest.mark.parametrize("name", ["quiet", "verbose"])
async def test_a_preset_is_one_word_and_default_takes_it_back(stage: Stage, name: str) -> None:
    """The answer tells what changed, and what was before."""
    await stage.says(f"/job {name}")
    said = await stage.whispered("Changed what is told here")
    assert "Before: " in said.text
    assert await policy(stage) != NoisePolicy()
    await stage.says("/job default")
    await saved(stage, 2)
    assert await policy(stage) == NoisePolicy()


async def test_one_clause_is_set_and_undone_by_a_click(stage: Stage) -> None:
    """The way back is on the answer."""
    await stage.says("/job set follow-ups outcomes")
    said = await stage.whispered("Changed what is told here")
    assert (await policy(stage)).follow_ups is FollowUps.OUTCOMES
    await stage.slack.click(said, "contract_undo")
    await saved(stage, 2)
    assert await policy(stage) == NoisePolicy()


async def test_an_undo_that_comes_too_late_changes_nothing(stage: Stage) -> None:
    """Somebody else has set something since."""
    await stage.says("/job quiet")
    said = await stage.whispered("Changed what is told here")
    await stage.says("/job verbose", user="ben")
    await saved(stage, 2)
    await stage.slack.click(said, "contract_undo")
    told = await stage.whispered("changed this meanwhile")
    assert f"<@{stage.slack.workspace.user('ben').id}>" in told.text
    assert (await policy(stage)).tasks is Tasks.ALL


async def test_a_group_that_is_typed_by_its_name_is_called(stage: Stage) -> None:
    """Slack gives its id for the name."""
    await stage.says("/job set mention @oncall")
    await saved(stage, 1)
    held = await policy(stage)
    assert (held.mention, held.group) == (Mention.GROUP, "S0ONCALL")


async def test_a_misspelt_value_is_mended_by_a_click(stage: Stage) -> None:
    """Beside the list of what may be typed."""
    await stage.says("/job set follow_ups outcoms")
    said = await stage.whispered("Did you mean")
    assert "set follow_ups outcomes" in said.text
    await stage.slack.click(said, "run")
    await saved(stage, 1)
    assert (await policy(stage)).follow_ups is FollowUps.OUTCOMES


async def test_a_direct_message_has_a_contract_of_its_own(stage: Stage) -> None:
    """And it is answered in there."""
    await stage.says("quiet", channel="im")
    await stage.posted(set(), "im")
    assert (await contract(stage, "im")).policy.follow_ups is FollowUps.OUTCOMES
    assert await policy(stage) == NoisePolicy()


async def test_only_admins_may_change_where_the_settings_say_so(tmp_path: Path) -> None:
    """Others are told so in one sentence, and may read it."""
    async with staged(tmp_path, who_may_change="admins") as stage:
        await stage.says("/job quiet")
        await stage.whispered("only the workspace's admins may change this")
        assert (await contract(stage)).revision == 0
        view = await opened(stage)
        assert "submit" not in view.body
        await stage.says("/job quiet", user="grace")
        await saved(stage, 1)
        assert len(stage.slack.called("users.info")) == 2


async def test_somebody_in_their_own_direct_message_needs_no_admin(tmp_path: Path) -> None:
    """It is nobody else's."""
    async with staged(tmp_path, who_may_change="admins") as stage:
        await stage.says("quiet", channel="im")
        await stage.posted(set(), "im")
        assert (await contract(stage, "im")).revision == 1


async def test_where_slack_hides_who_is_an_admin_nothing_is_changed(tmp_path: Path) -> None:
    """And the sentence says whom to ask."""
    async with staged(tmp_path, who_may_change="admins") as stage:
        stage.slack.faults.refuse("missing_scope", "users.info", times=None)
        await stage.says("/job quiet", user="grace")
        await stage.whispered("I cannot see who is an admin here", user="grace")
        assert (await contract(stage)).revision == 0


async def test_a_channel_goes_back_to_what_the_settings_say(tmp_path: Path) -> None:
    """Not to what is built in; the answer names the origin."""
    channels = {"C0DEPLOYS": {"tasks": "none"}}
    async with staged(tmp_path, follow_ups="failures", channels=channels) as stage:
        await stage.says("/job verbose")
        await saved(stage, 1)
        await stage.says("/job default")
        await saved(stage, 2)
        held = await policy(stage)
        assert (held.follow_ups, held.tasks) == (FollowUps.FAILURES, Tasks.NONE)
        stage.slack.faults.refuse("internal_error", "views.open")
        await stage.says("/job settings")
        said = await stage.whispered("This is what is told here")
        assert "failures only. (From the settings of this bot.)" in said.text
        assert "(From the settings of this bot, for this channel.)" in said.text
