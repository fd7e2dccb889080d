"""SQLAlchemy column types: timestamps, JSON objects, job snapshots, enums."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Enum,
    Integer,
    Text,
    TypeDecorator,
    literal_column,
)

from bot.sdk.models import Job

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy import ColumnElement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTimestamp(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as whole microseconds since 1970 in both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Convert an aware datetime to microseconds; raise TypeError for a naive one."""
        del dialect
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Convert microseconds to an aware datetime."""
        del dialect
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class JsonObject(TypeDecorator[dict[str, Any]]):
    """A JSON object, stored as ASCII text: both databases accept every character in it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        """Serialize the object to JSON."""
        del dialect
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        """Parse the object from JSON."""
        del dialect
        return None if value is None else json.loads(value)


class JobSnapshot(TypeDecorator[Job]):
    """A job snapshot, stored as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Job | None, dialect: Dialect) -> str | None:
        """Serialize the job to JSON."""
        del dialect
        return None if value is None else value.model_dump_json()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Job | None:
        """Parse the job from JSON."""
        del dialect
        return None if value is None else Job.model_validate_json(value)


def enum_text(enum: type[StrEnum]) -> Enum:
    """Return a column type that stores an enum's values as text."""
    return Enum(enum, native_enum=False, length=32, values_callable=list)


def auto_increment_id() -> Column[int]:
    """Return an auto-increment primary key; SQLite only increments an INTEGER."""
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def in_literals(column: Column[Any], *values: StrEnum) -> ColumnElement[bool]:
    """Compare with literals: SQLite uses a partial index only for its own literal condition."""
    return column.in_([literal_column(f"'{value}'") for value in values])
