"""What the operator decides: jobthread.toml and the environment, checked; all problems told."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, get_args

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
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as BadVariable

from bot.errors import SettingsError
from bot.noise import Mention, NoisePolicy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_settings import PydanticBaseSettingsSource

ENVIRONMENT_PREFIX = "JOBTHREAD_"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")  # of a connection


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, raw: Any) -> Any:
        return read_secret_files(raw, cls) if isinstance(raw, dict) else raw

    @field_validator("*", mode="before")
    @classmethod
    def _were_read(cls, value: Any) -> Any:
        if isinstance(value, Unread):
            raise ValueError(value)  # noqa: TRY004  pydantic collects ValueErrors
        return value


def _web_address(url: str) -> str:
    if not re.match(r"https?://[^\s/]+", url):
        raise ValueError("must begin with https:// (or http://, on this machine)")
    return url if url.endswith("/") else url + "/"


class SlackSettings(_Part):
    """How Slack is reached."""

    mode: Literal["socket", "http"] = "socket"
    api_url: Annotated[str, AfterValidator(_web_address)] = "https://slack.com/api/"
    bot_token: SecretStr | None = None  # xoxb-…
    app_token: SecretStr | None = None  # xapp-…, Socket Mode only
    signing_secret: SecretStr | None = None  # HTTP mode only
    host: str | None = None  # HTTP mode: the same as web.host and web.port
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    command: Annotated[str, Field(pattern=r"^/[a-z0-9_-]{1,31}$")] = "/job"

    @property
    def needed(self) -> tuple[str, ...]:
        """The secrets that this mode cannot do without."""
        return ("bot_token", "app_token" if self.mode == "socket" else "signing_secret")

    def problems(self) -> list[str]:
        """Return a sentence for each secret that is missing."""
        return [missing_secret("slack", key) for key in self.needed if not getattr(self, key)]


class WebSettings(_Part):
    """The bot's own HTTP server: health, and Slack's requests in HTTP mode."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] | None = None  # None: no server in Socket Mode


class StoreSettings(_Part):
    """Where watches, questions and messages are kept."""

    url: str = "sqlite+aiosqlite:///jobthread.db"
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30  # what is done and told


class FollowSettings(_Part):
    """How jobs are followed."""

    poll_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0  # between looks at a young job
    coalesce_seconds: Annotated[float, Field(ge=0, le=60)] = 2.0  # looks due so soon share a call


CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{2,20}")  # Slack's


