"""The table of metrics in the operators' page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.slack import metrics
from bot.status import LiveStatus, StoredStatus
from bot.store import WatchState
from bot.store.metrics import QueueDepth

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = QueueDepth(0, None)
STORED = StoredStatus(
    at=datetime(2026, 11, 22, tzinfo=UTC),
    requests=NOTHING,
    messages=NOTHING,
    dead_letters=NOTHING,
    overdue=NOTHING,
    watches=dict.fromkeys(WatchState, 0),
)
LIVE = LiveStatus(connected=True, last_event_seconds=1.0, open_circuits={"deploys": 1.0})


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The operators' page."""
    return (root / "docs/operating.md").read_text("utf-8")


def test_table_names_each_metric_with_labels_and_type(page: str) -> None:
    """The page lists exactly what a scraper gets."""
    row = re.compile(r'^\| `(jobthread_\w+)(?:\{(\w+)="…"\})?` \| (\w+) \|', re.MULTILINE)
    body, _ = metrics.exposition(STORED, LIVE, "")
    exported = {
        (sample.name, next(iter(sample.labels), ""), family.type)
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }
    assert set(row.findall(page)) == exported


def test_page_names_each_state_of_a_watch(page: str) -> None:
    """An alert rule can select a state."""
    [line] = re.findall(r"^\| `jobthread_watches.*$", page, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", line)) == {state.value for state in WatchState}
