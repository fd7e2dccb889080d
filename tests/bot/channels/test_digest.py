"""The digest as people read it, and hear it read aloud."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from bot.cards import blocks
from bot.channels import digest
from bot.channels.digest import Item
from bot.models import Job, JobRef, Status, Task
from bot.noise.decision import Action, Happening
from bot.noise.policy import Mention, NoisePolicy
from bot.store import Decided

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WHY = "Quiet hours until 07:00 (Europe/Berlin)."
LINK = "https://acme.slack.com/archives/C1/p1"


def job(name: str = "deploy-api", status: Status = Status.SUCCEEDED, **but: Any) -> Job:
    """Return a job that began four minutes ago."""
    times = {"started_at": NOON - timedelta(minutes=4)}
    ended = {"finished_at": NOON - timedelta(minutes=1)} if status.terminal else {}
    ref = JobRef(connection="deploys", id=but.pop("id", name) or "id")
    return Job(ref=ref, name=name, status=status, **(times | ended | but))


def failed(name: str = "deploy-api", step: str = "3", **but: Any) -> Job:
    """Return a job that failed at a step."""
    tasks = (Task(id=step, name=step, status=Status.FAILED),)
    return job(name, Status.FAILED, tasks=tasks, **but)


def kept(job: Job, happening: Happening = Happening.OUTCOME, **but: Any) -> Decided:
    """Return a decision by which something about a job is held."""
    plain = {
        "workspace": "T1",
        "key": f"{job.ref}:1",
        "channel": "C1",
        "watch_id": f"watch of {job.ref}",
        "ref": job.ref,
        "name": job.name,
        "happening": happening,
        "bad": job.status.bad,
        "was_bad": False,
        "action": Action.HOLD,
        "rule": "quiet_hours",
        "reason": "These are quiet hours.",
        "text": "what there was to say <@U1>",
        "at": NOON - timedelta(hours=3),
    }
    return Decided(**(plain | but))


def item(job: Job, *news: Decided, asker: str = "U1") -> Item:
    """Return what a digest tells of a job."""
    return Item(held=news or (kept(job),), job=job, link=LINK, asker=asker)


def test_the_counts_come_first_and_name_what_failed() -> None:
    """Whoever hears only the first sentence knows whether to go and look."""
    items = [item(job(f"job-{n}")) for n in range(6)]
    items += [item(failed()), *(item(job(f"slow-{n}", Status.RUNNING)) for n in range(2))]
    assert digest.head(items) == "7 of 9 done, 1 failed: deploy-api at step 3."


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([item(job())], "1 of 1 done."),
        ([item(job(status=Status.RUNNING))], "0 of 1 done."),
        (
            [item(failed("a", "x")), item(failed("b", "y"))],
            "2 of 2 done, 2 failed: a at step x and b at step y.",
        ),
        (
            [item(failed(f"j{n}", "x")) for n in range(5)],
            "5 of 5 done, 5 failed: j0 at step x, j1 at step x, j2 at step x and 2 more.",
        ),
    ],
)
def test_the_first_sentence_reads_well_for(items: list[Item], said: str) -> None:
    """One or many, done or not."""
    assert digest.head(items) == said


def test_a_failed_run_of_a_job_that_lives_on_is_in_the_first_sentence() -> None:
    """It is no failed job, but somebody should look."""
    robot = job("robot", Status.RUNNING)
    run = kept(robot, Happening.RUN, bad=True, text="Run 17 failed: robot.")
    assert digest.head([item(robot, run)]) == "0 of 1 done; 1 with failures: robot."
    assert "Run 17 failed" in digest.message([item(robot, run)], WHY, [], NOON).text


def test_several_runs_of_a_job_are_one_line_that_says_how_many() -> None:
    """The failed one is named, the others are counted."""
    robot = job("robot", Status.RUNNING)
    runs = [kept(robot, Happening.RUN, bad=n == 1, text=f"Run {n} ended: robot.") for n in range(3)]
    text = digest.message([item(robot, *runs)], WHY, [], NOON).text
    assert "Run 1 ended: robot. (and 2 more)" in text


def test_what_failed_stands_first_and_then_the_newest() -> None:
    """The list is read from its top."""
    old, new = (kept(job(n), at=NOON - timedelta(hours=h)) for n, h in (("old", 5), ("new", 1)))
    items = [item(job("old"), old), item(job("new"), new), item(failed("bad"))]
    lines = digest.message(items, WHY, [], NOON).text.split("\n")[1:4]
    assert [name for line in lines for name in ("bad", "new", "old") if f"|{name}>" in line] == [
        "bad",
        "new",
        "old",
    ]


def test_a_line_says_what_happened_links_the_card_and_since_when_it_was_held() -> None:
    """The name is the link, and the sentence goes on from it."""
    [line] = digest.message([item(failed())], WHY, [], NOON).text.split("\n")[1:-1]
    assert line.startswith(f"❌ <{LINK}|deploy-api> failed after 3 m at step 3 · held since <!date")


def test_a_line_knows_more_than_what_was_held() -> None:
    """Held as running, ended meanwhile: the digest tells the end."""
    ended = job()
    changed = kept(ended, Happening.CHANGE, text="deploy-api is now running.")
    text = digest.message([item(ended, changed)], WHY, [], NOON).text
    assert "succeeded after 3 m" in text
    assert "is now running" not in text


@pytest.mark.parametrize("happening", [Happening.LOST, Happening.TROUBLE])
def test_a_job_that_cannot_be_seen_is_told_as_it_was_held(happening: Happening) -> None:
    """How it stood before says nothing of how it stands now; nobody is called by the way."""
    gone = job(status=Status.RUNNING)
    text = digest.message([item(gone, kept(gone, happening))], WHY, [], NOON).text
    assert "what there was to say" in text
    assert "<@U1>" not in text


def test_a_job_that_the_store_has_forgotten_is_told_as_it_was_held() -> None:
    """There is always a line."""
    lone = Item(held=(kept(job()),))
    assert "deploy-api: what there was to say" in digest.message([lone], WHY, [], NOON).text


def test_twenty_lines_and_how_many_more() -> None:
    """A long night is still one message."""
    items = [item(job(f"job-{n}")) for n in range(32)]
    said = digest.message(items, WHY, [], NOON)
    assert "… and 12 more" in str(said.blocks[-1])
    assert str(said.blocks).count(LINK) == 20


def test_why_there_is_a_digest_stands_at_its_end() -> None:
    """In the text and in the small print."""
    said = digest.message([item(job())], WHY, [], NOON)
    assert said.text.endswith(WHY)
    assert WHY in str(said.blocks[-1])


def test_the_end_of_the_quiet_hours_is_told_in_their_own_zone() -> None:
    """People know their hours by their own clock."""
    end = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert digest.quiet(end, ZoneInfo("Europe/Berlin")) == WHY


def test_whoever_asked_for_what_failed_is_called_once() -> None:
    """Two failures, one mention; whose job went well is left in peace."""
    items = [
        item(failed("a"), asker="U1"),
        item(failed("b"), asker="U1"),
        item(job("c"), asker="U2"),
        item(failed("d"), asker="U3"),
    ]
    assert digest.called(items, NoisePolicy()) == ["U1", "U3"]
    said = digest.message(items, WHY, ["U1", "U3"], NOON)
    assert said.text.split("\n")[0].endswith("<@U1> <@U3>")


@pytest.mark.parametrize(
    ("policy", "called"),
    [
        (NoisePolicy(mention=Mention.NOBODY), []),
        (NoisePolicy(mention=Mention.GROUP, group="S0123"), ["S0123"]),
        (NoisePolicy(mention=Mention.GROUP), []),
    ],
)
def test_a_digest_calls_whom_the_contract_says(policy: NoisePolicy, called: list[str]) -> None:
    """Nobody, or the group instead of the askers."""
    assert digest.called([item(failed())], policy) == called


def test_nobody_is_called_when_all_went_well() -> None:
    """A quiet night is no reason to wake anybody."""
    policy = NoisePolicy(mention=Mention.GROUP, group="S0123")
    assert digest.called([item(job())], policy) == []


HOSTILE = st.text(
    st.sampled_from('<@U1>&|*_~`:x"\\\u202e\n😀 \x00') | st.characters(), max_size=300
)


@hypothesis.given(st.lists(HOSTILE, min_size=1, max_size=30), HOSTILE, st.integers(1, 3))
@hypothesis.settings(max_examples=60)
def test_hostile_names_neither_break_the_limits_nor_call_anybody(
    names: list[str], step: str, every: int
) -> None:
    """Slack takes the message whatever the jobs and their steps are called."""
    items = [
        item(failed(name, step or "s", id=f"i{n}") if n % every else job(name, id=f"i{n}"))
        for n, name in enumerate(names)
    ]
    said = digest.message(items, WHY, ["U9"] * 3, NOON)
    assert blocks.weight(said.blocks) <= blocks.MAX_WEIGHT
    assert blocks.length(said.text) <= 4_000
    assert len(said.blocks) <= blocks.MAX_BLOCKS
    for block in said.blocks:
        assert blocks.length(str(block.get("text", {}).get("text", ""))) <= blocks.MAX_TEXT
    assert "<@U1>" not in said.text + str(said.blocks)


def test_a_full_digest_of_long_names_stays_within_the_limits() -> None:
    """As many lines as there is room for, and the rest is counted."""
    items = [item(failed('"\\' * 100, "&" * 200, id=f"i{n}")) for n in range(200)]
    said = digest.message(items, WHY, [], NOON)
    assert blocks.weight(said.blocks) <= blocks.MAX_WEIGHT
    assert "more" in said.text
