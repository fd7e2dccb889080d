"""What the lists in a contract's modal offer: time zones and user groups. Pure; no I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.cards import blocks
from bot.noise.dictation import zones
from bot.noise.policy import GROUP_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.directory import Group
    from bot.slack.incoming import Payload

# https://docs.slack.dev/reference/block-kit/composition-objects/option-object
MOST_OPTIONS = 100
LONGEST_TEXT = 75
UTC = "UTC"


def offer_zones(typed: str, own: str) -> Payload:
    """Return the time zones that fit what was typed; the asker's own comes first."""
    word = _plain(typed)
    known = zones()
    first = [name for name in (own, UTC) if name in known]
    ordered = dict.fromkeys([*first, *known])
    fitting = [name for name in ordered if word in _plain(name)]
    return {"options": [_option(name, name) for name in fitting[:MOST_OPTIONS]]}


def _plain(text: str) -> str:
    return text.strip().casefold().replace("_", " ")


def offer_groups(typed: str, groups: Sequence[Group]) -> Payload:
    """Return the user groups that fit what was typed, and an id that was typed itself.

    Where Slack does not let the bot see the groups, an id is the only way to name one.
    """
    word = typed.strip()
    fitting = [group for group in groups if word.lstrip("@").casefold() in _words(group)]
    options = [_option(f"@{group.handle} · {group.name}", group.id) for group in fitting]
    if word and re.fullmatch(GROUP_ID, word.upper()) and not options:
        options = [_option(f"The group with the id {word.upper()}", word.upper())]
    return {"options": options[:MOST_OPTIONS]}


def _words(group: Group) -> str:
    return f"{group.handle} {group.name} {group.id}".casefold()


def _option(text: str, value: str) -> Payload:
    return {"text": blocks.plain(blocks.one_line(text), LONGEST_TEXT), "value": value}
