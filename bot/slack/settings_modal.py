"""The modal of a channel's contract: how it looks, and where its options come from. Pure; no I/O.

Slack keeps what was typed into an input for as long as its block has the same id: a preset gives
the blocks that it fills a new one, and leaves the others as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.cards import blocks
from bot.channels import charter
from bot.models import Value
from bot.noise.amendments import LOUDNESS
from bot.noise.clauses import CLAUSES, YES_NO, chosen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.noise.contracts import Contract
    from bot.noise.policy import NoisePolicy
    from bot.slack.incoming import Payload

CONTRACT = "contract"  # the modal's callback_id
# Inputs that are no clause of their own; each is called by its action_id.
GROUP, BEGINS, ENDS, ZONE, PASSING = "group", "begins", "ends", "zone", "failures_pass"
SEARCHED = (GROUP, ZONE)  # their options are asked for while somebody types
REFILL = "refill"  # buttons of the modal: refill:quiet
TITLE = "What is told here"  # at most 24 characters
NOTE = "Nothing changes until you press Save."


class Page(Value):
    """Which contract the modal is about; it travels as the modal's private_metadata."""

    channel: str
    revision: int  # of the contract that was read
    loud: int = 0  # how often a preset has refilled the inputs that it is about
    rest: int = 0  # how often the defaults have refilled the others

    def block(self, name: str) -> str:
        """Return the block id of an input."""
        return f"{name}.{self.loud if name in LOUDNESS else self.rest}"

    def refilled(self, preset: str) -> Page:
        """Return the page after a button has refilled it."""
        rest = self.rest + (preset == "default")
        return self.but(loud=self.loud + 1, rest=rest)


@dataclass(frozen=True)
class Drawing:
    """What is drawn: the page, the contract as read, and what the inputs hold at first."""

    page: Page
    contract: Contract
    filled: NoisePolicy
    group: str = ""  # the group's name, if it is known

    def input(self, name: str, element: Payload, *, of: str = "", optional: bool = False) -> Any:
        """Return an input that says what it means and where its present value comes from."""
        label, meaning = _LABELS.get(name) or (CLAUSES[name].label, CLAUSES[name].meaning)
        hint = f"{meaning} Now: {charter.origin(of or name, self.contract).lower()}."
        return {
            "type": "input",
            "block_id": self.page.block(name),
            "label": blocks.plain(label),
            "hint": blocks.plain(hint),
            "element": {**element, "action_id": name},
            "optional": optional,
        }


_LABELS: Mapping[str, tuple[str, str]] = {
    GROUP: ("User group", "Which one is called; only needed where a user group is to be called."),
    BEGINS: ("Quiet hours begin", CLAUSES["quiet_hours"].meaning),
    ENDS: ("Quiet hours end", "They may reach over midnight. Empty both for no quiet hours."),
    ZONE: ("Time zone of the quiet hours", "Yours comes first; type to find another."),
    PASSING: ("Failures in quiet hours", "Whether failures are told at once all the same."),
}


def view(page: Page, contract: Contract, filled: NoisePolicy, group: str = "") -> Payload:
    """Return the modal as `views.open` and `views.update` take it."""
    drawing = Drawing(page, contract, filled, group)
    return {
        "type": "modal",
        "callback_id": CONTRACT,
        "private_metadata": page.model_dump_json(),
        "title": blocks.plain(TITLE),
        "submit": blocks.plain("Save"),
        "close": blocks.plain("Cancel"),
        "blocks": [*_head(contract), *_clauses(drawing), *_quiet(drawing), *_rest(drawing)],
    }


def reading(contract: Contract, why: str) -> Payload:
    """Return the contract as a modal for somebody who may not change it."""
    lines = "\n".join(f"• {line}" for line in charter.clauses_of(contract))
    shown = [blocks.section(lines), blocks.context(charter.author(contract), blocks.plain(why))]
    return {
        "type": "modal",
        "title": blocks.plain(TITLE),
        "close": blocks.plain("Close"),
        "blocks": shown,
    }


def _head(contract: Contract) -> list[blocks.Block]:
    buttons = [
        blocks.button(label, f"{REFILL}:{name}", value=name)
        for label, name in charter.PRESET_BUTTONS
    ]
    return [*blocks.actions(buttons), blocks.context(charter.author(contract), NOTE)]


def _clauses(drawing: Drawing) -> list[blocks.Block]:
    names = ("follow_ups", "tasks", "broadcast", "mention")
    selects = [drawing.input(name, _select(name, drawing.filled)) for name in names]
    return [*selects, drawing.input(GROUP, _group(drawing), of="mention", optional=True)]


def _select(name: str, filled: NoisePolicy) -> Payload:
    options = {value: _option(label, value) for value, label in CLAUSES[name].choices.items()}
    return {
        "type": "static_select",
        "options": list(options.values()),
        "initial_option": options[chosen(name, filled)],
    }


def _group(drawing: Drawing) -> Payload:
    id_ = drawing.filled.group
    initial = {"initial_option": _option(drawing.group or id_, id_)} if id_ else {}
    placeholder = blocks.plain("Type a name, or the group's id")
    return {
        "type": "external_select",
        "min_query_length": 0,
        "placeholder": placeholder,
        **initial,
    }


def _quiet(drawing: Drawing) -> list[blocks.Block]:
    quiet = drawing.filled.quiet_hours
    zone = {"initial_option": _option(quiet.zone, quiet.zone)} if quiet else {}
    elements: dict[str, Payload] = {
        BEGINS: _time(f"{quiet.begins:%H:%M}" if quiet else ""),
        ENDS: _time(f"{quiet.ends:%H:%M}" if quiet else ""),
        ZONE: {"type": "external_select", "min_query_length": 0, **zone},
        PASSING: _box("Tell failures at once", ticked=bool(quiet and quiet.failures_pass)),
    }
    return [
        drawing.input(name, element, of="quiet_hours", optional=True)
        for name, element in elements.items()
    ]


def _time(initial: str) -> Payload:
    return {"type": "timepicker", **({"initial_time": initial} if initial else {})}


def _rest(drawing: Drawing) -> list[blocks.Block]:
    filled = drawing.filled
    elements: dict[str, Payload] = {
        "posts_per_hour": _number(filled.posts_per_hour),
        "board": _box("Share one message", ticked=filled.board),
        "reaction": _box("React instead of writing", ticked=filled.reaction),
    }
    return [drawing.input(name, element, optional=True) for name, element in elements.items()]


def _number(initial: int | None) -> Payload:
    limits = {"is_decimal_allowed": False, "min_value": "1", "max_value": "1000"}
    filled = {} if initial is None else {"initial_value": str(initial)}
    return {"type": "number_input", **limits, **filled}


def _box(label: str, *, ticked: bool) -> Payload:
    option = _option(label, next(iter(YES_NO)))
    return {
        "type": "checkboxes",
        "options": [option],
        **({"initial_options": [option]} if ticked else {}),
    }


def _option(label: str, value: str) -> Payload:
    return {"text": blocks.plain(label, 75), "value": value}
