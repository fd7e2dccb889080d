"""Cards and follow-ups: what is said, and that Slack takes it whatever the job holds."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock

from bot import blocks, cards, lifecycle, sentences, words
from bot.models import Change, Detail, Job, JobRef, Message, Status, Task
from bot.playground import limits

START = datetime(2026, 11, 3, 12, 3, tzinfo=UTC)
NOW = START + timedelta(seconds=63)
VIEW = cards.View(checked_at=NOW, asker="U0ADA")
FOLLOWED = replace(VIEW, followed=True, interval_seconds=10)
LOG = "pulling image\nERROR: exit code 137"


def task(name: str, status: Status, begun: int = 0, took: int | None = None, **more: Any) -> Task:
    """A task that began so many seconds after its job."""
    at = START + timedelta(seconds=begun)
    end = None if took is None else at + timedelta(seconds=took)
    return Task(id=name, name=name, status=status, started_at=at, finished_at=end, **more)


def job(status: Status = Status.RUNNING, **more: Any) -> Job:
    """The job of most tests."""
    ended = START + timedelta(seconds=192) if status.terminal else None
    given = {"name": "deploy-api", "started_at": START, "finished_at": ended, **more}
    return Job(ref=JobRef(connection="deploys", id="JOB1"), status=status, **given)


FAILING = (
    task("VMAPP_PREPARE_001", Status.SUCCEEDED, 0, 9),
    task("VMAPP_UPGRADE_002", Status.FAILED, 9, 12, message=LOG),
    task("VMAPP_NOTIFY_003", Status.CANCELLED),
)


def moved(before: Job | None, after: Job) -> Change:
    """What the poller would find between two looks."""
    found = lifecycle.compare(before, after)
    assert found is not None
    return found


def strings(value: Any) -> Iterator[str]:
    """Every text in a payload, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for part in value.values() for text in strings(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in strings(part))


def shown(message: Message) -> str:
    """All that a reader may read in the blocks."""
    return "\n".join(strings(message.blocks))


def find(payload: Any, kind: str) -> list[dict[str, Any]]:
    """Every object of a type in a payload, however deep."""
    if isinstance(payload, list | tuple):
        return [hit for part in payload for hit in find(part, kind)]
    if not isinstance(payload, dict):
        return []
    hits = [payload] if payload.get("type") == kind else []
    return hits + [hit for part in payload.values() for hit in find(part, kind)]


def buttons(message: Message) -> list[str]:
    """The actions that the card offers."""
    return [button["action_id"] for button in find(message.blocks, "button")]


# What is said


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (job(Status.QUEUED, started_at=None), "deploy-api is queued."),
        (job(), "deploy-api is running: 1 m 3 s so far."),
        (
            job(tasks=(*FAILING[:1], task("UPGRADE", Status.RUNNING))),
            "deploy-api is running: 1 of 2 tasks done, 1 m 3 s so far.",
        ),
        (
            job(native_status="ROLLBACKING"),
            "deploy-api is rolling back (ROLLBACKING): 1 m 3 s so far.",
        ),
        (
            job(Status.WAITING, native_status="waitApproval", started_at=None),
            "deploy-api is waiting: a person must act (waitApproval).",
        ),
        (job(Status.SUCCEEDED), "deploy-api succeeded after 3 m 12 s."),
        (job(Status.SUCCEEDED, started_at=None), "deploy-api succeeded."),
        (
            job(Status.FAILED, tasks=FAILING),
            "deploy-api failed after 3 m 12 s at step VMAPP_UPGRADE_002.",
        ),
        (
            job(Status.FAILED, tasks=tuple(task(n, Status.FAILED) for n in "ABCDE")),
            "deploy-api failed after 3 m 12 s at 5 steps: A, B, C and 2 more.",
        ),
        (job(Status.PARTIAL), "deploy-api succeeded only in part after 3 m 12 s."),
        (job(Status.CANCELLED), "deploy-api was cancelled after 3 m 12 s."),
        (job(Status.SKIPPED, started_at=None), "deploy-api was skipped."),
        (
            job(Status.UNKNOWN, native_status="NEW", started_at=None),
            "deploy-api is in an unknown status (NEW).",
        ),
    ],
)
def test_a_cards_text_is_a_whole_sentence(look: Job, said: str) -> None:
    """A notification and a screen reader tell how the job stands without the blocks."""
    assert cards.job(look, VIEW).text == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, job(), "deploy-api is running."),
        (job(Status.QUEUED), job(), "deploy-api is now running."),
        (
            job(),
            job(native_status="ROLLBACKING"),
            "deploy-api is rolling back (ROLLBACKING).",
        ),
        (job(Status.FAILED), job(), "deploy-api is running again."),
        (
            job(),
            job(Status.WAITING, native_status="waitApproval"),
            "deploy-api is now waiting: a person must act (waitApproval).",
        ),
        (
            job(),
            job(tasks=FAILING),
            "Step VMAPP_UPGRADE_002 of deploy-api failed.",
        ),
        (
            job(),
            job(native_status="ROLLBACKING", tasks=FAILING),
            (
                "deploy-api is rolling back (ROLLBACKING). "
                "Step VMAPP_UPGRADE_002 of deploy-api failed."
            ),
        ),
        (job(), job(Status.SUCCEEDED), "deploy-api succeeded after 3 m 12 s. <@U0ADA>"),
    ],
)
def test_a_follow_ups_text_is_a_whole_sentence(before: Job | None, after: Job, said: str) -> None:
    """The thread can be followed from notifications alone."""
    assert cards.change(moved(before, after), VIEW).text == said


