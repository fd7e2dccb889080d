"""What a tick of a delivery lane does: claim what must be said, say it, and write down that it was.

A message is claimed before it is sent, and no request starts after its deadline; one whose fate
is unknown is looked up in Slack by its key before it is sent again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot import sabotage
from bot.clock import Bell, Clock, until
from bot.delivery import refusals
from bot.delivery.gathering import gathered
from bot.delivery.outlet import HTTP_SECONDS, MAY_PASS
from bot.delivery.pace import in_turns
from bot.errors import SlackBusy, SlackError, SlackRefused, SlackSilent, StoreError, trail
from bot.models import Message
from bot.store import Claim, NewPost, Post, PostKind, Store

if TYPE_CHECKING:
    from bot.delivery.outlet import Outlet
    from bot.delivery.pace import Pace

log = logging.getLogger(__name__)

QUANTUM_SECONDS = 15.0  # of one tick
DEADLINE_SECONDS = 10.0  # from the claim to the start of the request
MOST_IN_FLIGHT = 200
SHUT_OUT_SECONDS = 30.0  # until a message is looked up again where the bot was not let in
SETTLE_SECONDS = 2.0  # before a message of unknown fate is looked up
LONGEST_SECONDS = 900.0  # until a message is tried again; its bucket may be held for longer
LONGEST_WAIT_SECONDS = 60.0  # between tries of a message that Slack does not answer


class Deliverer:
    """Delivers what waits in the outbox, each thread in its order."""

    def __init__(self, *, store: Store, outlet: Outlet, pace: Pace, clock: Clock) -> None:
        self._store = store
        self._outlet = outlet
        self._pace = pace
        self._clock = clock
        self._bells: dict[int, Bell] = {}
        self._flying: set[asyncio.Task[None]] = set()
        self._aloft: set[int] = set()  # the messages that these send
        self._cards_at = datetime.min.replace(tzinfo=UTC)  # from here on Slack takes cards
        self._closing = False

    def ring(self) -> None:
        """Wake every lane: there may be something to say."""
        for bell in self._bells.values():
            bell.ring()

    def close(self) -> None:
        """Let every tick end as soon as what it is sending is sent."""
        self._closing = True
        self.ring()

    def reserve(self, post: NewPost, now: datetime) -> Claim | None:
        """Return a claim for a message that is about to be written down, if it may be sent now."""
        full = len(self._flying) >= MOST_IN_FLIGHT
        if full or self._closing or post.due_at > now or self._pace.delay(post, now) > 0:
            return None
        self._pace.take(post, now)
        return _claim(now)

    def send(self, post: Post) -> None:
        """Send a message that was written down as claimed."""
        self._fly(post)

    async def tick(self, lane: int, lanes: int) -> float:
        """Deliver for one quantum; return the seconds until the next tick."""
        bell = self._bells.setdefault(lane, Bell(self._clock))
        end = self._clock.now() + timedelta(seconds=QUANTUM_SECONDS)
        try:
            # More than the quantum is left when the clock was set back.
            while not self._closing and 0 < (left := _left(end, self._clock)) <= QUANTUM_SECONDS:
                wait = await self._launch((lane, lanes))
                await bell.wait(min(wait, left))
        finally:
            # One request that hangs holds nobody else up: what flies goes on into the next tick.
            if self._closing:
                await asyncio.gather(*self._flying)
        return 0.0

    async def _launch(self, lanes: tuple[int, int]) -> float:
        """Start what may be sent now; return the seconds until more may be."""
        room = MOST_IN_FLIGHT - len(self._flying)
        posts, wait = await self._claim(lanes, room) if room > 0 else ([], QUANTUM_SECONDS)
        for post in posts:
            self._fly(post)
        return 0.0 if posts else wait

    def _fly(self, post: Post) -> None:
        task = asyncio.create_task(self._deliver(post))
        self._flying.add(task)
        self._aloft.add(post.id)
        task.add_done_callback(lambda _: self._land(post, task))

    def _land(self, post: Post, task: asyncio.Task[None]) -> None:
        """Look for more to send, if this one can have held something up."""
        full = len(self._flying) >= MOST_IN_FLIGHT
        self._flying.discard(task)
        self._aloft.discard(post.id)
        if full or post.watch_id or post.board_id:
            self.ring()

    async def _claim(self, lanes: tuple[int, int], room: int) -> tuple[list[Post], float]:
        """Claim due messages whose pace allows it; also return when others will be due."""
        now = self._clock.now()
        rest = self._cards_rest(now)
        async with self._store.begin() as tx:
            due = await tx.outbox.due(
                lanes=lanes, now=now, limit=5 * MOST_IN_FLIGHT, cards=rest == 0.0
            )
            chosen, wait = self._chosen(due, now, room)
            wait = min(wait, rest or QUANTUM_SECONDS)
            if not chosen:
                later = until(await tx.outbox.next_later(lanes, now), now, QUANTUM_SECONDS)
                return [], min(wait, later)
            claim = _claim(now)
            claimed = await tx.outbox.claim(
                chosen, now=now, deadline=claim.deadline, adopt_at=claim.adopt_at
            )
            return [await gathered(tx, post, now) for post in claimed], wait

    def _chosen(self, due: list[Post], now: datetime, room: int) -> tuple[list[int], float]:
        """Return what may be sent now, and the seconds until more of these may be."""
        chosen: list[int] = []
        waits: dict[PostKind, float] = {}
        # A clock that was set forward ends claims too soon; what we are sending is not adopted.
        for post in in_turns([post for post in due if post.id not in self._aloft]):
            delay = self._pace.delay(post, now)
            if delay > 0:
                waits[post.kind] = min(waits.get(post.kind, QUANTUM_SECONDS), delay)
            elif len(chosen) < room:
                self._pace.take(post, now)
                chosen.append(post.id)
        if PostKind.UPDATE in waits:
            self._cards_at = now + timedelta(seconds=waits[PostKind.UPDATE])
        return chosen, min(waits.values(), default=QUANTUM_SECONDS)

    def _cards_rest(self, now: datetime) -> float:
        """Return the seconds for which no card is sent; a crowd of them is not read until then."""
        seconds = (self._cards_at - now).total_seconds()
        return seconds if 0 < seconds <= QUANTUM_SECONDS else 0.0  # more: the clock was set back

    async def _deliver(self, post: Post) -> None:
        """Send one message and write down what came of it; a fault leaves it claimed."""
        try:
            await self._record(post)
        except StoreError as error:
            log.error("message %s stays claimed: %s", post.id, error)
        except Exception as error:  # noqa: BLE001  the edge of a delivery
            log.error("message %s stays claimed: %s", post.id, trail(error))

    async def _record(self, post: Post) -> None:
        try:
            ts = await self._send(post)
        except SlackBusy as error:
            self._pace.pause(post, error.retry_after, self._clock.now(), error.method)
            await self._again(post, error, error.retry_after, doubtful=post.doubtful)
        except SlackSilent as error:
            self._pace.landed(post, self._clock.now())
            wait = min(LONGEST_WAIT_SECONDS, SETTLE_SECONDS * 2 ** min(post.attempts - 1, 6))
            await self._again(post, error, wait, doubtful=True)
        except SlackRefused as error:
            await self._refused(post, error)
        else:
            self._pace.landed(post, self._clock.now())
            async with self._store.begin() as tx:
                await tx.outbox.sent(post, ts=ts, now=self._clock.now())

    async def _again(
        self, post: Post, error: SlackError, seconds: float, *, doubtful: bool
    ) -> None:
        now = self._clock.now()
        due_at = now + timedelta(seconds=min(seconds, LONGEST_SECONDS))
        log.info("message %s is tried again in %.1f s: %s", post.id, seconds, error)
        async with self._store.begin() as tx:
            await tx.outbox.postpone(
                post, due_at=due_at, doubtful=doubtful, error=str(error), now=now
            )
        self.ring()

    async def _refused(self, post: Post, error: SlackRefused) -> None:
        now = self._clock.now()
        async with self._store.begin() as tx:
            await refusals.settle(tx, post, error.code, now)
        self.ring()

    async def _send(self, post: Post) -> str | None:
        """Send a message; return its timestamp if it has one."""
        match post.kind:
            case PostKind.UPDATE:
                return await self._update(post)
            case PostKind.EPHEMERAL:
                return await self._whisper(post)
            case PostKind.REACTION:
                self._in_time(post)
                await self._outlet.react(post.channel, post.body["ts"], post.body["names"])
                return None
            case PostKind.DIRECT:
                channel = await self._outlet.open_direct(post.body["asker"])
                return await self._post(replace(post, channel=channel))
        return await self._post(post)

    async def _post(self, post: Post) -> str:
        thread_ts = post.watch_thread_ts or post.body.get("thread_ts")
        if post.watch_id and not post.roots_watch:
            thread_ts = thread_ts or post.card_ts
        if post.doubtful and not sabotage.broken(sabotage.Safeguard.LOOKUP):
            found = await self._find(post, thread_ts)
            if found is not None:
                return found
        self._in_time(post)
        return await self._outlet.post(
            post.channel,
            _message(post),
            key=post.key,
            thread_ts=thread_ts,
            broadcast=bool(post.body.get("broadcast")),
            about=post.body.get("about"),
        )

    async def _find(self, post: Post, thread_ts: str | None) -> str | None:
        """Look a doubtful message up; where the bot is not let in, the doubt waits until it is.

        Given up now, it would be told again later, or its card would stand there unfollowed.
        """
        try:
            return await self._outlet.find(
                post.channel, post.key, thread_ts=thread_ts, since=post.created_at
            )
        except SlackRefused as error:
            if error.code not in MAY_PASS:
                raise
            raise SlackBusy(str(error), retry_after=SHUT_OUT_SECONDS) from error

    async def _update(self, post: Post) -> str:
        ts = post.body.get("ts") or post.card_ts
        self._in_time(post)
        about = post.body.get("about")
        await self._outlet.update(post.channel, str(ts), _message(post), about=about)
        return str(ts)

    async def _whisper(self, post: Post) -> str | None:
        """Tell one person: by the response_url while it lives, else in the channel, else directly.

        What only deletes a message that nobody else sees ends with its response_url.
        """
        self._in_time(post)
        if await self._responded(post) or post.body["message"] is None:
            return None
        message, user = _message(post), post.body["asker"]
        try:
            await self._outlet.whisper(
                post.channel, user, message, thread_ts=post.body.get("thread_ts")
            )
        except SlackRefused:
            # What may have been posted directly before can be looked up, as a whisper cannot.
            body = {**post.body, "thread_ts": None, "about": None}
            channel = await self._outlet.open_direct(user)
            return await self._post(replace(post, channel=channel, body=body))
        return None

    async def _responded(self, post: Post) -> bool:
        url, until = post.body.get("response_url"), post.body.get("until")
        if not url or not until or self._clock.now().timestamp() > until:
            return False
        message = _message(post) if post.body["message"] is not None else None
        replacing = bool(post.body.get("replace"))
        try:
            await self._outlet.respond(
                url, message, replace=replacing, thread_ts=post.body.get("thread_ts")
            )
        except SlackRefused as error:
            log.info("message %s: the response_url answers %s", post.id, error.code)
            return False
        return True

    def _in_time(self, post: Post) -> None:
        """After its deadline a message may be another's: it is not sent from here any more."""
        if post.deadline is not None and self._clock.now() > post.deadline:
            raise SlackSilent("The deadline for this message has passed.")


def _left(end: datetime, clock: Clock) -> float:
    return (end - clock.now()).total_seconds()


def _claim(now: datetime) -> Claim:
    deadline = now + timedelta(seconds=DEADLINE_SECONDS)
    return Claim(deadline, adopt_at=deadline + timedelta(seconds=2 * HTTP_SECONDS))


def _message(post: Post) -> Message:
    return Message.model_validate(post.body["message"])
