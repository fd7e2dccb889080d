"""Renders the digest of deferred notifications: counts, then one line for each job. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.notifications.policy import Mention
from bot.sdk import formatting
from bot.sdk.cards import blocks, job_text, message_size
from bot.sdk.models import Message
from bot.store import DeliveryAction, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bot.notifications.policy import NotificationPolicy
    from bot.sdk.models import Job
    from bot.store import DecisionRecord

MAX_LINES = 20
MAX_MENTIONS = 10
MAX_NAMED = 3  # failures, in the first sentence
_MAX_LINE = 300  # UTF-16 units of one line's text
_MAX_LINES_SIZE = message_size.MAX_JSON_SIZE - 2_500  # without the first and the last block
_MAX_TEXT = 3_500  # units of the plain text; chat.update accepts 4,000
_OWN_TEXT_KINDS = (EventKind.TASK, EventKind.RUN)
_MENTIONS = re.compile(r"\s*<(?:@|!subteam\^|!here|!channel|!everyone)[^>]*>")


@dataclass(frozen=True, kw_only=True)
class DigestItem:
    """The content of a digest about one job."""

    decisions: tuple[DecisionRecord, ...]  # the deferred decisions, oldest first; at least one
    job: Job | None = None  # the last snapshot
    link: str | None = None  # to its card
    asker: str = ""

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return (
            self.job.status.terminal
            if self.job
            else self.decisions[-1].event_kind is EventKind.OUTCOME
        )

    @property
    def has_failures(self) -> bool:
        """Whether an ended job failed, or a run or task of a running job did."""
        if self.job and self.job.status.terminal:
            return self.job.status.failed
        return any(decided.failed for decided in self.decisions)

    @property
    def failed(self) -> bool:
        """Whether the job has ended and failed."""
        return self.ended and self.has_failures

    @property
    def name(self) -> str:
        """The name of the job, on one line."""
        if self.job:
            return job_text.job_name(self.job)
        name = blocks.clip(blocks.one_line(self.decisions[-1].name), 120)
        return name if blocks.is_visible(name) else str(self.decisions[-1].ref)


def render_digest(
    items: Sequence[DigestItem], why: str, called: Iterable[str], now: datetime
) -> Message:
    """Return the digest of these jobs; `why`: the reason for the digest, as mrkdwn."""
    ordered = sorted(items, key=_sort_key)
    mentions = [m for id_ in called if (m := blocks.mention(id_))]
    first = " ".join([summary(ordered), *mentions[:MAX_MENTIONS]])
    available = _MAX_LINES_SIZE - message_size.json_size(first) - message_size.json_size(why)
    rendered = (_line(item, now) for item in ordered[:MAX_LINES])
    lines = list(message_size.first_lines(rendered, available))
    content = [blocks.section(first), *_paragraphs(lines)]
    footer = [_more(len(ordered) - len(lines)), why]
    return Message(
        text=_text([first, *lines], len(ordered), why),
        blocks=blocks.with_block_ids([*content, blocks.context(*filter(None, footer))]),
    )


def summary(items: Sequence[DigestItem]) -> str:
    """Return the counts and the failed jobs: "7 of 9 done, 1 failed: api at step 3."."""
    failed = [_failed_job(item) for item in items if item.failed]
    running = [item.name for item in items if item.has_failures and not item.ended]
    text = formatting.counts(sum(item.ended for item in items), len(items), len(failed))
    text += f": {formatting.join_names(failed, MAX_NAMED)}" if failed else ""
    if running:
        text += f"; {len(running):,} with failures: {formatting.join_names(running, MAX_NAMED)}"
    return blocks.escape(f"{text}.", 1_500)


def mentioned(items: Iterable[DigestItem], policy: NotificationPolicy) -> list[str]:
    """Return whom a digest mentions: each asker of a failed job once, or the group."""
    failed = [item for item in items if item.failed]
    if policy.mention is Mention.GROUP:
        return [policy.group] if failed and policy.group else []
    if policy.mention is Mention.NOBODY:
        return []
    return list(dict.fromkeys(item.asker for item in failed if item.asker))


def quiet_hours_reason(end: datetime | None, zone: ZoneInfo | None) -> str:
    """Return quiet hours as the reason for the digest."""
    if end is None or zone is None:
        return "Deferred during the quiet hours."
    return f"Quiet hours until {end.astimezone(zone):%H:%M} ({zone.key})."


def budget_reason(posts_per_hour: int | None, until: datetime) -> str:
    """Return the hourly limit as the reason for the digest, and until when it is extended."""
    limit = (
        formatting.plural(posts_per_hour, "follow-up") if posts_per_hour else "so many follow-ups"
    )
    return f"This channel takes {limit} an hour; until {blocks.date(until, '{time}')} I add here."


def _sort_key(item: DigestItem) -> tuple[bool, bool, float]:
    """Sort key: failed jobs, then running jobs with failures, each newest first."""
    return not item.failed, not item.has_failures, -item.decisions[-1].decided_at.timestamp()


def _failed_job(item: DigestItem) -> str:
    """Return a failed job and its failed step: "deploy-api at step 3"."""
    steps = [job_text.task_name(task) for task in item.job.failed_tasks] if item.job else []
    if len(steps) < 2:
        return item.name + (f" at step {steps[0]}" if steps else "")
    return f"{item.name} at {len(steps):,} steps"


def _line(item: DigestItem, now: datetime) -> str:
    name = blocks.escape(item.name, 150)
    title = f"<{item.link}|{name}>" if item.link else name
    state = _state_text(item, now)
    rest = state.removeprefix(name) if state.startswith(f"{name} ") else f": {state}"
    text = blocks.mrkdwn(rest, _MAX_LINE)["text"].removesuffix(".")
    since = "deferred since " if item.decisions[0].action is DeliveryAction.DEFER else ""
    return f"{_emoji(item)} {title}{text} · {since}{blocks.date(item.decisions[0].decided_at)}"


def _emoji(item: DigestItem) -> str:
    event_kind = item.decisions[-1].event_kind
    if event_kind is EventKind.JOB_MISSING:
        return "❔"
    if (
        item.job
        and (item.ended or not item.has_failures)
        and event_kind is not EventKind.POLLING_FAILED
    ):
        return formatting.status_label(item.job.status).emoji
    return "⚠️"


def _state_text(item: DigestItem, now: datetime) -> str:
    """Return the current state of a job, as mrkdwn; it may be newer than what was deferred."""
    newest = item.decisions[-1]
    if item.job is None or newest.event_kind in (EventKind.JOB_MISSING, EventKind.POLLING_FAILED):
        return _deferred_text(newest)
    events = [decided for decided in item.decisions if decided.event_kind in _OWN_TEXT_KINDS]
    if item.job.status.terminal or not events:
        return blocks.escape(job_text.status_sentence(item.job, now), _MAX_LINE)
    last = next((decided for decided in reversed(events) if decided.failed), events[-1])
    more = len(events) - 1
    return _deferred_text(last) + (f" (and {more:,} more)" if more else "")


def _deferred_text(decided: DecisionRecord) -> str:
    """Return the text of a deferred reply on one line, without mentions."""
    text = blocks.one_line(_MENTIONS.sub("", decided.text))
    return str(blocks.mrkdwn(text, _MAX_LINE - 40)["text"])


def _paragraphs(lines: Iterable[str]) -> list[blocks.Block]:
    """Return the lines in sections within Slack's limits."""
    content: list[str] = []
    for line in lines:
        if content and blocks.length(content[-1]) + blocks.length(line) < blocks.MAX_TEXT - 100:
            content[-1] += f"\n{line}"
        else:
            content.append(line)
    return [blocks.section(text) for text in content]


def _more(left: int) -> str:
    return f"… and {left:,} more" if left > 0 else ""


def _text(lines: Sequence[str], jobs: int, why: str) -> str:
    """Return the first line, which has the counts, and as many others as the limit allows."""
    kept = [lines[0]]
    remaining = _MAX_TEXT - blocks.length(lines[0]) - blocks.length(why) - 30
    for line in lines[1:]:
        remaining -= blocks.length(line) + 1
        if remaining < 0:
            break
        kept.append(line)
    return "\n".join(filter(None, [*kept, _more(jobs - len(kept) + 1), why]))
