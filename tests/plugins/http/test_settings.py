"""Every mistake in the settings is reported as a sentence at start-up."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.providers.connection_builder import connect
from bot.sdk import IdFormat
from bot.sdk.errors import SettingsError
from bot.sdk.testing import ManualClock
from plugins.http import HttpJobs

pytestmark = pytest.mark.anyio

GOOD = {"provider": "http", "url": "https://builds.example.com/api/{id}", "status": "state"}
TASKS = {"tasks": "steps", "task_status": "state"}


def problems(**changes: Any) -> list[str]:
    """Return the problems found when a connection with these settings is built; at least one.

    None removes a setting.
    """
    table = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(SettingsError) as caught:
        connect({"builds": table}, {"http": HttpJobs}, ManualClock())
    return list(caught.value.problems)


async def build_provider(**changes: Any) -> HttpJobs:
    """Return a provider with these settings, built as at start-up, and closed."""
    connections = connect({"builds": {**GOOD, **changes}}, {"http": HttpJobs}, ManualClock())
    await connections.close()
    return connections["builds"].provider  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("changes", "key", "remedy"),
    [
        ({"url": None}, "url", "is missing: set it"),
        ({"url": "https://example.com/jobs"}, "", "url has no {id}: write it where"),
        ({"url": "builds.example.com/{id}"}, "url", "must begin with https://"),
        ({"url": "ftp://example.com/{id}"}, "url", "must begin with https://"),
        ({"url": "https://example.com/a b/{id}"}, "url", "have no spaces"),
        ({"url": "https://example.com:many/{id}"}, "url", "not a web address"),
        ({"url": "https://{id}.example.com/"}, "url", "behind the host"),
        ({"url": "https://example.com/{id}/{id}"}, "url", "may stand once"),
        ({"url": "https://example.com/{project}/{id}"}, "url", "braces that are not {id}"),
        ({"url": "https://example.com/#/{id}"}, "url", "never sent: delete it"),
        ({"url": "https://me:pw@example.com/{id}"}, "url", "set auth"),
        ({"console_url": "/jobs/{id}"}, "console_url", "must begin with https://"),
        ({"method": "PUT"}, "method", "'GET' or 'POST'"),
        ({"body": {"id": "{id}"}}, "", 'body is only for method = "POST"'),
        ({"status": None}, "status", "is missing: set it"),
        ({"status": "data..state"}, "status", "not a JMESPath expression"),
        ({"status": "data.state["}, "status", "from column 12"),
        ({"name": 'data."name'}, "name", "see jmespath.org"),
        ({"not_found": "size(jobs)"}, "not_found", "there is no function size"),
        ({"task_name": "a b", **TASKS}, "task_name", "from column 3"),
        ({"statuses": {"OK": "good"}}, "statuses.OK", "'succeeded'"),
        ({"task_statuses": {"1": "done"}, **TASKS}, "task_statuses.1", "'succeeded'"),
        ({"error_codes": {"404": "gone"}}, "error_codes.404", "'not_found'"),
        ({"id_pattern": "[0-9"}, "id_pattern", "unterminated character set): correct it"),
        ({"id_pattern": "a|(?i)b"}, "id_pattern", "global flags"),
        ({"id_pattern": "[0-9]*"}, "id_pattern", "write + instead of *"),
        ({"id_pattern": "[0-9]+", "example_id": "x1"}, "", "example_id does not match id_pattern"),
        ({"id_pattern": "[0-9]+", "check_id": "x1"}, "", "check_id does not match id_pattern"),
        ({"timezone": "Mars/Olympus"}, "timezone", "such as Asia/Shanghai"),
        ({"tasks": "steps"}, "", "task_status is missing: tasks needs it"),
        ({"task_id": "key"}, "", "task_id is set, but tasks is not"),
        ({"auth": "oauth"}, "auth", "'bearer'"),
        ({"auth": "bearer"}, "", "token is missing"),
        ({"auth": "basic", "user_name": "me"}, "", "password is missing"),
        ({"auth": "basic", "user_name": "a:b", "password": "x"}, "", "must not hold a colon"),
        ({"auth": "header", "token": "x"}, "", "auth_name is missing"),
        ({"auth": "header", "auth_name": "X Key", "token": "x"}, "auth_name", "without spaces"),
        ({"auth": "cookie", "auth_name": "sid", "token": "a; b"}, "", "no cookie can hold"),
        ({"token": "x"}, "", 'token is not for auth = "none"'),
        ({"headers": {"Authorization": "Bearer x"}}, "headers", "set auth instead"),
        ({"headers": {"X Y": "z"}}, "headers", "no header's name"),
        ({"headers": {"X-Y": "a\nb"}}, "headers.X-Y", "plain ASCII on a single line"),
        ({"ca_file": "/does/not/exist.pem"}, "ca_file", "check the path and its rights"),
        ({"stauts": "state"}, "stauts", "check its spelling"),
    ],
)
def test_mistake_names_its_key_and_the_fix(changes: dict[str, Any], key: str, remedy: str) -> None:
    """The wrong line and the correction are clear."""
    (problem,) = problems(**changes)
    assert problem.startswith(f"connections.builds{'.' if key else ''}{key}")
    assert remedy in problem
    assert problem.endswith(".")


def test_all_mistakes_are_reported_at_once() -> None:
    """One start lists them all."""
    assert len(problems(status="a b", id_pattern="(", timezone="Nowhere", method="PUT")) == 4


@pytest.mark.parametrize("token", ["made-up\nsecret", "made-up-sécret"])
def test_unsendable_secret_is_not_repeated(token: str) -> None:
    """The sentence states the problem, not the value."""
    (problem,) = problems(auth="bearer", token=token)
    assert problem.startswith("connections.builds.token: ")
    assert "cret" not in problem


async def test_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """The declarative provider supports files like the others."""
    (tmp_path / "token").write_text("from-a-file\n")
    builds = await build_provider(auth="bearer", token_file=str(tmp_path / "token"))
    assert builds.settings.token.get_secret_value() == "from-a-file"


async def test_each_connection_has_its_own_class_values() -> None:
    """Two connections share no words, id pattern or title."""
    one = await build_provider(
        title="One", id_pattern="[0-9]+", example_id="7", statuses={"ok": "succeeded"}
    )
    two = await build_provider()
    assert (one.title, one.id_format) == ("One", IdFormat(re.compile("[0-9]+"), example="7"))
    assert list(one.statuses) == ["ok"]
    assert (two.title, two.id_format) == ("builds", IdFormat())
    assert "running" in two.statuses
