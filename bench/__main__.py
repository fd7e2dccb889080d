"""`python -m bench NAME`: measures, prints a table, and as the last line the same as JSON."""

from __future__ import annotations

import argparse
import asyncio
import signal

from bench import ask, batch, deliver, fetch, follow, policies, start

BENCHES = {
    "ask": ask.measure,
    "batch": batch.measure,
    "deliver": deliver.measure,
    "fetch": fetch.measure,
    "follow": follow.measure,
    "policies": policies.measure,
    "start": start.measure,
}


def main() -> None:
    """Run one benchmark; a missed target is reported and is no failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--tiny", action="store_true", help="only prove that it runs")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that its processes end as well
    report = asyncio.run(BENCHES[chosen.name](tiny=chosen.tiny))
    print(report.table())
    print(report.as_json())


if __name__ == "__main__":
    main()
