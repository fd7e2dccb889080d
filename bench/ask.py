"""From a command to its card, beside an echo app: how long, how many, how soon acknowledged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.memory_provider import FINISHED
from bench.report import Report, Target, median, progress, quantile
from bench.slack import CHANNELS
from bench.variants import sides

if TYPE_CHECKING:
    from bench.report import Number
    from bench.variants import Side

LATENCY_SECONDS = 0.05  # of Slack, where many are asked for
WARM_UP = 10  # commands that are not measured


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 12
    one_by_one: int = 30  # commands a round
    bursts: int = 9
    burst: int = CHANNELS  # commands at once
    pace: float = CHANNELS  # commands a second: one a channel, the most that Slack lets post
    paced_seconds: float = 6.0
    per_second: float = 50.0
    seconds: float = 12.0


TINY = Size(
    rounds=2, one_by_one=3, bursts=1, burst=10, pace=40, paced_seconds=0.5, per_second=20, seconds=1
)


async def measure(*, tiny: bool = False) -> Report:
    """Measure all of it, in turns."""
    size = TINY if tiny else Size()
    async with sides() as all_of_them:
        for side in all_of_them:
            async with side.turn():
                await side.one_by_one(WARM_UP)
        await _alone(all_of_them, size)
        slack_ms = await _steady(all_of_them, size)
        await _paced(all_of_them, size)
        await _bursts(all_of_them, size)
        return _report(all_of_them, size, slack_ms)


async def _alone(all_of_them: list[Side], size: Size) -> None:
    for n in range(size.rounds):
        progress(f"one at a time, round {n + 1} of {size.rounds}")
        for side in _in_turn(all_of_them, n):
            async with side.turn():
                side.alone += await side.one_by_one(size.one_by_one)


async def _bursts(all_of_them: list[Side], size: Size) -> None:
    for n in range(size.bursts):
        progress(f"{size.burst} commands at once, round {n + 1} of {size.bursts}")
        for side in _in_turn(all_of_them, n):
            async with side.turn(LATENCY_SECONDS):
                await side.burst(size.burst)


async def _paced(all_of_them: list[Side], size: Size) -> None:
    for side in all_of_them:
        progress(f"{size.pace:g} commands a second for {size.paced_seconds:g} s: {side.name}")
        async with side.turn(LATENCY_SECONDS):
            asked = await side.by_the_clock(size.pace, size.paced_seconds)
        took = max(e.posted_at for e in asked) - LATENCY_SECONDS - asked[0].due_at
        side.paced = len(asked) / took


async def _steady(all_of_them: list[Side], size: Size) -> float:
    """Return the milliseconds of processor time that the Slack end itself needs for a reply."""
    cpu = time.process_time()
    for side in all_of_them:
        progress(f"{size.per_second:g} commands a second for {size.seconds:g} s: {side.name}")
        async with side.turn():
            side.steady += await side.by_the_clock(size.per_second, size.seconds)
    replies = sum(len(side.steady) for side in all_of_them)
    return (time.process_time() - cpu) / replies * 1_000


def _in_turn(all_of_them: list[Side], n: int) -> list[Side]:
    """Begin each round with another side."""
    first = n % len(all_of_them)
    return all_of_them[first:] + all_of_them[:first]


def _report(all_of_them: list[Side], size: Size, slack_ms: float) -> Report:
    echo, *bots = all_of_them
    ratios = {name: value for side in bots for name, value in _ratios(side, echo).items()}
    return Report(
        name="ask",
        figures={f"{_word(s)}_{k}": v for s in bots for k, v in _figures(s).items()}
        | {"slack_end_ms_a_reply": slack_ms},
        baseline=_figures(echo),
        ratios=ratios,
        targets=tuple(target for side in bots for target in _targets(side, ratios)),
        columns=("", *_figures(echo)),
        rows=[(side.name, *_figures(side).values()) for side in all_of_them],
        conditions=(
            f"p50, p90: one command at a time, {len(echo.alone)} each, no latency",
            f"ack, post: {size.per_second:g} commands a second, open loop, {len(echo.steady)} each",
            f"with {LATENCY_SECONDS * 1_000:g} ms latency, replies a second:",
            f"  paced: {size.pace:g} asked a second in {CHANNELS} channels, as Slack itself allows",
            f"  burst: {size.burst} channels at once, median of {size.bursts}, ratio of the pairs",
            "  burst_cpu: processor time of the program, a reply",
            f"calls: to Slack, a command; the Slack end uses {slack_ms:.2f} ms a reply",
        ),
    )


def _word(side: Side) -> str:
    return "finished" if side.kind == FINISHED else "living"


def _figures(side: Side) -> dict[str, Number]:
    acks = [exchange.ack_ms for exchange in side.steady]
    return {
        "p50_ms": quantile(side.alone, 0.5),
        "p90_ms": quantile(side.alone, 0.9),
        "burst_a_second": median(side.bursts),
        "burst_cpu_ms": median(side.burst_cpu),
        "paced_a_second": side.paced,
        "ack_p50_ms": quantile(acks, 0.5),
        "ack_p99_ms": quantile(acks, 0.99),
        "post_p99_ms": quantile([exchange.post_ms for exchange in side.steady], 0.99),
        "calls": side.called / side.asked,
    }


def _ratios(side: Side, echo: Side) -> dict[str, Number]:
    pairs = zip(side.bursts, echo.bursts, strict=True)
    word = _word(side)
    return {
        f"{word}_p50_over_ms": quantile(side.alone, 0.5) - quantile(echo.alone, 0.5),
        f"{word}_burst_ratio": median([ours / theirs for ours, theirs in pairs]),
        f"{word}_paced_ratio": side.paced / echo.paced,
    }


def _targets(side: Side, ratios: dict[str, Number]) -> list[Target]:
    word, found = _word(side), _figures(side)
    return [
        Target(f"{word}: p50 over the echo app's, ms", ratios[f"{word}_p50_over_ms"], "<=", 3),
        Target(f"{word}: burst, to the echo app's", ratios[f"{word}_burst_ratio"], ">=", 0.8),
        Target(f"{word}: paced, to the echo app's", ratios[f"{word}_paced_ratio"], ">=", 0.8),
        Target(f"{word}: ack p99, ms", found["ack_p99_ms"], "<", 50),
        Target(f"{word}: Slack calls a look-up", found["calls"], "==", 1),
    ]
