"""The comparison: every thread with what its job did, every question with its answers. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from chaos import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chaos.crowd import Attempt
    from chaos.journal import Journal, Shown
    from chaos.threads import FollowUp, Root, Threads

WRITING_SECONDS = 4.0  # a bot that lives so long after an answer has written it down
OVERTAKING_SECONDS = 2.0  # two looks so close to each other may become one change
SETTLED_SECONDS = 30.0  # that a change may wait for Slack's limits before it is in its thread
CATCHING_UP_SECONDS = 90.0  # that it may take to tell what waited while Slack took no post
WAITING = "Looking up"


@dataclass
class Verdict:
    """What is wrong, a sentence each; and what was counted on the way."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)  # told out of order, or never so
    owed: int = 0  # changes that must have been told, as the bot lived to write them down
    told: int = 0
    merged: int = 0  # changes that were shown, and told together with a later one
    repeated_whispers: int = 0
    delays: list[float] = field(default_factory=list)  # seconds from a change to its follow-up

    @property
    def clean(self) -> bool:
        """Whether the promise was kept."""
        return not (self.lost or self.duplicated or self.disordered)


def judge(journal: Journal, threads: Threads, attempts: Sequence[Attempt]) -> Verdict:
    """Compare everything that was said with everything that happened."""
    verdict = Verdict()
    # A card that was deleted before the bot heard that it stands is not found, but posted anew.
    gone = Counter(r.key for r in threads.roots if (r.channel, r.ts) in journal.deleted)
    twice = {key: n for key, n in threads.keys.items() if key and n - gone[key] > 1}
    verdict.duplicated += [f"key {key} stands {n} times" for key, n in twice.items()]
    for root in threads.roots:
        _judge_thread(verdict, journal, root, threads.replies.get((root.channel, root.ts), []))
    _judge_answers(verdict, journal, threads, attempts)
    return verdict


def untold(journal: Journal, threads: Threads) -> int:
    """Return how many threads have not heard of their job's end, although it has ended."""
    return sum(
        root.followed
        and (root.channel, root.ts) not in journal.deleted
        and root.job in journal.ended
        and _end(journal, root) not in [root.word, *_words(threads, root)]
        for root in threads.roots
    )


def unanswered(journal: Journal, threads: Threads, attempts: Iterable[Attempt]) -> int:
    """Return how many acknowledged questions have no answer."""
    verdict = Verdict()
    _judge_answers(verdict, journal, threads, attempts)
    return len(verdict.lost)


def _end(journal: Journal, root: Root) -> str:
    return journal.words(root.job)[-1]


def _words(threads: Threads, root: Root) -> list[str]:
    said = threads.replies.get((root.channel, root.ts), [])
    return [word for reply in said for word in words.told(reply.text)]


def _judge_thread(
    verdict: Verdict, journal: Journal, root: Root, replies: Sequence[FollowUp]
) -> None:
    name, course = f"{root.job} in {root.channel}", journal.words(root.job)
    told = [(word, reply) for reply in replies for word in words.told(reply.text)]
    said = [word for word, _ in told]
    _judge_order(verdict, name, course, [root.word, *said])
    strange = [r.text for r in replies if not words.told(r.text) and not words.is_aside(r.text)]
    verdict.disordered += [f"{name}: no change of its job: {text}" for text in strange]
    kept = root.followed and (root.channel, root.ts) not in journal.deleted
    if kept and root.job in journal.ended and course[-1] not in (root.word, *said):
        verdict.lost.append(f"{name}: its end, {course[-1]}; told were {root.word}, {said}")
    _judge_changes(verdict, journal, root, said)
    moments = journal.moved[root.job]
    verdict.told += len(said)
    verdict.delays += [reply.at - moments[word] for word, reply in told if word in moments]


def _judge_order(verdict: Verdict, name: str, course: list[str], said: list[str]) -> None:
    places = {word: place for place, word in enumerate(course)}
    verdict.disordered += [f"{name}: {word!r} was never so" for word in said if word not in places]
    twice = {word for word in said if said.count(word) > 1}
    verdict.duplicated += [f"{name}: {word} told twice: {said}" for word in sorted(twice)]
    known = [places[word] for word in said if word in places]
    if any(later < earlier for earlier, later in pairwise(known)):
        verdict.disordered.append(f"{name}: told {said}, but it was {course}")


