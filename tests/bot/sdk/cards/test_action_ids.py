"""Action ids of the bot's buttons and menus."""

from __future__ import annotations

import pytest

from bot.sdk.cards.action_ids import ActionId


@pytest.mark.parametrize("action_id", ActionId)
def test_suffix_does_not_change_what_a_button_does(action_id: ActionId) -> None:
    """Buttons of one message have different suffixes."""
    assert ActionId.of(action_id) is action_id
    assert ActionId.of(action_id.with_suffix(0)) is action_id


@pytest.mark.parametrize("text", ["", "other", ":run", "running", "run_0"])
def test_other_action_ids_are_unknown(text: str) -> None:
    """For example those of a plugin's own buttons."""
    assert ActionId.of(text) is None
