"""Public API for plugins. A plugin imports from here and, in tests, from `bot.sdk.testing`.

`__all__` is the complete list; every other module of `bot` may change between versions.
"""

from bot.sdk.cards.job_card import CardContext
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
from bot.sdk.payload import OneOrMany, OptionalText, Timestamp
from bot.sdk.provider import ConnectionSettings, Endpoint, Provider, Sample, Simulation
from bot.sdk.timestamps import parse_time
from bot.sdk.urls import ids_in

__all__ = [
    "AccessDenied",
    "Ambiguous",
    "AnswerNotUnderstood",
    "BadReference",
    "CardContext",
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
    "OneOrMany",
    "OptionalText",
    "Provider",
    "ProviderError",
    "RateLimited",
    "Sample",
    "Simulation",
    "Status",
    "Task",
    "Timestamp",
    "Unavailable",
    "hookimpl",
    "ids_in",
    "parse_time",
]
