"""The desk: takes a question in before Slack hears "got it", and sees that it is answered."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.errors import StoreError, trail
from bot.store import Question, Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.asks import Ask
    from bot.clock import Clock
    from bot.service import Service

log = logging.getLogger(__name__)

LEASE_SECONDS = 120.0  # that an answer may take before another process takes the question over
REST_SECONDS = 5.0  # between looks for questions that nobody answers
MOST_AT_ONCE = 50
RETRY_SECONDS = 10.0  # before an answer that failed is tried again
MOST_ATTEMPTS = 5  # at one answer


class Desk:
    """Takes questions in and answers them; a question outlives the process that took it in."""

    def __init__(
        self,
        *,
        store: Store,
        service: Service,
        clock: Clock,
        heard: Callable[[str, str], None],
        errands: Mapping[str, Callable[[Question], Awaitable[None]]],
    ) -> None:
        self._heard = heard  # is told in which workspace and channel somebody asked
        self._errands = errands  # by kind: what is asked by others than people in Slack
        self._store = store
        self._service = service
        self._clock = clock
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._answering: set[asyncio.Task[None]] = set()

    async def take(self, workspace: str, key: str, ask: Ask) -> bool:
        """Store a question, once, and begin to answer it; raises StoreError.

        `key` is Slack's own name of it. False: it was here before.
        """
        now = self._clock.now()
        body = ask.model_dump(mode="json")
        async with self._store.begin() as tx:
            id_ = await tx.inbox.add(
                workspace=workspace,
                key=key,
                kind=ask.kind,
                body=body,
                now=now,
                lease_until=now + timedelta(seconds=LEASE_SECONDS),
            )
        if id_ is None:
            return False
        self._heard(workspace, ask.channel)
        self._begin(Question(id_, workspace, key, ask.kind, body, now, 0))
        return True

    async def tick(self) -> float:
        """Answer the questions that nobody holds; return the seconds until the next tick.

        No more than can be answered at once: what waits in line would lose its lease there.
        """
        free = MOST_AT_ONCE - len(self._answering)
        if free <= 0:
            return REST_SECONDS
        now = self._clock.now()
        async with self._store.begin() as tx:
            left = await tx.inbox.claim(
                now=now, lease_until=now + timedelta(seconds=LEASE_SECONDS), limit=free
            )
        for question in left:
            self._begin(question)
        return REST_SECONDS

    async def close(self) -> None:
        """Give the answers under way a moment; what is not done then is done after the restart."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=3)
        for task in self._answering:
            task.cancel()

    def _begin(self, question: Question) -> None:
        task = asyncio.create_task(self._answer(question))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, question: Question) -> None:
        """Answer a question; what fails is given back for a while, and at last given up."""
        async with self._places:
            try:
                if question.attempts < MOST_ATTEMPTS:
                    await self._errands.get(question.kind, self._service.answer)(question)
                else:  # it ended the process that tried it last, or could not even be given up
                    await self._give_up(question)
            except Exception as error:  # noqa: BLE001  the edge of an answer
                log.error("question %s waits for its answer: %s", question.id, _why(error))
                await self._put_back(question)

    async def _put_back(self, question: Question) -> None:
        """Let a question be tried again soon, or give it up; without a store its lease ends."""
        try:
            if question.attempts + 1 >= MOST_ATTEMPTS:
                await self._give_up(question)
                return
            until = self._clock.now() + timedelta(seconds=RETRY_SECONDS)
            async with self._store.begin() as tx:
                await tx.inbox.release(question.id, until)
        except StoreError as error:
            log.error("question %s cannot be put back: %s", question.id, error)

    async def _give_up(self, question: Question) -> None:
        """Close a question that has no answer: whoever asked in Slack hears so."""
        if question.kind not in self._errands:
            try:
                await self._service.give_up(question)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001  the edge of an answer
                log.error("question %s is closed unanswered: %s", question.id, trail(error))
        async with self._store.begin() as tx:
            await tx.inbox.close(question.id, self._clock.now())


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else trail(error)