def test_the_outcome_without_a_mention_is_the_sentence_alone() -> None:
    """Whoever does not want to be mentioned is not."""
    for view in (replace(VIEW, mention=False), replace(VIEW, asker=None)):
        told = cards.change(moved(job(), job(Status.SUCCEEDED)), view)
        assert told.text == "deploy-api succeeded after 3 m 12 s."
        assert find(told.blocks, "user") == []


def test_the_outcome_mentions_the_asker_in_its_blocks() -> None:
    """Slack notifies for what stands in the blocks, in either rendering."""
    told = cards.change(moved(job(), job(Status.SUCCEEDED)), VIEW)
    assert [part["user_id"] for part in find(told.blocks, "user")] == ["U0ADA"]
    assert "<@U0ADA>" in told.classic[0]["text"]["text"]


def test_only_the_outcome_mentions_the_asker() -> None:
    """A job with ten changes calls its asker once."""
    told = cards.change(moved(job(Status.QUEUED), job()), VIEW)
    assert "U0ADA" not in json.dumps([told.text, told.blocks, told.classic])


def test_an_asker_that_is_no_user_id_is_not_mentioned() -> None:
    """No text gets into a mention's token."""
    told = cards.change(moved(job(), job(Status.FAILED)), replace(VIEW, asker="x> <!channel"))
    assert "channel" not in json.dumps([told.text, told.blocks, told.classic])


def test_a_failed_step_is_told_with_the_end_of_its_log() -> None:
    """The reason stands in the thread, in fixed width."""
    told = cards.change(moved(job(), job(tasks=FAILING)), VIEW)
    assert "❌ Step VMAPP_UPGRADE_002 failed:" in shown(told)
    (log,) = find(told.blocks, "rich_text_preformatted")
    assert log["elements"][0]["text"] == LOG


def test_at_most_five_failed_steps_are_named() -> None:
    """A broken fleet does not flood the thread."""
    fleet = tuple(task(f"HOST_{n}", Status.FAILED, message="disk full") for n in range(8))
    told = cards.change(moved(job(), job(tasks=fleet)), VIEW)
    assert shown(told).count("❌ Step HOST_") == 5
    assert "… and 3 more steps failed." in shown(told)
    assert told.text.startswith("Steps HOST_0, HOST_1, HOST_2, HOST_3, HOST_4 and 3 more of ")


def test_a_job_that_fails_without_a_failing_step_says_what_its_provider_says() -> None:
    """The thread never ends with a bare "failed" when more is known."""
    told = cards.change(moved(job(), job(Status.FAILED, message="quota exceeded")), VIEW)
    assert "quota exceeded" in shown(told)


# What is on the card


