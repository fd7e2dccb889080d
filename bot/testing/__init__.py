"""What a plugin's tests and simulators lean on: the contract, a clock to turn, faults, a server.

Only `ProviderContract` needs pytest, so it is imported when it is asked for: simulators use the
rest of this package, and they also run where pytest is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.testing.bench import Bench
from bot.testing.clock import ManualClock
from bot.testing.faults import Call, Fault, Faults
from bot.testing.serving import connected, serve

if TYPE_CHECKING:
    from bot.testing.contract import ProviderContract

__all__ = [
    "Bench",
    "Call",
    "Fault",
    "Faults",
    "ManualClock",
    "ProviderContract",
    "connected",
    "serve",
]


def __getattr__(name: str) -> Any:
    """Import the contract at its first use, with pytest's explanations of what failed."""
    if name != "ProviderContract":
        raise AttributeError(name)
    import pytest  # noqa: PLC0415  see the module's docstring

    pytest.register_assert_rewrite("bot.testing.contract")
    from bot.testing import contract  # noqa: PLC0415

    return getattr(contract, name)
