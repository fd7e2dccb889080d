"""Cards and thread replies for hostile job content: Slack accepts them; no user is mentioned."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock

from bot.sdk.cards import blocks, job_card, message_size
from bot.sdk.models import Detail, Job, JobRef, Message, Status, Task
from bot.tracking import job_changes
from localslack.blockkit import validation
from tests.bot.sdk.cards.job_samples import change_between, strings

NOW = datetime(2026, 11, 3, 12, 4, 3, tzinfo=UTC)

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
            "LONG ж",
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
    """Return the job with this many tasks; texts that start with LONG are repeated."""
    each = tuple(small.tasks[n % len(small.tasks)] for n in range(count))
    grown: Job = _long(small, "name", "native_status", "type", "message")
    return grown.replace(
        tasks=tuple(_long(one, "name", "native_status", "message") for one in each)
    )


def _long(value: Any, *names: str) -> Any:
    texts = {name: getattr(value, name) for name in names}
    repeated = {name: text[5:] * 5_000 for name, text in texts.items() if text.startswith("LONG ")}
    return value.replace(**repeated)


VIEWS = st.builds(
    job_card.CardContext,
    checked_at=st.just(NOW),
    followed=st.booleans(),
    interval_seconds=st.none() | st.floats(0, 1e6),
    asker=st.sampled_from([None, "U0ADA"]),
    trouble=HOSTILE,
    trouble_since=MOMENTS,
    only_you=st.booleans(),
)
# No shrinking: the violated rule is named, and shrinking a job takes minutes.
many_jobs = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def find(payload: Any, kind: str) -> list[dict[str, Any]]:
    """Return every object of a type in a payload, at any depth."""
    if isinstance(payload, list | tuple):
        return [hit for part in payload for hit in find(part, kind)]
    if not isinstance(payload, dict):
        return []
    hits = [payload] if payload.get("type") == kind else []
    return hits + [hit for part in payload.values() for hit in find(part, kind)]


def violated_rules(made: tuple[dict[str, Any], ...]) -> list[str]:
    """Return the rules violated: of slack_sdk, the local Slack, and the message as a whole."""
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
        "size": message_size.json_size(payload) <= message_size.MAX_JSON_SIZE,
    }
    broken = [rule for rule, kept in rules.items() if not kept]
    return broken + validation.problems(payload, "message")


def _unique(ids: Iterator[str]) -> bool:
    seen = list(ids)
    return len(seen) == len(set(seen))


def parsed_texts(message: Message) -> list[str]:
    """Return the texts in which Slack parses mentions: the fallback text and every mrkdwn."""
    made = find(message.blocks, "mrkdwn") + find(message.classic, "mrkdwn")
    return [message.text, *(text["text"] for text in made)]


def example_job(letter: str, count: int) -> Job:
    """Return a failed job whose texts all consist of this letter, and are too long."""
    failed = Task(
        id="t",
        name=letter * 100,
        status=Status.FAILED,
        native_status=letter * 50,
        message=letter * 5_000,
    )
    return Job(
        ref=JobRef(connection="deploys", id="J"),
        name=letter * 9_000,
        status=Status.FAILED,
        type=letter * 200,
        tasks=tuple(failed.replace(id=str(n)) for n in range(count)),
        message=letter * 5_000,
        details=(Detail(label=letter * 100, value=letter * 200),) * 9,
    )


@pytest.mark.parametrize("count", [1, 15, 16, 40])
@pytest.mark.parametrize("letter", ["ж", "任", "😀", "&", '"\\', "\t."])
def test_long_texts_of_one_letter_are_shortened(letter: str, count: int) -> None:
    """Cards and thread replies fit, with room for a heading and a menu below a reply."""
    after = example_job(letter, count)
    view = job_card.CardContext(checked_at=NOW, followed=True, asker="U0ADA", trouble=letter * 400)
    card = job_card.render_card(after, view)
    reply = job_card.render_change(change_between(None, after), view)
    assert message_size.fits(card)
    assert message_size.fits(reply, room=message_size.ROOM_BESIDE)
    shown = (card.blocks, card.classic, reply.blocks, reply.classic)
    assert [violated_rules(rendering) for rendering in shown] == [[]] * 4


def test_long_id_and_url_leave_the_card_within_the_size() -> None:
    """Neither may be cut, so the tasks are left out."""
    ref = JobRef(connection="deploys", id="ж" * 200)
    job = example_job("ж", 40).replace(ref=ref, url="https://x.example/" + "x" * 2_900)
    card = job_card.render_card(job, job_card.CardContext(checked_at=NOW, followed=True))
    assert message_size.fits(card)
    assert [button["value"] for button in find(card.blocks, "button")] == [str(ref)] * 2


def test_chinese_job_with_forty_tasks_keeps_its_names() -> None:
    """Logs become shorter before names do."""
    name = "批量更新云手机镜像任务"
    tasks = tuple(
        Task(id=str(n), name=f"{name}第{n}步", status=Status.FAILED, message="错误" * 200)
        for n in range(40)
    )
    ref = JobRef(connection="deploys", id="J")
    job = Job(ref=ref, name=name, status=Status.FAILED, tasks=tasks, message="错误" * 600)
    card = job_card.render_card(job, job_card.CardContext(checked_at=NOW))
    assert message_size.fits(card)
    assert find(card.blocks, "header")[0]["text"]["text"] == name
    assert f"{name}第30步" in set(strings(card.blocks))


@many_jobs
@given(JOBS, COUNTS, VIEWS)
def test_card_stays_within_the_limits_for_any_job(
    small: Job, count: int, view: job_card.CardContext
) -> None:
    """Slack accepts both renderings of every card."""
    snapshot = grown(small, count)
    card = job_card.render_card(snapshot, view)
    assert violated_rules(card.blocks) == []
    assert violated_rules(card.classic) == []
    assert 0 < blocks.length(card.text) <= 3_000
    assert card == job_card.render_card(snapshot, view)


@many_jobs
@given(JOBS, COUNTS, VIEWS, st.none() | st.sampled_from(Status))
def test_thread_reply_stays_within_the_limits_for_any_job(
    small: Job, count: int, view: job_card.CardContext, status: Status | None
) -> None:
    """Slack accepts both renderings of every thread reply."""
    after = grown(small, count)
    before = after.replace(status=status, native_status="", tasks=()) if status else None
    found = job_changes.diff(before, after) or change_between(None, after)
    reply = job_card.render_change(found, view)
    assert violated_rules(reply.blocks) == []
    assert violated_rules(reply.classic) == []
    assert 0 < blocks.length(reply.text) <= 3_000
    assert reply == job_card.render_change(found, view)


@many_jobs
@given(JOBS, COUNTS, VIEWS)
def test_untrusted_text_mentions_nobody(small: Job, count: int, view: job_card.CardContext) -> None:
    """The only tokens are our dates and the asker's mention."""
    snapshot = grown(small, count)
    reply = job_card.render_change(change_between(None, snapshot), view)
    for text in [*parsed_texts(job_card.render_card(snapshot, view)), *parsed_texts(reply)]:
        rest = re.sub(r"<!date\^\d+\^[^<>|]+\|[^<>|]+>|<@U0ADA>", "", text)
        assert not re.search(r"[<>]", rest)
    assert find([reply.blocks, reply.classic], "broadcast") == []
    assert {part["user_id"] for part in find(reply.blocks, "user")} <= {view.asker}
