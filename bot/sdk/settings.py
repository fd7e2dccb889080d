"""Settings of a connection: base class, secret files, and error sentences without values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


ENVIRONMENT_PREFIX = "JOBTHREAD_"


class ConnectionSettings(BaseModel):
    """Settings of one connection; a provider adds its own fields, secrets as SecretStr."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)


def variable_name(key: str) -> str:
    """Return the environment variable of a setting, such as `slack.bot_token`.

    Shell variables cannot contain hyphens: an underscore replaces each.
    """
    return f"{ENVIRONMENT_PREFIX}{key.replace('.', '__').replace('-', '_').upper()}"


def read_secret_files(raw: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return a table with each `<secret>_file` replaced by the file's content.

    Only SecretStr fields of `model` can come from a file. The content of an unreadable file is an
    UnreadableSecret.
    """
    table = dict(raw)
    for key in secret_fields(model):
        if f"{key}_file" in table:
            table[key] = _read_secret(f"{key}_file", str(table.pop(f"{key}_file")))
    return table


class UnreadableSecret(str):
    """Placeholder for a secret whose file cannot be read; its text says why."""

    __slots__ = ()


def _read_secret(key: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or not a path
        why = type(error).__name__
        return UnreadableSecret(f"{key} cannot be read ({why}): check the path and its rights")


def secret_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of a model's SecretStr fields."""
    return tuple(
        name
        for name, field in model.model_fields.items()
        if field.annotation is SecretStr or SecretStr in get_args(field.annotation)
    )


def missing_secret(where: str, key: str) -> str:
    """Return the sentence for a missing secret."""
    name = f"{where}.{key}"
    return f"{name} is missing: set {variable_name(name)}, or {name}_file to a file's path."


def model_errors(
    error: ValidationError, where: str, model: type[BaseModel], raw: Mapping[str, Any]
) -> list[str]:
    """Return the errors of a model's "after" validators, which pydantic skips on a field error."""
    if any(not item["loc"] for item in error.errors(include_input=False, include_url=False)):
        return []  # the validators ran
    secret = secret_fields(model)
    given: dict[str, Any] = {
        key: SecretStr(str(value)) if key in secret else value
        for key, value in raw.items()
        if key in model.model_fields
    }
    unvalidated = model.model_construct(**given)
    validators = model.__pydantic_decorators__.model_validators.values()
    errors = [_validator_error(v.func, unvalidated) for v in validators if v.info.mode == "after"]
    return [f"{where}: {_lower_first(text)}." for text in errors if text]


def _validator_error(validator: Callable[[BaseModel], object], unvalidated: BaseModel) -> str:
    """Return a validator's error for unvalidated values, or "" if it passes or crashes."""
    try:
        validator(unvalidated)
    except ValueError as problem:
        return str(problem)
    except Exception:  # noqa: BLE001  plugin code, given values that are not validated
        return ""
    return ""


def error_sentences(error: ValidationError, where: str = "") -> list[str]:
    """Return a sentence for each error: its key and remedy, never the value."""
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
