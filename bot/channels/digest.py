"""The digest: what was held back, in one message; counts first, then a line for each job. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import words
from bot.cards import blocks, sentences
from bot.models import Message
from bot.noise.decision import Action, Happening
from bot.noise.policy import Mention

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bot.models import Job
    from bot.noise.policy import NoisePolicy
    from bot.store import Decided

MOST_LINES = 20
MOST_CALLED = 10
MOST_NAMED = 3  # failures, in the first sentence
_LINE = 300  # units for what happened to one job
_WEIGHT = 9_000  # of the lines, as JSON; the rest of blocks.MAX_WEIGHT is for what is around them
_TEXT = 3_500  # units of the plain text; chat.update takes 4,000
_TELL_THEMSELVES = (Happening.TASK, Happening.RUN)
_MENTIONS = re.compile(r"\s*<(?:@|!subteam\^|!here|!channel|!everyone)[^>]*>")


@dataclass(frozen=True, kw_only=True)
class Item:
    """What a digest tells of one job."""

    held: tuple[Decided, ...]  # what was held back, oldest first; at least one
    job: Job | None = None  # as it was last seen
    link: str | None = None  # to its card
    asker: str = ""

    @property
    def done(self) -> bool:
        """Whether the job has ended."""
        return (
            self.job.status.terminal if self.job else self.held[-1].happening is Happening.OUTCOME
        )

    @property
    def bad(self) -> bool:
        """Whether the job, or something of it while it lives, went wrong."""
        if self.job and self.job.status.terminal:
            return self.job.status.bad
        return any(decided.bad for decided in self.held)

    @property
    def failed(self) -> bool:
        """Whether the job has ended badly."""
        return self.done and self.bad

    @property
    def name(self) -> str:
        """What the job is called, on one line."""
        if self.job:
            return sentences.name(self.job)
        called = blocks.clip(blocks.one_line(self.held[-1].name), 120)
        return called if blocks.visible(called) else str(self.held[-1].ref)


def message(items: Sequence[Item], why: str, called: Iterable[str], now: datetime) -> Message:
    """Return the digest of these jobs, and why it is one; `why` is mrkdwn."""
    ordered = sorted(items, key=_place)
    mentions = [m for id_ in called if (m := blocks.mention(id_))]
    first = " ".join([head(ordered), *mentions[:MOST_CALLED]])
    lines = _lines(ordered[:MOST_LINES], now)
    shown = [blocks.section(first), *_paragraphs(lines)]
    small = [_more(len(ordered) - len(lines)), why]
    return Message(
        text=_text([first, *lines], len(ordered), why),
        blocks=blocks.sealed([*shown, blocks.context(*filter(None, small))]),
    )


def head(items: Sequence[Item]) -> str:
    """Return the counts, and whose failure it is: "7 of 9 done, 1 failed: api at step 3."."""
    failed = [_blamed(item) for item in items if item.failed]
    living = [item.name for item in items if item.bad and not item.done]
    said = words.counts(sum(item.done for item in items), len(items), len(failed))
    said += f": {words.listing(failed, MOST_NAMED)}" if failed else ""
    if living:
        said += f"; {len(living):,} with failures: {words.listing(living, MOST_NAMED)}"
    return blocks.escape(f"{said}.", 1_500)


def called(items: Iterable[Item], policy: NoisePolicy) -> list[str]:
    """Return whom a digest calls: those who asked for what failed, each once, or the group."""
    failed = [item for item in items if item.failed]
    if policy.mention is Mention.GROUP:
        return [policy.group] if failed and policy.group else []
    if policy.mention is Mention.NOBODY:
        return []
    return list(dict.fromkeys(item.asker for item in failed if item.asker))


def quiet(end: datetime | None, zone: ZoneInfo | None) -> str:
    """Return that the quiet hours are why there is a digest."""
    if end is None or zone is None:
        return "Held back in the quiet hours."
    return f"Quiet hours until {end.astimezone(zone):%H:%M} ({zone.key})."


def budget(posts_per_hour: int | None, until: datetime) -> str:
    """Return that the budget is why there is a digest, and until when it grows."""
    most = words.plural(posts_per_hour, "follow-up") if posts_per_hour else "so many follow-ups"
    return f"This channel takes {most} an hour; until {blocks.date(until, '{time}')} I add here."


def _place(item: Item) -> tuple[bool, bool, float]:
    """Failed first, then what lives with failures; the newest first."""
    return not item.failed, not item.bad, -item.held[-1].at.timestamp()


def _blamed(item: Item) -> str:
    """Return a failed job and where it failed: "deploy-api at step 3"."""
    steps = [sentences.step(task) for task in item.job.failed_tasks] if item.job else []
    if len(steps) < 2:
        return item.name + (f" at step {steps[0]}" if steps else "")
    return f"{item.name} at {len(steps):,} steps"


def _lines(items: Iterable[Item], now: datetime) -> list[str]:
    """Return as many lines as Slack takes in one message."""
    kept: list[str] = []
    room = _WEIGHT
    for item in items:
        line = _line(item, now)
        room -= blocks.weight([blocks.section(line)])
        if room < 0:
            break
        kept.append(line)
    return kept


def _line(item: Item, now: datetime) -> str:
    name = blocks.escape(item.name, 150)
    titled = f"<{item.link}|{name}>" if item.link else name
    happened = _happened(item, now)
    joint = happened.removeprefix(name) if happened.startswith(f"{name} ") else f": {happened}"
    said = blocks.mrkdwn(joint, _LINE)["text"].removesuffix(".")
    since = "held since " if item.held[0].action is Action.HOLD else ""
    return f"{_emoji(item)} {titled}{said} · {since}{blocks.date(item.held[0].at)}"


def _emoji(item: Item) -> str:
    happening = item.held[-1].happening
    if happening is Happening.LOST:
        return "❔"
    if item.job and (item.done or not item.bad) and happening is not Happening.TROUBLE:
        return words.sign(item.job.status).emoji
    return "⚠️"


def _happened(item: Item, now: datetime) -> str:
    """Return what there is to say of a job by now, as mrkdwn; it may know more than was held."""
    newest = item.held[-1]
    if item.job is None or newest.happening in (Happening.LOST, Happening.TROUBLE):
        return _kept(newest)
    told = [decided for decided in item.held if decided.happening in _TELL_THEMSELVES]
    if item.job.status.terminal or not told:
        return blocks.escape(sentences.standing(item.job, now), _LINE)
    last = next((decided for decided in reversed(told) if decided.bad), told[-1])
    more = len(told) - 1
    return _kept(last) + (f" (and {more:,} more)" if more else "")


def _kept(decided: Decided) -> str:
    """Return what was to be said, on one line, without calling anybody."""
    text = blocks.one_line(_MENTIONS.sub("", decided.text))
    return str(blocks.mrkdwn(text, _LINE - 40)["text"])


def _paragraphs(lines: Iterable[str]) -> list[blocks.Block]:
    """Return the lines in sections that Slack takes."""
    shown: list[str] = []
    for line in lines:
        if shown and blocks.length(shown[-1]) + blocks.length(line) < blocks.MAX_TEXT - 100:
            shown[-1] += f"\n{line}"
        else:
            shown.append(line)
    return [blocks.section(text) for text in shown]


def _more(left: int) -> str:
    return f"… and {left:,} more" if left > 0 else ""


def _text(lines: Sequence[str], jobs: int, why: str) -> str:
    """Return as many of the lines as there is room for; the first, the counts, always is."""
    kept = [lines[0]]
    room = _TEXT - blocks.length(lines[0]) - blocks.length(why) - 30
    for line in lines[1:]:
        room -= blocks.length(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(filter(None, [*kept, _more(jobs - len(kept) + 1), why]))
