"""Rendering of the settings modal."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from bot.notifications import settings_text
from bot.notifications.effective_settings import ChannelSettings, Origin
from bot.notifications.policy import Mention, NotificationPolicy
from bot.notifications.settings_patch import PRESET_FIELDS
from bot.slack.settings_modal import ModalContext, read_only_view, view
from localslack.blockkit.validation import view_problems
from tests.bot.notifications.test_settings_patch import POLICIES, QUIET

PAGE = ModalContext(channel="C1", revision=3)


def rendered(policy: NotificationPolicy, page: ModalContext = PAGE, **more: Any) -> dict[str, Any]:
    settings = ChannelSettings(policy, **more)
    return view(page, settings, policy, "@oncall")


def inputs(shown: dict[str, Any]) -> dict[str, Any]:
    return {b["element"]["action_id"]: b for b in shown["blocks"] if b["type"] == "input"}


@given(POLICIES)
def test_slack_accepts_the_modal_for_every_policy(policy: NotificationPolicy) -> None:
    """Editable and read-only."""
    assert view_problems(rendered(policy)) == []
    assert view_problems(read_only_view(ChannelSettings(policy), "Only admins may.")) == []


def test_inputs_show_the_current_policy() -> None:
    """Saving at once changes nothing."""
    policy = NotificationPolicy(
        mention=Mention.GROUP, group="S0ONCALL", quiet_hours=QUIET, posts_per_hour=20, board=True
    )
    found = {name: block["element"] for name, block in inputs(rendered(policy)).items()}
    assert found["follow_ups"]["initial_option"]["value"] == "every"
    assert found["group"]["initial_option"]["text"]["text"] == "@oncall"
    assert (found["begins"]["initial_time"], found["ends"]["initial_time"]) == ("22:00", "07:00")
    assert found["zone"]["initial_option"]["value"] == "Europe/Berlin"
    assert found["posts_per_hour"]["initial_value"] == "20"
    assert "initial_options" in found["board"]
    assert "initial_options" not in found["reaction"]


def test_hint_has_the_meaning_and_the_origin_of_the_value() -> None:
    """For every input."""
    shown = inputs(rendered(NotificationPolicy(), origins={"tasks": Origin.BOT_DEFAULTS}))
    assert all(block["hint"]["text"].count(". Now: ") == 1 for block in shown.values())
    assert shown["tasks"]["hint"]["text"].endswith("Now: from the settings of this bot.")
    assert shown["board"]["hint"]["text"].endswith("Now: built in.")


def test_modal_shows_who_last_changed_the_settings() -> None:
    """And that nothing changes before Save."""
    small_print = rendered(NotificationPolicy(), set_by="U0ADA")["blocks"][1]["elements"]
    assert [text["text"] for text in small_print] == [
        "Last changed by <@U0ADA>.",
        "Nothing changes until you press Save.",
    ]


def test_preset_renews_the_ids_of_the_blocks_that_it_fills() -> None:
    """Slack keeps the values of the other inputs, as intended."""
    before, after = (
        inputs(rendered(NotificationPolicy())),
        inputs(rendered(NotificationPolicy(), PAGE.with_preset("quiet"))),
    )
    changed = {n for n in before if before[n]["block_id"] != after[n]["block_id"]}
    assert changed == set(PRESET_FIELDS)


def test_defaults_renew_every_block_id() -> None:
    """They fill all inputs."""
    before = inputs(rendered(NotificationPolicy()))
    after = inputs(rendered(NotificationPolicy(), PAGE.with_preset("default")))
    assert all(before[name]["block_id"] != after[name]["block_id"] for name in before)


def test_user_without_permission_gets_a_read_only_modal() -> None:
    """Without inputs, a submit button or presets."""
    shown = read_only_view(ChannelSettings(), "Only admins may.")
    assert "submit" not in shown
    assert {block["type"] for block in shown["blocks"]} == {"section", "context"}
    assert settings_text.setting_lines(ChannelSettings())[0] in str(shown)
