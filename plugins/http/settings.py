"""Settings of the declarative provider: address, credentials, and expressions for each value."""

from __future__ import annotations

import json
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from bot.sdk import ConnectionSettings, Status, ZoneName
from plugins.http import expressions, templates
from plugins.http.words import STATUSES, TASK_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

StatusTable = dict[str, Status]
ErrorMeaning = Literal["ok", "not_found", "denied", "credentials", "busy", "down"]

AUTH_METHODS = {  # method → required keys
    "none": (),
    "bearer": ("token",),
    "basic": ("user_name", "password"),
    "header": ("auth_name", "token"),
    "cookie": ("auth_name", "token"),
}
AUTH_KEYS = ("auth_name", "user_name", "token", "password")
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]+")


def _expression(value: str) -> str:
    if value and (why := expressions.syntax_problem(value)):
        raise ValueError(f"this is not a JMESPath expression, {why}: correct it (see jmespath.org)")
    return value


def _sendable(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError("this cannot be sent in a header: use plain ASCII on a single line")
    return value


def _sendable_secret(value: SecretStr) -> SecretStr:
    _sendable(value.get_secret_value())
    return value


Expression = Annotated[str, AfterValidator(_expression)]
HeaderValue = Annotated[str, AfterValidator(_sendable)]


class HttpSettings(ConnectionSettings):
    """Describes a JSON API that returns one job for one id."""

    title: str = Field("", description="What people call the system, for the help text.")
    method: Literal["GET", "POST"] = Field("GET", description="How a job is asked for.")
    url: str = Field(description="The address to ask, with {id} where the job's id stands.")
    body: dict[str, Any] | None = Field(None, description="POST only: the JSON to send.")
    headers: dict[str, HeaderValue] = Field({}, description="More headers; none that are secret.")
    ca_file: str = Field("", description="A PEM file with the CA of the system's certificate.")
    console_url: str = Field("", description="A job's page, with {id} where its id stands.")

    auth: Literal["none", "bearer", "basic", "header", "cookie"] = Field(
        "none", description="How to say who asks."
    )
    auth_name: str = Field("", description="The header's or cookie's name.")
    user_name: str = Field("", description="For basic.")
    password: SecretStr = Field(SecretStr(""), description="For basic.")
    token: Annotated[SecretStr, AfterValidator(_sendable_secret)] = Field(
        SecretStr(""), description="The bearer's token, or the header's or cookie's value."
    )

    id_pattern: str = Field(r"[^\s/]+", description="A regular expression that ids match.")
    example_id: str = Field("", description="An id to show in help texts.")
    check_id: str = Field("", description="A job that stays, for `jobthread check`.")
    example: str = Field("", description="A file with a recorded answer, to try the settings on.")
    timezone: ZoneName = Field("UTC", description="The zone of times that are written without one.")

    status: Expression = Field(description="Where the job's status is.")
    name: Expression = Field("", description="Where its name is.")
    type: Expression = Field("", description="Where the word for its kind is.")
    message: Expression = Field("", description="Where it says what happened.")
    created: Expression = Field("", description="Where the time is at which it was made.")
    started: Expression = Field("", description="Where the time is at which it began.")
    finished: Expression = Field("", description="Where the time is at which it ended.")
    tasks: Expression = Field("", description="Where the list of its tasks is.")
    task_status: Expression = Field("", description="Where, in a task, its status is.")
    task_id: Expression = Field("", description="Where, in a task, its id is.")
    task_name: Expression = Field("", description="Where, in a task, its name is.")
    task_message: Expression = Field("", description="Where, in a task, its message is.")
    task_started: Expression = Field("", description="Where, in a task, its beginning is.")
    task_finished: Expression = Field("", description="Where, in a task, its end is.")
    not_found: Expression = Field("", description="What is true when there is no such job.")
    error_code: Expression = Field("", description="Where the API's own error code is.")

    statuses: StatusTable = Field({}, description="The API's words, and ours for them.")
    task_statuses: StatusTable = Field({}, description="Those that mean another in a task.")
    error_codes: dict[str, ErrorMeaning] = Field(
        {}, description="The API's error codes: what they mean"
    )

    @property
    def status_table(self) -> Mapping[str, Status]:
        """The status of each of the API's words; without a table, the API uses our words."""
        return self.statuses or STATUSES

    @property
    def task_status_table(self) -> Mapping[str, Status]:
        """The status of each of the API's words for tasks."""
        return {**self.status_table, **self.task_statuses}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown or logged."""
        both = (self.token.get_secret_value(), self.password.get_secret_value())
        return tuple(filter(None, both))

    @property
    def recorded_answer(self) -> Any:
        """The recorded answer in the file `example`; raises OSError or ValueError."""
        return json.loads(Path(self.example).read_text("utf-8"))

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if why := templates.url_problem(value):
            raise ValueError(why)
        if "#" in value:
            raise ValueError("what is behind # is never sent: delete it")
        return value

    @field_validator("console_url")
    @classmethod
    def _check_console_url(cls, value: str) -> str:
        if value and (why := templates.url_problem(value)):
            raise ValueError(why)
        return value

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no header's name: correct it")
            if name.lower() in SECRET_HEADERS:
                raise ValueError(f"{name} would be no secret here: set auth instead")
        return value

    @field_validator("auth_name")
    @classmethod
    def _check_auth_name(cls, value: str) -> str:
        if value and not _HEADER_NAME.fullmatch(value):
            raise ValueError("it must be a name without spaces, such as X-Api-Key")
        return value

    @field_validator("ca_file")
    @classmethod
    def _check_ca_file(cls, value: str) -> str:
        try:
            if value:
                ssl.create_default_context(cafile=value)
        except (OSError, ValueError):
            raise ValueError(
                "it must be a PEM file with certificates: check the path and its rights"
            ) from None
        return value

    @field_validator("id_pattern")
    @classmethod
    def _check_id_pattern(cls, value: str) -> str:
        try:
            matches_nothing = re.compile(value).fullmatch("")
        except re.error as error:
            raise ValueError(
                f"this is not a regular expression ({error.msg}): correct it"
            ) from None
        if matches_nothing:
            raise ValueError("it matches an empty id: write + instead of *")
        return value

    @model_validator(mode="after")
    def _check_all(self) -> Self:
        problems = [
            *self._request_problems(),
            *self._auth_problems(),
            *self._id_problems(),
            *self._task_problems(),
        ]
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def _request_problems(self) -> Iterator[str]:
        if templates.ID not in self.url and not templates.has_placeholder(self.body):
            yield "url has no {id}: write it where the job's id stands."
        if self.body is not None and self.method != "POST":
            yield 'body is only for method = "POST": delete it, or change method.'

    def _auth_problems(self) -> Iterator[str]:
        for key in AUTH_KEYS:
            given = bool(self._plain(key))
            if given and key not in AUTH_METHODS[self.auth]:
                yield f'{key} is not for auth = "{self.auth}": delete it, or change auth.'
            if not given and key in AUTH_METHODS[self.auth]:
                hint = f", or {key}_file" if key in ("token", "password") else ""
                yield f'{key} is missing: auth = "{self.auth}" needs it{hint}.'
        if ":" in self.user_name:
            yield "user_name must not hold a colon: basic cannot send it."
        if self.auth == "cookie" and set(self._plain("token")) & set('";, \\'):
            yield "token holds a character that no cookie can hold: copy its value alone."

    def _plain(self, key: str) -> str:
        value = getattr(self, key)
        return str(value.get_secret_value() if isinstance(value, SecretStr) else value)

    def _id_problems(self) -> Iterator[str]:
        for key in ("example_id", "check_id"):
            value = getattr(self, key)
            if value and not re.fullmatch(self.id_pattern, value):
                yield f"{key} does not match id_pattern: correct one of them."

    def _task_problems(self) -> Iterator[str]:
        if self.tasks and not self.task_status:
            yield "task_status is missing: tasks needs it."
        for key in (*TASK_KEYS, "task_statuses"):
            if not self.tasks and getattr(self, key):
                yield f"{key} is set, but tasks is not: set it to where the list of tasks is."
