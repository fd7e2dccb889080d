"""Public API for plugin authors.

Each name is imported on first use, so `import bot` is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.cards.cards import View
    from bot.clock import Clock
    from bot.errors import (
        AccessDenied,
        Ambiguous,
        AnswerNotUnderstood,
        BadReference,
        CredentialsRefused,
        JobNotFound,
        JobthreadError,
        ProviderError,
        RateLimited,
        Unavailable,
    )
    from bot.models import Change, Detail, Job, JobRef, Message, Status, Task
    from bot.providers.hookspecs import hookimpl
    from bot.providers.links import ids_in
    from bot.providers.payload import Moment, Rows, Word
    from bot.providers.provider import ConnectionSettings, Endpoint, Provider, Sample, Simulation
    from bot.providers.times import moment

__all__ = [
    "AccessDenied",
    "Ambiguous",
    "AnswerNotUnderstood",
    "BadReference",
    "Change",
    "Clock",
    "ConnectionSettings",
    "CredentialsRefused",
    "Detail",
    "Endpoint",
    "Job",
    "JobNotFound",
    "JobRef",
    "JobthreadError",
    "Message",
    "Moment",
    "Provider",
    "ProviderError",
    "RateLimited",
    "Rows",
    "Sample",
    "Simulation",
    "Status",
    "Task",
    "Unavailable",
    "View",
    "Word",
    "hookimpl",
    "ids_in",
    "moment",
]

_MODULES = {
    "bot.cards.cards": ("View",),
    "bot.clock": ("Clock",),
    "bot.providers.hookspecs": ("hookimpl",),
    "bot.providers.links": ("ids_in",),
    "bot.models": ("Change", "Detail", "Job", "JobRef", "Message", "Status", "Task"),
    "bot.providers.payload": ("Moment", "Rows", "Word"),
    "bot.providers.times": ("moment",),
    "bot.providers.provider": (
        "ConnectionSettings",
        "Endpoint",
        "Provider",
        "Sample",
        "Simulation",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import an exported name; names that `_MODULES` omits come from bot.errors."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF.get(name, "bot.errors")), name)


def __dir__() -> list[str]:
    return __all__
