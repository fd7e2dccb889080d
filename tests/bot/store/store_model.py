"""Base of the state machines that compare a table of the store with a model of it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import hypothesis
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from bot.store import Store
from tests.bot.store import rows
from tests.bot.store.conftest import NOON

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from sqlalchemy import Row, Table


class StoreModel(RuleBasedStateMachine):
    """A state machine over one store in memory, whose table starts empty."""

    table: ClassVar[Table]
    store: ClassVar[Store]
    runner: ClassVar[asyncio.Runner]

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.run(self._delete_rows())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run one step; no two steps happen at the same time."""
        self.now += timedelta(milliseconds=1)
        return self.runner.run(work)

    def stored_rows(self) -> list[Row[Any]]:
        """Return the rows of the table; the time does not change."""
        return self.runner.run(self._rows())

    async def _delete_rows(self) -> None:
        async with self.store.begin() as tx:
            await rows.delete_rows(tx, self.table)

    async def _rows(self) -> list[Row[Any]]:
        async with self.store.begin() as tx:
            return await rows.rows(tx, self.table)


@contextmanager
def in_memory(model: type[StoreModel]) -> Iterator[type[StoreModel]]:
    """Yield the state machine with an open store in memory."""
    with asyncio.Runner() as runner:
        store = Store("sqlite:///:memory:")
        runner.run(store.open())
        yield type("InMemory", (model,), {"store": store, "runner": runner})
        runner.run(store.close())


def check_model(model: type[StoreModel]) -> None:
    """Run the state machine, with the same examples each time."""
    with in_memory(model) as machine:
        run_state_machine_as_test(
            machine,
            settings=hypothesis.settings(
                max_examples=hypothesis.settings.default.max_examples // 2,
                stateful_step_count=30,
                derandomize=True,
                suppress_health_check=list(hypothesis.HealthCheck),
            ),
        )
