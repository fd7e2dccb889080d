"""API client of AICC RPA: tenant and token in every body, lists of undocumented order.

Sources: Huawei Cloud's AICC pages cec_07_0004 (token), 2055 (list), 2056 (details), 2058 (queues).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

from bot.sdk import (
    AnswerNotUnderstood,
    CamelCase,
    Clock,
    Http,
    JobNotFound,
    OneOrMany,
    OptionalText,
    Timestamp,
)
from plugins.aicc_rpa.errors import map_error, map_sign_in_error
from plugins.aicc_rpa.translator import JobPayload
from plugins.selfhosted.session import Session, Token

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


API_PATH = "/oifde/rest/api"
DETAILS_PATH = f"{API_PATH}/rpa/queryJobDetails"
PAGE_SIZE = 50  # the API's maximum
TOKEN_SECONDS = 3600  # of a token without expireTime
RENEWAL_MARGIN_SECONDS = 60  # a token is renewed so long before it expires

AnswerT = TypeVar("AnswerT", bound="Answer")
PageT = TypeVar("PageT", bound="Page")


class Answer(CamelCase):
    """The fields of every response."""

    error_code: int


class Details(Answer):
    """The response of queryJobDetails: one object in its example, an array in its table."""

    job_detail: OneOrMany[JobPayload] = ()


class TokenAnswer(Answer):
    """The response of gettoken."""

    auth_token: SecretStr
    expire_time: int = TOKEN_SECONDS  # seconds


class Page(Answer):
    """One page of a list."""

    total: int = 0


class JobPage(Page):
    """The response of queryJob."""

    jobs: OneOrMany[JobPayload] = ()


class QueueItem(CamelCase):
    """One item of a queue."""

    id: int = 0
    status: OptionalText = ""
    create_time: Timestamp = None
    failed_reason: OptionalText = ""
    failed_reason_detail: OptionalText = ""

    @property
    def sort_key(self) -> tuple[float, int]:
        """The sort key; greater for a newer item."""
        return self.create_time.timestamp() if self.create_time else 0.0, self.id

    @property
    def reason(self) -> str:
        """Why the item failed: the reason, and its details if they differ."""
        lines = [self.failed_reason.strip(), self.failed_reason_detail.strip()]
        return "\n".join(line for line in dict.fromkeys(lines) if line)


class QueuePage(Page):
    """The response of queryRpaQueueData."""

    queue_data: OneOrMany[QueueItem] = ()


class ApiClient:
    """API client of one connection."""

    def __init__(self, http: Http, tenant_id: str, app_secret: SecretStr, clock: Clock) -> None:
        self._http = http
        self._tenant = tenant_id
        self._secret = app_secret
        self._clock = clock
        self._session = Session(clock, self._sign_in)

    async def fetch_by_uid(self, uid: str) -> JobPayload:
        """Return the details of one job; raises JobNotFound."""
        found = await self._details(uid=uid)
        if not found:
            raise JobNotFound(f"{self._http.name} knows no such job.")
        return found[0]

    async def find_by_name(self, name: str) -> Sequence[JobPayload]:
        """Return the jobs of exactly that name, or all matches if none has it exactly."""
        found = {job.uid: job for job in await self._details(jobName=name)}
        exact = [job for job in found.values() if job.job_name == name]
        return exact or list(found.values())

    async def fetch_newest(self, limit: int) -> Sequence[JobPayload]:
        """Return the last created jobs, newest first."""
        pages = await self._edge_pages("queryJob", JobPage, conditions={})
        jobs = {job.uid: job for page in pages for job in page.jobs}.values()
        ordered = sorted(jobs, key=lambda job: job.create_time, reverse=True)
        return await asyncio.gather(*(self._with_run_status(job) for job in ordered[:limit]))

    async def _with_run_status(self, listed: JobPayload) -> JobPayload:
        """Return a completed job's details: the list omits how its run ended."""
        if listed.runs_once and listed.status == "success" and not listed.recent_task_status:
            with suppress(JobNotFound):
                return await self.fetch_by_uid(listed.uid)
        return listed

    async def count_jobs(self) -> int:
        """Return the number of jobs."""
        page = await self._post("queryJob", JobPage, pageNo=1, pageSize=PAGE_SIZE, conditions={})
        return max(page.total, len(page.jobs))

    async def fetch_failure_reason(self, queue_uid: str, before: datetime | None) -> str:
        """Return why a queue's newest failed item failed; prefer items created before `before`.

        The API does not say which item a run processed, nor when an item failed.
        """
        conditions = {"queueUid": queue_uid, "status": "failed"}
        pages = await self._edge_pages("queryRpaQueueData", QueuePage, conditions=conditions)
        items = [e for page in pages for e in page.queue_data if e.status in ("failed", "")]
        earlier = [e for e in items if before and e.sort_key[0] <= before.timestamp()]
        chosen = max(earlier or items, key=lambda item: item.sort_key, default=None)
        return chosen.reason if chosen else ""

    async def _details(self, **fields: str) -> Sequence[JobPayload]:
        return (await self._post("queryJobDetails", Details, **fields)).job_detail

    async def _edge_pages(self, call: str, model: type[PageT], **fields: Any) -> list[PageT]:
        """Return the first page and the last two, since the order is not documented."""
        first = await self._post(call, model, pageNo=1, pageSize=PAGE_SIZE, **fields)
        last = -(-first.total // PAGE_SIZE)
        numbers = sorted({last - 1, last} - {-1, 0, 1})
        more = [
            await self._post(call, model, pageNo=n, pageSize=PAGE_SIZE, **fields) for n in numbers
        ]
        return [first, *more]

    async def _post(self, call: str, model: type[AnswerT], **fields: Any) -> AnswerT:
        async def once(token: str) -> AnswerT:
            body = {"tenantId": self._tenant, "authToken": token, **fields}
            explain = partial(map_error, name=self._http.name)
            return await self._http.post(
                f"{API_PATH}/rpa/{call}", model, json=body, map_error=explain
            )

        return await self._session.call(once)

    async def _sign_in(self) -> Token:
        body = {"appKey": self._tenant, "appSecret": self._secret.get_secret_value()}
        explain = partial(map_sign_in_error, name=self._http.name)
        answer = await self._http.post(
            f"{API_PATH}/gettoken", TokenAnswer, json=body, map_error=explain
        )
        if not answer.auth_token.get_secret_value():
            raise AnswerNotUnderstood(f"{self._http.name} gave no token.")
        lifetime = timedelta(seconds=max(1, answer.expire_time - RENEWAL_MARGIN_SECONDS))
        return Token(answer.auth_token.get_secret_value(), self._clock.now() + lifetime)
