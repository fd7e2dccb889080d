"""Rendering of channel settings and changes."""

from __future__ import annotations

from bot.notifications import settings_text
from bot.notifications.effective_settings import ChannelSettings, Origin
from bot.notifications.policy import FollowUps, NotificationPolicy
from bot.notifications.policy_text import FIELD_TEXTS
from bot.notifications.settings_patch import SettingsPatch, apply_patch
from localslack.blockkit.validation import problems

SETTINGS = ChannelSettings(
    NotificationPolicy(follow_ups=FollowUps.OUTCOMES),
    {"follow_ups": Origin.CHANNEL, "tasks": Origin.BOT_DEFAULTS},
    set_by="U0ADA",
    revision=3,
)


def test_settings_are_sentences_with_their_origins() -> None:
    """The plain text is complete, for screen readers."""
    text = settings_text.render_settings(SETTINGS).text
    assert text.startswith("This is what is told here. A job's thread hears how it ends")
    assert "nothing before. (Set in this channel.)" in text
    assert "does not hear of single tasks. (From the settings of this bot.)" in text
    assert text.count("(Built in.)") == len(FIELD_TEXTS) - 2
    assert text.endswith("Last changed by <@U0ADA>.")


def test_settings_have_preset_and_change_buttons() -> None:
    """Three presets, the default, and the modal."""
    (row,) = [
        block
        for block in settings_text.render_settings(SETTINGS).blocks
        if block["type"] == "actions"
    ]
    labels = [element["text"]["text"] for element in row["elements"]]
    assert labels == ["Quiet", "Normal", "Verbose", "Back to default", "Change …"]


def test_change_shows_the_new_and_the_previous_values() -> None:
    """It lists each field whose sentence changed."""
    text = settings_text.render_change(ChannelSettings(), SETTINGS).text
    assert text == (
        "Changed what is told here. A job's thread hears how it ends, and nothing before."
        " Before: a job's thread hears every change. So it does not hear of single tasks."
        " Before: of single tasks, it hears of those that fail."
    )


def test_change_without_effect_says_so() -> None:
    """It is stored, and can be undone."""
    after = ChannelSettings(
        apply_patch(SETTINGS.policy, {"tasks": "all"}), set_by="U0ADA", revision=4
    )
    message = settings_text.render_change(SETTINGS, after)
    assert message.text == (
        "Changed what is told here. Tasks: all of them. As things stand, that makes no difference."
    )
    assert "Undo" in str(message.blocks)


def test_undo_button_restores_the_previous_policy() -> None:
    """The patch has the revision that it applies to."""
    row = next(
        b
        for b in settings_text.render_change(ChannelSettings(), SETTINGS).blocks
        if b["type"] == "actions"
    )
    patch = SettingsPatch.model_validate_json(row["elements"][0]["value"])
    assert apply_patch(SETTINGS.policy, patch.changes) == NotificationPolicy()
    assert patch.revision == SETTINGS.revision


def test_change_to_the_current_value_says_so() -> None:
    """There is no Undo button."""
    message = settings_text.render_change(SETTINGS, SETTINGS)
    assert "nothing was changed" in message.text
    assert "Undo" not in str(message.blocks)


def test_origin_of_the_mention_includes_the_group() -> None:
    """The origin with the highest precedence is named."""
    settings = ChannelSettings(
        NotificationPolicy(), {"mention": Origin.BOT_DEFAULTS, "group": Origin.CHANNEL}
    )
    assert settings_text.origin_text("mention", settings) == "Set in this channel"


def test_slack_accepts_every_settings_message() -> None:
    """Checked by the rules of the local Slack."""
    for message in (
        settings_text.render_settings(SETTINGS),
        settings_text.render_change(ChannelSettings(), SETTINGS),
        settings_text.render_change(SETTINGS, SETTINGS),
        settings_text.conflict(SETTINGS),
    ):
        assert problems(list(message.blocks), "message") == []
