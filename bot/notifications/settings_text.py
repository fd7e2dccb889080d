"""Renders channel settings and the result of changing them. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.notifications.effective_settings import Origin
from bot.notifications.policy_text import FIELD_TEXTS, labelled_choice, sentence
from bot.notifications.settings_patch import SettingsPatch, diff
from bot.sdk.cards import blocks
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.models import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.notifications.effective_settings import ChannelSettings

_PRECEDENCE = tuple(Origin)  # the highest last
# Label and command of each button.
PRESET_BUTTONS = (
    ("Quiet", "quiet"),
    ("Normal", "normal"),
    ("Verbose", "verbose"),
    ("Back to default", "default"),
)


def render_settings(settings: ChannelSettings) -> Message:
    """Return the settings, field by field with their origins, and buttons to change them."""
    text = "This is what is told here."
    lines = setting_lines(settings)
    content = (
        blocks.section(f"*{text}*"),
        blocks.section("\n".join(f"• {line}" for line in lines)),
        blocks.context(last_changed_by(settings)),
        *blocks.actions([*_preset_buttons(), change_button()]),
    )
    return Message(text=" ".join([text, *lines, last_changed_by(settings)]), blocks=content)


def setting_lines(settings: ChannelSettings) -> list[str]:
    """Return a sentence for each field with its origin, as mrkdwn."""
    return [f"{sentence(n, settings.policy)} ({origin_text(n, settings)}.)" for n in FIELD_TEXTS]


def origin_text(name: str, settings: ChannelSettings) -> str:
    """Return the origin of a field's value as text: "Set in this channel"."""
    names = ("mention", "group") if name == "mention" else (name,)
    origin_ = max((settings.origin(each) for each in names), key=_PRECEDENCE.index)
    return f"{origin_[:1].upper()}{origin_[1:]}"


def last_changed_by(settings: ChannelSettings) -> str:
    """Return who last changed the channel's overrides, as mrkdwn."""
    person = blocks.mention(settings.set_by)
    return f"Last changed by {person}." if person else "Nobody has changed it here."


def render_change(before: ChannelSettings, after: ChannelSettings) -> Message:
    """Return the changed fields, the current settings and an Undo button."""
    lines = _changed_lines(before, after)
    if not lines:
        return _unchanged(after)
    text = "Changed what is told here."
    undo = blocks.button("Undo", ActionId.SETTINGS_UNDO, value=_undo_patch(before, after))
    content = (
        blocks.section("\n".join([f"✅ *{text}*", *(f"• {line}" for line in lines)])),
        blocks.section("*All that holds now:*\n" + _bullets(setting_lines(after))),
        *blocks.actions([undo, change_button()]),
    )
    return Message(text=" ".join([text, *lines]), blocks=content)


def _changed_lines(before: ChannelSettings, after: ChannelSettings) -> list[str]:
    """Return the new and the previous sentence of each field that changed."""
    changed = {"mention" if n == "group" else n for n in diff(before.policy, after.policy)}
    return [
        _changed_line(name, before, after)
        for name in FIELD_TEXTS
        if name in changed or sentence(name, before.policy) != sentence(name, after.policy)
    ]


def _changed_line(name: str, before: ChannelSettings, after: ChannelSettings) -> str:
    old, new = sentence(name, before.policy), sentence(name, after.policy)
    if old == new:
        return f"{labelled_choice(name, after.policy)}. As things stand, that makes no difference."
    return f"{new} Before: {_lower_first(old)}"


def _unchanged(settings: ChannelSettings) -> Message:
    text = "That is what holds here already; nothing was changed."
    lines = setting_lines(settings)
    content = (
        blocks.section(text),
        blocks.section(_bullets(lines)),
        *blocks.actions([change_button()]),
    )
    return Message(text=" ".join([text, *lines]), blocks=content)


def conflict(settings: ChannelSettings) -> Message:
    """Return that another user changed the settings first, and the current settings."""
    person = blocks.mention(settings.set_by) or "Somebody"
    text = f"⚠️ {person} changed this meanwhile, so I changed nothing. This holds now:"
    lines = setting_lines(settings)
    content = (
        blocks.section(text),
        blocks.section(_bullets(lines)),
        *blocks.actions([change_button()]),
    )
    return Message(text=" ".join([text, *lines]), blocks=content)


def _preset_buttons() -> list[blocks.Block]:
    return [
        blocks.button(label, ActionId.RUN.with_suffix(n), value=typed)
        for n, (label, typed) in enumerate(PRESET_BUTTONS)
    ]


def change_button() -> blocks.Block:
    """Return the button that opens the settings modal."""
    return blocks.button("Change …", ActionId.SETTINGS_CHANGE, value="settings")


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"• {line}" for line in lines)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _undo_patch(before: ChannelSettings, after: ChannelSettings) -> str:
    changes = diff(after.policy, before.policy)
    return SettingsPatch(changes=dict(changes), revision=after.revision).model_dump_json()
