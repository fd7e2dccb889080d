"""What is wrong with a table of settings: a sentence each, with key and remedy, never a value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from bot.environment import variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def read_secret_files(raw: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return a table with each `<secret>_file` replaced by what that file holds, or `Unread`.

    Only fields of `model` that are SecretStr can come from a file.
    """
    table = dict(raw)
    for key in secret_fields(model):
        if f"{key}_file" in table:
            table[key] = _content(f"{key}_file", str(table.pop(f"{key}_file")))
    return table


class Unread(str):
    """Stands where a secret would, and says why its file cannot be read."""

    __slots__ = ()


def _content(key: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no path at all
        why = type(error).__name__
        return Unread(f"{key} cannot be read ({why}): check the path and its rights")


def secret_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of a model's secrets."""
    return tuple(
        name
        for name, field in model.model_fields.items()
        if field.annotation is SecretStr or SecretStr in get_args(field.annotation)
    )


def missing_secret(where: str, key: str) -> str:
    """Return the sentence for a secret that is not set."""
    place = f"{where}.{key}"
    return f"{place} is missing: set {variable(place)}, or {place}_file to a file's path."


def of_the_whole(
    error: ValidationError, where: str, model: type[BaseModel], raw: Mapping[str, Any]
) -> list[str]:
    """Return what a model says of its keys together, which a wrong key keeps it from saying."""
    if any(not item["loc"] for item in error.errors(include_input=False, include_url=False)):
        return []  # it did say
    secret = secret_fields(model)
    given: dict[str, Any] = {
        key: SecretStr(str(value)) if key in secret else value
        for key, value in raw.items()
        if key in model.model_fields
    }
    unsure = model.model_construct(**given)
    validators = model.__pydantic_decorators__.model_validators.values()
    said = [_said(each.func, unsure) for each in validators if each.info.mode == "after"]
    return [f"{where}: {_lower_first(text)}." for text in said if text]


def _said(validator: Callable[[BaseModel], object], unsure: BaseModel) -> str:
    """Return what a validator says of values that may be wrong; one that fails says nothing."""
    try:
        validator(unsure)
    except ValueError as problem:
        return str(problem)
    except Exception:  # noqa: BLE001  strangers' code, on values that it was promised not to see
        return ""
    return ""


def sentences(error: ValidationError, where: str = "") -> list[str]:
    """Return one sentence for each problem: its key and its remedy, never the value."""
    return [
        _sentence(item, ".".join(filter(None, [where, *map(str, item["loc"])])))
        for item in error.errors(include_input=False, include_url=False)
    ]


def _sentence(item: Any, key: str) -> str:
    if item["type"] == "extra_forbidden":
        return f"{key} is not a setting: remove it, or check its spelling."
    if item["type"] == "missing":
        return f"{key} is missing: set it."
    if item["type"] in ("dict_type", "model_type") and key:
        return f"{key} must be a table: write [{key}], and its keys below that."
    return f"{key or 'these settings'}: {_lower_first(item['msg'].removeprefix('Value error, '))}."


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
