"""Channel settings, read and changed through the real bot."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bot.app import Bot
from bot.notifications.policy import (
    Broadcast,
    FollowUps,
    Mention,
    NotificationPolicy,
    NotifySettings,
    Tasks,
)
from bot.sdk.testing import ManualClock, serve
from localslack import LocalSlack
from plugins.servicestage.simulator import Simulator
from tests.harness import BotHarness, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.notifications.effective_settings import ChannelSettings
    from localslack.state.views import View

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def staged(folder: Path, **notify: Any) -> AsyncIterator[BotHarness]:
    """Start the bot with these `[notify]` settings."""
    clock = ManualClock()
    simulator = Simulator(clock)
    async with LocalSlack(clock=clock) as slack, serve(simulator.app) as url:
        overrides = {"notify": NotifySettings.model_validate(notify)}
        settings = settings_for(slack, url, folder).model_copy(update=overrides)
        async with Bot(settings, clock=clock) as bot:
            yield BotHarness(slack, simulator, clock, settings, bot)


async def settings_of(harness: BotHarness, channel: str = "deploys") -> ChannelSettings:
    """Return the effective settings of a channel."""
    workspace = harness.slack.workspace
    async with harness.bot.store.begin() as tx:
        return await harness.bot.notifier.channel_settings(
            tx, workspace.team.id, workspace.channel(channel).id
        )


async def policy_of(harness: BotHarness) -> NotificationPolicy:
    """Return the policy of #deploys."""
    return (await settings_of(harness)).policy


async def open_modal(harness: BotHarness, user: str = "ada") -> View:
    """Open the modal by `/job settings`."""
    await harness.says("/job settings", user=user)
    return await harness.slack.until(lambda: next(iter(harness.slack.modals(user)), None))


async def wait_for_revision(harness: BotHarness, revision: int) -> None:
    """Wait until the settings have this revision."""

    async def reached() -> bool:
        return (await settings_of(harness)).revision >= revision

    for _ in range(500):
        if await reached():
            return await harness.settle()
        await harness.clock.advance(0.01)
    raise AssertionError("Nothing was saved.")


async def test_modal_opens_with_one_call_and_no_reply(harness: BotHarness) -> None:
    """Each input has its current value."""
    before = len(harness.slack.calls)
    view = await open_modal(harness)
    assert [call.method for call in harness.slack.calls[before:]] == ["views.open"]
    assert view.values["follow_ups.0"]["follow_ups"]["selected_option"]["value"] == "every"
    assert harness.slack.ephemerals() == []


async def test_submitted_modal_changes_the_channel_settings(harness: BotHarness) -> None:
    """Only the fields that differ from the defaults are stored."""
    view = await open_modal(harness)
    inputs = {
        "follow_ups": "outcomes",
        "mention": "group",
        "group": "S0ONCALL",
        "begins": "22:00",
        "ends": "07:00",
        "zone": "Europe/Berlin",
        "allow_failures": ["on"],
        "posts_per_hour": "20",
    }
    view = await harness.slack.fill(view, inputs)
    assert (await harness.slack.submit(view)).ok
    reply = await harness.wait_for_ephemeral("Changed what is told here")
    settings = await settings_of(harness)
    assert settings.policy.follow_ups is FollowUps.OUTCOMES
    assert (settings.policy.mention, settings.policy.group) == (Mention.GROUP, "S0ONCALL")
    assert settings.policy.posts_per_hour == 20
    assert settings.policy.quiet_hours
    assert settings.policy.quiet_hours.allow_failures
    assert set(settings.origins) == {
        "follow_ups",
        "mention",
        "group",
        "quiet_hours",
        "posts_per_hour",
    }
    assert "From 22:00 to 07:00 (Europe/Berlin)" in reply.text


async def test_incomplete_quiet_hours_are_an_error_at_the_input(harness: BotHarness) -> None:
    """The modal stays open and nothing is saved."""
    view = await harness.slack.fill(await open_modal(harness), {"begins": "22:00"})
    result = await harness.slack.submit(view)
    assert result.errors == {"ends.0": "Quiet hours need both ends: choose this one, too."}
    assert (await settings_of(harness)).revision == 0


async def test_preset_button_refills_the_modal_without_saving(harness: BotHarness) -> None:
    """The other inputs keep their values."""
    view = await harness.slack.fill(await open_modal(harness), {"begins": "22:00"})
    assert (await harness.slack.click(view, "preset:quiet")).ok
    (view,) = harness.slack.modals()
    assert view.values["follow_ups.1"]["follow_ups"]["selected_option"]["value"] == "outcomes"
    assert view.values["begins.0"]["begins"]["selected_time"] == "22:00"
    assert (await settings_of(harness)).revision == 0


