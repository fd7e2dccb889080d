"""Prometheus metrics: the status as metric families.

https://prometheus.io/docs/practices/naming
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from bot.status import LiveStatus, StoredStatus
    from bot.store.metrics import QueueDepth

VERSION = metadata.version("jobthread")


class StatusCollector(Collector):
    """Collects the metric families of one status; nothing is registered process-wide."""

    def __init__(self, stored: StoredStatus, live: LiveStatus) -> None:
        self._stored = stored
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """Yield the families; those without a sample are left out."""
        yield InfoMetricFamily("jobthread_build", "Version of the bot.", {"version": VERSION})
        yield from self._queues()
        yield self._watches()
        yield from self._slack()
        if self._live.open_circuits:
            yield self._circuits()

    def _queues(self) -> Iterator[Metric]:
        stored = self._stored
        yield from self._queue("requests_pending", stored.requests, "Requests not answered yet")
        yield from self._queue(
            "messages_pending", stored.messages, "Messages not confirmed as posted yet"
        )
        yield from self._queue(
            "dead_letters", stored.dead_letters, "Messages that Slack rejected for good"
        )
        yield from self._queue(
            "notifications_deferred", stored.deferred, "Notifications deferred by quiet hours"
        )
        yield from self._queue("jobs_overdue", stored.overdue, "Jobs past their poll time")

    def _queue(self, name: str, depth: QueueDepth, text: str) -> Iterator[Metric]:
        age = self._stored.age(depth)
        yield GaugeMetricFamily(f"jobthread_{name}", f"{text}.", depth.count)
        yield GaugeMetricFamily(
            f"jobthread_{name}_oldest_age_seconds", f"{text}: age of the oldest, 0 if none.", age
        )

    def _watches(self) -> Metric:
        family = GaugeMetricFamily("jobthread_watches", "Watches by state.", labels=["state"])
        for state, count in self._stored.watches.items():
            family.add_metric([state.value], count)
        return family

    def _slack(self) -> Iterator[Metric]:
        live = self._live
        yield GaugeMetricFamily(
            "jobthread_slack_connected", "1 if Slack can reach the bot, else 0.", live.connected
        )
        yield CounterMetricFamily(
            "jobthread_slack_rate_limited",
            "Slack's responses with status 429 since the start.",
            live.rate_limited,
        )
        if live.last_event_seconds is not None:
            yield GaugeMetricFamily(
                "jobthread_slack_last_event_age_seconds",
                "Time since Slack's last Socket Mode message.",
                live.last_event_seconds,
            )

    def _circuits(self) -> Metric:
        family = GaugeMetricFamily(
            "jobthread_circuit_open_seconds",
            "Time until an open circuit allows a poll; no sample for a closed one.",
            labels=["connection"],
        )
        for connection, seconds in self._live.open_circuits.items():
            family.add_metric([connection], seconds)
        return family


def exposition(stored: StoredStatus, live: LiveStatus, accept: str) -> tuple[bytes, str]:
    """Return the metrics and their content type, in the format that an Accept header names."""
    encoder, content_type = choose_encoder(accept)
    return encoder(StatusCollector(stored, live)), content_type
