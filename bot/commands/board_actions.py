"""Handles button clicks on a board."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

from bot.commands import replies
from bot.commands.actions import RefreshBoard, Reply, UnfollowBoard
from bot.sdk.cards import job_card
from bot.sdk.cards.action_ids import ActionId
from bot.sdk.errors import BadReference, JobthreadError
from bot.sdk.models import Job
from bot.store import WatchState
from bot.tracking import board_card, boards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.actions import Action
    from bot.commands.request import Request
    from bot.commands.routes import ClickTable
    from bot.providers.connections import Connections
    from bot.sdk.clock import Clock
    from bot.sdk.models import JobRef, Message
    from bot.store import Board, Store, Watch, WatchedJob

UNKNOWN_BOARD = "That board is not known here any more."


class BoardActions:
    """Runs clicks on boards; a click counts only in the board's own channel."""

    def __init__(self, store: Store, connections: Connections, clock: Clock) -> None:
        self._store = store
        self._connections = connections
        self._clock = clock

    @property
    def clicks(self) -> ClickTable:
        """The handlers of a board's buttons; they raise BadReference if the board is unknown."""
        return {
            ActionId.BOARD_SHOW: self._click_show,
            ActionId.BOARD_PAGE: self._click_page,
            ActionId.BOARD_REFRESH: self._click_refresh,
            ActionId.BOARD_STOP: self._click_stop,
        }

    async def _click_show(self, workspace: str, request: Request) -> list[Action]:
        return [await self._show_job(workspace, request)]

    async def _click_page(self, workspace: str, request: Request) -> list[Action]:
        board_id, _, number = request.value.partition(":")
        board, watch_rows = await self._load_board(workspace, request, board_id)
        page = int(number) if number.isdecimal() else 1
        return [self._show_page(board, watch_rows, request, page)]

    async def _click_refresh(self, workspace: str, request: Request) -> list[Action]:
        return await self._refresh(*await self._load_board(workspace, request, request.value))

    async def _click_stop(self, workspace: str, request: Request) -> list[Action]:
        board, _ = await self._load_board(workspace, request, request.value)
        return [UnfollowBoard(board.id)]

    async def _load_board(
        self, workspace: str, request: Request, board_id: str
    ) -> tuple[Board, Sequence[boards.WatchRow]]:
        async with self._store.begin() as tx:
            board = await tx.boards.get(board_id)
            watch_rows = await tx.watches.of_board(board_id)
        if board is None or (board.workspace, board.channel) != (workspace, request.channel):
            raise BadReference(UNKNOWN_BOARD)
        return board, watch_rows

    async def _show_job(self, workspace: str, request: Request) -> Reply:
        """Show one job's card to the user who clicked; its button can unfollow the job."""
        async with self._store.begin() as tx:
            watch = await tx.watches.get(request.value)
        if watch is None or (watch.workspace, watch.channel) != (workspace, request.channel):
            raise BadReference(UNKNOWN_BOARD)
        found = (await self._fetch([watch.ref]))[watch.ref]
        if isinstance(found, JobthreadError):
            raise found
        return Reply(self._render_card(watch, found))

    def _render_card(self, watch: Watch, job: Job) -> Message:
        followed = watch.state is WatchState.ACTIVE and not job.status.terminal
        view = job_card.CardContext(checked_at=self._clock.now(), followed=followed, only_you=True)
        return self._connections.renderer(watch.ref.connection).card(job, view)

    async def _refresh(self, board: Board, watch_rows: Sequence[boards.WatchRow]) -> list[Action]:
        """Fetch all followed jobs of a board."""
        known = {watch.ref: job for watch, job in watch_rows if watch.state is WatchState.ACTIVE}
        found = await self._fetch(list(known))
        pairs: list[tuple[WatchedJob, Job]] = [
            (known[ref], job) for ref, job in found.items() if isinstance(job, Job)
        ]
        errors = [error for error in found.values() if isinstance(error, JobthreadError)]
        notice = [Reply(replies.refresh_failed(len(errors), str(errors[0])))] if errors else []
        return [RefreshBoard(board.id, tuple(pairs)), *notice]

    def _show_page(
        self, board: Board, watch_rows: Sequence[boards.WatchRow], request: Request, number: int
    ) -> Reply:
        view = boards.board_context(board, self._clock.now(), closed=board.closed_at is not None)
        return Reply(
            board_card.render_page(boards.card_rows(watch_rows), view, number),
            replace=request.ephemeral,
        )

    async def _fetch(self, refs: Sequence[JobRef]) -> dict[JobRef, Job | JobthreadError]:
        """Fetch jobs concurrently, in batches of each provider's size."""
        batches: list[list[JobRef]] = []
        ordered = sorted(refs, key=lambda ref: ref.connection)
        for name, group in groupby(ordered, key=lambda ref: ref.connection):
            connection = self._connections.get(name)
            size, group_refs = connection.batch_size if connection else 1, list(group)
            batches += [group_refs[n : n + size] for n in range(0, len(group_refs), size)]
        done = await asyncio.gather(*map(self._connections.fetch_batch, batches))
        return {ref: found for each in done for ref, found in each.items()}
