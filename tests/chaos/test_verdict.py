"""What the verdict counts as lost, duplicated or out of order, and what it accepts."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos.journal import Journal, Outage, ProviderAnswer
from chaos.plan import PlannedRequest
from chaos.simulated_users import Attempt
from chaos.threads import BotMessages, CardPost, ThreadReply
from chaos.verdict import Verdict, judge, missing_outcomes, unanswered_requests

JOB, CHANNEL = "JOB1", "C1"
TIMES = {"SUBMITTED": 0.0, "RUNNING": 20.0, "PAUSED": 40.0, "SUCCEEDED": 60.0}
TEXTS = {
    "RUNNING": "x is now running.",
    "PAUSED": "x is paused (PAUSED).",
    "SUCCEEDED": "x succeeded after 3 s.",
    "DRAINING": "x is in an unknown status (DRAINING).",
}


def answer(word: str, at: float) -> ProviderAnswer:
    """Return an answer of the provider."""
    return ProviderAnswer(word, at, at + 0.1)


def journal(*absences: Outage) -> Journal:
    """Return a job that was polled every ten seconds."""
    found = Journal(status_times={JOB: dict(TIMES)}, ended={JOB}, outages=list(absences))
    found.answers[JOB] = [answer(word, at + 10) for word, at in TIMES.items()]
    return found


def threads(*told: str, card: str = "SUBMITTED") -> BotMessages:
    """Return a thread with replies about these statuses, each with its own key."""
    found = BotMessages(
        "U0BOT", cards=[CardPost(JOB, CHANNEL, "5.0", "w:root", card, followed=True)]
    )
    said = [ThreadReply(f"w:{n}", TEXTS[word], 70.0) for n, word in enumerate(told)]
    found.replies[CHANNEL, "5.0"] = said
    found.keys = Counter(["w:root", *(one.key for one in said)])
    return found


def attempt(person: str = "U1", *, acknowledged: bool = True) -> Attempt:
    """Return a request for the job."""
    wish = PlannedRequest(JOB, 1, "command")
    return Attempt(wish, person, CHANNEL, f"command:{person}:", acknowledged, 4.0)


def violations(verdict: Verdict) -> tuple[bool, bool, bool]:
    """Return whether something was lost, duplicated, out of order."""
    return bool(verdict.lost), bool(verdict.duplicated), bool(verdict.out_of_order)


def test_thread_with_every_change_once_passes() -> None:
    """Each stored change is an expected reply."""
    verdict = judge(journal(), threads("RUNNING", "PAUSED", "SUCCEEDED"), [attempt()])
    assert verdict.passed
    assert (verdict.expected, verdict.delivered, verdict.coalesced) == (3, 3, 0)
    assert sorted(verdict.delays) == [10.0, 30.0, 50.0]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (("RUNNING", "PAUSED"), (True, False, False)),  # the outcome is missing
        (("RUNNING", "SUCCEEDED"), (True, False, False)),  # a stored change is missing
        (("RUNNING", "RUNNING", "PAUSED", "SUCCEEDED"), (False, True, False)),
        (("PAUSED", "RUNNING", "SUCCEEDED"), (False, False, True)),
        (("RUNNING", "DRAINING", "PAUSED", "SUCCEEDED"), (False, False, True)),  # never its status
    ],
)
def test_each_kind_of_violation_is_recognised(
    told: tuple[str, ...], found: tuple[bool, bool, bool]
) -> None:
    """Lost, duplicated, out of order."""
    assert violations(judge(journal(), threads(*told), [attempt()])) == found


def test_change_seen_before_a_kill_may_be_coalesced() -> None:
    """The killed bot may not have stored it."""
    verdict = judge(journal(Outage(31, 33)), threads("PAUSED", "SUCCEEDED"), [attempt()])
    assert verdict.passed
    assert (verdict.expected, verdict.coalesced) == (2, 1)


def test_change_of_an_overtaken_poll_may_be_coalesced() -> None:
    """Two concurrent polls may become one change."""
    found = journal()
    found.answers[JOB].append(answer("PAUSED", 31))
    assert judge(found, threads("PAUSED", "SUCCEEDED"), [attempt()]).passed


def test_repeated_idempotency_key_is_a_duplicate() -> None:
    """Each message has its own key, whatever its text."""
    said = threads("RUNNING", "PAUSED", "SUCCEEDED")
    said.keys["w:1"] += 1
    assert violations(judge(journal(), said, [attempt()])) == (False, True, False)


def test_acknowledged_request_without_an_answer_is_lost() -> None:
    """One card answers one request, and a failed request needs no answer."""
    said = threads("RUNNING", "PAUSED", "SUCCEEDED")
    attempts = [attempt("U1"), attempt("U2")]
    assert unanswered_requests(journal(), said, attempts) == 1
    assert (
        unanswered_requests(journal(), said, [attempt("U1"), attempt("U2", acknowledged=False)])
        == 0
    )
    said.ephemerals["U2"] = ["Looking up `deploys:JOB1` …"]
    assert unanswered_requests(journal(), said, attempts) == 1
    said.ephemerals["U2"].append("It is followed already.")
    assert judge(journal(), said, attempts).passed


def test_two_answers_to_one_request_are_a_duplicate() -> None:
    """Such as a card and an ephemeral; a repeated ephemeral is only counted."""
    said = threads("RUNNING", "PAUSED", "SUCCEEDED")
    said.ephemerals["U1"] = ["It is followed already."] * 2
    verdict = judge(journal(), said, [attempt()])
    assert violations(verdict) == (False, True, False)
    assert verdict.repeated_ephemerals == 1


def test_thread_without_its_outcome_is_counted() -> None:
    """Catching up waits for it."""
    assert missing_outcomes(journal(), threads("RUNNING")) == 1
    assert missing_outcomes(journal(), threads("RUNNING", "SUCCEEDED")) == 0


def test_closed_channel_needs_the_outcome_only() -> None:
    """Earlier changes may be part of one catch-up reply."""
    found = journal()
    found.closed_channels[CHANNEL] = 35.0
    assert judge(found, threads("SUCCEEDED"), [attempt()]).passed
    assert violations(judge(found, threads("RUNNING"), [attempt()])) == (True, False, False)


def test_deleted_card_needs_no_replies_and_may_be_reposted() -> None:
    """Its key cannot be looked up any more; a third post is a duplicate."""
    found, said = journal(), threads("RUNNING")
    found.deleted_cards[CHANNEL, "5.0"] = 35.0
    said.keys["w:root"] = 2
    assert judge(found, said, [attempt()]).passed
    assert missing_outcomes(found, said) == 0
    said.keys["w:root"] = 3
    assert violations(judge(found, said, [attempt()])) == (False, True, False)


@pytest.mark.parametrize(("new_card_at", "duplicate"), [("30.0", True), ("40.0", False)])
def test_request_after_a_deletion_may_get_a_new_card(new_card_at: str, *, duplicate: bool) -> None:
    """A second card beside an existing one is a duplicate."""
    found, said = journal(), threads("RUNNING", "PAUSED", "SUCCEEDED")
    said.cards.append(CardPost(JOB, CHANNEL, new_card_at, "v:root", "RUNNING", followed=True))
    said.replies[CHANNEL, new_card_at] = [
        ThreadReply("v:1", TEXTS["PAUSED"], 70.0),
        ThreadReply("v:2", TEXTS["SUCCEEDED"], 71.0),
    ]
    found.deleted_cards[CHANNEL, "5.0"] = 35.0
    verdict = judge(found, said, [attempt("U1", acknowledged=False), attempt("U2")])
    assert violations(verdict) == (False, duplicate, False)


@pytest.mark.parametrize(("deleted_at", "expected"), [(120.0, 0), (300.0, 3)])
def test_card_deleted_in_a_post_outage_needs_no_replies(deleted_at: float, expected: int) -> None:
    """After the catch-up, replies are expected again."""
    found = journal()
    found.post_outages.append(Outage(6.0, 100.0))
    found.deleted_cards[CHANNEL, "5.0"] = deleted_at
    verdict = judge(found, threads(), [attempt()])
    assert (verdict.expected, len(verdict.lost)) == (expected, expected)
