"""Parsing the settings modal's submission."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from bot.commands.request import RequestKind
from bot.notifications.effective_settings import ChannelSettings
from bot.notifications.policy import Mention, NotificationPolicy
from bot.notifications.settings_patch import SettingsPatch
from bot.slack import settings_submission
from bot.slack.settings_modal import ModalContext, view
from localslack.blockkit.form_state import initial_values
from tests.bot.notifications.test_settings_patch import POLICIES

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAGE = ModalContext(channel="C1", revision=3)


def submission(
    policy: NotificationPolicy, page: ModalContext = PAGE, **filled: Any
) -> dict[str, Any]:
    """Return the submission of a policy's modal, with some inputs changed."""
    shown = view(page, ChannelSettings(policy), policy)
    values = initial_values(shown["blocks"])
    for name, changed in filled.items():
        values[page.block_id(name)][name].update(changed)
    return {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": "U0ADA"},
        "view": {**shown, "id": "V1", "state": {"values": values}},
    }


def time(text: str | None) -> dict[str, Any]:
    return {"selected_time": text}


def option(value: str) -> dict[str, Any]:
    return {"selected_option": {"value": value}}


@given(POLICIES)
def test_unchanged_submission_has_the_current_policy(policy: NotificationPolicy) -> None:
    """Nothing is lost between inputs and policy."""
    body = submission(policy)
    assert NotificationPolicy.model_validate(settings_submission.parse_changes(body)) == policy
    lacks_group = policy.mention is Mention.GROUP and not policy.group
    assert bool(settings_submission.input_errors(body)) == lacks_group


def test_submission_becomes_a_request_for_its_channel() -> None:
    """With the view's id as key and the revision that was shown."""
    incoming = settings_submission.to_request(submission(NotificationPolicy()), NOON)
    assert (incoming.workspace, incoming.idempotency_key) == ("T1", "view:V1")
    assert (incoming.request.kind, incoming.request.channel, incoming.request.user) == (
        RequestKind.SETTINGS_FORM,
        "C1",
        "U0ADA",
    )
    assert SettingsPatch.model_validate_json(incoming.request.value).revision == 3


@pytest.mark.parametrize(
    ("filled", "block", "words"),
    [
        ({"begins": time("22:00")}, "ends.0", "Quiet hours need both ends"),
        ({"ends": time("22:00")}, "begins.0", "Quiet hours need both ends"),
        ({"begins": time("22:00"), "ends": time("22:00")}, "ends.0", "another time"),
        ({"begins": time("22:00"), "ends": time("07:00")}, "zone.0", "Choose the time zone"),
        ({"mention": option("group")}, "group.0", "Choose the user group"),
        ({"posts_per_hour": {"value": "0"}}, "posts_per_hour.0", "whole number from 1 to 1,000"),
        ({"posts_per_hour": {"value": "1.5"}}, "posts_per_hour.0", "whole number"),
    ],
)
def test_invalid_input_has_an_error_at_its_block(
    filled: dict[str, Any], block: str, words: str
) -> None:
    """One sentence, at the input to correct."""
    (found,) = settings_submission.input_errors(submission(NotificationPolicy(), **filled)).items()
    assert found[0] == block
    assert words in found[1]


def test_error_after_a_preset_uses_the_current_block_id() -> None:
    """A preset changes the block ids."""
    page = PAGE.with_preset("default")
    body = submission(NotificationPolicy(), page, begins=time("22:00"))
    assert list(settings_submission.input_errors(body)) == ["ends.1"]


@pytest.mark.parametrize(("action_id", "preset"), [("preset:quiet", "quiet"), ("other", "")])
def test_preset_is_in_the_action_id(action_id: str, preset: str) -> None:
    """Another button of the modal names none."""
    body = {"type": "block_actions", "actions": [{"action_id": action_id}]}
    assert settings_submission.clicked_preset(body) == preset