async def test_default_button_clears_the_overrides_on_submit(harness: BotHarness) -> None:
    """Nothing changes before the modal is submitted."""
    await harness.says("/job set posts_per_hour 5")
    await wait_for_revision(harness, 1)
    view = await open_modal(harness)
    assert (await harness.slack.click(view, "preset:default")).ok
    (view,) = harness.slack.modals()
    assert (await harness.slack.submit(view)).ok
    await wait_for_revision(harness, 2)
    settings = await settings_of(harness)
    assert (settings.policy, settings.origins) == (NotificationPolicy(), {})


async def test_outdated_modal_reports_a_conflict(harness: BotHarness) -> None:
    """The other user's change is not overwritten."""
    view = await open_modal(harness)
    await harness.says("/job verbose", user="ben")
    await wait_for_revision(harness, 1)
    result = await harness.slack.submit(view)
    assert "Somebody changed this while you had it open" in result.errors["follow_ups.0"]
    assert (await policy_of(harness)).tasks is Tasks.ALL


async def test_reset_settings_still_count_as_a_change(
    harness: BotHarness,
) -> None:
    """Returning to the defaults increases the revision."""
    await harness.says("/job verbose")
    await wait_for_revision(harness, 1)
    view = await open_modal(harness)
    await harness.says("/job default", user="ben")
    await wait_for_revision(harness, 2)
    await harness.says("/job quiet", user="ben")
    await wait_for_revision(harness, 3)
    assert (await harness.slack.submit(view)).errors


async def test_modal_offers_zones_and_groups(harness: BotHarness) -> None:
    """The asker's own zone comes first; groups match by handle, name or id."""
    view = await open_modal(harness, "grace")
    zones = await harness.slack.suggest(view, "zone", "", user="grace")
    assert [zone["value"] for zone in zones[:2]] == ["Europe/Berlin", "UTC"]
    (found,) = await harness.slack.suggest(view, "zone", "porto velho", user="grace")
    assert found["value"] == "America/Porto_Velho"
    (group,) = await harness.slack.suggest(view, "group", "@onc", user="grace")
    assert (group["value"], group["text"]["text"]) == ("S0ONCALL", "@oncall · On call")


async def test_group_id_can_be_typed_without_the_scope(harness: BotHarness) -> None:
    """The scope `usergroups:read` is missing."""
    harness.slack.faults.refuse("missing_scope", "usergroups.list", times=None)
    (group,) = await harness.slack.suggest(await open_modal(harness), "group", "s0oncall")
    assert group["value"] == "S0ONCALL"


async def test_failed_modal_is_replaced_by_a_reply(harness: BotHarness) -> None:
    """It has every field with its origin, and buttons."""
    harness.slack.faults.refuse("internal_error", "views.open")
    await harness.says("/job settings")
    reply = await harness.wait_for_ephemeral("This is what is told here")
    assert "A job's thread hears every change. (Built in.)" in reply.text
    assert "Nobody has changed it here." in reply.text


async def test_mention_replies_with_settings_and_modal_button(harness: BotHarness) -> None:
    """A mention has no trigger id, a click has one."""
    await harness.says("@jobthread settings")
    reply = await harness.wait_for_ephemeral("This is what is told here")
    assert harness.slack.messages()[1:] == []
    assert (await harness.slack.click(reply, "settings_change")).ok
    assert len(harness.slack.modals()) == 1


async def test_settings_are_read_and_changed_with_one_button(harness: BotHarness) -> None:
    """The reply to a mention has the presets as buttons."""
    await harness.says("@jobthread settings")
    reply = await harness.wait_for_ephemeral("This is what is told here")
    await harness.slack.click(reply, "run:0")
    await harness.wait_for_ephemeral("Changed what is told here")
    assert (await policy_of(harness)).broadcast is Broadcast.NEVER


@pytest.mark.parametrize("name", ["quiet", "verbose"])
async def test_preset_command_is_undone_by_default(harness: BotHarness, name: str) -> None:
    """The reply has the new and the previous values."""
    await harness.says(f"/job {name}")
    reply = await harness.wait_for_ephemeral("Changed what is told here")
    assert "Before: " in reply.text
    assert await policy_of(harness) != NotificationPolicy()
    await harness.says("/job default")
    await wait_for_revision(harness, 2)
    assert await policy_of(harness) == NotificationPolicy()


