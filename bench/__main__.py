"""`python -m bench NAME`: measures, prints a table, and as the last line the same as JSON."""

from __future__ import annotations

import argparse
import asyncio
import signal

from bench import ask, batch, deliver, fetch, follow, noise, start

BENCHES = {
    "ask": ask.measure,
    "batch": batch.measure,
    "deliver": deliver.measure,
    "fetch": fetch.measure,
    "follow": follow.measure,
    "noise": noise.measure,
    "start": start.measure,
}


def main() -> None:
    """Run one benchmark; a target that is missed is told, and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--tiny", action="store_true", help="only prove that it runs")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what it started ends too
    report = asyncio.run(BENCHES[chosen.name](tiny=chosen.tiny))
    print(report.table())
    print(report.as_json())


if __name__ == "__main__":
    main()
