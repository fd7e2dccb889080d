"""Public API for plugin tests and simulators: conformance tests, clock, faults, server.

`ProviderContract` is imported on first use because only it needs pytest: simulators use the rest
of this package and also run where pytest is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sdk.testing.clock import ManualClock
from bot.sdk.testing.faults import Call, Fault, Faults
from bot.sdk.testing.harness import ProviderHarness
from bot.sdk.testing.server import connected, serve

if TYPE_CHECKING:
    from bot.sdk.testing.contract import ProviderContract

__all__ = [
    "Call",
    "Fault",
    "Faults",
    "ManualClock",
    "ProviderContract",
    "ProviderHarness",
    "connected",
    "serve",
]


def __getattr__(name: str) -> Any:
    """Import the contract on first use, with pytest's assertion rewriting."""
    if name != "ProviderContract":
        raise AttributeError(name)
    import pytest  # noqa: PLC0415  see the module's docstring

    pytest.register_assert_rewrite("bot.sdk.testing.contract")
    from bot.sdk.testing import contract  # noqa: PLC0415

    return getattr(contract, name)
