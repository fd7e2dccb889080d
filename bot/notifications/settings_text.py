"""Renders channel settings and the result of changing them. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands import replies
from bot.notifications.effective_settings import Origin
from bot.notifications.policy_text import CLAUSES, choice, sentence
from bot.notifications.settings_patch import Wish, differing
from bot.sdk.cards import blocks
from bot.sdk.models import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.settings_parser import Unclear
    from bot.notifications.effective_settings import Contract

CHANGE, UNDO = "contract_change", "contract_undo"  # buttons: open the modal, undo a change
MAX_BUTTONS = 5
_PRECEDENCE = tuple(Origin)  # the highest last
# Label and command of each button.
PRESET_BUTTONS = (
    ("Quiet", "quiet"),
    ("Normal", "normal"),
    ("Verbose", "verbose"),
    ("Back to default", "default"),
)


def reading(settings: Contract) -> Message:
    """Return the settings, field by field with their origins, and buttons to change them."""
    text = "This is what is told here."
    lines = clauses_of(settings)
    content = (
        blocks.section(f"*{text}*"),
        blocks.section("\n".join(f"• {line}" for line in lines)),
        blocks.context(author(settings)),
        *blocks.actions([*_preset_buttons(), _change_button()]),
    )
    return Message(text=" ".join([text, *lines, author(settings)]), blocks=content)


def clauses_of(settings: Contract) -> list[str]:
    """Return a sentence for each field with its origin, as mrkdwn."""
    return [f"{sentence(n, settings.policy)} ({origin(n, settings)}.)" for n in CLAUSES]


def origin(name: str, settings: Contract) -> str:
    """Return the origin of a field's value as text: "Set in this channel"."""
    names = ("mention", "group") if name == "mention" else (name,)
    origin_ = max((settings.origin(each) for each in names), key=_PRECEDENCE.index)
    return f"{origin_[:1].upper()}{origin_[1:]}"


def author(settings: Contract) -> str:
    """Return who last changed the channel's overrides, as mrkdwn."""
    person = blocks.mention(settings.set_by)
    return f"Last changed by {person}." if person else "Nobody has changed it here."


def changed(before: Contract, after: Contract) -> Message:
    """Return the changed fields, the current settings and an Undo button."""
    lines = _changed_lines(before, after)
    if not lines:
        return _unchanged(after)
    text = "Changed what is told here."
    undo = blocks.button("Undo", UNDO, value=_undo_patch(before, after))
    content = (
        blocks.section("\n".join([f"✅ *{text}*", *(f"• {line}" for line in lines)])),
        blocks.section("*All that holds now:*\n" + _bullets(clauses_of(after))),
        *blocks.actions([undo, _change_button()]),
    )
    return Message(text=" ".join([text, *lines]), blocks=content)


def _changed_lines(before: Contract, after: Contract) -> list[str]:
    """Return the new and the previous sentence of each field that changed."""
    changed = {"mention" if n == "group" else n for n in differing(before.policy, after.policy)}
    return [
        _changed_line(name, before, after)
        for name in CLAUSES
        if name in changed or sentence(name, before.policy) != sentence(name, after.policy)
    ]


def _changed_line(name: str, before: Contract, after: Contract) -> str:
    old, new = sentence(name, before.policy), sentence(name, after.policy)
    if old == new:
        return f"{choice(name, after.policy)}. As things stand, that makes no difference."
    return f"{new} Before: {_lower_first(old)}"


def _unchanged(settings: Contract) -> Message:
    text = "That is what holds here already; nothing was changed."
    lines = clauses_of(settings)
    content = (
        blocks.section(text),
        blocks.section(_bullets(lines)),
        *blocks.actions([_change_button()]),
    )
    return Message(text=" ".join([text, *lines]), blocks=content)


def overtaken(settings: Contract) -> Message:
    """Return that another user changed the settings first, and the current settings."""
    person = blocks.mention(settings.set_by) or "Somebody"
    text = f"⚠️ {person} changed this meanwhile, so I changed nothing. This holds now:"
    lines = clauses_of(settings)
    content = (
        blocks.section(text),
        blocks.section(_bullets(lines)),
        *blocks.actions([_change_button()]),
    )
    return Message(text=" ".join([text, *lines]), blocks=content)


def unclear(error: Unclear, command: str) -> Message:
    """Return why a command cannot be parsed, with a suggestion or all valid commands."""
    if error.better:
        message = replies.did_you_mean(error.said, error.better)
        choices = _choices_text(error.choices, command)
        return message.but(blocks=(*message.blocks, *map(blocks.section, choices)))
    if 0 < len(error.choices) <= MAX_BUTTONS:
        buttons = [blocks.button(c, f"run_{n}", value=c) for n, c in enumerate(error.choices)]
        return replies.sentence(f"{error.said} For example:", *buttons)
    return replies.sentence(
        " ".join([error.said, *_choices_text(error.choices, command)]), _change_button()
    )


def _choices_text(choices: Sequence[str], command: str) -> list[str]:
    commands = ", ".join(blocks.code(f"{command} {typed}") for typed in choices)
    return [f"Write one of {commands}."] if choices else []


def _preset_buttons() -> list[blocks.Block]:
    return [
        blocks.button(label, f"run_{n}", value=typed)
        for n, (label, typed) in enumerate(PRESET_BUTTONS)
    ]


def _change_button() -> blocks.Block:
    return blocks.button("Change …", CHANGE, value="settings")


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"• {line}" for line in lines)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _undo_patch(before: Contract, after: Contract) -> str:
    changes = differing(after.policy, before.policy)
    return Wish(changes=dict(changes), revision=after.revision).model_dump_json()
