"""Verdict: compares each thread with its job, and each request with its answers. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from chaos import message_parser

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chaos.journal import Journal, ProviderAnswer
    from chaos.simulated_users import Attempt
    from chaos.threads import BotMessages, CardPost, ThreadReply

WRITING_SECONDS = 4.0  # after an answer, until a running bot has stored it
OVERTAKING_SECONDS = 2.0  # two polls this close may become one change
MAX_REPLY_SECONDS = 30.0  # from a change to its reply, under Slack's rate limits
CATCH_UP_SECONDS = 90.0  # to post what waited during a post outage
WAITING_NOTICE = "Looking up"


@dataclass
class Verdict:
    """The violations, a sentence each, and the counts."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)  # reported out of order, or never true
    expected: int = 0  # changes that the bot has stored, so they must be reported
    delivered: int = 0
    coalesced: int = 0  # changes reported together with a later one
    repeated_ephemerals: int = 0
    delays: list[float] = field(default_factory=list)  # seconds from a change to its reply

    @property
    def passed(self) -> bool:
        """Whether there is no violation."""
        return not (self.lost or self.duplicated or self.out_of_order)


def judge(journal: Journal, threads: BotMessages, attempts: Sequence[Attempt]) -> Verdict:
    """Compare all messages with the journal."""
    verdict = Verdict()
    # A card deleted before its post was confirmed is not found by the lookup, and posted again.
    deleted = Counter(r.key for r in threads.cards if (r.channel, r.ts) in journal.deleted_cards)
    repeated = {key: n for key, n in threads.keys.items() if key and n - deleted[key] > 1}
    verdict.duplicated += [f"key {key} was posted {n} times" for key, n in repeated.items()]
    for card in threads.cards:
        _judge_thread(verdict, journal, card, threads.replies.get((card.channel, card.ts), []))
    _judge_answers(verdict, journal, threads, attempts)
    return verdict


def missing_outcomes(journal: Journal, threads: BotMessages) -> int:
    """Return how many threads of ended jobs do not have the outcome yet."""
    return sum(
        card.followed
        and (card.channel, card.ts) not in journal.deleted_cards
        and card.job in journal.ended
        and _outcome(journal, card) not in [card.status, *_reported(threads, card)]
        for card in threads.cards
    )


def unanswered_requests(journal: Journal, threads: BotMessages, attempts: Iterable[Attempt]) -> int:
    """Return how many acknowledged requests have no answer."""
    verdict = Verdict()
    _judge_answers(verdict, journal, threads, attempts)
    return len(verdict.lost)


def _outcome(journal: Journal, card: CardPost) -> str:
    return journal.statuses(card.job)[-1]


def _reported(threads: BotMessages, card: CardPost) -> list[str]:
    replies = threads.replies.get((card.channel, card.ts), [])
    return [status for reply in replies for status in message_parser.statuses_in(reply.text)]


def _judge_thread(
    verdict: Verdict, journal: Journal, card: CardPost, replies: Sequence[ThreadReply]
) -> None:
    name, timeline = f"{card.job} in {card.channel}", journal.statuses(card.job)
    reported = [
        (status, reply) for reply in replies for status in message_parser.statuses_in(reply.text)
    ]
    statuses = [status for status, _ in reported]
    _judge_order(verdict, name, timeline, [card.status, *statuses])
    unknown = [
        r.text
        for r in replies
        if not message_parser.statuses_in(r.text) and not message_parser.is_polling_notice(r.text)
    ]
    verdict.out_of_order += [f"{name}: not a change of its job: {text}" for text in unknown]
    reachable = card.followed and (card.channel, card.ts) not in journal.deleted_cards
    if reachable and card.job in journal.ended and timeline[-1] not in (card.status, *statuses):
        verdict.lost.append(
            f"{name}: outcome {timeline[-1]} is missing; reported: {card.status}, {statuses}"
        )
    _judge_changes(verdict, journal, card, statuses)
    times = journal.status_times[card.job]
    verdict.delivered += len(statuses)
    verdict.delays += [reply.at - times[status] for status, reply in reported if status in times]


def _judge_order(verdict: Verdict, name: str, timeline: list[str], statuses: list[str]) -> None:
    order = {status: index for index, status in enumerate(timeline)}
    verdict.out_of_order += [
        f"{name}: {status!r} was never its status" for status in statuses if status not in order
    ]
    repeated = {status for status in statuses if statuses.count(status) > 1}
    verdict.duplicated += [
        f"{name}: {status} reported twice: {statuses}" for status in sorted(repeated)
    ]
    known = [order[status] for status in statuses if status in order]
    if any(later < earlier for earlier, later in pairwise(known)):
        verdict.out_of_order.append(f"{name}: reported {statuses}, but was {timeline}")


