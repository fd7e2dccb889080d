"""What the judge calls lost, twice, or out of order; and what it forgives."""

from __future__ import annotations

from collections import Counter

import pytest

from chaos.crowd import Attempt
from chaos.journal import Absence, Journal, Shown
from chaos.plan import Wish
from chaos.threads import FollowUp, Root, Threads
from chaos.verdict import Verdict, judge, unanswered, untold

JOB, PLACE = "JOB1", "C1"
COURSE = {"SUBMITTED": 0.0, "RUNNING": 20.0, "PAUSED": 40.0, "SUCCEEDED": 60.0}
SAYS = {
    "RUNNING": "x is now running.",
    "PAUSED": "x is paused (PAUSED).",
    "SUCCEEDED": "x succeeded after 3 s.",
    "DRAINING": "x is in an unknown status (DRAINING).",
}


def looked(word: str, at: float) -> Shown:
    """Return an answer of the provider."""
    return Shown(word, at, at + 0.1)


def journal(*absences: Absence) -> Journal:
    """Return a job that was polled every ten seconds."""
    found = Journal(moved={JOB: dict(COURSE)}, ended={JOB}, absences=list(absences))
    found.shown[JOB] = [looked(word, at + 10) for word, at in COURSE.items()]
    return found


def threads(*told: str, card: str = "SUBMITTED") -> Threads:
    """Return a thread that was told these words, each under a key of its own."""
    found = Threads("U0BOT", roots=[Root(JOB, PLACE, "5.0", "w:root", card, followed=True)])
    said = [FollowUp(f"w:{n}", SAYS[word], 70.0) for n, word in enumerate(told)]
    found.replies[PLACE, "5.0"] = said
    found.keys = Counter(["w:root", *(one.key for one in said)])
    return found


def asked(person: str = "U1", *, acknowledged: bool = True) -> Attempt:
    """Return a question for the job."""
    wish = Wish(JOB, 1, "command")
    return Attempt(wish, person, PLACE, f"command:{person}:", acknowledged, 4.0)


def wrong(verdict: Verdict) -> tuple[bool, bool, bool]:
    """Return whether something was lost, told twice, out of order."""
    return bool(verdict.lost), bool(verdict.duplicated), bool(verdict.disordered)


def test_a_thread_that_tells_every_change_once_is_well() -> None:
    """And every change that the bot saw was owed."""
    verdict = judge(journal(), threads("RUNNING", "PAUSED", "SUCCEEDED"), [asked()])
    assert verdict.clean
    assert (verdict.owed, verdict.told, verdict.merged) == (3, 3, 0)
    assert sorted(verdict.delays) == [10.0, 30.0, 50.0]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (("RUNNING", "PAUSED"), (True, False, False)),  # the end is missing
        (("RUNNING", "SUCCEEDED"), (True, False, False)),  # a change that was seen is missing
        (("RUNNING", "RUNNING", "PAUSED", "SUCCEEDED"), (False, True, False)),
        (("PAUSED", "RUNNING", "SUCCEEDED"), (False, False, True)),
        (("RUNNING", "DRAINING", "PAUSED", "SUCCEEDED"), (False, False, True)),  # never so
    ],
)
def test_each_kind_of_wrong_is_called_by_its_name(
    told: tuple[str, ...], found: tuple[bool, bool, bool]
) -> None:
    """Lost, told twice, out of order."""
    assert wrong(judge(journal(), threads(*told), [asked()])) == found


def test_what_the_bot_saw_and_died_over_may_be_told_with_the_next_change() -> None:
    """Nobody can tell what nobody has written down."""
    verdict = judge(journal(Absence(31, 33)), threads("PAUSED", "SUCCEEDED"), [asked()])
    assert verdict.clean
    assert (verdict.owed, verdict.merged) == (2, 1)


def test_what_another_look_overtook_may_be_told_with_the_next_change() -> None:
    """Two looks at once are one gap."""
    found = journal()
    found.shown[JOB].append(looked("PAUSED", 31))
    assert judge(found, threads("PAUSED", "SUCCEEDED"), [asked()]).clean


