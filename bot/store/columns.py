"""How Python's values stand in the columns of the tables: moments, objects, jobs, words."""

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

from bot.models import Job

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy import ColumnElement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, as whole microseconds since 1970: exact, and the same everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn an aware datetime into microseconds; a naive one is a TypeError."""
        del dialect
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into an aware datetime."""
        del dialect
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Body(TypeDecorator[dict[str, Any]]):
    """A JSON object as ASCII text: whatever characters it holds, both databases take it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        """Write the object as JSON."""
        del dialect
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        """Read the object from JSON."""
        del dialect
        return None if value is None else json.loads(value)


class Look(TypeDecorator[Job]):
    """A job as it was seen, as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Job | None, dialect: Dialect) -> str | None:
        """Write the job as JSON."""
        del dialect
        return None if value is None else value.model_dump_json()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Job | None:
        """Read the job from JSON."""
        del dialect
        return None if value is None else Job.model_validate_json(value)


def word(words: type[StrEnum]) -> Enum:
    """Keep an enum as its plain words."""
    return Enum(words, native_enum=False, length=16, values_callable=list)


def counted() -> Column[int]:
    """Return a primary key that counts; SQLite only counts an INTEGER."""
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def among(column: Column[Any], *words: StrEnum) -> ColumnElement[bool]:
    """Compare with words written out: a partial index is only used where its own words stand."""
    return column.in_([literal_column(f"'{word}'") for word in words])
