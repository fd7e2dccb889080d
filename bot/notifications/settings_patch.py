"""Presets, settings patches and undo. No I/O.

A patch maps field → JSON value. It is applied over the current policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.notifications.effective_settings import FIELDS, resolve
from bot.notifications.policy import PRESETS, Mention, NotificationPolicy
from bot.sdk.models import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.notifications.policy import NotifySettings

    Changes = Mapping[str, Any]

# The fields that a preset sets. Quiet hours, mentions and the hourly limit keep their values.
PRESET_FIELDS = ("follow_ups", "tasks", "broadcast", "board", "reaction")


class SettingsPatch(Value):
    """A settings patch and the revision that it is based on; sent by the modal or a button."""

    changes: dict[str, Any]
    revision: int  # of the channel settings that the user saw


def preset_changes(name: str) -> Changes:
    """Return the patch of the preset "quiet", "normal" or "verbose"."""
    return PRESETS[name].model_dump(mode="json", include=set(PRESET_FIELDS))


def apply_patch(policy: NotificationPolicy, changes: Changes) -> NotificationPolicy:
    """Return the policy with a patch applied. Raise ValueError if the result is invalid."""
    return NotificationPolicy.model_validate({**policy.model_dump(mode="json"), **changes})


def defaults(notify: NotifySettings, channel: str) -> NotificationPolicy:
    """Return the policy of a channel that has no settings of its own."""
    return resolve(notify, channel, None).policy


def overrides(base: NotificationPolicy, wanted: NotificationPolicy) -> dict[str, Any]:
    """Return the values that a channel must store to get the wanted policy over the defaults."""
    old, new = base.model_dump(mode="json"), wanted.model_dump(mode="json")
    return {name: new[name] for name in FIELDS if new[name] != old[name]}


def diff(before: NotificationPolicy, after: NotificationPolicy) -> Changes:
    """Return the fields that differ, with their new values."""
    return overrides(before, after)


def problems(changes: Changes) -> dict[str, str]:
    """Return a sentence for each field that is invalid or inconsistent with the others.

    `changes` contains every field.
    """
    try:
        policy = NotificationPolicy.model_validate(changes)
    except ValidationError as error:
        return {str(item["loc"][0]): _sentence(item["msg"]) for item in error.errors()}
    if policy.mention is Mention.GROUP and not policy.group:
        return {"group": "Choose the user group that is to be called."}
    return {}


def _sentence(message: str) -> str:
    plain = message.removeprefix("Value error, ").rstrip(".")
    return f"{plain[:1].upper()}{plain[1:]}."
