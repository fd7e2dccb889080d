"""Prometheus metrics of a status."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from bot.slack import metrics
from bot.status import LiveStatus, StoredStatus
from bot.store import WatchState
from bot.store.metrics import QueueDepth

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOTHING = QueueDepth(0, None)
STORED = StoredStatus(
    at=NOON,
    requests=NOTHING,
    messages=QueueDepth(4, NOON - timedelta(seconds=90)),
    dead_letters=NOTHING,
    overdue=NOTHING,
    watches=dict.fromkeys(WatchState, 2),
)
LIVE = LiveStatus(
    connected=True, last_event_seconds=3.5, rate_limited=7, open_circuits={"deploys": 12.0}
)


def families(live: LiveStatus = LIVE) -> list[Metric]:
    body, _ = metrics.exposition(STORED, live, "")
    return list(text_string_to_metric_families(body.decode()))


def sample(name: str, **labels: str) -> float:
    [value] = [
        each.value
        for family in families()
        for each in family.samples
        if each.name == name and each.labels == labels
    ]
    return value


def test_each_family_has_type_help_and_samples() -> None:
    """A parser finds the type and the help text of every sample."""
    for family in families():
        assert family.type in {"gauge", "counter"}, family.name
        assert family.documentation.endswith("."), family.name
        assert family.samples, family.name


def test_family_without_samples_is_left_out() -> None:
    """HTTP mode has no Socket Mode message, and closed circuits have no sample."""
    names = {family.name for family in families(LiveStatus(connected=True))}
    assert "jobthread_slack_last_event_age_seconds" not in names
    assert "jobthread_circuit_open_seconds" not in names


def test_names_follow_prometheus_conventions() -> None:
    """Prefix, lower case, base units; only a counter ends in _total."""
    for family in families():
        assert re.fullmatch(r"jobthread(_[a-z]+)+", family.name)
        assert not re.search(r"(minutes|hours|millis|_ms|_bytes)", family.name)
        for each in family.samples:
            assert each.name.endswith("_total") is (family.type == "counter")


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("jobthread_build_info", {"version": metadata.version("jobthread")}, 1),
        ("jobthread_messages_pending", {}, 4),
        ("jobthread_messages_pending_oldest_age_seconds", {}, 90),
        ("jobthread_watches", {"state": WatchState.UNREACHABLE.value}, 2),
        ("jobthread_slack_connected", {}, 1),
        ("jobthread_slack_rate_limited_total", {}, 7),
        ("jobthread_slack_last_event_age_seconds", {}, 3.5),
        ("jobthread_circuit_open_seconds", {"connection": "deploys"}, 12),
    ],
)
def test_sample_has_the_value_of_the_status(
    name: str, labels: dict[str, str], value: float
) -> None:
    """Alert rules depend on these names and labels."""
    assert sample(name, **labels) == value


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain"),
        ("text/html,*/*;q=0.1", "text/plain"),
        ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text"),
    ],
)
def test_accept_header_selects_the_format(accept: str, content_type: str) -> None:
    """A scraper can ask for OpenMetrics."""
    body, given = metrics.exposition(STORED, LIVE, accept)
    assert given.startswith(content_type)
    assert body.endswith(b"# EOF\n") is (content_type != "text/plain")


def test_metrics_are_not_registered_process_wide() -> None:
    """Two bots in one process do not share metrics."""
    metrics.exposition(STORED, LIVE, "")
    assert not [name for name in REGISTRY._names_to_collectors if name.startswith("jobthread")]
