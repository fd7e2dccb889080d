"""Clicks on a board: all its jobs looked at or left alone, one of them shown, a page turned."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

from bot import answers
from bot.boards import boards
from bot.cards import boardcards, cards
from bot.errors import BadReference, JobthreadError
from bot.models import Job
from bot.parts import Renew, Say, StopAll
from bot.providers import looks
from bot.store import WatchState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.asks import Ask
    from bot.clock import Clock
    from bot.models import JobRef, Message
    from bot.parts import Part
    from bot.providers.connections import Connections
    from bot.store import Board, Store, Watch, WatchedJob

GONE = "That board is not known here any more."


class BoardClicks:
    """Answers clicks on boards; a click is only obeyed in the channel of its board."""

    def __init__(self, store: Store, connections: Connections, clock: Clock) -> None:
        self._store = store
        self._connections = connections
        self._clock = clock

    async def answer(self, workspace: str, ask: Ask) -> list[Part]:
        """Return what a click asks for; raises BadReference if the board is gone."""
        if ask.action == "board_show":
            return [await self._one(workspace, ask)]
        board_id, _, number = ask.value.partition(":")
        board, seats = await self._board(workspace, ask, board_id)
        match ask.action:
            case "board_stop":
                return [StopAll(board.id)]
            case "board_refresh":
                return await self._all(board, seats)
        return [self._page(board, seats, ask, int(number) if number.isdecimal() else 1)]

    async def _board(
        self, workspace: str, ask: Ask, board_id: str
    ) -> tuple[Board, Sequence[boards.Seat]]:
        async with self._store.begin() as tx:
            board = await tx.boards.get(board_id)
            seats = await tx.watches.of_board(board_id)
        if board is None or (board.workspace, board.channel) != (workspace, ask.channel):
            raise BadReference(GONE)
        return board, seats

    async def _one(self, workspace: str, ask: Ask) -> Say:
        """Show one job of a board to whoever clicked; there its following can be stopped."""
        async with self._store.begin() as tx:
            watch = await tx.watches.get(ask.value)
        if watch is None or (watch.workspace, watch.channel) != (workspace, ask.channel):
            raise BadReference(GONE)
        found = (await self._look([watch.ref]))[watch.ref]
        if isinstance(found, JobthreadError):
            raise found
        return Say(self._card(watch, found))

    def _card(self, watch: Watch, job: Job) -> Message:
        followed = watch.state is WatchState.ACTIVE and not job.status.terminal
        view = cards.View(checked_at=self._clock.now(), followed=followed, only_you=True)
        return looks.card(self._connections.get(watch.ref.connection), job, view)

    async def _all(self, board: Board, seats: Sequence[boards.Seat]) -> list[Part]:
        """Look at all jobs of a board that are followed."""
        known = {watch.ref: job for watch, job in seats if watch.state is WatchState.ACTIVE}
        found = await self._look(list(known))
        pairs: list[tuple[WatchedJob, Job]] = [
            (known[ref], job) for ref, job in found.items() if isinstance(job, Job)
        ]
        errors = [error for error in found.values() if isinstance(error, JobthreadError)]
        said = [Say(answers.not_looked_at(len(errors), str(errors[0])))] if errors else []
        return [Renew(board.id, tuple(pairs)), *said]

    def _page(self, board: Board, seats: Sequence[boards.Seat], ask: Ask, number: int) -> Say:
        view = boards.view(board, self._clock.now(), closed=board.closed_at is not None)
        return Say(boardcards.page(boards.rows(seats), view, number), replace=ask.ephemeral)

    async def _look(self, refs: Sequence[JobRef]) -> dict[JobRef, Job | JobthreadError]:
        """Look at jobs in batches of the size that each provider likes, all at the same time."""
        batches: list[list[JobRef]] = []
        ordered = sorted(refs, key=lambda ref: ref.connection)
        for name, group in groupby(ordered, key=lambda ref: ref.connection):
            provider = self._connections.get(name)
            size, mine = max(1, provider.batch_size if provider else 1), list(group)
            batches += [mine[n : n + size] for n in range(0, len(mine), size)]
        done = await asyncio.gather(*map(self._batch, batches))
        return {ref: found for each in done for ref, found in each.items()}

    async def _batch(self, refs: list[JobRef]) -> dict[JobRef, Job | JobthreadError]:
        provider = self._connections.get(refs[0].connection)
        if provider is None:
            gone = f"There is no connection {refs[0].connection} any more."
            return dict.fromkeys(refs, BadReference(gone))
        return await looks.look(provider, refs)
