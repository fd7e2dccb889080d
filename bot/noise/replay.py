"""A channel's past under another policy: its decisions, made again in their order. Pure."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.noise.decision import Action, Context, Happening, News, decide
from bot.noise.policy import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bot.noise.decision import Decision
    from bot.noise.policy import NoisePolicy
    from bot.store import Decided, Watch

Name = tuple[str, str]  # the connection, and the name that its jobs share

TOGETHER = timedelta(minutes=1)  # in which what one person asks for in one place shares a board

_ENDS = (Happening.OUTCOME, Happening.RUN)
_NEWS = {(h, bad): News(happening=h, bad=bad) for h in Happening for bad in (False, True)}


@dataclass(frozen=True)
class Past:
    """What happened in a channel's sight, as far as deciding about it anew needs it."""

    decided: Sequence[Decided] = ()  # by the moment, oldest first
    stood: Mapping[Name, bool] = field(default_factory=dict)  # which names stood badly before
    reactable: frozenset[str] = frozenset()  # ids of the watches asked for by a message
    asked: Sequence[Watch] = ()  # in their order


@dataclass
class _Memory:
    """What the replay itself has said and seen so far."""

    stands: dict[Name, bool]
    posts: deque[datetime] = field(default_factory=deque)  # of the last hour, oldest first

    def spoken(self, now: datetime) -> int:
        while self.posts and self.posts[0] <= now - HOUR:
            self.posts.popleft()
        return len(self.posts)

    def note(self, decided: Decided, action: Action) -> None:
        if action is Action.POST:
            self.posts.append(decided.at)
        if decided.happening in _ENDS:
            self.stands[name_of(decided)] = decided.bad


def name_of(decided: Decided) -> Name:
    """Return the name under which the jobs like this one stand together."""
    return decided.ref.connection, decided.name


def replay(policy: NoisePolicy, past: Past) -> list[Decision]:
    """Return what this policy would have decided about each piece of news."""
    memory = _Memory(dict(past.stood))
    made: list[Decision] = []
    for decided in past.decided:
        news = _NEWS[decided.happening, decided.bad]
        decision = decide(policy, news, _context(decided, past, memory))
        memory.note(decided, decision.action)
        made.append(decision)
    return made


def _context(decided: Decided, past: Past, memory: _Memory) -> Context:
    """Return what the bot would have known at that moment; the values are checked already."""
    return Context.model_construct(
        now=decided.at,
        spoken=memory.spoken(decided.at),
        was_bad=memory.stands.get(name_of(decided), False),
        can_react=decided.watch_id in past.reactable,
        stopped=False,
    )


def cards(policy: NoisePolicy, past: Past) -> int:
    """Return how many cards or boards the jobs that were asked for would have had."""
    new = [watch for watch in past.asked if not _adopted(watch)]
    if not policy.board:
        return len(new)
    last: dict[tuple[str, str | None], datetime] = {}
    boards = 0
    for watch in new:
        place = (watch.asker, watch.thread_ts)
        before = last.get(place)
        boards += before is None or watch.asked_at - before > TOGETHER
        last[place] = watch.asked_at
    return boards


def _adopted(watch: Watch) -> bool:
    """Whether a job is followed from a card that was there before."""
    stands = float(watch.card_ts) if watch.card_ts and watch.board_id is None else None
    return stands is not None and stands < (watch.asked_at - TOGETHER).timestamp()


def count(decisions: Sequence[Decision]) -> Counter[Action]:
    """Return how often each action was decided on."""
    return Counter(decision.action for decision in decisions)
