"""Public API for plugin authors.

Each name is imported on first use, so `import bot` is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.sdk.cards.job_card import View
    from bot.sdk.clock import Clock
    from bot.sdk.errors import (
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
    from bot.sdk.hookspecs import hookimpl
    from bot.sdk.models import Change, Detail, Job, JobRef, Message, Status, Task
    from bot.sdk.payload import Moment, Rows, Word
    from bot.sdk.provider import ConnectionSettings, Endpoint, Provider, Sample, Simulation
    from bot.sdk.timestamps import moment
    from bot.sdk.urls import ids_in

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
    "bot.sdk.cards.job_card": ("View",),
    "bot.sdk.clock": ("Clock",),
    "bot.sdk.hookspecs": ("hookimpl",),
    "bot.sdk.urls": ("ids_in",),
    "bot.sdk.models": ("Change", "Detail", "Job", "JobRef", "Message", "Status", "Task"),
    "bot.sdk.payload": ("Moment", "Rows", "Word"),
    "bot.sdk.timestamps": ("moment",),
    "bot.sdk.provider": (
        "ConnectionSettings",
        "Endpoint",
        "Provider",
        "Sample",
        "Simulation",
    ),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import an exported name; names that `_MODULES` omits come from bot.sdk.errors."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF.get(name, "bot.sdk.errors")), name)


def __dir__() -> list[str]:
    return __all__