def _judge_changes(verdict: Verdict, journal: Journal, root: Root, said: list[str]) -> None:
    """Find the changes that the bot saw, lived to write down, and did not tell."""
    if not root.followed:
        return
    shown = [one for one in journal.shown[root.job] if one.asked_at > float(root.ts)]
    sure = _sure_until(journal, root)
    places = {word: place for place, word in enumerate(journal.words(root.job))}
    seen = {one.word for one in shown if places[one.word] > places.get(root.word, 0)}
    owed = {
        one.word
        for one in shown
        if one.word in seen
        and one.given_at + WRITING_SECONDS < sure
        and _must_be_told(journal, one, shown, places)
    }
    verdict.owed += len(owed)
    verdict.merged += len(seen - owed - set(said))
    verdict.lost += [
        f"{root.job} in {root.channel}: {word} was shown; told were {root.word}, {said}"
        for word in sorted(owed - set(said))
    ]


def _sure_until(journal: Journal, root: Root) -> float:
    """Return when a thread was first out of reach: from then on one message may tell several."""
    shut = journal.shut.get(root.channel, float("inf"))
    out = min(shut, journal.deleted.get((root.channel, root.ts), float("inf")))
    silent = [
        silence.began_at
        for silence in journal.silences
        if silence.began_at < out < silence.ended_at + CATCHING_UP_SECONDS
    ]
    return min([out, *silent]) - SETTLED_SECONDS


def _must_be_told(
    journal: Journal, one: Shown, shown: Sequence[Shown], places: dict[str, int]
) -> bool:
    """Whether the bot lived to write this answer down, and no newer look can have come before."""
    if journal.away(one.asked_at, one.given_at + WRITING_SECONDS):
        return False
    return not any(
        places[other.word] > places[one.word] and other.asked_at < one.given_at + OVERTAKING_SECONDS
        for other in shown
    )


def _judge_answers(
    verdict: Verdict, journal: Journal, threads: Threads, attempts: Iterable[Attempt]
) -> None:
    """Every acknowledged question has one answer: a message of its own, or the watch's card."""
    own = _own_posts(threads)
    cards = _cards(journal, threads)
    by_place: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_place[attempt.channel, attempt.wish.job].append(attempt)
    for place, asked in by_place.items():
        counted = [(attempt, _answers(verdict, threads, own, attempt)) for attempt in asked]
        _judge_place(verdict, place, counted, cards[place])


def _cards(journal: Journal, threads: Threads) -> dict[tuple[str, str], dict[str, str]]:
    """Return the cards of each job in each place: their keys, and where each stands.

    Whoever asks after a card was deleted gets another, and a thread with it.
    """
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for root in (root for root in threads.roots if root.followed):
        gone = journal.deleted.get((root.channel, root.ts), float("inf"))
        place = root.channel, root.job
        anew = any(
            (other.channel, other.job) == place and other.followed and float(other.ts) > gone
            for other in threads.roots
            if gone < float("inf")
        )
        if not anew:
            found[place][root.key] = root.ts
    return found


def _judge_place(
    verdict: Verdict,
    place: tuple[str, str],
    asked: list[tuple[Attempt, int]],
    cards: dict[str, str],
) -> None:
    name, card = f"{place[1]} asked in {place[0]}", len(cards)
    if card > 1:
        verdict.duplicated.append(f"{name}: {card} cards, {cards}; asked {asked}")
    silent = sum(attempt.acknowledged and not answers for attempt, answers in asked)
    if silent > card:
        verdict.lost.append(f"{name}: {silent - card} of {len(asked)} questions have no answer")
    answered = sum(min(1, answers) for _, answers in asked) + card
    doubly = [attempt for attempt, answers in asked if answers > 1]
    if doubly or answered > len(asked):
        verdict.duplicated.append(f"{name}: {card} cards, and answers to {asked}")


def _own_posts(threads: Threads) -> dict[str, int]:
    """Return how many messages answer which question, by the beginning of their keys."""
    found: dict[str, int] = defaultdict(int)
    for key, number in (threads.keys - threads.alone).items():
        if key.startswith(("command:", "message:")):
            found[key.partition("~")[0].rpartition(":")[0] + ":"] += number
    return found


def _answers(verdict: Verdict, threads: Threads, own: dict[str, int], attempt: Attempt) -> int:
    """Return how many answers of its own a question has; whispers may be repeated in doubt."""
    heard = [text for text in threads.whispers[attempt.person] if not text.startswith(WAITING)]
    verdict.repeated_whispers += max(0, len(heard) - 1)
    return own.get(attempt.key, 0) + min(1, len(heard))
