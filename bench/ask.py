"""From a command to its card, beside an echo app: how long, how many, how soon acknowledged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.memory_provider import FINISHED
from bench.report import Report, Target, median, progress, quantile
from bench.slack import CHANNELS
from bench.variants import variants

if TYPE_CHECKING:
    from bench.report import Number
    from bench.variants import Variant

LATENCY_SECONDS = 0.05  # of Slack, where many are asked for
WARM_UP = 10  # commands that are not measured


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 12
    one_by_one: int = 30  # commands a round
    bursts: int = 9
    burst: int = CHANNELS  # commands at once
    rate: float = CHANNELS  # commands a second: one a channel, the most that Slack lets post
    paced_seconds: float = 6.0
    per_second: float = 50.0
    seconds: float = 12.0


TINY = Size(
    rounds=2, one_by_one=3, bursts=1, burst=10, rate=40, paced_seconds=0.5, per_second=20, seconds=1
)


async def measure(*, tiny: bool = False) -> Report:
    """Measure all of it, in turns."""
    size = TINY if tiny else Size()
    async with variants() as compared:
        for variant in compared:
            async with variant.turn():
                await variant.one_by_one(WARM_UP)
        await _alone(compared, size)
        slack_ms = await _steady(compared, size)
        await _paced(compared, size)
        await _bursts(compared, size)
        return _report(compared, size, slack_ms)


async def _alone(compared: list[Variant], size: Size) -> None:
    for n in range(size.rounds):
        progress(f"one at a time, round {n + 1} of {size.rounds}")
        for variant in _in_turn(compared, n):
            async with variant.turn():
                variant.alone += await variant.one_by_one(size.one_by_one)


async def _bursts(compared: list[Variant], size: Size) -> None:
    for n in range(size.bursts):
        progress(f"{size.burst} commands at once, round {n + 1} of {size.bursts}")
        for variant in _in_turn(compared, n):
            async with variant.turn(LATENCY_SECONDS):
                await variant.burst(size.burst)


async def _paced(compared: list[Variant], size: Size) -> None:
    for variant in compared:
        progress(f"{size.rate:g} commands a second for {size.paced_seconds:g} s: {variant.name}")
        async with variant.turn(LATENCY_SECONDS):
            asked = await variant.at_rate(size.rate, size.paced_seconds)
        took = max(e.posted_at for e in asked) - LATENCY_SECONDS - asked[0].due_at
        variant.paced = len(asked) / took


async def _steady(compared: list[Variant], size: Size) -> float:
    """Return the milliseconds of processor time that the Slack end itself needs for a reply."""
    cpu = time.process_time()
    for variant in compared:
        progress(f"{size.per_second:g} commands a second for {size.seconds:g} s: {variant.name}")
        async with variant.turn():
            variant.steady += await variant.at_rate(size.per_second, size.seconds)
    replies = sum(len(variant.steady) for variant in compared)
    return (time.process_time() - cpu) / replies * 1_000


def _in_turn(compared: list[Variant], n: int) -> list[Variant]:
    """Begin each round with another variant."""
    first = n % len(compared)
    return compared[first:] + compared[:first]


def _report(compared: list[Variant], size: Size, slack_ms: float) -> Report:
    echo, *bots = compared
    ratios = {name: value for variant in bots for name, value in _ratios(variant, echo).items()}
    return Report(
        name="ask",
        figures={f"{_word(s)}_{k}": v for s in bots for k, v in _figures(s).items()}
        | {"slack_end_ms_a_reply": slack_ms},
        baseline=_figures(echo),
        ratios=ratios,
        targets=tuple(target for variant in bots for target in _targets(variant, ratios)),
        columns=("", *_figures(echo)),
        rows=[(variant.name, *_figures(variant).values()) for variant in compared],
        conditions=(
            f"p50, p90: one command at a time, {len(echo.alone)} each, no latency",
            f"ack, post: {size.per_second:g} commands a second, open loop, {len(echo.steady)} each",
            f"with {LATENCY_SECONDS * 1_000:g} ms latency, replies a second:",
            f"  paced: {size.rate:g} asked a second in {CHANNELS} channels, as Slack itself allows",
            f"  burst: {size.burst} channels at once, median of {size.bursts}, ratio of the pairs",
            "  burst_cpu: processor time of the program, a reply",
            f"calls: to Slack, a command; the Slack end uses {slack_ms:.2f} ms a reply",
        ),
    )


def _word(variant: Variant) -> str:
    return "finished" if variant.kind == FINISHED else "living"


def _figures(variant: Variant) -> dict[str, Number]:
    acks = [exchange.ack_ms for exchange in variant.steady]
    return {
        "p50_ms": quantile(variant.alone, 0.5),
        "p90_ms": quantile(variant.alone, 0.9),
        "burst_a_second": median(variant.bursts),
        "burst_cpu_ms": median(variant.burst_cpu),
        "paced_a_second": variant.paced,
        "ack_p50_ms": quantile(acks, 0.5),
        "ack_p99_ms": quantile(acks, 0.99),
        "post_p99_ms": quantile([exchange.post_ms for exchange in variant.steady], 0.99),
        "calls": variant.called / variant.asked,
    }


def _ratios(variant: Variant, echo: Variant) -> dict[str, Number]:
    pairs = zip(variant.bursts, echo.bursts, strict=True)
    word = _word(variant)
    return {
        f"{word}_p50_over_ms": quantile(variant.alone, 0.5) - quantile(echo.alone, 0.5),
        f"{word}_burst_ratio": median([ours / theirs for ours, theirs in pairs]),
        f"{word}_paced_ratio": variant.paced / echo.paced,
    }


def _targets(variant: Variant, ratios: dict[str, Number]) -> list[Target]:
    word, found = _word(variant), _figures(variant)
    return [
        Target(f"{word}: p50 over the echo app's, ms", ratios[f"{word}_p50_over_ms"], "<=", 3),
        Target(f"{word}: burst, to the echo app's", ratios[f"{word}_burst_ratio"], ">=", 0.8),
        Target(f"{word}: paced, to the echo app's", ratios[f"{word}_paced_ratio"], ">=", 0.8),
        Target(f"{word}: ack p99, ms", found["ack_p99_ms"], "<", 50),
        Target(f"{word}: Slack calls a look-up", found["calls"], "==", 1),
    ]