async def test_one_field_is_set_and_undone_by_a_button(harness: BotHarness) -> None:
    """The Undo button is in the reply."""
    await harness.says("/job set follow-ups outcomes")
    reply = await harness.wait_for_ephemeral("Changed what is told here")
    assert (await policy_of(harness)).follow_ups is FollowUps.OUTCOMES
    await harness.slack.click(reply, "settings_undo")
    await wait_for_revision(harness, 2)
    assert await policy_of(harness) == NotificationPolicy()


async def test_outdated_undo_changes_nothing(harness: BotHarness) -> None:
    """Another user has changed the settings since."""
    await harness.says("/job quiet")
    reply = await harness.wait_for_ephemeral("Changed what is told here")
    await harness.says("/job verbose", user="ben")
    await wait_for_revision(harness, 2)
    await harness.slack.click(reply, "settings_undo")
    reply = await harness.wait_for_ephemeral("changed this meanwhile")
    assert f"<@{harness.slack.workspace.user('ben').id}>" in reply.text
    assert (await policy_of(harness)).tasks is Tasks.ALL


async def test_group_typed_by_name_is_mentioned(harness: BotHarness) -> None:
    """Slack replaces the name by the id."""
    await harness.says("/job set mention @oncall")
    await wait_for_revision(harness, 1)
    settings = await policy_of(harness)
    assert (settings.mention, settings.group) == (Mention.GROUP, "S0ONCALL")


async def test_misspelt_value_is_corrected_by_a_button(harness: BotHarness) -> None:
    """The reply also lists the valid commands."""
    await harness.says("/job set follow_ups outcoms")
    reply = await harness.wait_for_ephemeral("Did you mean")
    assert "set follow_ups outcomes" in reply.text
    await harness.slack.click(reply, "run")
    await wait_for_revision(harness, 1)
    assert (await policy_of(harness)).follow_ups is FollowUps.OUTCOMES


async def test_direct_message_has_its_own_settings(harness: BotHarness) -> None:
    """The reply is in the direct message."""
    await harness.says("quiet", channel="im")
    await harness.wait_for_post(set(), "im")
    assert (await settings_of(harness, "im")).policy.follow_ups is FollowUps.OUTCOMES
    assert await policy_of(harness) == NotificationPolicy()


async def test_only_admins_may_change_restricted_settings(tmp_path: Path) -> None:
    """Other users may read them."""
    async with staged(tmp_path, who_may_change="admins") as harness:
        await harness.says("/job quiet")
        await harness.wait_for_ephemeral("only the workspace's admins may change this")
        assert (await settings_of(harness)).revision == 0
        view = await open_modal(harness)
        assert "submit" not in view.body
        await harness.says("/job quiet", user="grace")
        await wait_for_revision(harness, 1)
        assert len(harness.slack.calls_of("users.info")) == 2


async def test_user_changes_their_own_direct_message_without_admin(tmp_path: Path) -> None:
    """A direct message belongs to its user."""
    async with staged(tmp_path, who_may_change="admins") as harness:
        await harness.says("quiet", channel="im")
        await harness.wait_for_post(set(), "im")
        assert (await settings_of(harness, "im")).revision == 1


async def test_settings_are_unchanged_if_admins_are_unknown(tmp_path: Path) -> None:
    """The reply explains what is missing."""
    async with staged(tmp_path, who_may_change="admins") as harness:
        harness.slack.faults.refuse("missing_scope", "users.info", times=None)
        await harness.says("/job quiet", user="grace")
        await harness.wait_for_ephemeral("I cannot see who is an admin here", user="grace")
        assert (await settings_of(harness)).revision == 0


async def test_default_restores_the_configured_values(tmp_path: Path) -> None:
    """They differ from the built-in values; the reply names the origin."""
    channels = {"C0DEPLOYS": {"tasks": "none"}}
    async with staged(tmp_path, follow_ups="failures", channels=channels) as harness:
        await harness.says("/job verbose")
        await wait_for_revision(harness, 1)
        await harness.says("/job default")
        await wait_for_revision(harness, 2)
        settings = await policy_of(harness)
        assert (settings.follow_ups, settings.tasks) == (FollowUps.FAILURES, Tasks.NONE)
        harness.slack.faults.refuse("internal_error", "views.open")
        await harness.says("/job settings")
        reply = await harness.wait_for_ephemeral("This is what is told here")
        assert "failures only. (From the settings of this bot.)" in reply.text
        assert "(From the settings of this bot, for this channel.)" in reply.text
