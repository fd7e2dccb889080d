"""API client of NebulaGraph Explorer: sign-in with a cookie, one job, and the list of jobs.

Sources: NebulaGraph's pages "Workflow API overview" and "Get a list of all jobs"; that page calls
the list's parameters body parameters, but its example sends them in the query.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from bot.sdk.errors import (
    AnswerNotUnderstood,
    CredentialsRefused,
    ProviderError,
    RateLimited,
    Unavailable,
)
from plugins.nebula_explorer.errors import NotIn, explain, explain_sign_in, refused
from plugins.nebula_explorer.translator import (
    WORDS,
    Answer,
    JobPayload,
    ListAnswer,
    Listed,
)
from plugins.selfhosted.session import Session, Together, Token

if TYPE_CHECKING:
    import httpx

    from bot.sdk.clock import Clock
    from bot.sdk.http import Http

PATH = "/api-open/v1"
COOKIE = "explorer_token"
LIFE_SECONDS = 259_200  # of a session without Max-Age
MARGIN_SECONDS = 60  # a session is renewed so long before it expires
PAGE = 100  # jobs in one page of the list
MOST_PAGES = 200
FRESH_SECONDS = 2.0  # a list is cached for so long

T = TypeVar("T", bound=BaseModel)
Encoding = Callable[[str, str], str]


def as_array(user: str, password: str) -> str:
    """Return the credentials in the form of Explorer 3.4 and later."""
    return json.dumps([user, password], ensure_ascii=False, separators=(",", ":"))


def with_colon(user: str, password: str) -> str:
    """Return the credentials in the form before Explorer 3.4."""
    return f"{user}:{password}"


class Api:
    """API client of one connection; `account` is a user and the password."""

    def __init__(
        self, http: Http, account: tuple[str, str], graph: tuple[str, int], clock: Clock
    ) -> None:
        self._http = http
        self._account = account
        self._graph = graph
        self._clock = clock
        self._encodings: list[Encoding] = [as_array, with_colon]
        self._session = Session(clock, self._sign_in)
        self._lists = {name: _StatusList(self, code, clock) for code, name in WORDS.items()}

    async def job(self, number: int) -> JobPayload:
        """Return one job with its tasks."""
        return (await self._get(f"{PATH}/jobs/{number}", Answer)).data

    async def standing(self, word: str) -> frozenset[int]:
        """Return the ids of all jobs with a status, from a list up to 2 seconds old.

        Returns an empty set if Explorer has no such list.
        """
        try:
            return await self._lists[word].ids()
        except (CredentialsRefused, RateLimited, Unavailable):
            raise
        except ProviderError:
            return frozenset()

    async def page(self, number: int = 1, size: int = PAGE, **conditions: int) -> Listed:
        """Return a page of the list, without tasks, newest jobs first."""
        filters = json.dumps({**conditions, "orderByCreateTime": "desc"}, separators=(",", ":"))
        params = {"filter": filters, "pageSize": size, "page": number}
        return (await self._get(f"{PATH}/jobs", ListAnswer, params=params)).data

    async def _get(self, path: str, model: type[T], **options: Any) -> T:
        map_error = partial(explain, name=self._http.name)

        async def once(token: str) -> T:
            headers = {"Cookie": f"{COOKIE}={token}"}
            return await self._http.get(path, model, headers=headers, explain=map_error, **options)

        return await self._session.ask(once)

    async def _sign_in(self) -> Token:
        """Sign in with the encoding that worked last, else with the other one."""
        codes = []
        for encoding in tuple(self._encodings):
            try:
                token = await self._connect(encoding(*self._account))
            except NotIn as error:
                codes.append(error.code)
            else:
                self._encodings.sort(key=lambda each: each is not encoding)
                return token
        raise refused(codes, self._http.name)

    async def _connect(self, account: str) -> Token:
        address, port = self._graph
        response = await self._http.call(
            "POST",
            f"{PATH}/connect",
            json={"address": address, "port": port},
            headers={"Authorization": f"Bearer {b64encode(account.encode()).decode()}"},
            explain=partial(explain_sign_in, name=self._http.name),
        )
        cookie = _cookie(response)
        if cookie is None or not cookie.value:
            raise AnswerNotUnderstood(f"{self._http.name} gave no session.")
        age = cookie["max-age"]
        life = int(age) if age.isdecimal() else LIFE_SECONDS
        fresh = timedelta(seconds=max(1, life - MARGIN_SECONDS))
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

    def __init__(self, api: Api, code: int, clock: Clock) -> None:
        self._api = api
        self._code = code
        self._clock = clock
        self._single_flight = Together()
        self._cached: tuple[datetime, frozenset[int]] | None = None

    async def ids(self) -> frozenset[int]:
        if self._cached:
            at, ids = self._cached
            if self._clock.now() - at <= timedelta(seconds=FRESH_SECONDS):
                return ids
        return await self._single_flight.do(self._list)

    async def _list(self) -> frozenset[int]:
        first = await self._api.page(status=self._code)
        step = max(1, len(first.items))  # Explorer may limit the page size
        last = min(MOST_PAGES, -(-first.total // step)) if self._is_filtered(first) else 1
        pages = (self._api.page(n, status=self._code) for n in range(2, last + 1))
        rows = [job for page in (first, *await asyncio.gather(*pages)) for job in page.items]
        ids = frozenset(job.id for job in rows if job.status == WORDS[self._code])
        self._cached = self._clock.now(), ids
        return ids

    def _is_filtered(self, page: Listed) -> bool:
        """Return whether Explorer applied the filter; otherwise the list could be endless."""
        return all(job.status == WORDS[self._code] for job in page.items)
