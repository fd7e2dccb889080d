"""What was filled into the modal of a channel's contract: values, or a sentence. Pure; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.asks import Ask, Kind
from bot.noise.amendments import Wish, problems
from bot.noise.clauses import CLAUSES
from bot.slack.incoming import Incoming, workspace_of
from bot.slack.settings_modal import BEGINS, CONTRACT, ENDS, GROUP, PASSING, REFILL, ZONE, Page

if TYPE_CHECKING:
    from datetime import datetime

    from bot.slack.incoming import Payload

OVERTAKEN = (
    "Somebody changed this while you had it open. Close it and open it again to see what holds now;"
    " nothing of yours was saved."
)
_NO_NUMBER = "Write a whole number from 1 to 1,000, or nothing."


def is_submitted(body: Payload) -> bool:
    """Whether somebody pressed Save."""
    return body.get("type") == "view_submission" and _is_ours(body)


def is_searched(body: Payload) -> bool:
    """Whether somebody opened a list of the modal, or typed into it."""
    return body.get("type") == "block_suggestion" and _is_ours(body)


def refilling(body: Payload) -> str:
    """Return which button of the modal was pressed: "quiet"; or "" if none was."""
    if body.get("type") != "block_actions" or not _is_ours(body):
        return ""
    kind, _, name = str(body["actions"][0].get("action_id", "")).partition(":")
    return name if kind == REFILL else ""


def _is_ours(body: Payload) -> bool:
    return bool((body.get("view") or {}).get("callback_id") == CONTRACT)


def page_of(body: Payload) -> Page:
    """Return which contract the modal is about."""
    return Page.model_validate_json(body["view"]["private_metadata"])


def changes(body: Payload) -> dict[str, Any]:
    """Return all fields as they were filled in; what makes no sense is for `errors` to tell."""
    held = _held(body)
    chosen = {name: held.get(name) for name in ("follow_ups", "tasks", "broadcast", "mention")}
    return {
        **chosen,
        "group": held.get(GROUP) or "",
        "quiet_hours": _quiet(held),
        "posts_per_hour": _number(held.get("posts_per_hour")),
        "board": bool(held.get("board")),
        "reaction": bool(held.get("reaction")),
    }


def errors(body: Payload) -> dict[str, str]:
    """Return a sentence for each input that is wrong, by its block; empty: all is well."""
    held, wrong = _held(body), {}
    begins, ends = held.get(BEGINS), held.get(ENDS)
    if bool(begins) != bool(ends):
        wrong[ENDS if begins else BEGINS] = "Quiet hours need both ends: choose this one, too."
    elif begins and begins == ends:
        wrong[ENDS] = "Quiet hours must end at another time than they begin."
    elif begins and not held.get(ZONE):
        wrong[ZONE] = "Choose the time zone in which these hours are meant."
    if not wrong:
        found = problems(changes(body))
        wrong = {_INPUTS.get(name, name): _PLAINER.get(name, found[name]) for name in found}
    page = page_of(body)
    return {page.block(name): sentence for name, sentence in wrong.items()}


_INPUTS = {"quiet_hours": ZONE}  # where a field is told of that is no input itself
_PLAINER = {"posts_per_hour": _NO_NUMBER}


def overtaken(body: Payload) -> dict[str, str]:
    """Return the sentence for a contract that somebody else has changed meanwhile."""
    return {page_of(body).block(next(iter(CLAUSES))): OVERTAKEN}


def busy(body: Payload, sentence: str) -> dict[str, str]:
    """Return why nothing can be saved just now."""
    return {page_of(body).block(next(iter(CLAUSES))): sentence}


def submitted(body: Payload, now: datetime) -> Incoming:
    """Return what a submission without errors asks for."""
    page = page_of(body)
    wish = Wish(changes=changes(body), revision=page.revision)
    ask = Ask(
        kind=Kind.FORM,
        user=body["user"]["id"],
        channel=page.channel,
        at=now,
        value=wish.model_dump_json(),
    )
    return Incoming(workspace_of(body), f"view:{body['view']['id']}", ask)


def _quiet(held: dict[str, Any]) -> dict[str, Any] | None:
    if not held.get(BEGINS) or not held.get(ENDS):
        return None
    return {
        "begins": held[BEGINS],
        "ends": held[ENDS],
        "zone": held.get(ZONE) or "UTC",
        PASSING: bool(held.get(PASSING)),
    }


def _number(typed: str | None) -> int | str | None:
    """Return the number that was typed; anything else stays as it is, to be told of."""
    text = (typed or "").strip()
    if not text:
        return None
    return int(text) if text.isdecimal() and len(text) <= 4 else text


def _held(body: Payload) -> dict[str, Any]:
    """Return what each input holds, by its action_id."""
    values: Payload = (body["view"].get("state") or {}).get("values") or {}
    return {name: _value(state) for block in values.values() for name, state in block.items()}


def _value(state: Payload) -> Any:
    match state.get("type"):
        case "static_select" | "external_select":
            return (state.get("selected_option") or {}).get("value")
        case "timepicker":
            return state.get("selected_time")
        case "checkboxes":
            return [option["value"] for option in state.get("selected_options") or ()]
    return state.get("value")