def test_the_card_shows_the_failing_steps_message() -> None:
    """Why it failed can be read without opening anything."""
    card = cards.job(job(Status.FAILED, tasks=FAILING), VIEW)
    (log,) = find(card.blocks, "rich_text_preformatted")
    assert log["elements"][0]["text"] == LOG
    assert any(LOG in text for text in strings(card.classic))


def test_the_providers_word_is_on_the_card_only_when_it_says_more() -> None:
    """ROLLBACKING is worth reading beside rolling back; RUNNING beside running is not."""
    assert "`ROLLBACKING`" in shown(cards.job(job(native_status="ROLLBACKING"), VIEW))
    assert "RUNNING" not in shown(cards.job(job(native_status="RUNNING"), VIEW))


def test_a_waiting_job_says_that_a_person_must_act() -> None:
    """Waiting for a person must not look like waiting for a machine."""
    assert "a person must act" in shown(cards.job(job(Status.WAITING), VIEW)).lower()


def test_the_card_says_when_it_was_checked_and_how_often() -> None:
    """A reader knows how old the card is, and for how long it stays so."""
    assert ", checked every 10 s" in shown(cards.job(job(), FOLLOWED))
    assert "<!date^1793707443^" in shown(cards.job(job(), VIEW))
    assert "every" not in shown(cards.job(job(Status.FAILED), FOLLOWED))


def test_trouble_is_a_warning_with_its_reason() -> None:
    """An old card never looks like a fresh one."""
    view = replace(FOLLOWED, trouble="ServiceStage is down.", trouble_since=START)
    card = cards.job(job(), view)
    assert "⚠️ Could not be checked since <!date^1793707380^{time}|" in shown(card)
    assert "ServiceStage is down." in shown(card)
    assert card.text.endswith("It could not be checked the last time.")


def test_trouble_of_another_day_is_told_with_its_day() -> None:
    """ "Since 12:03" would mean today."""
    view = replace(VIEW, trouble="It is down.", trouble_since=START - timedelta(days=2))
    assert "{date_short_pretty} at {time}|1 Nov 2026" in shown(cards.job(job(), view))


def test_a_living_job_can_be_refreshed_followed_and_opened() -> None:
    """The buttons fit what is going on."""
    living = job(url="https://console.example.com/1")
    assert buttons(cards.job(living, VIEW)) == ["refresh", "follow", "open"]
    assert buttons(cards.job(living, FOLLOWED)) == ["refresh", "unfollow", "open"]


def test_an_ended_job_can_only_be_refreshed_and_opened() -> None:
    """There is nothing left to follow."""
    ended = job(Status.SUCCEEDED, url="https://console.example.com/1")
    assert buttons(cards.job(ended, FOLLOWED)) == ["refresh", "open"]


def test_every_button_carries_the_reference_and_nothing_else() -> None:
    """State is looked up again at the click, never taken from the button."""
    made = find(cards.job(job(url="https://x.example"), FOLLOWED).blocks, "button")
    assert {button["value"] for button in made} == {"deploys:JOB1"}


def test_a_card_that_is_not_interactive_has_no_buttons() -> None:
    """Where nobody listens, nothing can be clicked."""
    assert buttons(cards.job(job(), replace(VIEW, interactive=False))) == []


def test_a_console_address_that_is_not_clean_has_no_button() -> None:
    """A provider cannot send people to a script."""
    assert "open" not in buttons(cards.job(job(url="javascript:alert(1)"), VIEW))


def test_a_card_for_one_person_says_so() -> None:
    """Nobody thinks that the channel has seen it."""
    assert "Only you see this" in shown(cards.job(job(), replace(VIEW, only_you=True)))


def test_up_to_fifteen_tasks_are_a_plan() -> None:
    """Each step says its status and how long it took, in words."""
    (plan,) = find(cards.job(job(tasks=FAILING), VIEW).blocks, "plan")
    assert plan["title"] == "Tasks: 3 of 3 done, 1 failed"
    assert [card["title"] for card in plan["tasks"]] == [
        "VMAPP_PREPARE_001 · succeeded · 9 s",
        "VMAPP_UPGRADE_002 · failed · 12 s",
        "VMAPP_NOTIFY_003 · cancelled",
    ]
    assert [card["status"] for card in plan["tasks"]] == ["complete", "error", "error"]
    assert ["output" in card for card in plan["tasks"]] == [False, True, False]


