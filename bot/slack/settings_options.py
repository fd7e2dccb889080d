"""Options of the settings modal: time zones and user groups. Pure; no I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.commands.settings_parser import time_zones
from bot.notifications.policy import GROUP_ID_PATTERN
from bot.sdk.cards import blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.payloads import Payload
    from bot.slack.users import UserGroup

# https://docs.slack.dev/reference/block-kit/composition-objects/option-object
MAX_OPTIONS = 100
MAX_TEXT = 75
UTC = "UTC"


def time_zone_options(typed: str, own: str) -> Payload:
    """Return the time zones that match the typed text; the asker's own zone first."""
    word = _normalized(typed)
    known = time_zones()
    first = [name for name in (own, UTC) if name in known]
    ordered = dict.fromkeys([*first, *known])
    matching = [name for name in ordered if word in _normalized(name)]
    return {"options": [_option(name, name) for name in matching[:MAX_OPTIONS]]}


def _normalized(text: str) -> str:
    return text.strip().casefold().replace("_", " ")


def user_group_options(typed: str, groups: Sequence[UserGroup]) -> Payload:
    """Return the user groups that match the typed text, else the typed group id itself.

    Where the bot may not list the groups, the id is the only way to select one.
    """
    word = typed.strip()
    matching = [group for group in groups if word.lstrip("@").casefold() in _search_text(group)]
    options = [_option(f"@{group.handle} · {group.name}", group.id) for group in matching]
    if word and re.fullmatch(GROUP_ID_PATTERN, word.upper()) and not options:
        options = [_option(f"The group with the id {word.upper()}", word.upper())]
    return {"options": options[:MAX_OPTIONS]}


def _search_text(group: UserGroup) -> str:
    return f"{group.handle} {group.name} {group.id}".casefold()


def _option(text: str, value: str) -> Payload:
    return {"text": blocks.plain(blocks.one_line(text), MAX_TEXT), "value": value}
