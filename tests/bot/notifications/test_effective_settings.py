"""Effective channel settings and the origin of each value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.notifications.effective_settings import Origin, resolve
from bot.notifications.policy import FollowUps, NotificationPolicy, NotifySettings, Tasks
from bot.store import ChannelOverrides

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANNEL = "C0123"


def overrides(values: Mapping[str, Any]) -> ChannelOverrides:
    """Return the overrides of the channel."""
    return ChannelOverrides(
        workspace="T1",
        channel=CHANNEL,
        values=dict(values),
        set_by="U1",
        set_at=datetime(2026, 11, 18, tzinfo=UTC),
        revision=3,
    )


def test_channel_without_settings_has_built_in_values() -> None:
    """Every value reports the built-in origin."""
    settings = resolve(NotifySettings(), CHANNEL, None)
    assert settings.policy == NotificationPolicy()
    assert {settings.origin(name) for name in NotificationPolicy.model_fields} == {Origin.BUILT_IN}


def test_later_layer_overrides_field_by_field() -> None:
    """A field that the channel does not set keeps its configured value."""
    notify = NotifySettings.model_validate(
        {
            "follow_ups": "outcomes",
            "tasks": "none",
            "board": True,
            "channels": {CHANNEL: {"tasks": "all", "follow_ups": "every"}},
        }
    )
    settings = resolve(notify, CHANNEL, overrides({"follow_ups": "failures"}))
    assert settings.policy == NotificationPolicy(
        follow_ups=FollowUps.FAILURES, tasks=Tasks.ALL, board=True
    )
    assert settings.origin("follow_ups") is Origin.CHANNEL
    assert settings.origin("tasks") is Origin.BOT_CHANNEL_DEFAULTS
    assert settings.origin("board") is Origin.BOT_DEFAULTS
    assert settings.origin("mention") is Origin.BUILT_IN


def test_settings_carry_the_last_editor_and_revision() -> None:
    """The revision detects concurrent changes."""
    settings = resolve(NotifySettings(), CHANNEL, overrides({"tasks": "none"}))
    assert (settings.set_by, settings.revision) == ("U1", 3)


def test_unknown_stored_field_is_ignored() -> None:
    """The overrides may have been written by another version."""
    settings = resolve(NotifySettings(), CHANNEL, overrides({"volume": 11, "tasks": "none"}))
    assert settings.policy == NotificationPolicy(tasks=Tasks.NONE)


def test_settings_of_another_channel_do_not_apply() -> None:
    """Each channel has its own section."""
    notify = NotifySettings.model_validate({"channels": {"C9999": {"tasks": "none"}}})
    assert resolve(notify, CHANNEL, None).policy == NotificationPolicy()