def test_more_than_fifteen_tasks_are_a_table_with_the_urgent_ones_first() -> None:
    """What failed or runs is not looked for among what is done."""
    order = [Status.SUCCEEDED, Status.QUEUED, Status.WAITING, Status.RUNNING, Status.FAILED]
    many = tuple(task(f"T{n}", order[n % 5]) for n in range(78))
    card = cards.job(job(tasks=many), VIEW)
    (table,) = find(card.blocks, "table")
    found = [row[0]["text"].split()[-1] for row in table["rows"]]
    assert len(found) == 41
    assert set(found[1:31]) == {"failed", "running"}
    assert set(found[31:]) == {"person"}
    assert "… and 38 more tasks" in shown(card)


def test_every_status_of_a_task_is_said_in_words() -> None:
    """No status is told by a sign or a colour alone, in any rendering."""
    for count in (1, 20):
        each = tuple(task(f"T{n}", status) for n in range(count) for status in Status)
        card = cards.job(job(tasks=each[: max(count, len(Status))]), VIEW)
        for status in Status:
            assert words.sign(status).word in shown(card)
            assert any(words.sign(status).word in text for text in strings(card.classic))


@pytest.mark.parametrize("status", list(Status))
def test_every_status_of_a_job_is_said_in_words(status: Status) -> None:
    """The card and its follow-up are understood without emoji and colour."""
    card = cards.job(job(status), VIEW)
    word = {"waiting": "waiting"}.get(status, words.sign(status).word)
    assert word in shown(card).lower()
    bare = sentences.told(moved(None, job(status)))
    assert bare.isascii()
    assert {Status.PARTIAL: "in part"}.get(status, word) in bare


# Whatever the job holds

