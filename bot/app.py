"""Composition root: builds, starts and stops every component, in order."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from bot import sabotage, status
from bot.clock_step_guard import Timekeeper
from bot.commands.channel_settings import Negotiation
from bot.commands.examples import Examples
from bot.commands.executor import Ledger
from bot.commands.inbox_worker import Desk
from bot.commands.permissions import Rights
from bot.commands.queries import Listings
from bot.commands.router import Service
from bot.delivery.dispatcher import Deliverer
from bot.delivery.permalinks import Home
from bot.delivery.rate_limiter import Pace
from bot.local_scheduler import EmbeddedEngine
from bot.notifications import deferred
from bot.notifications.digest_worker import Digests
from bot.notifications.explain import Reasons
from bot.notifications.notifier import Notices
from bot.providers import fetch
from bot.providers.outside import Outside, outside
from bot.sdk.errors import SettingsError
from bot.sdk.models import seconds_between
from bot.skew import system_clock
from bot.slack.app import bolt_app
from bot.slack.client import client_session, greet, revealed, web_client
from bot.slack.http_server import Web
from bot.slack.job_options import Suggestions
from bot.slack.settings_flow import SettingsTalk
from bot.slack.socket_mode import Socket
from bot.slack.users import Directory
from bot.slack.web_api import WebOutlet
from bot.status import Live
from bot.store import Store
from bot.tracking.job_updates import Following, abandon
from bot.tracking.poller import Poller
from bot.tracking.redelivery import OPERATOR, Revival

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.providers.connections import Connections
    from bot.providers.plugin_loader import Plugins
    from bot.sdk.clock import Clock
    from bot.settings import Settings
    from bot.status import Backlog

log = logging.getLogger(__name__)

CONCURRENT_TICKS = 200
DELIVERY_LANES = 1  # one process delivers everything
POLL_SHARDS = 1  # of each connection
PRUNE_SECONDS = 3600.0
IN_FLIGHT_GRACE = timedelta(seconds=5)  # in which Slack may still process calls of a dead process


class Bot:
    """The bot as `jobthread serve` runs it: an asynchronous context manager.

    Entering it opens the store, connects to Slack and starts everything; leaving it stops
    everything in reverse order. Raises SettingsError, StoreError or SlackError. Without `plugins`
    it loads the installed ones.
    """

    def __init__(
        self, settings: Settings, *, clock: Clock | None = None, plugins: Plugins | None = None
    ) -> None:
        self.settings = settings
        self._plugins = plugins
        self.clock: Clock = clock or system_clock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        """Build and start the components; register how each one stops."""
        if broken := sabotage.warning():
            log.critical(broken)
        loaded = self._load_plugins()
        stack.push_async_callback(loaded.plugins.close)
        stack.push_async_callback(loaded.connections.close)
        if problems := await fetch.rehearsed(loaded.connections):
            raise SettingsError(problems)
        self.store = Store(self.settings.store.url)
        await self.store.open()
        stack.push_async_callback(self.store.close)
        session = await stack.enter_async_context(client_session())
        client = web_client(self.settings, session)
        identity = await greet(client, self.clock)
        self.home = Home(
            url=str(identity.get("url", "")), bot_user=str(identity.get("user_id", ""))
        )
        self.outlet = WebOutlet(client, session, self.clock)
        self.connections = loaded.connections
        self._assemble(loaded, self.outlet)
        stack.push_async_callback(self.suggestions.close)
        stack.push_async_callback(self.desk.close)
        await self._start_scheduler(stack, loaded.connections)
        await self._open_transports(stack, client, identity)

    def _load_plugins(self) -> Outside:
        """Load plugins and connections; raise one SettingsError with all problems."""
        problems = self.settings.slack.problems()
        try:
            loaded = outside(self.settings, self.clock, self._plugins)
        except SettingsError as error:
            raise SettingsError([*problems, *error.problems]) from None
        if problems:
            raise SettingsError(problems)
        for problem in loaded.plugins.problems():
            log.warning("%s", problem)
        return loaded

    def _assemble(self, loaded: Outside, outlet: WebOutlet) -> None:
        """Build the components; none of them acts before its first tick or request."""
        connections, store, clock = loaded.connections, self.store, self.clock
        self.notices = Notices(self.settings.notify)
        following = Following(self.settings.follow.poll_seconds, self.notices)
        self._assemble_delivery(loaded, outlet, following)
        reasons = Reasons(store, self.notices, self.settings.store.keep_days)
        directory = Directory(outlet, clock)
        negotiation = Negotiation(
            store=store,
            notices=self.notices,
            rights=Rights(self.settings.notify.who_may_change, directory),
            command=self.settings.slack.command,
        )
        service = Service(
            store=store,
            ledger=self._executor(loaded, following),
            connections=connections,
            clock=clock,
            home=self.home,
            reasons=reasons,
            command=self.settings.slack.command,
            negotiation=negotiation,
            listing=self._queries(connections, reasons),
        )
        self.desk = Desk(
            store=store,
            service=service,
            clock=clock,
            heard=self.revival.heard,
            errands={OPERATOR: self.revival.errand},
        )
        self.suggestions = Suggestions(connections, clock)
        self.settings_talk = SettingsTalk(
            api=outlet, desk=self.desk, negotiation=negotiation, directory=directory, clock=clock
        )

    def _assemble_delivery(self, loaded: Outside, outlet: WebOutlet, following: Following) -> None:
        """Build the components that poll jobs and deliver messages."""
        store, clock = self.store, self.clock
        self.deliverer = Deliverer(store=store, outlet=outlet, pace=Pace(), clock=clock)
        self.digests = Digests(
            store=store,
            notices=self.notices,
            home=self.home,
            clock=clock,
            ring=self.deliverer.ring,
        )
        self.poller = Poller(
            store=store,
            connections=loaded.connections,
            plugins=loaded.plugins,
            following=following,
            clock=clock,
            coalesce_seconds=self.settings.follow.coalesce_seconds,
            ring=self.ring,
        )
        self.revival = Revival(
            store=store,
            connections=loaded.connections,
            following=following,
            clock=clock,
            ring=self.deliverer.ring,
            expect=self.poller.expect,
        )
        self.timekeeper = Timekeeper(
            store=store,
            clock=clock,
            poll_seconds=self.settings.follow.poll_seconds,
            ring=self._wake_all,
        )

    def _executor(self, loaded: Outside, following: Following) -> Ledger:
        return Ledger(
            store=self.store,
            connections=loaded.connections,
            following=following,
            clock=self.clock,
            home=self.home,
            sender=self.deliverer,
            expect=self.poller.expect,
            announce=loaded.plugins.job_changed,
            retell=self.ring,
        )

    def _queries(self, connections: Connections, reasons: Reasons) -> Listings:
        return Listings(
            store=self.store,
            connections=connections,
            examples=Examples(store=self.store, connections=connections, clock=self.clock),
            reasons=reasons,
            clock=self.clock,
            home=self.home,
            command=self.settings.slack.command,
        )

    def ring(self) -> None:
        """Wake the outbox dispatcher and the digest worker."""
        self.deliverer.ring()
        self.digests.ring()

    def _wake_all(self) -> None:
        """Wake the dispatcher, the digest worker and the pollers."""
        self.ring()
        for name in self.connections.names:
            self.poller.expect(name, self.clock.now())

    async def _start_scheduler(self, stack: AsyncExitStack, connections: Connections) -> None:
        if self.store.exclusive:  # all leases and claims are of dead processes
            now = self.clock.now()
            async with self.store.begin() as tx:
                await tx.inbox.reopen(now)
                await tx.outbox.reopen(now + IN_FLIGHT_GRACE)
        async with self.store.begin() as tx:
            if ended := await abandon(
                tx, connections.names, self.clock.now(), Notices(self.settings.notify)
            ):
                log.warning("Ended %s watches: their connections are not configured", ended)
            # The settings may have changed since these notifications were deferred.
            await deferred.redecide_all(tx, self.notices, self.clock.now())
        engine = EmbeddedEngine(self.clock)
        self._periodic_tasks: dict[str, Callable[[], Awaitable[float]]] = {
            "inbox": self.desk.tick,
            "redelivery": self.revival.tick,
            "digests": self.digests.tick,
            "clock": self.timekeeper.tick,
            "pruning": self._prune,
        }
        engine.ensure(self._periodic_tasks)
        engine.ensure(f"deliver:{k}" for k in range(DELIVERY_LANES))
        engine.ensure(f"poll:{name}:{k}" for name in connections.names for k in range(POLL_SHARDS))
        running = asyncio.create_task(engine.run(self._tick, CONCURRENT_TICKS))
        stack.push_async_callback(_finish, running)
        stack.push_async_callback(engine.stop)
        stack.callback(self.revival.close)
        stack.callback(self.digests.close)
        stack.callback(self.poller.close)
        stack.callback(self.deliverer.close)

    async def _tick(self, shard: str) -> float:
        """Run one tick of a shard; return the seconds until the next."""
        match shard.split(":"):
            case ["deliver", lane]:
                return await self.deliverer.tick(int(lane), DELIVERY_LANES)
            case ["poll", connection, shard_no]:
                return await self.poller.tick(connection, int(shard_no), POLL_SHARDS)
        return await self._periodic_tasks[shard]()

    async def _prune(self) -> float:
        """Delete rows that ended longer than `store.keep_days` ago."""
        before = self.clock.now() - timedelta(days=self.settings.store.keep_days)
        async with self.store.begin() as tx:
            await tx.inbox.prune(before)
            await tx.outbox.prune(before)
            await tx.watches.prune(before)
            await tx.jobs.prune(before)
            await tx.decisions.prune(before)
            await tx.boards.prune(before)
        return PRUNE_SECONDS

    async def _open_transports(
        self, stack: AsyncExitStack, client: AsyncWebClient, identity: dict[str, Any]
    ) -> None:
        slack = self.settings.slack
        http_mode = slack.mode == "http"
        app = bolt_app(
            client=client,
            identity=identity,
            signing_secret=revealed(slack.signing_secret) if http_mode else None,
            desk=self.desk,
            suggestions=self.suggestions,
            settings=self.settings_talk,
            clock=self.clock,
        )
        self.socket = (
            None if http_mode else Socket(app, revealed(slack.app_token), client, self.clock)
        )
        self.web = Web(
            self.settings.listens, app if http_mode else None, self.healthy, self.standing
        )
        if self.web.wanted:
            await self.web.open()
            stack.push_async_callback(self.web.close)
        if self.socket is not None:
            await self.socket.open()
            stack.push_async_callback(self.socket.close)
            await self.socket.wait()

    async def healthy(self) -> bool:
        """Whether Slack can reach the bot and the store responds."""
        async with self.store.begin() as tx:
            await tx.inbox.next_due()
        return self.socket is None or await self.socket.connected()

    async def standing(self) -> tuple[Backlog, Live]:
        """Return the status of the store, and of Slack and the connections."""
        now = self.clock.now()
        async with self.store.begin() as tx:
            stored = await status.read(tx, now)
        heard_at = self.socket.heard_at if self.socket else None
        live = Live(
            connected=self.socket is None or await self.socket.connected(),
            last_event_seconds=seconds_between(heard_at, now),
            limited=self.outlet.limited,
            resting={p.name: s for p in self.connections if (s := p.breaker.pause(now))},
        )
        return stored, live


async def _finish(task: asyncio.Task[None]) -> None:
    await asyncio.gather(task, return_exceptions=True)