class NotifySettings(NoisePolicy):
    """How loud the bot is where a channel has not set that itself; beside the policy's fields."""

    who_may_change: Literal["members", "admins"] = "members"  # what a channel hears
    channels: dict[str, dict[str, Any]] = Field(default_factory=dict)  # by Slack's id: a policy's

    @property
    def defaults(self) -> dict[str, Any]:
        """The policy's fields that are set here, as JSON has them."""
        own = self.model_fields_set & set(NoisePolicy.model_fields)
        return self.model_dump(mode="json", include=own)

    @field_validator("channels")
    @classmethod
    def _policies(cls, channels: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Check each channel's fields as those of a policy."""
        if bad := [repr(name) for name in channels if not CHANNEL_ID.fullmatch(name)]:
            raise ValueError(f"{', '.join(bad)}: a channel goes by its id in Slack, such as C0123")
        return {name: _policy(name, fields) for name, fields in channels.items()}

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        """Check that the fields go together, in general and in each channel."""
        _demand_sense(NoisePolicy.model_validate(self.defaults), "")
        for name, fields in self.channels.items():
            _demand_sense(NoisePolicy.model_validate({**self.defaults, **fields}), f" in {name}")
        return self


def _policy(channel: str, fields: dict[str, Any]) -> dict[str, Any]:
    try:
        return NoisePolicy.model_validate(fields).model_dump(mode="json", include=set(fields))
    except ValidationError as error:
        raise ValueError(f"in {channel}, {'; '.join(sentences(error))}") from None


def _demand_sense(policy: NoisePolicy, where: str) -> None:
    quiet = policy.quiet_hours
    if policy.mention is Mention.GROUP and not policy.group:
        raise ValueError(
            f'mention is "group"{where}, so group must name one by its id, such as S0123ABC'
        )
    if quiet is not None and quiet.begins == quiet.ends:
        raise ValueError(f"quiet_hours must end at another time than they begin{where}")


class Settings(BaseSettings):
    """All that the operator decides. The environment wins over the file."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        hide_input_in_errors=True,
        frozen=True,
    )
    file: ClassVar[Path | None] = None  # set by `load` on a subclass of its own

    slack: SlackSettings = Field(default_factory=SlackSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    follow: FollowSettings = Field(default_factory=FollowSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
    connections: dict[str, dict[str, Any]] = {}
    disabled_plugins: Annotated[frozenset[str], NoDecode] = frozenset()  # names, with commas

    @property
    def listens(self) -> WebSettings:
        """Where the bot's own server listens: slack.host and slack.port, or else [web]."""
        given = {"host": self.slack.host, "port": self.slack.port}
        return self.web.model_copy(update={k: v for k, v in given.items() if v is not None})

    @field_validator("disabled_plugins", mode="before")
    @classmethod
    def _by_commas(cls, names: Any) -> Any:
        if not isinstance(names, str):
            return names
        return [name.strip() for name in names.split(",") if name.strip()]

    @field_validator("connections")
    @classmethod
    def _named_plainly(cls, connections: dict[str, Any]) -> dict[str, Any]:
        if bad := [repr(name) for name in connections if not NAME.fullmatch(name)]:
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
        """Read the environment first, then the file; no .env file behind anyone's back."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, cls.file)


def load(path: Path | None) -> Settings:
    """Read the file (None: there is none) and the environment; raises SettingsError."""
    problems = _strange_variables()
    try:
        settings = _reading(path)()
    except (BadVariable, OSError, SettingsError, ValueError) as error:
        problems += _problems(error, path)
    if problems:
        raise SettingsError(problems)
    return settings


def _problems(error: Exception, path: Path | None) -> Sequence[str]:
    """Return what kept the settings from being read, without a word of what they hold."""
    match error:
        case SettingsError():
            return error.problems
        case ValidationError():
            return sentences(error)
        case BadVariable():
            name = "".join(re.findall(r'field "(\w+)"', str(error))).upper()
            return [f"{ENVIRONMENT_PREFIX}{name} is not JSON: set {ENVIRONMENT_PREFIX}{name}__… ."]
        case tomllib.TOMLDecodeError():
            where = re.search(r"\(at .*\)", str(error))
            return [f"{path} is not TOML {where.group() if where else ''}: correct it there."]
    return [f"{path} cannot be read ({type(error).__name__}): check that it is a UTF-8 text."]


def _reading(path: Path | None) -> type[Settings]:
    if path is not None and not path.is_file():
        raise SettingsError([f"{path} does not exist: name the file with --config."])
    return type("Settings", (Settings,), {"file": path, "__module__": __name__})


def _strange_variables() -> list[str]:
    """Return a sentence for each variable that means to be a setting and is none."""
    return [
        f"{name} is not a setting: unset it, or check its spelling."
        for name in os.environ
        if name.startswith(ENVIRONMENT_PREFIX)
        and "__" in name
        and name.removeprefix(ENVIRONMENT_PREFIX).split("__")[0].lower()
        not in Settings.model_fields
    ]


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
    variable = f"{ENVIRONMENT_PREFIX}{where}__{key}".replace(".", "__").upper()
    return f"{where}.{key} is missing: set {variable}, or {where}.{key}_file to a file's path."


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
    return f"{key or 'these settings'}: {_lower_first(item['msg'].removeprefix('Value error, '))}."


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
