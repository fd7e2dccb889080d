"""`python -m chaos`: one run, its figures, and the verdict as the exit code."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from chaos import report
from chaos.plan import WATCHES_PER_MINUTE, Plan
from chaos.run import run
from chaos.safeguards import Safeguard


def main() -> int:
    """Run, print, and return 1 if a message was lost, duplicated or out of order."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the bot is stopped, too
    figures, verdict = asyncio.run(run(_plan()))
    out = sys.stdout
    out.write(f"\n{report.table(figures)}\n")
    if not verdict.passed:
        out.write(f"\n{report.violations(verdict)}\n")
    out.write(f"\n{report.as_json(figures)}\n")
    return 0 if verdict.passed else 1


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0, help="duration of the faults")
    parser.add_argument("--seed", type=int, default=1, help="seed of all random choices")
    parser.add_argument(
        "--watches", type=int, help=f"in all; default: {WATCHES_PER_MINUTE} a minute"
    )
    parser.add_argument("--break", dest="safeguard", choices=list(Safeguard), default="")
    parser.add_argument("--log", default="", help="file for the bot's log")
    given = parser.parse_args()
    watches = given.watches or max(1, round(WATCHES_PER_MINUTE * given.minutes))
    return Plan(given.minutes, given.seed, watches, str(given.safeguard), given.log)


if __name__ == "__main__":
    sys.exit(main())
