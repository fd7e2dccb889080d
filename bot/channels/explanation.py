"""Why a message is there, and what was held back of a job, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot import words
from bot.cards import blocks, menu
from bot.models import Message
from bot.noise import clauses
from bot.noise.contracts import FIELDS, Contract, Origin
from bot.noise.decision import Action, Happening
from bot.noise.policy import FollowUps
from bot.store import BoardKind, WatchState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.cards.blocks import Block
    from bot.store import Board, Decided, Said, Watch

MOST_DECISIONS = 15  # in one answer
_LINES = 5  # of them in one section
_HAPPENED = {
    Happening.CHANGE: "its status changed",
    Happening.TASK: "one of its steps ended",
    Happening.RUN: "one of its runs ended",
    Happening.OUTCOME: "it ended",
    Happening.TROUBLE: "it could not be looked at",
    Happening.WELL: "it can be looked at again",
    Happening.LOST: "it is not found any more, or nobody can look at it",
}
_FAILED = {
    Happening.CHANGE: "its status changed, and something failed",
    Happening.TASK: "one of its steps failed",
    Happening.RUN: "one of its runs failed",
    Happening.OUTCOME: "it ended badly",
}
_DONE = {
    Action.POST: "told",
    Action.UPDATE: "only on the card",
    Action.HOLD: "held back",
    Action.DIGEST: "in the digest",
    Action.REACT: "by a reaction",
    Action.DROP: "dropped",
}


@dataclass(frozen=True)
class Found:
    """What is known of a message that stands in Slack."""

    contract: Contract  # that holds in its channel
    said: Said | None = None  # the message itself; None: a card that took another's place
    watch: Watch | None = None
    name: str = ""  # of the watch's job
    decided: Decided | None = None  # about it
    board: Board | None = None  # whose message it is
    members: Sequence[Decided] = field(default_factory=tuple)  # what a digest tells


def message(found: Found) -> Message:
    """Return why a message is there, to whoever asks."""
    if found.decided is not None:
        text, rest = _follow_up(found, found.decided)
    elif found.board is not None:
        text, rest = _board(found, found.board)
    elif found.watch is not None and (found.said is None or found.said.roots_watch):
        text, rest = _card(found, found.watch)
    else:
        text, rest = _other(found.said)
    shown = [text, *rest, *_asked(found.watch), clauses.gist(found.contract.policy)]
    return Message(
        text=text,
        blocks=(
            *(blocks.section(line) for line in shown),
            *blocks.actions(_buttons(found.contract, found.watch)),
        ),
    )


def forgotten(keep_days: int) -> Message:
    """Return that nothing is known of a message."""
    kept = words.plural(keep_days, "day")
    text = (
        f"That message is from too long ago: I remember for {kept} why I said something,"
        " and not longer than I have had this database."
    )
    return Message(text=text, blocks=(blocks.section(text),))


def _follow_up(found: Found, decided: Decided) -> tuple[str, list[str]]:
    good = _HAPPENED[decided.happening]
    what = _FAILED.get(decided.happening, good) if decided.bad else good
    name = _named(decided.name, decided.ref)
    text = f"This is a follow-up about {name}: {what}. {decided.reason}"
    rules = [decided.rule]
    if found.said and found.said.loud:
        rules.append("broadcast")
    if "<@" in decided.text or "<!subteam^" in decided.text:
        rules.append("mention")
    late = [_LATE] if found.said and found.said.late else []
    return text, [*late, *(_setting(rule, found.contract) for rule in rules if rule in FIELDS)]


_LATE = (
    "It was late, so this message tells with it what happened to the job until then: that was"
    " decided for itself, and `why` with the job's reference tells how."
)


def _setting(rule: str, contract: Contract) -> str:
    """Return which value a rule has now, and where that comes from."""
    lead = {
        "broadcast": "It is shown in the channel as well. ",
        "mention": "It calls somebody. ",
    }.get(rule, "")
    held = clauses.value(getattr(contract.policy, rule))
    return f"{lead}The setting is {blocks.code(rule)}, now *{held}*: {_origin(rule, contract)}."


def _origin(rule: str, contract: Contract) -> str:
    origin = contract.origin(rule)
    person = blocks.mention(contract.set_by) if origin is Origin.CHANNEL else ""
    return f"{origin}; {person} changed the settings here last" if person else str(origin)


def _card(found: Found, watch: Watch) -> tuple[str, list[str]]:
    name = _named(found.name or watch.ref.id, watch.ref)
    text = f"This is the card of {name}: it was asked for, so no setting decided about it."
    return text, ["It is kept current as long as the job is followed."]


def _board(found: Found, board: Board) -> tuple[str, list[str]]:
    if board.kind is BoardKind.BOARD:
        person = blocks.mention(board.asker) or "Somebody"
        when = f"{person} asked for its jobs {blocks.date(board.opened_at)} or soon after."
        return "This message is a board: its jobs were asked for together.", [when]
    count = words.plural(len(found.members), "follow-up")
    reasons = dict.fromkeys(decided.reason for decided in found.members)
    rules = dict.fromkeys(decided.rule for decided in found.members)
    settings = [_setting(rule, found.contract) for rule in rules if rule in FIELDS]
    return f"This message is a digest: it tells {count} that were held back.", [*reasons, *settings]


def _other(said: Said | None) -> tuple[str, list[str]]:
    why = said.reason if said else ""
    person = blocks.mention(why.removeprefix("asked for by "))
    if person:
        return f"This answers what {person} asked; no setting decided about it.", []
    because = f": {blocks.escape(why)}" if why else ""
    return f"No setting decided about this message{because}.", []


def _asked(watch: Watch | None) -> list[str]:
    if watch is None:
        return []
    person = blocks.mention(watch.asker) or "Somebody"
    return [f"{person} asked for the job {blocks.date(watch.asked_at)}. {_state(watch)}"]


def _state(watch: Watch) -> str:
    if watch.state is WatchState.ACTIVE:
        return "It is still followed."
    ended = f" since {blocks.date(watch.ended_at)}" if watch.ended_at else ""
    how = "It is no longer followed" if watch.state is WatchState.ENDED else "Its thread is silent"
    return f"{how}{ended}{_because(watch)}."


def _because(watch: Watch) -> str:
    """Return why a watch was ended or parked; a person's id becomes a mention."""
    person = blocks.mention(watch.stopper) if watch.stopper else ""
    said = f"stopped by {person}" if person else blocks.escape(watch.reason)
    return f": {said}" if said else ""


