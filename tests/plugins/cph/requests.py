"""Requests that the tests of Cloud Phone Host add, and the queries that the provider sends."""

from urllib.parse import parse_qs, urlsplit

from bot.sdk.models import JobRef
from plugins.cph.script import PhoneJob, RequestScript
from plugins.cph.simulator import Simulator
from tests.plugins.fixtures import ref


def add_requests(
    simulator: Simulator, count: int, phones: int = 2, seconds: float = 60
) -> list[JobRef]:
    """Add so many requests that run for so long."""
    jobs = tuple(PhoneJob(f"phone-{n}", seconds) for n in range(phones))
    return [ref(simulator.add(RequestScript(f"{n:032x}", jobs)).id) for n in range(1, count + 1)]


def sent_values(simulator: Simulator, name: str = "request_ids") -> list[str]:
    """Return the values of a parameter, call by call, and clear the calls."""
    queries = [parse_qs(urlsplit(call.path).query) for call in simulator.calls]
    simulator.calls.clear()
    return [query[name][0] for query in queries if name in query]