def test_a_key_that_stands_twice_is_told_twice_whatever_it_says() -> None:
    """Each message has a key of its own."""
    said = threads("RUNNING", "PAUSED", "SUCCEEDED")
    said.keys["w:1"] += 1
    assert wrong(judge(journal(), said, [asked()])) == (False, True, False)


def test_an_acknowledged_question_without_an_answer_is_lost() -> None:
    """One card answers one question, and a failed one needs no answer."""
    said = threads("RUNNING", "PAUSED", "SUCCEEDED")
    questions = [asked("U1"), asked("U2")]
    assert unanswered(journal(), said, questions) == 1
    assert unanswered(journal(), said, [asked("U1"), asked("U2", acknowledged=False)]) == 0
    said.whispers["U2"] = ["Looking up `deploys:JOB1` …"]
    assert unanswered(journal(), said, questions) == 1
    said.whispers["U2"].append("It is followed already.")
    assert judge(journal(), said, questions).clean


def test_two_answers_to_one_question_are_one_too_many() -> None:
    """A card and a whisper; but a whisper that is repeated in doubt is only counted."""
    said = threads("RUNNING", "PAUSED", "SUCCEEDED")
    said.whispers["U1"] = ["It is followed already."] * 2
    verdict = judge(journal(), said, [asked()])
    assert wrong(verdict) == (False, True, False)
    assert verdict.repeated_whispers == 1


def test_a_thread_whose_job_has_ended_waits_until_it_was_told() -> None:
    """That is what catching up waits for."""
    assert untold(journal(), threads("RUNNING")) == 1
    assert untold(journal(), threads("RUNNING", "SUCCEEDED")) == 0


def test_in_a_channel_that_was_shut_only_the_end_must_be_told() -> None:
    """What happened meanwhile may be told at once, when the bot is let in again."""
    found = journal()
    found.shut[PLACE] = 35.0
    assert judge(found, threads("SUCCEEDED"), [asked()]).clean
    assert wrong(judge(found, threads("RUNNING"), [asked()])) == (True, False, False)


def test_under_a_deleted_card_nothing_is_owed_and_it_may_be_posted_anew() -> None:
    """Its key cannot be found any more; but a third would be one too many."""
    found, said = journal(), threads("RUNNING")
    found.deleted[PLACE, "5.0"] = 35.0
    said.keys["w:root"] = 2
    assert judge(found, said, [asked()]).clean
    assert untold(found, said) == 0
    said.keys["w:root"] = 3
    assert wrong(judge(found, said, [asked()])) == (False, True, False)


@pytest.mark.parametrize(("asked_anew_at", "twice"), [("30.0", True), ("40.0", False)])
def test_whoever_asks_after_a_card_was_deleted_may_get_another(
    asked_anew_at: str, *, twice: bool
) -> None:
    """A second card beside one that still stood is one too many."""
    found, said = journal(), threads("RUNNING", "PAUSED", "SUCCEEDED")
    said.roots.append(Root(JOB, PLACE, asked_anew_at, "v:root", "RUNNING", followed=True))
    said.replies[PLACE, asked_anew_at] = [
        FollowUp("v:1", SAYS["PAUSED"], 70.0),
        FollowUp("v:2", SAYS["SUCCEEDED"], 71.0),
    ]
    found.deleted[PLACE, "5.0"] = 35.0
    verdict = judge(found, said, [asked("U1", acknowledged=False), asked("U2")])
    assert wrong(verdict) == (False, twice, False)


@pytest.mark.parametrize(("deleted_at", "owed"), [(120.0, 0), (300.0, 3)])
def test_what_waited_while_slack_took_nothing_is_not_owed_under_a_card_that_was_deleted_then(
    deleted_at: float, owed: int
) -> None:
    """Nobody could be told in time; once that is caught up with, it is owed again."""
    found = journal()
    found.silences.append(Absence(6.0, 100.0))
    found.deleted[PLACE, "5.0"] = deleted_at
    verdict = judge(found, threads(), [asked()])
    assert (verdict.owed, len(verdict.lost)) == (owed, owed)