def _buttons(contract: Contract, watch: Watch | None) -> list[Block]:
    present = contract.policy.follow_ups
    live = watch if watch and watch.state is WatchState.ACTIVE else None
    stop = blocks.button("Stop following", "unfollow", value=str(live.ref)) if live else None
    narrow = [
        blocks.button(label, f"run_{value}", value=typed)
        for value, (label, typed) in (
            (FollowUps.OUTCOMES, menu.OUTCOMES),
            (FollowUps.FAILURES, menu.FAILURES),
        )
        if present is not value
    ]
    everything = blocks.button("All settings", "run_settings", value="settings")
    return [*([stop] if stop else []), *narrow, everything]


def job(ref: str, watch: Watch | None, decided: Sequence[Decided], found: Found) -> Message:
    """Return what became of all that happened to a job in a channel; held ones come first."""
    held = [one for one in decided if one.until is not None]
    past = [one for one in decided if one.until is None]
    text = f"{blocks.code(ref)}: {_counted(held, past)}"
    shown = [text, *_asked(watch), clauses.gist(found.contract.policy)]
    shown += _listed("*Held back now:*", held) + _listed("*Newest first:*", past)
    buttons = blocks.actions(_buttons(found.contract, watch))
    return Message(text=text, blocks=(*(blocks.section(line) for line in shown), *buttons))


def _counted(held: Sequence[Decided], past: Sequence[Decided]) -> str:
    if not held and not past:
        return "nothing has happened to it here that could have been told."
    told = sum(one.action is Action.POST for one in past)
    waiting = f"{len(held):,} held back now" if held else "nothing is held back now"
    if not past:
        return f"{waiting}."
    others = words.plural(len(past), "other decision")
    return f"{waiting}; {told:,} of {others} told by a follow-up."


def _listed(title: str, decided: Sequence[Decided]) -> list[str]:
    lines = [_line(one) for one in decided]
    groups = ["\n".join(lines[n : n + _LINES]) for n in range(0, len(lines), _LINES)]
    return [f"{title}\n{groups[0]}", *groups[1:]] if groups else []


def _line(decided: Decided) -> str:
    text = blocks.mrkdwn(blocks.one_line(decided.text), 200)["text"]
    return f"• *{_done(decided)}* · {blocks.date(decided.at)} · {text} _{decided.reason}_"


def _done(decided: Decided) -> str:
    if decided.action is Action.HOLD and decided.until is not None:
        return f"held until {blocks.date(decided.until)}"
    if decided.action is Action.HOLD or decided.board_id is not None:
        return "told in a digest"
    return _DONE[decided.action]


def never_followed(ref: str, keep_days: int) -> Message:
    """Return that a job has not been followed in a channel."""
    text = (
        f"{blocks.code(ref)} was not followed here in the last"
        f" {words.plural(keep_days, 'day')}, so there is nothing that I told or held back."
    )
    return Message(text=text, blocks=(blocks.section(text),))


def _named(name: str, ref: object) -> str:
    return f"*{blocks.escape(blocks.one_line(name), 150)}* ({blocks.code(str(ref))})"