HOSTILE = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            " ",
            "\u200b",
            "<!channel>",
            "<!subteam^S1>",
            "<@U0EVIL>",
            "*bold* _it_ ~no~ `c`",
            "```",
            "> quote",
            ":fire:",
            "\u202egnp.exe\u2066",
            "\x1b[31mred\x00",
            "LONG &",
            "LONG <!here> ",
            "LONG 😀",
            "LONG a\nb",
            'LONG "\\',
        ]
    ),
)
MOMENTS = st.none() | st.integers(0, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
TASKS = st.builds(
    Task,
    id=HOSTILE,
    name=HOSTILE,
    status=st.sampled_from(Status),
    native_status=HOSTILE,
    started_at=MOMENTS,
    finished_at=MOMENTS,
    message=HOSTILE,
)


JOBS = st.builds(
    Job,
    ref=st.builds(
        JobRef, connection=st.just("deploys"), id=st.sampled_from(["J", "<!channel>", "&" * 200])
    ),
    name=HOSTILE,
    status=st.sampled_from(Status),
    native_status=HOSTILE,
    type=HOSTILE,
    created_at=MOMENTS,
    started_at=MOMENTS,
    finished_at=MOMENTS,
    tasks=st.lists(TASKS, min_size=1, max_size=4),
    message=HOSTILE,
    url=st.sampled_from([None, "https://x.example/1", "javascript:x", "https://a b"]),
    details=st.lists(st.builds(Detail, label=HOSTILE, value=HOSTILE), max_size=9),
)
COUNTS = st.sampled_from([0, 1, 15, 16, 50, 500])


def grown(small: Job, count: int) -> Job:
    """The job with so many tasks, and with its long texts as long as they claim to be."""
    each = tuple(small.tasks[n % len(small.tasks)] for n in range(count))
    return _long(small.but(tasks=()), "name", "native_status", "type", "message").but(
        tasks=tuple(_long(one, "name", "native_status", "message") for one in each)
    )


def _long(value: Any, *names: str) -> Any:
    texts = {name: getattr(value, name) for name in names}
    swollen = {name: text[5:] * 5_000 for name, text in texts.items() if text.startswith("LONG ")}
    return value.but(**swollen)


VIEWS = st.builds(
    cards.View,
    checked_at=st.just(NOW),
    followed=st.booleans(),
    interval_seconds=st.none() | st.floats(0, 1e6),
    asker=st.sampled_from([None, "U0ADA"]),
    trouble=HOSTILE,
    trouble_since=MOMENTS,
    only_you=st.booleans(),
)
many_jobs = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def refusals(made: tuple[dict[str, Any], ...]) -> list[str]:
    """What Slack would not take: by its own classes, the local Slack and the rules across."""
    payload = json.loads(json.dumps(made))
    for block in payload:
        parsed = SdkBlock.parse(block)
        assert parsed is not None
        parsed.validate_json()
    rules = {
        "1 to 50 blocks": 1 <= len(made) <= 50,
        "one table": len(find(payload, "table")) <= 1,
        "unique block ids": len({block["block_id"] for block in made}) == len(made),
        "unique actions": _unique(button["action_id"] for button in find(payload, "button")),
        "unique tasks": _unique(card["task_id"] for card in find(payload, "task_card")),
        "no empty text": all(strings(payload)),
        "10,000 in cells": sum(blocks.length(c["text"]) for c in find(payload, "raw_text")) < 1e4,
        "total": blocks.weight(payload) <= 13_200,
    }
    broken = [rule for rule, kept in rules.items() if not kept]
    return broken + limits.problems(payload, "message")


def _unique(ids: Iterator[str]) -> bool:
    seen = list(ids)
    return len(seen) == len(set(seen))


def parsed_texts(message: Message) -> list[str]:
    """The texts in which Slack looks for mentions: the fallback and every mrkdwn."""
    made = find(message.blocks, "mrkdwn") + find(message.classic, "mrkdwn")
    return [message.text, *(text["text"] for text in made)]


@many_jobs
@given(JOBS, COUNTS, VIEWS)
def test_a_card_is_within_the_limits_whatever_the_job_holds(
    small: Job, count: int, view: cards.View
) -> None:
    """Slack takes both renderings of every card."""
    look = grown(small, count)
    card = cards.job(look, view)
    assert refusals(card.blocks) == []
    assert refusals(card.classic) == []
    assert 0 < blocks.length(card.text) <= 3_000
    assert card == cards.job(look, view)


@many_jobs
@given(JOBS, COUNTS, VIEWS, st.none() | st.sampled_from(Status))
def test_a_follow_up_is_within_the_limits_whatever_the_job_holds(
    small: Job, count: int, view: cards.View, status: Status | None
) -> None:
    """Slack takes both renderings of every follow-up."""
    after = grown(small, count)
    before = after.but(status=status, native_status="", tasks=()) if status else None
    found = lifecycle.compare(before, after) or moved(None, after)
    told = cards.change(found, view)
    assert refusals(told.blocks) == []
    assert refusals(told.classic) == []
    assert 0 < blocks.length(told.text) <= 3_000
    assert told == cards.change(found, view)


@many_jobs
@given(JOBS, COUNTS, VIEWS)
def test_untrusted_text_mentions_nobody(small: Job, count: int, view: cards.View) -> None:
    """The only tokens are our dates, and the asker in the outcome."""
    look = grown(small, count)
    told = cards.change(moved(None, look), view)
    for text in [*parsed_texts(cards.job(look, view)), *parsed_texts(told)]:
        rest = re.sub(r"<!date\^\d+\^[^<>|]+\|[^<>|]+>|<@U0ADA>", "", text)
        assert not re.search(r"[<>]", rest)
    assert find([told.blocks, told.classic], "broadcast") == []
    assert {part["user_id"] for part in find(told.blocks, "user")} <= {view.asker}


def test_a_changed_block_gets_a_new_id_and_the_others_keep_theirs() -> None:
    """Slack draws again what changed, and only that."""
    before = cards.job(job(), VIEW).blocks
    after = cards.job(job(native_status="ROLLBACKING"), VIEW).blocks
    same = [old["block_id"] == new["block_id"] for old, new in zip(before, after, strict=True)]
    assert same == [True, False, True, True]


def test_a_job_without_a_name_is_called_by_its_id() -> None:
    """Every sentence has a subject."""
    assert cards.job(job(name="\u200b"), VIEW).text == "JOB1 is running: 1 m 3 s so far."