def _judge_changes(verdict: Verdict, journal: Journal, card: CardPost, statuses: list[str]) -> None:
    """Find the changes that the bot has stored but not reported."""
    if not card.followed:
        return
    answers = [
        answer for answer in journal.answers[card.job] if answer.requested_at > float(card.ts)
    ]
    reachable_until = _reachable_until(journal, card)
    order = {status: index for index, status in enumerate(journal.statuses(card.job))}
    seen = {answer.status for answer in answers if order[answer.status] > order.get(card.status, 0)}
    expected = {
        answer.status
        for answer in answers
        if answer.status in seen
        and answer.answered_at + WRITING_SECONDS < reachable_until
        and _must_be_reported(journal, answer, answers, order)
    }
    verdict.expected += len(expected)
    verdict.coalesced += len(seen - expected - set(statuses))
    verdict.lost += [
        f"{card.job} in {card.channel}: {status} is missing; reported: {card.status}, {statuses}"
        for status in sorted(expected - set(statuses))
    ]


def _reachable_until(journal: Journal, card: CardPost) -> float:
    """Return when a thread was first unreachable; later, one reply may report several changes."""
    closed = journal.closed_channels.get(card.channel, float("inf"))
    unreachable = min(closed, journal.deleted_cards.get((card.channel, card.ts), float("inf")))
    outages = [
        outage.began_at
        for outage in journal.post_outages
        if outage.began_at < unreachable < outage.ended_at + CATCH_UP_SECONDS
    ]
    return min([unreachable, *outages]) - MAX_REPLY_SECONDS


def _must_be_reported(
    journal: Journal,
    answer: ProviderAnswer,
    answers: Sequence[ProviderAnswer],
    order: dict[str, int],
) -> bool:
    """Return whether the bot must have stored this answer before any newer answer."""
    if journal.was_down(answer.requested_at, answer.answered_at + WRITING_SECONDS):
        return False
    return not any(
        order[other.status] > order[answer.status]
        and other.requested_at < answer.answered_at + OVERTAKING_SECONDS
        for other in answers
    )


def _judge_answers(
    verdict: Verdict, journal: Journal, threads: BotMessages, attempts: Iterable[Attempt]
) -> None:
    """Check that each acknowledged request has one answer: its own, or the watch's card."""
    own = _answer_counts(threads)
    cards = _cards(journal, threads)
    by_place: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_place[attempt.channel, attempt.request.job].append(attempt)
    for place, place_attempts in by_place.items():
        counted = [(a, _count_answers(verdict, threads, own, a)) for a in place_attempts]
        _judge_place(verdict, place, counted, cards[place])


def _cards(journal: Journal, threads: BotMessages) -> dict[tuple[str, str], dict[str, str]]:
    """Return the cards of each job in each channel, as idempotency key → timestamp.

    A card that was deleted and replaced by a later request does not count.
    """
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for card in (card for card in threads.cards if card.followed):
        deleted_at = journal.deleted_cards.get((card.channel, card.ts), float("inf"))
        place = card.channel, card.job
        replaced = any(
            (other.channel, other.job) == place and other.followed and float(other.ts) > deleted_at
            for other in threads.cards
            if deleted_at < float("inf")
        )
        if not replaced:
            found[place][card.key] = card.ts
    return found


def _judge_place(
    verdict: Verdict,
    place: tuple[str, str],
    asked: list[tuple[Attempt, int]],
    cards: dict[str, str],
) -> None:
    name, card_count = f"{place[1]} requested in {place[0]}", len(cards)
    if card_count > 1:
        verdict.duplicated.append(f"{name}: {card_count} cards, {cards}; requests {asked}")
    unanswered_count = sum(attempt.acknowledged and not answers for attempt, answers in asked)
    if unanswered_count > card_count:
        missing = unanswered_count - card_count
        verdict.lost.append(f"{name}: {missing} of {len(asked)} requests have no answer")
    answered = sum(min(1, answers) for _, answers in asked) + card_count
    repeated = [attempt for attempt, answers in asked if answers > 1]
    if repeated or answered > len(asked):
        verdict.duplicated.append(f"{name}: {card_count} cards, and answers to {asked}")


def _answer_counts(threads: BotMessages) -> dict[str, int]:
    """Return the number of answers per request, by the prefix of their idempotency keys."""
    found: dict[str, int] = defaultdict(int)
    for key, number in (threads.keys - threads.direct_ephemerals).items():
        if key.startswith(("command:", "message:")):
            found[key.partition("~")[0].rpartition(":")[0] + ":"] += number
    return found


def _count_answers(
    verdict: Verdict, threads: BotMessages, own: dict[str, int], attempt: Attempt
) -> int:
    """Return how many own answers a request has; unconfirmed ephemerals may be repeated."""
    ephemerals = [
        text for text in threads.ephemerals[attempt.user] if not text.startswith(WAITING_NOTICE)
    ]
    verdict.repeated_ephemerals += max(0, len(ephemerals) - 1)
    return own.get(attempt.key, 0) + min(1, len(ephemerals))
