"""The calls to NebulaGraph Explorer: signing in for a cookie, one job, and the list of jobs.

Sources: NebulaGraph's pages "Workflow API overview" and "Get a list of all jobs"; the list's
parameters are called body parameters there, but its example sends them in the query.
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

from bot.errors import (
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

    from bot.clock import Clock
    from bot.providers.http import Http

PATH = "/api-open/v1"
COOKIE = "explorer_token"
LIFE_SECONDS = 259_200  # of a session, if the cookie does not tell
MARGIN_SECONDS = 60  # a session is renewed so long before it ends
PAGE = 100  # jobs in one page of the list
MOST_PAGES = 200
FRESH_SECONDS = 2.0  # a list is shared for so long by all who ask

T = TypeVar("T", bound=BaseModel)
Encoding = Callable[[str, str], str]


def as_array(user: str, password: str) -> str:
    """Return what is encoded since Explorer 3.4."""
    return json.dumps([user, password], ensure_ascii=False, separators=(",", ":"))


def with_colon(user: str, password: str) -> str:
    """Return what was encoded before Explorer 3.4."""
    return f"{user}:{password}"


class Api:
    """The calls of one connection; `account` is a user and the password."""

    def __init__(
        self, http: Http, account: tuple[str, str], graph: tuple[str, int], clock: Clock
    ) -> None:
        self._http = http
        self._account = account
        self._graph = graph
        self._clock = clock
        self._encodings: list[Encoding] = [as_array, with_colon]
        self._session = Session(clock, self._sign_in)
        self._lists = {name: _Standing(self, code, clock) for code, name in WORDS.items()}

    async def job(self, number: int) -> JobPayload:
        """Return one job with its tasks."""
        return (await self._get(f"{PATH}/jobs/{number}", Answer)).data

    async def standing(self, word: str) -> frozenset[int]:
        """Return the ids of all jobs of a status, as they were listed a moment ago.

        None, if Explorer has no such list.
        """
        try:
            return await self._lists[word].ids()
        except (CredentialsRefused, RateLimited, Unavailable):
            raise
        except ProviderError:
            return frozenset()

    async def page(self, number: int = 1, size: int = PAGE, **wanted: int) -> Listed:
        """Return a page of the list, without tasks, newest jobs first."""
        chosen = json.dumps({**wanted, "orderByCreateTime": "desc"}, separators=(",", ":"))
        params = {"filter": chosen, "pageSize": size, "page": number}
        return (await self._get(f"{PATH}/jobs", ListAnswer, params=params)).data

    async def _get(self, path: str, model: type[T], **options: Any) -> T:
        told = partial(explain, name=self._http.name)

        async def once(token: str) -> T:
            headers = {"Cookie": f"{COOKIE}={token}"}
            return await self._http.get(path, model, headers=headers, explain=told, **options)

        return await self._session.ask(once)

    async def _sign_in(self) -> Token:
        """Sign in with the encoding that worked last, or else with the other."""
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


class _Standing:
    """The jobs of one status; all who ask at the same time, or soon after, share one listing."""

    def __init__(self, api: Api, code: int, clock: Clock) -> None:
        self._api = api
        self._code = code
        self._clock = clock
        self._together = Together()
        self._known: tuple[datetime, frozenset[int]] | None = None

    async def ids(self) -> frozenset[int]:
        if self._known:
            at, ids = self._known
            if self._clock.now() - at <= timedelta(seconds=FRESH_SECONDS):
                return ids
        return await self._together.do(self._list)

    async def _list(self) -> frozenset[int]:
        first = await self._api.page(status=self._code)
        step = max(1, len(first.items))  # Explorer may give fewer at once than it is asked for
        last = min(MOST_PAGES, -(-first.total // step)) if self._all_right(first) else 1
        pages = (self._api.page(n, status=self._code) for n in range(2, last + 1))
        rows = [job for page in (first, *await asyncio.gather(*pages)) for job in page.items]
        ids = frozenset(job.id for job in rows if job.status == WORDS[self._code])
        self._known = self._clock.now(), ids
        return ids

    def _all_right(self, page: Listed) -> bool:
        """Whether Explorer lists only what it was asked for; else there would be no end."""
        return all(job.status == WORDS[self._code] for job in page.items)
