"""Test harness: a provider connected to its simulator, with fault injection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sdk import conformance
from bot.sdk.testing.faults import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from bot.sdk.errors import JobthreadError
    from bot.sdk.models import Job, JobRef
    from bot.sdk.provider import Provider
    from bot.sdk.testing.clock import ManualClock


@dataclass(frozen=True)
class ProviderHarness:
    """A provider connected to its simulator, with fault injection and a manual clock."""

    provider: Provider[Any]
    app: web.Application
    faults: Faults
    clock: ManualClock
    put_job: Callable[..., str]  # `ProviderContract.put`

    def ref(self, id_: str) -> JobRef:
        """Return the reference of a job of this connection."""
        return conformance.job_ref(self, id_)

    async def fetch(self, id_: str) -> Job:
        """Fetch a job."""
        return await conformance.fetch_job(self, id_)

    async def fetch_error(self, id_: str) -> JobthreadError:
        """Fetch a job and return the error; raises if there is none."""
        return await conformance.fetch_error(self, id_)

    @property
    def uncalled(self) -> bool:
        """Whether the API got no request yet: the first call may have to sign in."""
        return not self.faults.calls

    def put(self, native: str, *, name: str = "deploy", tasks: int = 1) -> str:
        """Add a job to the simulator and return its id."""
        return self.put_job(self.app, native, name=name, tasks=tasks)

    def inject_fault(self, fault: Fault | None) -> None:
        """Respond to every call with this fault; None: respond normally."""
        self.faults.clear()
        if fault is not None:
            self.faults.plan(fault, times=None)

    def rewrite_json(self, rewrite: Callable[[Any], Any]) -> None:
        """Respond normally, with the JSON that this function returns."""
        self.inject_fault(Fault(rewrite_json=rewrite))
