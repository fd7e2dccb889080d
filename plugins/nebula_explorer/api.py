"""API client of NebulaGraph Explorer: sign-in with a cookie, one job, and the list of jobs.

Sources: NebulaGraph's pages "Workflow API overview" and "Get a list of all jobs"; that page calls
the list's parameters body parameters, but its example sends them in the query.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from bot.sdk import (
    AnswerNotUnderstood,
    Clock,
    CredentialsRefused,
    Http,
    ProviderError,
    RateLimited,
    Unavailable,
)
from plugins.nebula_explorer.errors import (
    SignInRejected,
    map_error,
    map_sign_in_error,
    sign_in_error,
)
from plugins.nebula_explorer.translator import (
    STATUS_NAMES,
    Answer,
    JobPage,
    JobPayload,
    ListAnswer,
)
from plugins.selfhosted.session import Session, SingleFlight, Token

if TYPE_CHECKING:
    import httpx


API_PATH = "/api-open/v1"
COOKIE = "explorer_token"
SESSION_SECONDS = 259_200  # of a session without Max-Age
RENEWAL_MARGIN_SECONDS = 60  # a session is renewed so long before it expires
PAGE_SIZE = 100  # jobs in one page of the list
MAX_PAGES = 200
CACHE_SECONDS = 2.0  # a list is cached for so long

T = TypeVar("T", bound=BaseModel)
Encoding = Callable[[str, str], str]


def array_credentials(user: str, password: str) -> str:
    """Return the credentials in the form of Explorer 3.4 and later."""
    return json.dumps([user, password], ensure_ascii=False, separators=(",", ":"))


def colon_credentials(user: str, password: str) -> str:
    """Return the credentials in the form before Explorer 3.4."""
    return f"{user}:{password}"


class ApiClient:
    """API client of one connection; `account` is a user and the password."""

    def __init__(
        self, http: Http, account: tuple[str, str], graph: tuple[str, int], clock: Clock
    ) -> None:
        self._http = http
        self._account = account
        self._graph = graph
        self._clock = clock
        self._encodings: list[Encoding] = [array_credentials, colon_credentials]
        self._session = Session(clock, self._sign_in)
        self._lists = {name: _StatusList(self, code, clock) for code, name in STATUS_NAMES.items()}

    async def fetch_job(self, number: int) -> JobPayload:
        """Return one job with its tasks."""
        return (await self._get(f"{API_PATH}/jobs/{number}", Answer)).data

    async def ids_with_status(self, word: str) -> frozenset[int]:
        """Return the ids of all jobs with a status, from a list up to 2 seconds old.

        Returns an empty set if Explorer has no such list.
        """
        try:
            return await self._lists[word].ids()
        except (CredentialsRefused, RateLimited, Unavailable):
            raise
        except ProviderError:
            return frozenset()

    async def fetch_page(
        self, number: int = 1, size: int = PAGE_SIZE, **conditions: int
    ) -> JobPage:
        """Return a page of the list, without tasks, newest jobs first."""
        filters = json.dumps({**conditions, "orderByCreateTime": "desc"}, separators=(",", ":"))
        params = {"filter": filters, "pageSize": size, "page": number}
        return (await self._get(f"{API_PATH}/jobs", ListAnswer, params=params)).data

    async def _get(self, path: str, model: type[T], **options: Any) -> T:
        explain = partial(map_error, name=self._http.name)

        async def once(token: str) -> T:
            headers = {"Cookie": f"{COOKIE}={token}"}
            return await self._http.get(path, model, headers=headers, map_error=explain, **options)

        return await self._session.call(once)

    async def _sign_in(self) -> Token:
        """Sign in with the encoding that worked last, else with the other one."""
        codes = []
        for encoding in tuple(self._encodings):
            try:
                token = await self._connect(encoding(*self._account))
            except SignInRejected as error:
                codes.append(error.code)
            else:
                self._encodings.sort(key=lambda each: each is not encoding)
                return token
        raise sign_in_error(codes, self._http.name)

    async def _connect(self, account: str) -> Token:
        address, port = self._graph
        response = await self._http.call(
            "POST",
            f"{API_PATH}/connect",
            json={"address": address, "port": port},
            headers={"Authorization": f"Bearer {b64encode(account.encode()).decode()}"},
            map_error=partial(map_sign_in_error, name=self._http.name),
        )
        cookie = _cookie(response)
        if cookie is None or not cookie.value:
            raise AnswerNotUnderstood(f"{self._http.name} gave no session.")
        age = cookie["max-age"]
        life = int(age) if age.isdecimal() else SESSION_SECONDS
        fresh = timedelta(seconds=max(1, life - RENEWAL_MARGIN_SECONDS))
        return Token(cookie.value, self._clock.now() + fresh)


def _cookie(response: httpx.Response) -> Morsel[str] | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        for line in response.headers.get_list("Set-Cookie"):
            cookies.load(line)
    except CookieError:
        return None
    return cookies.get(COOKIE)


class _StatusList:
    """The ids of all jobs of one status; concurrent and later callers share one list."""

    def __init__(self, api: ApiClient, code: int, clock: Clock) -> None:
        self._api = api
        self._code = code
        self._clock = clock
        self._single_flight = SingleFlight()
        self._cached: tuple[float, frozenset[int]] | None = None

    async def ids(self) -> frozenset[int]:
        if self._cached:
            at, ids = self._cached
            if self._clock.monotonic() - at <= CACHE_SECONDS:
                return ids
        return await self._single_flight.do(self._list)

    async def _list(self) -> frozenset[int]:
        first = await self._api.fetch_page(status=self._code)
        step = max(1, len(first.items))  # Explorer may limit the page size
        last = min(MAX_PAGES, -(-first.total // step)) if self._is_filtered(first) else 1
        pages = (self._api.fetch_page(n, status=self._code) for n in range(2, last + 1))
        rows = [job for page in (first, *await asyncio.gather(*pages)) for job in page.items]
        ids = frozenset(job.id for job in rows if job.status == STATUS_NAMES[self._code])
        self._cached = self._clock.monotonic(), ids
        return ids

    def _is_filtered(self, page: JobPage) -> bool:
        """Return whether Explorer applied the filter; otherwise the list could be endless."""
        return all(job.status == STATUS_NAMES[self._code] for job in page.items)
