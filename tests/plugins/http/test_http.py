"""The declarative provider against a stub API."""

import json
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.sdk.errors import (
    AccessDenied,
    AnswerNotUnderstood,
    BadReference,
    CredentialsRefused,
    JobNotFound,
    JobthreadError,
    RateLimited,
    Unavailable,
)
from bot.sdk.models import Status
from bot.sdk.testing import Call, Faults, ManualClock, connected, serve
from plugins.http import HttpJobs, register_providers
from tests.plugins.fixtures import ref

pytestmark = pytest.mark.anyio

CODES = {"7": "denied", "8": "credentials", "9": "busy", "10": "down", "11": "not_found", "S": "ok"}


Connect = Callable[..., Awaitable[HttpJobs]]
REF = ref("17")


class Api:
    """Stub that returns one response to every call and records the calls."""

    def __init__(self, clock: ManualClock) -> None:
        self.answer: Any = {"status": "running"}
        self.status = 200
        self.url = ""
        self.app = web.Application()
        self.faults = Faults.of(self.app, clock)
        self.app.router.add_route("*", "/{rest:.*}", self._answer)

    @property
    def last(self) -> Call:
        """The latest call."""
        return self.faults.calls[-1]

    async def _answer(self, _: web.Request) -> web.Response:
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def stack() -> Any:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def api(stack: AsyncExitStack, clock: ManualClock) -> Api:
    api = Api(clock)
    api.url = await stack.enter_async_context(serve(api.app))
    return api


@pytest.fixture
def connect(stack: AsyncExitStack, api: Api, clock: ManualClock) -> Connect:
    async def connect(**settings: Any) -> Any:
        table = {"url": f"{api.url}/jobs/{{id}}", "status": "status", **settings}
        return await stack.enter_async_context(connected(HttpJobs, table, clock))

    return connect


# Requests


@pytest.mark.parametrize(
    ("pattern", "id_", "path"),
    [
        ("[0-9]+", "17", "/jobs/17"),
        (r"\S+", "a?b#c&d%e", "/jobs/a%3Fb%23c%26d%25e"),
        (r".+", "ü \\", "/jobs/%C3%BC%20%5C"),
        (r"[a-z]+/[0-9]+", "shop/17", "/jobs/shop/17"),
    ],
)
async def test_id_is_percent_encoded_in_the_url(
    api: Api, connect: Connect, pattern: str, id_: str, path: str
) -> None:
    """It cannot become another path, a query or a fragment; a pattern with slashes keeps them."""
    await (await connect(id_pattern=pattern)).fetch_job(ref(id_))
    assert api.last.path == path


async def test_id_may_be_in_the_query(api: Api, connect: Connect) -> None:
    """It stays one parameter."""
    jobs = await connect(url=f"{api.url}/job?project=1&id={{id}}")
    await jobs.fetch_job(ref("17&project=2"))
    assert api.last.path == "/job?project=1&id=17%26project%3D2"


@pytest.mark.parametrize("id_", ["..", ".", "a/../b", "a//b", "/a", "a/", "x"])
async def test_invalid_id_is_not_requested(api: Api, connect: Connect, id_: str) -> None:
    """It may lead to another path."""
    jobs = await connect(id_pattern=r"[./ab]+")
    with pytest.raises(BadReference):
        await jobs.fetch_job(ref(id_))
    assert not api.faults.calls


async def test_post_sends_its_body(api: Api, connect: Connect) -> None:
    """The id is filled in as a string or a number, at any depth; other values are unchanged."""
    body = {"job": {"id": "{id:int}", "key": "id={id}"}, "all": [True, "{id}", 1]}
    jobs = await connect(method="POST", url=f"{api.url}/query", body=body)
    await jobs.fetch_job(REF)
    assert (api.last.method, api.last.path) == ("POST", "/query")
    sent = {"job": {"id": 17, "key": "id=17"}, "all": [True, "17", 1]}
    assert json.loads(api.last.body) == sent


async def test_id_cannot_change_the_bodys_structure(api: Api, connect: Connect) -> None:
    """It stays one string."""
    jobs = await connect(method="POST", url=f"{api.url}/query", body={"id": "{id:int}"})
    await jobs.fetch_job(ref('1","admin":"yes'))
    assert json.loads(api.last.body) == {"id": '1","admin":"yes'}


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"auth": "bearer", "token": "t0"}, "Authorization", "Bearer t0"),
        (
            {"auth": "basic", "user_name": "me", "password": "pä"},
            "Authorization",
            f"Basic {b64encode('me:pä'.encode()).decode()}",
        ),
        ({"auth": "header", "auth_name": "X-Key", "token": "t0"}, "X-Key", "t0"),
        ({"auth": "cookie", "auth_name": "sid", "token": "t0"}, "Cookie", "sid=t0"),
        ({"headers": {"X-Team": "shop"}}, "X-Team", "shop"),
    ],
)
async def test_auth_setting_determines_the_header(
    api: Api, connect: Connect, settings: dict[str, Any], header: str, value: str
) -> None:
    """Each method is one header."""
    await (await connect(**settings)).fetch_job(REF)
    assert {name.lower(): sent for name, sent in api.last.headers.items()}[header.lower()] == value


async def test_no_auth_sends_no_header(api: Api, connect: Connect) -> None:
    """An open API gets no empty header."""
    await (await connect()).fetch_job(REF)
    assert not {"authorization", "cookie"} & {name.lower() for name in api.last.headers}


# Responses


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (7, AccessDenied),
        ("8", CredentialsRefused),
        (9, RateLimited),
        (10, Unavailable),
        (11, JobNotFound),
        (12, AnswerNotUnderstood),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
