"""Reads and checks jobthread.toml and the environment; collects all problems."""

from __future__ import annotations

import os
import re
import tomllib
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  pydantic reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as InvalidVariable

from bot.notifications.policy import NotifySettings
from bot.sdk.errors import SettingsError
from bot.sdk.settings import (
    ENVIRONMENT_PREFIX,
    UnreadableSecret,
    error_sentences,
    missing_secret,
    read_secret_files,
)
from bot.settings_env import ambiguity_problems, match_connection_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_settings import PydanticBaseSettingsSource

CONNECTION_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")  # of a connection


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, raw: Any) -> Any:
        return read_secret_files(raw, cls) if isinstance(raw, dict) else raw

    @field_validator("*", mode="before")
    @classmethod
    def _reject_unreadable(cls, value: Any) -> Any:
        if isinstance(value, UnreadableSecret):
            raise ValueError(value)  # noqa: TRY004  pydantic collects ValueErrors
        return value


def _check_url(url: str) -> str:
    if not re.match(r"https?://[^\s/]+", url):
        raise ValueError("must begin with https:// (or http://, on this machine)")
    return url if url.endswith("/") else url + "/"


def _check_command(name: str) -> str:
    if not re.fullmatch(r"/[a-z0-9_-]{1,31}", name):
        raise ValueError("must be a slash and up to 31 of a-z, 0-9, _ and -")
    return name


class SlackSettings(_Section):
    """How the bot connects to Slack."""

    mode: Literal["socket", "http"] = "socket"
    api_url: Annotated[str, AfterValidator(_check_url)] = "https://slack.com/api/"
    bot_token: SecretStr | None = None  # xoxb-…
    app_token: SecretStr | None = None  # xapp-…, Socket Mode only
    signing_secret: SecretStr | None = None  # HTTP mode only
    host: str | None = None  # HTTP mode: the same as web.host and web.port
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    command: Annotated[str, AfterValidator(_check_command)] = "/job"

    @property
    def required_secrets(self) -> tuple[str, ...]:
        """The secrets that this mode requires."""
        return ("bot_token", "app_token" if self.mode == "socket" else "signing_secret")

    def problems(self) -> list[str]:
        """Return one sentence for each missing secret."""
        return [
            missing_secret("slack", key) for key in self.required_secrets if not getattr(self, key)
        ]


