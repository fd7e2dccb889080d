"""Action types that an answer consists of."""

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import get_args

import pytest

from bot.commands.actions import Action, Reply, Unfollow
from bot.sdk.models import JobRef, Message


def test_every_action_is_a_frozen_dataclass() -> None:
    """Actions are decided first and executed later."""
    for action in get_args(Action):
        assert is_dataclass(action)
        assert action.__dataclass_params__.frozen
        assert fields(action)


def test_reply_neither_replaces_nor_deletes_by_default() -> None:
    """Replacing and deleting the clicked message is explicit."""
    reply = Reply(Message(text="hello"))
    assert (reply.replace, reply.delete) == (False, False)


def test_action_is_immutable() -> None:
    """The executor runs exactly what was decided."""
    ref = JobRef(connection="deploys", id="1")
    with pytest.raises(FrozenInstanceError):
        Unfollow(ref).ref = ref  # type: ignore[misc]
