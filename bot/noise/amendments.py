"""Changes of a contract: presets, what a channel stores of them, and how one is undone. Pure.

A change is field → value as JSON has it, and is laid over what holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.models import Value
from bot.noise.contracts import FIELDS, contract
from bot.noise.policy import PRESETS, Mention, NoisePolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.settings import NotifySettings

    Changes = Mapping[str, Any]

# What makes a channel loud or quiet; a preset leaves alone when it is quiet and whom it calls.
LOUDNESS = ("follow_ups", "tasks", "broadcast", "board", "reaction")


class Wish(Value):
    """A change of a contract that somebody has read, as a modal or a button asks for it."""

    changes: dict[str, Any]
    revision: int  # of the contract that was read


def preset(name: str) -> Changes:
    """Return the change that makes a channel "quiet", "normal" or "verbose"."""
    return PRESETS[name].model_dump(mode="json", include=set(LOUDNESS))


def amended(policy: NoisePolicy, changes: Changes) -> NoisePolicy:
    """Return a policy with a change laid over it; raises ValueError where that makes no sense."""
    return NoisePolicy.model_validate({**policy.model_dump(mode="json"), **changes})


def defaults(notify: NotifySettings, channel: str) -> NoisePolicy:
    """Return what holds in a channel that set nothing itself."""
    return contract(notify, channel, None).policy


def own_values(beneath: NoisePolicy, wanted: NoisePolicy) -> dict[str, Any]:
    """Return what a channel must set itself to have what it wants."""
    below, above = beneath.model_dump(mode="json"), wanted.model_dump(mode="json")
    return {name: above[name] for name in FIELDS if above[name] != below[name]}


def differing(before: NoisePolicy, after: NoisePolicy) -> Changes:
    """Return the change that leads from one policy to the other."""
    return own_values(before, after)


def problems(changes: Changes) -> dict[str, str]:
    """Return a sentence for each field that is wrong, or that the others do not go with.

    `changes` name all the fields.
    """
    try:
        policy = NoisePolicy.model_validate(changes)
    except ValidationError as error:
        return {str(item["loc"][0]): _sentence(item["msg"]) for item in error.errors()}
    if policy.mention is Mention.GROUP and not policy.group:
        return {"group": "Choose the user group that is to be called."}
    return {}


def _sentence(said: str) -> str:
    plain = said.removeprefix("Value error, ").rstrip(".")
    return f"{plain[:1].upper()}{plain[1:]}."
