"""The parser reads statuses back from the bot's texts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.delivery import texts
from bot.sdk.cards import job_card
from bot.sdk.models import Change, Job, JobRef
from chaos import message_parser
from chaos.plan import Plan
from plugins.servicestage.translator import status_of

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REF = JobRef(connection="deploys", id="JOB17cb1778-07b1-4c8f-a183-c86cffbe8f9e")


def job(word: str) -> Job:
    """Return a job with this native status."""
    return Job(ref=REF, name="provision 17cb", status=status_of(word), native_status=word)


@pytest.mark.parametrize("word", [*message_parser.ACTIVE_STATUSES, *message_parser.FINAL_STATUSES])
@pytest.mark.parametrize("before", ["SUBMITTED", "DRAINING", "ROLLBACKING"])
def test_every_status_is_parsed_from_the_bots_texts(word: str, before: str) -> None:
    """On the card and in the thread, whatever the status before."""
    view = job_card.CardContext(checked_at=NOW)
    change = Change(before=job(before), after=job(word), status_changed=True)
    assert message_parser.statuses_in(job_card.render_card(job(word), view).text) == [word]
    assert message_parser.statuses_in(job_card.render_change(change, view).text) == [word]


def test_run_is_reproducible_from_its_seed() -> None:
    """The same timelines and the same requests."""
    plans = [Plan(minutes=1, seed=4, watches=50) for _ in range(2)]
    one, two = ([wish for wish, _ in plan.requests(plan.timelines())] for plan in plans)
    assert one == two
    assert len([w for w, course in plans[0].requests(plans[0].timelines()) if course]) >= 50


def test_no_job_has_a_status_twice() -> None:
    """So a repeated status is a duplicate message."""
    courses = Plan().timelines()
    for course in (next(courses) for _ in range(200)):
        assert len(set(course.statuses)) == len(course.statuses) == len(course.intervals) + 1
        assert course.statuses[-1] in message_parser.FINAL_STATUSES
        assert message_parser.job_ids(f"… {course.job} …") == {course.job}


def test_catch_up_reply_is_parsed_line_by_line() -> None:
    """It reports several changes, in their order."""
    items = ["x is paused (PAUSED).", "x is now running."]
    message = texts.catch_up(NOW, items, "x succeeded after 3 s", "")
    assert message_parser.statuses_in(message.text) == ["PAUSED", "RUNNING", "SUCCEEDED"]