class WebSettings(_Section):
    """The bot's own HTTP server: health checks, and Slack's requests in HTTP mode."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] | None = None  # None: no server in Socket Mode


class StoreSettings(_Section):
    """The database, and how long it keeps rows."""

    url: str = "sqlite+aiosqlite:///jobthread.db"
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30  # rows that have ended


class FollowSettings(_Section):
    """How jobs are polled."""

    poll_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0  # between polls of a young job
    coalesce_seconds: Annotated[float, Field(ge=0, le=60)] = 2.0  # polls due this soon share a call


class Settings(BaseSettings):
    """All settings. The environment takes precedence over the file."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        hide_input_in_errors=True,
        frozen=True,
    )
    file: ClassVar[Path | None] = None  # set by `read` on a new subclass
    raw: ClassVar[dict[str, Any]]  # on that subclass during `read`: all raw values

    slack: SlackSettings = Field(default_factory=SlackSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    follow: FollowSettings = Field(default_factory=FollowSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
    connections: dict[str, dict[str, Any]] = {}
    disabled_plugins: Annotated[frozenset[str], NoDecode] = frozenset()  # comma-separated names

    @property
    def http_server(self) -> WebSettings:
        """Where the HTTP server listens: slack.host and slack.port, or else [web]."""
        given = {"host": self.slack.host, "port": self.slack.port}
        return self.web.model_copy(update={k: v for k, v in given.items() if v is not None})

    @model_validator(mode="before")
    @classmethod
    def _record_raw(cls, raw: Any) -> Any:
        if "raw" in vars(cls):
            cls.raw = raw
        return raw

    @field_validator("disabled_plugins", mode="before")
    @classmethod
    def _split_names(cls, names: Any) -> Any:
        if not isinstance(names, str):
            return names
        return [name.strip() for name in names.split(",") if name.strip()]

    @field_validator("connections")
    @classmethod
    def _check_names(cls, connections: dict[str, Any]) -> dict[str, Any]:
        if bad := [repr(name) for name in connections if not CONNECTION_NAME.fullmatch(name)]:
            raise ValueError(
                f"{', '.join(bad)}: a name must be lower-case letters, digits, - and _,"
                " a letter first"
            )
        return connections

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment first, then the file; ignore .env files."""
        del env_settings, dotenv_settings, file_secret_settings
        file = TomlConfigSettingsSource(settings_cls, cls.file)
        return init_settings, _Environment(settings_cls, file()), file


class _Environment(EnvSettingsSource):
    """Environment source that renames connections as the file spells them."""

    def __init__(self, settings_cls: type[BaseSettings], file: dict[str, Any]) -> None:
        super().__init__(settings_cls)
        tables = file.get("connections")
        self._known = tuple(tables) if isinstance(tables, dict) else ()

    def __call__(self) -> dict[str, Any]:
        """Return the values of the variables."""
        found = super().__call__()
        if "connections" in found:
            found["connections"] = match_connection_names(found["connections"], self._known)
        return found


class _PartialSettings(Settings):
    """Settings from the given values only."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls, *_: Any, init_settings: PydanticBaseSettingsSource, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Ignore the file and the environment."""
        return (init_settings,)


@dataclass(frozen=True)
class SettingsResult:
    """All problems, and the settings without their invalid parts."""

    settings: Settings | None  # None if nothing could be read
    problems: tuple[str, ...]


def load(path: Path | None) -> Settings:
    """Read the file, if any, and the environment; raises SettingsError."""
    result = read(path)
    if result.problems or result.settings is None:
        raise SettingsError(result.problems)
    return result.settings


def read(path: Path | None) -> SettingsResult:
    """Read the file and the environment; return the problems together with the valid settings."""
    problems = _unknown_variables()
    settings: Settings | None = None
    try:
        reader = _settings_class(path)
        try:
            settings = reader()
        except ValidationError as error:
            problems += error_sentences(error)
            settings = _valid_part(reader.raw, error)
        finally:
            tables = reader.raw.get("connections")
            problems += ambiguity_problems(tables if isinstance(tables, dict) else ())
            reader.raw = {}  # contains secrets
    except (InvalidVariable, OSError, SettingsError, ValueError) as error:
        problems += _problems(error, path)
    return SettingsResult(settings, tuple(problems))


def _valid_part(raw: dict[str, Any], error: ValidationError) -> Settings | None:
    """Return the settings without the invalid values, so that the rest can be checked too."""
    kept = deepcopy(raw)
    for item in error.errors(include_input=False, include_url=False):
        _drop(kept, item["loc"])
    try:
        return _PartialSettings(**kept)
    except ValidationError:
        return None


def _drop(table: dict[str, Any], location: Sequence[Any]) -> None:
    """Remove the value at a location; for invalid connection names, only those connections."""
    *outer, last = location
    for key in outer:
        if not isinstance(table.get(key), dict):
            last = key  # the location is in a list, or deeper than the raw values
            break
        table = table[key]
    found = table.pop(last, None)
    table.pop(f"{last}_file", None)
    if not outer and last == "connections" and isinstance(found, dict):
        table[last] = {
            name: value for name, value in found.items() if CONNECTION_NAME.fullmatch(name)
        }


def _problems(error: Exception, path: Path | None) -> Sequence[str]:
    """Return why the settings could not be read, without any of their values."""
    match error:
        case SettingsError():
            return error.problems
        case InvalidVariable():
            name = "".join(re.findall(r'field "(\w+)"', str(error))).upper()
            return [f"{ENVIRONMENT_PREFIX}{name} is not JSON: set {ENVIRONMENT_PREFIX}{name}__… ."]
        case tomllib.TOMLDecodeError():
            where = re.search(r"\(at .*\)", str(error))
            return [f"{path} is not TOML {where.group() if where else ''}: correct it there."]
    return [f"{path} cannot be read ({type(error).__name__}): check that it is a UTF-8 text."]


def _settings_class(path: Path | None) -> type[Settings]:
    if path is not None and not path.is_file():
        why = "is no file" if path.exists() else "does not exist"
        raise SettingsError([f"{path} {why}: name the file with --config."])
    return type("Settings", (Settings,), {"file": path, "raw": {}, "__module__": __name__})


def _unknown_variables() -> list[str]:
    """Return a sentence for each variable that looks like a setting and is none."""
    return [
        f"{name} is not a setting: unset it, or check its spelling."
        for name in os.environ
        if name.startswith(ENVIRONMENT_PREFIX)
        and "__" in name
        and name.removeprefix(ENVIRONMENT_PREFIX).split("__")[0].lower()
        not in Settings.model_fields
    ]
