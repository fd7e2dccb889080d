"""Renders why a message was sent, and the decisions about a job. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.notifications import policy_text
from bot.notifications.effective_settings import FIELDS, ChannelSettings, Origin
from bot.notifications.policy import FollowUps
from bot.sdk import formatting
from bot.sdk.cards import blocks, message_size, overflow_menu
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.models import Message
from bot.store import BoardKind, DeliveryAction, EventKind, WatchState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sdk.cards.blocks import Block
    from bot.store import Board, DecisionRecord, SentMessage, Watch

MAX_DECISIONS = 15  # in one reply
_LINES = 5  # decisions in one section
_MAX_LINES_SIZE = 7_500  # JSON size of all decisions; the other blocks need the rest
_EVENT_TEXTS = {
    EventKind.CHANGE: "its status changed",
    EventKind.TASK: "one of its steps ended",
    EventKind.RUN: "one of its runs ended",
    EventKind.OUTCOME: "it ended",
    EventKind.POLLING_FAILED: "it could not be looked at",
    EventKind.POLLING_RECOVERED: "it can be looked at again",
    EventKind.JOB_MISSING: "it is not found any more, or nobody can look at it",
}
_FAILURE_TEXTS = {
    EventKind.CHANGE: "its status changed, and something failed",
    EventKind.TASK: "one of its steps failed",
    EventKind.RUN: "one of its runs failed",
    EventKind.OUTCOME: "it ended badly",
}
_ACTION_TEXTS = {
    DeliveryAction.POST: "told",
    DeliveryAction.UPDATE: "only on the card",
    DeliveryAction.DEFER: "deferred",
    DeliveryAction.DIGEST: "in the digest",
    DeliveryAction.REACT: "by a reaction",
    DeliveryAction.DROP: "dropped",
}


@dataclass(frozen=True)
class MessageOrigin:
    """The stored data about a message in Slack."""

    settings: ChannelSettings  # of its channel
    sent: SentMessage | None = None  # None: a card that was first posted as another reply
    watch: Watch | None = None
    job_name: str = ""  # of the job
    decision: DecisionRecord | None = None  # about the message
    board: Board | None = None  # the board or digest that the message shows
    deferred: Sequence[DecisionRecord] = field(default_factory=tuple)  # the decisions in a digest


def explain_message(origin: MessageOrigin) -> Message:
    """Return the explanation of a message."""
    if origin.decision is not None:
        text, details = _follow_up(origin, origin.decision)
    elif origin.board is not None:
        text, details = _board(origin, origin.board)
    elif origin.watch is not None and (origin.sent is None or origin.sent.creates_card):
        text, details = _card(origin, origin.watch)
    else:
        text, details = _other(origin.sent)
    texts = [text, *details, *_requested(origin.watch), policy_text.summary(origin.settings.policy)]
    return Message(
        text=text,
        blocks=(
            *(blocks.section(line) for line in texts),
            *blocks.actions(_buttons(origin.settings, origin.watch)),
        ),
    )


def unknown_message(keep_days: int) -> Message:
    """Return that the message is not in the database."""
    kept = formatting.plural(keep_days, "day")
    text = (
        f"That message is from too long ago: I remember for {kept} why I said something,"
        " and not longer than I have had this database."
    )
    return Message(text=text, blocks=(blocks.section(text),))


def _follow_up(origin: MessageOrigin, decided: DecisionRecord) -> tuple[str, list[str]]:
    normal = _EVENT_TEXTS[decided.event_kind]
    event_text = _FAILURE_TEXTS.get(decided.event_kind, normal) if decided.failed else normal
    name = _name_and_ref(decided.name, decided.ref)
    text = f"This is a follow-up about {name}: {event_text}. {decided.reason}"
    rules = [decided.rule]
    if origin.sent and origin.sent.broadcast:
        rules.append("broadcast")
    if "<@" in decided.text or "<!subteam^" in decided.text:
        rules.append("mention")
    coalesced = [_COALESCED_TEXT] if origin.sent and origin.sent.coalesced else []
    return text, [
        *coalesced,
        *(_setting(rule, origin.settings) for rule in rules if rule in FIELDS),
    ]


_COALESCED_TEXT = (
    "It was late, so this message tells with it what happened to the job until then: that was"
    " decided for itself, and `why` with the job's reference tells how."
)


def _setting(rule: str, settings: ChannelSettings) -> str:
    """Return the current value of a rule and its origin."""
    prefix = {
        "broadcast": "It is shown in the channel as well. ",
        "mention": "It calls somebody. ",
    }.get(rule, "")
    value = policy_text.format_value(getattr(settings.policy, rule))
    return f"{prefix}The setting is {blocks.code(rule)}, now *{value}*: {_origin(rule, settings)}."


def _origin(rule: str, settings: ChannelSettings) -> str:
    origin = settings.origin(rule)
    person = blocks.mention(settings.set_by) if origin is Origin.CHANNEL else ""
    return f"{origin}; {person} changed the settings here last" if person else str(origin)


def _card(origin: MessageOrigin, watch: Watch) -> tuple[str, list[str]]:
    name = _name_and_ref(origin.job_name or watch.ref.id, watch.ref)
    text = f"This is the card of {name}: it was asked for, so no setting decided about it."
    return text, ["It is kept current as long as the job is followed."]


def _board(origin: MessageOrigin, board: Board) -> tuple[str, list[str]]:
    if board.kind is BoardKind.BOARD:
        person = blocks.mention(board.asker) or "Somebody"
        when = f"{person} asked for its jobs {blocks.date(board.opened_at)} or soon after."
        return "This message is a board: its jobs were asked for together.", [when]
    count = formatting.plural(len(origin.deferred), "follow-up")
    reasons = dict.fromkeys(decided.reason for decided in origin.deferred)
    rules = dict.fromkeys(decided.rule for decided in origin.deferred)
    settings = [_setting(rule, origin.settings) for rule in rules if rule in FIELDS]
    return f"This message is a digest: it tells {count} that were deferred.", [*reasons, *settings]


def _other(said: SentMessage | None) -> tuple[str, list[str]]:
    why = said.reason if said else ""
    person = blocks.mention(why.removeprefix("asked for by "))
    if person:
        return f"This answers what {person} asked; no setting decided about it.", []
    because = f": {blocks.escape(why)}" if why else ""
    return f"No setting decided about this message{because}.", []


def _requested(watch: Watch | None) -> list[str]:
    if watch is None:
        return []
    person = blocks.mention(watch.asker) or "Somebody"
    return [f"{person} asked for the job {blocks.date(watch.requested_at)}. {_state(watch)}"]


def _state(watch: Watch) -> str:
    if watch.state is WatchState.ACTIVE:
        return "It is still followed."
    ended = f" since {blocks.date(watch.ended_at)}" if watch.ended_at else ""
    how = "It is no longer followed" if watch.state is WatchState.ENDED else "Its thread is silent"
    return f"{how}{ended}{_reason(watch)}."


def _reason(watch: Watch) -> str:
    """Return why a watch ended or its thread is unreachable; a user id becomes a mention."""
    person = blocks.mention(watch.stopped_by) if watch.stopped_by else ""
    said = f"stopped by {person}" if person else blocks.escape(watch.reason)
    return f": {said}" if said else ""


def _buttons(settings: ChannelSettings, watch: Watch | None) -> list[Block]:
    present = settings.policy.follow_ups
    live = watch if watch and watch.state is WatchState.ACTIVE else None
    stop = blocks.button("Stop following", ActionId.UNFOLLOW, value=str(live.ref)) if live else None
    narrow = [
        blocks.button(label, ActionId.RUN.with_suffix(value), value=typed)
        for value, (label, typed) in (
            (FollowUps.OUTCOMES, overflow_menu.OUTCOMES),
            (FollowUps.FAILURES, overflow_menu.FAILURES),
        )
        if present is not value
    ]
    everything = blocks.button(
        "All settings", ActionId.RUN.with_suffix("settings"), value="settings"
    )
    return [*([stop] if stop else []), *narrow, everything]


def explain_job(
    ref: str, watch: Watch | None, decided: Sequence[DecisionRecord], origin: MessageOrigin
) -> Message:
    """Return the decisions about a job in a channel; deferred ones come first."""
    deferred = [one for one in decided if one.deferred_until is not None]
    past = [one for one in decided if one.deferred_until is None]
    text = f"{blocks.code(ref)}: {_counts(deferred, past)}"
    texts = [text, *_requested(watch), policy_text.summary(origin.settings.policy)]
    lines = list(message_size.first_lines(map(_line, [*deferred, *past]), _MAX_LINES_SIZE))
    texts += _section_texts("*Deferred now:*", lines[: len(deferred)])
    texts += _section_texts("*Newest first:*", lines[len(deferred) :])
    buttons = blocks.actions(_buttons(origin.settings, watch))
    return Message(text=text, blocks=(*(blocks.section(line) for line in texts), *buttons))


def _counts(deferred: Sequence[DecisionRecord], past: Sequence[DecisionRecord]) -> str:
    if not deferred and not past:
        return "nothing has happened to it here that could have been told."
    told = sum(one.action is DeliveryAction.POST for one in past)
    waiting = f"{len(deferred):,} deferred now" if deferred else "nothing is deferred now"
    if not past:
        return f"{waiting}."
    others = formatting.plural(len(past), "other decision")
    return f"{waiting}; {told:,} of {others} told by a follow-up."


def _section_texts(title: str, lines: Sequence[str]) -> list[str]:
    groups = ["\n".join(lines[n : n + _LINES]) for n in range(0, len(lines), _LINES)]
    return [f"{title}\n{groups[0]}", *groups[1:]] if groups else []


def _line(decided: DecisionRecord) -> str:
    text = blocks.mrkdwn(blocks.one_line(decided.text), 200)["text"]
    decided_at = blocks.date(decided.decided_at)
    return f"• *{_action_text(decided)}* · {decided_at} · {text} _{decided.reason}_"


def _action_text(decided: DecisionRecord) -> str:
    if decided.action is DeliveryAction.DEFER and decided.deferred_until is not None:
        return f"deferred until {blocks.date(decided.deferred_until)}"
    if decided.action is DeliveryAction.DEFER or decided.board_id is not None:
        return "told in a digest"
    return _ACTION_TEXTS[decided.action]


def never_followed(ref: str, keep_days: int) -> Message:
    """Return that a job was not followed in a channel."""
    text = (
        f"{blocks.code(ref)} was not followed here in the last"
        f" {formatting.plural(keep_days, 'day')}, so there is nothing that I told or deferred."
    )
    return Message(text=text, blocks=(blocks.section(text),))


def _name_and_ref(name: str, ref: object) -> str:
    return f"*{blocks.escape(blocks.one_line(name), 150)}* ({blocks.code(str(ref))})"