async def test_error_code_maps_to_an_exception(
    api: Api, connect: Connect, code: Any, kind: type[JobthreadError], status: int
) -> None:
    """The HTTP status may be 200; an unlisted code is not understood."""
    jobs = await connect(error_code="code", error_codes=CODES)
    api.answer, api.status = {"code": code, "status": "running"}, status
    with pytest.raises(kind):
        await jobs.fetch_job(REF)


@pytest.mark.parametrize("code", [0, "0", "", None, False, "S"])
async def test_success_code_is_no_error(api: Api, connect: Connect, code: Any) -> None:
    """Zero, an empty value, and codes listed as ok are successes."""
    jobs = await connect(error_code="code", error_codes=CODES)
    api.answer = {"code": code, "status": "running"}
    assert (await jobs.fetch_job(REF)).status is Status.RUNNING


@pytest.mark.parametrize("status", [200, 400])
async def test_not_found_may_be_a_condition(api: Api, connect: Connect, status: int) -> None:
    """Some APIs report it with another status than 404."""
    jobs = await connect(not_found="jobs == `[]`")
    api.answer, api.status = {"jobs": []}, status
    with pytest.raises(JobNotFound):
        await jobs.fetch_job(REF)


@pytest.mark.parametrize(("status", "kind"), [(401, CredentialsRefused), (500, Unavailable)])
async def test_not_found_does_not_apply_to_other_errors(
    api: Api, connect: Connect, status: int, kind: type[JobthreadError]
) -> None:
    """No error response holds a job; its HTTP status takes precedence."""
    jobs = await connect(not_found="!job")
    api.answer, api.status = {"error": "?"}, status
    with pytest.raises(kind):
        await jobs.fetch_job(REF)


@pytest.mark.parametrize(
    ("code", "logged"), [("E-1234", True), ("made-up-secret", False), ("two words", False)]
)
async def test_new_error_code_is_logged_unless_secret(
    api: Api, connect: Connect, caplog: pytest.LogCaptureFixture, code: str, *, logged: bool
) -> None:
    """It can then be listed; texts and secrets are redacted."""
    caplog.set_level(logging.INFO)
    jobs = await connect(error_code="code", auth="bearer", token="made-up-secret")
    api.answer = {"code": code}
    with pytest.raises(AnswerNotUnderstood):
        await jobs.fetch_job(REF)
    assert (code in caplog.text) is logged


async def test_job_url_follows_console_url(api: Api, connect: Connect) -> None:
    """Without the setting there is none."""
    del api
    page = "https://ci.example.com/builds/{id}"
    assert (await (await connect(console_url=page)).fetch_job(REF)).url == page.format(id=17)
    assert (await (await connect()).fetch_job(REF)).url is None


# Checks


async def test_check_lists_what_the_expressions_found(api: Api, connect: Connect) -> None:
    """It names found and missing values, and unlisted statuses."""
    api.answer = {"status": "running", "end": "soon", "steps": [{"state": "odd"}]}
    paths = {"tasks": "steps", "task_status": "state", "name": "title", "finished": "end"}
    assert await (await connect(check_id="17", title="Acme CI", **paths)).check() == (
        f"Acme CI answers at {api.url}. In its answer for 17: "
        "Found: status ('running': running), finished, tasks (1), task_status. "
        "Nothing was found by name. What finished finds is not a time. 'odd' is not in statuses."
    )


async def test_check_fails_if_its_job_has_no_status(api: Api, connect: Connect) -> None:
    """Such settings cannot work."""
    api.answer = {"state": "running"}
    with pytest.raises(AnswerNotUnderstood, match="`status`"):
        await (await connect(check_id="17")).check()


async def test_check_reports_that_its_job_is_gone(api: Api, connect: Connect) -> None:
    """The setting needs another job."""
    api.status = 404
    with pytest.raises(JobNotFound, match="Set check_id to a job that stays"):
        await (await connect(check_id="17")).check()


@pytest.mark.parametrize(
    ("pattern", "id_"),
    [(r"\S+", "jobthread-check"), ("[0-9]+", "0"), ("[0-9a-f]{32}", "0" * 32)],
)
async def test_check_without_a_job_fetches_a_missing_one(
    api: Api, connect: Connect, pattern: str, id_: str
) -> None:
    """ "Not found" is the expected result."""
    api.status = 404
    said = await (await connect(id_pattern=pattern)).check()
    assert said.endswith(f"It knows no job {id_}, as it should.")
    assert api.last.path == f"/jobs/{id_}"


async def test_check_makes_no_call_if_any_id_may_exist(api: Api, connect: Connect) -> None:
    """It says how to extend the check."""
    assert "set check_id" in await (await connect(id_pattern="X[A-Z]{3}")).check()
    assert not api.faults.calls


async def test_check_reports_a_made_up_job_that_exists(api: Api, connect: Connect) -> None:
    """A wrong id would otherwise look like a job."""
    del api
    assert "set not_found" in await (await connect()).check()


async def test_check_explains_a_rejected_made_up_id(api: Api, connect: Connect) -> None:
    """Some APIs answer 400 to unknown ids."""
    api.status = 400
    with pytest.raises(AnswerNotUnderstood, match="Set check_id"):
        await (await connect()).check()


async def test_check_reads_the_example_file_again(connect: Connect, tmp_path: Path) -> None:
    """It may have changed since start-up."""
    path = tmp_path / "answer.json"
    path.write_text('{"status": "failed"}')
    jobs = await connect(example=str(path), name="title")
    said = await jobs.check()
    assert f"In {path}: Found: status ('failed': failed). Nothing was found by name." in said
    path.write_text("{}")
    assert "no job can be read from it any more." in await jobs.check()


def test_plugin_registers_its_kind() -> None:
    """It uses the plugin hook."""
    assert list(register_providers()) == [HttpJobs]
