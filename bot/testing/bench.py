"""The bench of a provider's tests: connected to its simulator, with the means to disturb it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.providers import promises
from bot.testing.faults import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from bot.errors import JobthreadError
    from bot.models import Job, JobRef
    from bot.providers.provider import Provider
    from bot.testing.clock import ManualClock


@dataclass(frozen=True)
class Bench:
    """A provider connected to its simulator, and the means to disturb it."""

    provider: Provider[Any]
    app: web.Application
    faults: Faults
    clock: ManualClock
    place: Callable[..., str]  # the contract's own `put`

    def ref(self, id_: str) -> JobRef:
        """Return a reference to a job of this connection."""
        return promises.ref(self, id_)

    async def fetch(self, id_: str) -> Job:
        """Look at a job."""
        return await promises.fetched(self, id_)

    async def error(self, id_: str) -> JobthreadError:
        """Look at a job, and return the error that must come."""
        return await promises.refused(self, id_)

    @property
    def fresh(self) -> bool:
        """Whether nothing was asked yet: a provider may have to sign in first."""
        return not self.faults.calls

    def put(self, native: str, *, name: str = "deploy", tasks: int = 1) -> str:
        """Let the simulator hold a job, and return its id."""
        return self.place(self.app, native, name=name, tasks=tasks)

    def meet(self, fault: Fault | None) -> None:
        """Let every call meet a fault; None: let the simulator answer well."""
        self.faults.clear()
        if fault is not None:
            self.faults.plan(fault, times=None)

    def respell(self, respelled: Callable[[Any], Any]) -> None:
        """Let the simulator answer well, but write what it tells in another way."""
        self.meet(Fault(respelled=respelled))
