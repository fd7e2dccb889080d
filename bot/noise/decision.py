"""What becomes of a piece of news in a channel: the one function that obeys the policy. Pure.

Nothing else in the bot asks about noise: whatever happens to a followed job comes through `decide`
before it is said, and what was decided is kept with its reason.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from bot.models import Value
from bot.noise.policy import Broadcast, FollowUps, Mention, NoisePolicy, Tasks
from bot.words import plural

LOST_REACTION = "grey_question"  # on the message that asked for a job that is not found any more


class Opening(StrEnum):
    """How jobs are shown that somebody asks for."""

    CARDS = "cards"  # one each
    BOARD = "board"  # a row each, where there are several
    REACTION = "reaction"  # a sign on the asker's message


def opening(policy: NoisePolicy, jobs: int, *, can_react: bool) -> Opening:
    """Return how so many jobs are shown; `can_react`: the asker wrote a message.

    One reaction tells the state of one job only.
    """
    if policy.reaction and can_react and jobs == 1:
        return Opening.REACTION
    return Opening.BOARD if policy.board else Opening.CARDS


class Happening(StrEnum):
    """What kind of thing a thread might be told."""

    CHANGE = "change"  # a status that ends nothing
    TASK = "task"  # a step has ended, the job's own status is as before
    RUN = "run"  # of a job that repeats: the outcome of one round
    OUTCOME = "outcome"
    TROUBLE = "trouble"  # the job cannot be looked at
    WELL = "well"  # it can again
    LOST = "lost"  # the job is not found any more, or nobody can look at it


class News(Value):
    """One thing that a thread might be told, as far as noise is concerned."""

    happening: Happening
    bad: bool = False  # something failed

    @property
    def ends(self) -> bool:
        """Whether this is the last that is heard of a job, or of one of its runs."""
        return self.happening in (Happening.OUTCOME, Happening.RUN, Happening.LOST)


class Context(Value):
    """What a decision depends on beside the policy and the news."""

    now: AwareDatetime
    spoken: int = 0  # follow-ups in the channel within the last hour
    was_bad: bool = False  # how the jobs of this series stood, by the last that ended here
    can_react: bool = False  # the asker wrote a message that can carry a reaction
    stopped: bool = False  # a person has stopped the following since


class Action(StrEnum):
    """What becomes of a piece of news; the card tells the newest state in any case."""

    POST = "post"
    UPDATE = "update"  # only the card
    HOLD = "hold"  # until the quiet hours end
    DIGEST = "digest"  # in the rolling digest of those beyond the budget
    REACT = "react"
    DROP = "drop"


class Decision(Value):
    """What was decided, and why."""

    action: Action
    rule: str  # the field of the policy that decided
    reason: str  # a sentence for whoever asks why
    until: AwareDatetime | None = None  # of what is held
    loud: bool = False  # shown in the channel as well
    mention: str = ""  # "asker", a user group's id, or nobody
    every_task: bool = False  # whether the follow-up names the tasks that went well, too


def decide(policy: NoisePolicy, news: News, context: Context) -> Decision:
    """Return what becomes of a piece of news in a channel with this policy."""
    if context.stopped:
        return Decision(
            action=Action.DROP, rule="stopped", reason="Somebody stopped the following meanwhile."
        )
    if policy.reaction and context.can_react:
        return _reacting(news)
    rule, wanted, reason = _wanted(policy, news, context)
    if not wanted:
        return Decision(action=Action.UPDATE, rule=rule, reason=f"{reason} The card shows it.")
    return _timed(policy, news, context, rule, reason)


def _reacting(news: News) -> Decision:
    said = "This channel wants a reaction on the asker's message instead of follow-ups."
    silent = news.happening in (Happening.TASK, Happening.TROUBLE, Happening.WELL)
    action = Action.UPDATE if silent else Action.REACT
    return Decision(action=action, rule="reaction", reason=said)


def _wanted(policy: NoisePolicy, news: News, context: Context) -> tuple[str, bool, str]:
    """Return the rule, whether the news is wanted by it, and the rule in words."""
    if news.happening is Happening.TASK and policy.follow_ups is not FollowUps.OUTCOMES:
        rule, wanted, reason = _task(policy.tasks, news)
        if not wanted or policy.follow_ups is FollowUps.EVERY:
            return rule, wanted, reason
    return "follow_ups", *_FOLLOW_UPS[policy.follow_ups](news, context)


def _task(tasks: Tasks, news: News) -> tuple[str, bool, str]:
    if tasks is Tasks.NONE:
        return "tasks", False, "This channel does not hear of single tasks."
    if tasks is Tasks.FAILURES:
        return "tasks", news.bad, "Of the tasks, this channel hears of those that fail."
    return "tasks", True, "This channel hears of every task that ends."


def _every(news: News, context: Context) -> tuple[bool, str]:
    del news, context
    return True, "This channel hears every change."


def _outcomes(news: News, context: Context) -> tuple[bool, str]:
    del context
    return news.ends, "This channel hears how jobs end, and nothing before."


def _failures(news: News, context: Context) -> tuple[bool, str]:
    del context
    lost = news.happening is Happening.LOST
    return lost or news.bad, "This channel hears of failures only."


def _turns(news: News, context: Context) -> tuple[bool, str]:
    said = "This channel hears of the first failure of its kind, and when it is well again."
    if news.happening is Happening.LOST:
        return True, said
    return (news.ends or news.bad) and news.bad != context.was_bad, said


_FOLLOW_UPS = {
    FollowUps.EVERY: _every,
    FollowUps.OUTCOMES: _outcomes,
    FollowUps.FAILURES: _failures,
    FollowUps.TURNS: _turns,
}


def _timed(policy: NoisePolicy, news: News, context: Context, rule: str, reason: str) -> Decision:
    """Return when wanted news is told: now, after the quiet hours, or in the digest."""
    told = {
        "loud": _loud(policy, news, context),
        "mention": _mention(policy, news),
        "every_task": policy.tasks is Tasks.ALL,
    }
    quiet = policy.quiet_hours
    end = quiet.end_after(context.now) if quiet else None
    if quiet and end and not (quiet.failures_pass and news.bad):
        said = f"These are quiet hours here until {end:%H:%M} ({quiet.zone})."
        return Decision(action=Action.HOLD, rule="quiet_hours", reason=said, until=end, **told)
    most = policy.posts_per_hour
    if most is not None and context.spoken >= most:
        said = f"This channel takes {plural(most, 'follow-up')} an hour; the rest is one digest."
        return Decision(action=Action.DIGEST, rule="posts_per_hour", reason=said, **told)
    return Decision(action=Action.POST, rule=rule, reason=reason, **told)


def _loud(policy: NoisePolicy, news: News, context: Context) -> bool:
    if news.happening is not Happening.OUTCOME or policy.broadcast is Broadcast.NEVER:
        return False
    recovers = policy.broadcast is Broadcast.TURNS and context.was_bad
    return news.bad or recovers


def _mention(policy: NoisePolicy, news: News) -> str:
    if news.happening is not Happening.OUTCOME or policy.mention is Mention.NOBODY:
        return ""
    if policy.mention is Mention.ASKER:
        return "asker"
    return policy.group if news.bad else ""
