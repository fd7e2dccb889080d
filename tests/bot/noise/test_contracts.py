"""Which policy holds in a channel, and where each of its values comes from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.noise.contracts import Origin, contract
from bot.noise.policy import FollowUps, NoisePolicy, Tasks
from bot.settings import NotifySettings
from bot.store import ChannelContract

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANNEL = "C0123"


def own(values: Mapping[str, Any]) -> ChannelContract:
    """Return what the channel itself set."""
    return ChannelContract(
        workspace="T1",
        channel=CHANNEL,
        values=dict(values),
        set_by="U1",
        set_at=datetime(2026, 11, 18, tzinfo=UTC),
        revision=3,
    )


def test_a_channel_that_nobody_thought_of_has_what_is_built_in() -> None:
    """Every value says so."""
    found = contract(NotifySettings(), CHANNEL, None)
    assert found.policy == NoisePolicy()
    assert {found.origin(name) for name in NoisePolicy.model_fields} == {Origin.BUILT_IN}


def test_the_later_layer_wins_value_by_value() -> None:
    """What a channel does not set, it has from the settings."""
    notify = NotifySettings.model_validate(
        {
            "follow_ups": "outcomes",
            "tasks": "none",
            "board": True,
            "channels": {CHANNEL: {"tasks": "all", "follow_ups": "every"}},
        }
    )
    found = contract(notify, CHANNEL, own({"follow_ups": "failures"}))
    assert found.policy == NoisePolicy(follow_ups=FollowUps.FAILURES, tasks=Tasks.ALL, board=True)
    assert found.origin("follow_ups") is Origin.CHANNEL
    assert found.origin("tasks") is Origin.CHANNEL_SETTINGS
    assert found.origin("board") is Origin.SETTINGS
    assert found.origin("mention") is Origin.BUILT_IN


def test_who_set_a_channel_s_values_is_told_with_them() -> None:
    """And how often they were changed, so that two who change at once notice."""
    found = contract(NotifySettings(), CHANNEL, own({"tasks": "none"}))
    assert (found.set_by, found.revision) == ("U1", 3)


def test_a_field_that_this_version_does_not_know_is_ignored() -> None:
    """A channel's values may have been written by another version."""
    found = contract(NotifySettings(), CHANNEL, own({"volume": 11, "tasks": "none"}))
    assert found.policy == NoisePolicy(tasks=Tasks.NONE)


def test_another_channel_s_settings_do_not_count() -> None:
    """Each channel has its own."""
    notify = NotifySettings.model_validate({"channels": {"C9999": {"tasks": "none"}}})
    assert contract(notify, CHANNEL, None).policy == NoisePolicy()
