"""What an answer is made of."""

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import get_args

import pytest

from bot.models import JobRef, Message
from bot.parts import Part, Say, Stop


def test_every_part_is_a_frozen_value() -> None:
    """An answer is decided first and done afterwards."""
    for part in get_args(Part):
        assert is_dataclass(part)
        assert part.__dataclass_params__.frozen
        assert fields(part)


def test_a_part_that_says_something_says_it_beside_what_was_clicked() -> None:
    """Replacing and deleting are asked for by name."""
    said = Say(Message(text="hello"))
    assert (said.replace, said.delete) == (False, False)


def test_a_part_cannot_be_changed() -> None:
    """Whoever commits an answer commits what was decided."""
    ref = JobRef(connection="deploys", id="1")
    with pytest.raises(FrozenInstanceError):
        Stop(ref).ref = ref  # type: ignore[misc]
