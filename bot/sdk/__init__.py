"""Public API for plugins. A plugin imports from here and, in tests, from `bot.sdk.testing`.

`__all__` is the complete list; every other module of `bot` may change between versions. The
modules in it: `blocks` and `tables` build Block Kit, `conformance` holds the checks of a provider.
"""

from bot.sdk import conformance
from bot.sdk.cards import blocks, tables
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
    origin,
)
from bot.sdk.hookspecs import hookimpl
from bot.sdk.http import Endpoint, Http, parse_response, retry_after
from bot.sdk.id_format import IdFormat
from bot.sdk.models import (
    MAX_ID_LENGTH,
    Change,
    Detail,
    Job,
    JobRef,
    Message,
    Status,
    Task,
    failure_message,
)
from bot.sdk.payload import CamelCase, OneOrMany, OptionalText, Timestamp, ZoneName
from bot.sdk.provider import Provider, Sample, Simulation
from bot.sdk.settings import ConnectionSettings
from bot.sdk.timestamps import parse_time
from bot.sdk.urls import ids_in

__all__ = [
    "MAX_ID_LENGTH",
    "AccessDenied",
    "Ambiguous",
    "AnswerNotUnderstood",
    "BadReference",
    "CamelCase",
    "CardContext",
    "Change",
    "Clock",
    "ConnectionSettings",
    "CredentialsRefused",
    "Detail",
    "Endpoint",
    "Http",
    "IdFormat",
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
    "ZoneName",
    "blocks",
    "conformance",
    "failure_message",
    "hookimpl",
    "ids_in",
    "origin",
    "parse_response",
    "parse_time",
    "retry_after",
    "tables",
]
