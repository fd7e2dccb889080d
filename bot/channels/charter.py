"""A channel's contract as messages: read aloud, changed, and why it was not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import answers
from bot.cards import blocks
from bot.models import Message
from bot.noise.amendments import Wish, differing
from bot.noise.clauses import CLAUSES, choice, sentence
from bot.noise.contracts import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.noise.contracts import Contract
    from bot.noise.dictation import Unclear

CHANGE, UNDO = "contract_change", "contract_undo"  # buttons: opens the modal, takes a change back
MOST_BUTTONS = 5
_NEARNESS = tuple(Origin)  # the nearest to the channel last
# Label and what the button types.
PRESET_BUTTONS = (
    ("Quiet", "quiet"),
    ("Normal", "normal"),
    ("Verbose", "verbose"),
    ("Back to default", "default"),
)


def reading(contract: Contract) -> Message:
    """Return the contract clause by clause, where each comes from, and buttons to change it."""
    said = "This is what is told here."
    lines = clauses_of(contract)
    shown = (
        blocks.section(f"*{said}*"),
        blocks.section("\n".join(f"• {line}" for line in lines)),
        blocks.context(author(contract)),
        *blocks.actions([*_presets(), _change()]),
    )
    return Message(text=" ".join([said, *lines, author(contract)]), blocks=shown)


def clauses_of(contract: Contract) -> list[str]:
    """Return a sentence for each clause with its origin, as mrkdwn."""
    return [f"{sentence(n, contract.policy)} ({origin(n, contract)}.)" for n in CLAUSES]


def origin(name: str, contract: Contract) -> str:
    """Return where a clause's value comes from: "Set in this channel"."""
    names = ("mention", "group") if name == "mention" else (name,)
    found = max((contract.origin(each) for each in names), key=_NEARNESS.index)
    return f"{found[:1].upper()}{found[1:]}"


def author(contract: Contract) -> str:
    """Return who last changed what the channel set itself, as mrkdwn."""
    person = blocks.mention(contract.set_by)
    return f"Last changed by {person}." if person else "Nobody has changed it here."


def changed(before: Contract, after: Contract) -> Message:
    """Return what a change changed, what holds now, and the way back."""
    lines = _changes(before, after)
    if not lines:
        return _same(after)
    said = "Changed what is told here."
    undo = blocks.button("Undo", UNDO, value=_undoing(before, after))
    shown = (
        blocks.section("\n".join([f"✅ *{said}*", *(f"• {line}" for line in lines)])),
        blocks.section("*All that holds now:*\n" + _bullets(clauses_of(after))),
        *blocks.actions([undo, _change()]),
    )
    return Message(text=" ".join([said, *lines]), blocks=shown)


def _changes(before: Contract, after: Contract) -> list[str]:
    """Return for each clause that is another what it says now, and what it said."""
    changed = {"mention" if n == "group" else n for n in differing(before.policy, after.policy)}
    return [
        _change_of(name, before, after)
        for name in CLAUSES
        if name in changed or sentence(name, before.policy) != sentence(name, after.policy)
    ]


def _change_of(name: str, before: Contract, after: Contract) -> str:
    old, new = sentence(name, before.policy), sentence(name, after.policy)
    if old == new:
        return f"{choice(name, after.policy)}. As things stand, that makes no difference."
    return f"{new} Before: {_lower_first(old)}"


def _same(contract: Contract) -> Message:
    said = "That is what holds here already; nothing was changed."
    lines = clauses_of(contract)
    shown = (blocks.section(said), blocks.section(_bullets(lines)), *blocks.actions([_change()]))
    return Message(text=" ".join([said, *lines]), blocks=shown)


def overtaken(contract: Contract) -> Message:
    """Return that somebody else changed the contract in between, and what holds now."""
    person = blocks.mention(contract.set_by) or "Somebody"
    said = f"⚠️ {person} changed this meanwhile, so I changed nothing. This holds now:"
    lines = clauses_of(contract)
    shown = (blocks.section(said), blocks.section(_bullets(lines)), *blocks.actions([_change()]))
    return Message(text=" ".join([said, *lines]), blocks=shown)


def unclear(reason: Unclear, command: str) -> Message:
    """Return why a change was not understood, with the better words, or all that may be typed."""
    if reason.better:
        message = answers.did_you_mean(reason.said, reason.better)
        rest = _choices(reason.choices, command)
        return message.but(blocks=(*message.blocks, *map(blocks.section, rest)))
    if 0 < len(reason.choices) <= MOST_BUTTONS:
        pressed = [blocks.button(c, f"run_{n}", value=c) for n, c in enumerate(reason.choices)]
        return answers.sentence(f"{reason.said} For example:", *pressed)
    return answers.sentence(" ".join([reason.said, *_choices(reason.choices, command)]), _change())


def _choices(choices: Sequence[str], command: str) -> list[str]:
    listed = ", ".join(blocks.code(f"{command} {typed}") for typed in choices)
    return [f"Write one of {listed}."] if choices else []


def _presets() -> list[blocks.Block]:
    return [
        blocks.button(label, f"run_{n}", value=typed)
        for n, (label, typed) in enumerate(PRESET_BUTTONS)
    ]


def _change() -> blocks.Block:
    return blocks.button("Change …", CHANGE, value="settings")


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"• {line}" for line in lines)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _undoing(before: Contract, after: Contract) -> str:
    changes = differing(after.policy, before.policy)
    return Wish(changes=dict(changes), revision=after.revision).model_dump_json()
