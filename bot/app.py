"""Composition root: builds, starts and stops every component, in order."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from bot import status
from bot.commands.board_actions import BoardActions
from bot.commands.channel_settings import ChannelSettingsCommands
from bot.commands.context import CommandContext
from bot.commands.examples import Examples
from bot.commands.executor import ActionExecutor
from bot.commands.inbox_worker import InboxWorker
from bot.commands.job_commands import JobCommands
from bot.commands.permissions import Permissions
from bot.commands.queries import Queries
from bot.commands.router import RequestRouter
from bot.delivery.dispatcher import OutboxDispatcher
from bot.delivery.permalinks import Workspace
from bot.delivery.rate_limiter import RateLimiter
from bot.notifications import deferred
from bot.notifications.digest_worker import DigestWorker
from bot.notifications.explain import Explainer
from bot.notifications.notifier import Notifier
from bot.providers.connection_builder import LoadedProviders, load_providers
from bot.scheduler import ClockStepGuard, LocalScheduler
from bot.sdk.clock import SystemClock
from bot.sdk.errors import SettingsError
from bot.slack.app import bolt_app
from bot.slack.client import WebClient, client_session, connect, secret_value, web_client
from bot.slack.http_server import HttpServer
from bot.slack.job_options import JobOptions
from bot.slack.settings_flow import SettingsModalFlow
from bot.slack.socket_mode import SocketModeConnection
from bot.slack.users import UserCache
from bot.slack.web_api import WebApiTransport
from bot.status import LiveStatus
from bot.store import Store
from bot.store.pruning import Pruner
from bot.tracking.job_updates import JobUpdates
from bot.tracking.poller import Poller
from bot.tracking.redelivery import OPERATOR_TASK, RedeliveryWorker
from bot.tracking.rejections import handle_rejection
from bot.tracking.unconfigured import end_unconfigured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.providers.connections import Connections
    from bot.providers.plugin_loader import Plugins
    from bot.sdk.clock import Clock
    from bot.settings import Settings
    from bot.status import StoredStatus

log = logging.getLogger(__name__)

CONCURRENT_TICKS = 200
DELIVERY_LANES = 1  # one process delivers everything
POLL_SHARDS = 1  # of each connection
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
        self.clock: Clock = clock or SystemClock()
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
        loaded = self._load_plugins()
        stack.push_async_callback(loaded.plugins.close)
        stack.push_async_callback(loaded.connections.close)
        if problems := await loaded.connections.validate_settings():
            raise SettingsError(problems)
        self.store = Store(self.settings.store.url)
        await self.store.open()
        stack.push_async_callback(self.store.close)
        session = await stack.enter_async_context(client_session())
        client = web_client(self.settings, session)
        identity = await connect(client, self.clock)
        self.workspace = Workspace(
            url=str(identity.get("url", "")), bot_user=str(identity.get("user_id", ""))
        )
        self.transport = WebApiTransport(client, session, self.clock)
        self.connections = loaded.connections
        self._assemble(loaded, self.transport)
        stack.push_async_callback(self.job_options.close)
        stack.push_async_callback(self.inbox_worker.close)
        await self._start_scheduler(stack, loaded.connections)
        await self._open_transports(stack, client, identity)

    def _load_plugins(self) -> LoadedProviders:
        """Load plugins and connections; raise one SettingsError with all problems."""
        problems = self.settings.slack.problems()
        try:
            loaded = load_providers(
                self.settings.connections, self.settings.disabled_plugins, self.clock, self._plugins
            )
        except SettingsError as error:
            raise SettingsError([*problems, *error.problems]) from None
        if problems:
            raise SettingsError(problems)
        for problem in loaded.plugins.problems():
            log.warning("%s", problem)
        return loaded

    def _assemble(self, loaded: LoadedProviders, transport: WebApiTransport) -> None:
        """Build the components; none of them acts before its first tick or request."""
        connections, store, clock = loaded.connections, self.store, self.clock
        self.notifier = Notifier(self.settings.notify)
        job_updates = JobUpdates(self.settings.follow.poll_seconds, self.notifier)
        self._assemble_delivery(loaded, transport, job_updates)
        explainer = Explainer(store, self.notifier, self.settings.store.keep_days)
        users = UserCache(transport, clock)
        settings_commands = ChannelSettingsCommands(
            store=store,
            notifier=self.notifier,
            permissions=Permissions(self.settings.notify.who_may_change, users),
            command=self.settings.slack.command,
        )
        context = self._command_context(connections, explainer)
        router = RequestRouter(
            executor=self._executor(loaded, job_updates),
            clock=clock,
            explainer=explainer,
            job_commands=JobCommands(context),
            channel_settings=settings_commands,
            queries=Queries(context),
            board_actions=BoardActions(store, connections, clock),
        )
        self.inbox_worker = InboxWorker(
            store=store,
            router=router,
            clock=clock,
            on_activity=self.redelivery.on_channel_activity,
            operator_tasks={OPERATOR_TASK: self.redelivery.retry_requested},
        )
        self.job_options = JobOptions(connections, clock)
        self.settings_modal = SettingsModalFlow(
            api=transport,
            inbox_worker=self.inbox_worker,
            settings_commands=settings_commands,
            users=users,
            clock=clock,
        )

    def _assemble_delivery(
        self, loaded: LoadedProviders, transport: WebApiTransport, job_updates: JobUpdates
    ) -> None:
        """Build the components that poll jobs and deliver messages."""
        store, clock = self.store, self.clock
        self.dispatcher = OutboxDispatcher(
            store=store,
            transport=transport,
            rate_limiter=RateLimiter(),
            clock=clock,
            on_rejected=handle_rejection,
        )
        self.digest_worker = DigestWorker(
            store=store,
            notifier=self.notifier,
            slack_workspace=self.workspace,
            clock=clock,
            wake_dispatcher=self.dispatcher.wake,
        )
        self.poller = Poller(
            store=store,
            connections=loaded.connections,
            plugins=loaded.plugins,
            job_updates=job_updates,
            clock=clock,
            coalesce_seconds=self.settings.follow.coalesce_seconds,
            wake_dispatcher=self.wake,
        )
        self.redelivery = RedeliveryWorker(
            store=store,
            connections=loaded.connections,
            job_updates=job_updates,
            clock=clock,
            wake_dispatcher=self.dispatcher.wake,
            wake_poller=self.poller.wake_for,
        )
        self.clock_guard = ClockStepGuard(
            store=store,
            clock=clock,
            poll_seconds=self.settings.follow.poll_seconds,
            wake_workers=self._wake_all,
        )

    def _executor(self, loaded: LoadedProviders, job_updates: JobUpdates) -> ActionExecutor:
        return ActionExecutor(
            store=self.store,
            connections=loaded.connections,
            job_updates=job_updates,
            clock=self.clock,
            slack_workspace=self.workspace,
            sender=self.dispatcher,
            wake_poller=self.poller.wake_for,
            notify_plugins=loaded.plugins.job_changed,
            wake_digests=self.wake,
        )

    def _command_context(self, connections: Connections, explainer: Explainer) -> CommandContext:
        return CommandContext(
            store=self.store,
            connections=connections,
            examples=Examples(store=self.store, connections=connections, clock=self.clock),
            explainer=explainer,
            clock=self.clock,
            slack_workspace=self.workspace,
            command=self.settings.slack.command,
        )

    def wake(self) -> None:
        """Wake the outbox dispatcher and the digest worker."""
        self.dispatcher.wake()
        self.digest_worker.wake()

    def _wake_all(self) -> None:
        """Wake the dispatcher, the digest worker and the pollers."""
        self.wake()
        for name in self.connections.names:
            self.poller.wake_for(name, self.clock.now())

    async def _start_scheduler(self, stack: AsyncExitStack, connections: Connections) -> None:
        if self.store.exclusive:  # all leases and claims are of dead processes
            now = self.clock.now()
            async with self.store.begin() as tx:
                await tx.inbox.expire_leases(now)
                await tx.outbox.expire_claims(now + IN_FLIGHT_GRACE)
        async with self.store.begin() as tx:
            if ended := await end_unconfigured(
                tx, connections.names, self.clock.now(), Notifier(self.settings.notify)
            ):
                log.warning("Ended %s watches: their connections are not configured", ended)
            # The settings may have changed since these notifications were deferred.
            await deferred.reevaluate_all(tx, self.notifier, self.clock.now())
        scheduler = LocalScheduler(self.clock)
        self._periodic_tasks: dict[str, Callable[[], Awaitable[float]]] = {
            "inbox": self.inbox_worker.tick,
            "redelivery": self.redelivery.tick,
            "digests": self.digest_worker.tick,
            "clock": self.clock_guard.tick,
            "pruning": Pruner(self.store, self.clock, self.settings.store.keep_days).tick,
        }
        scheduler.register(self._periodic_tasks)
        scheduler.register(f"deliver:{k}" for k in range(DELIVERY_LANES))
        scheduler.register(
            f"poll:{name}:{k}" for name in connections.names for k in range(POLL_SHARDS)
        )
        running = asyncio.create_task(scheduler.run(self._tick, CONCURRENT_TICKS))
        stack.push_async_callback(_finish, running)
        stack.push_async_callback(scheduler.stop)
        stack.callback(self.redelivery.close)
        stack.callback(self.digest_worker.close)
        stack.callback(self.poller.close)
        stack.callback(self.dispatcher.close)

    async def _tick(self, shard: str) -> float:
        """Run one tick of a shard; return the seconds until the next."""
        match shard.split(":"):
            case ["deliver", lane]:
                return await self.dispatcher.tick(int(lane), DELIVERY_LANES)
            case ["poll", connection, shard_no]:
                return await self.poller.tick(connection, int(shard_no), POLL_SHARDS)
        return await self._periodic_tasks[shard]()

    async def _open_transports(
        self, stack: AsyncExitStack, client: WebClient, identity: dict[str, Any]
    ) -> None:
        slack = self.settings.slack
        http_mode = slack.mode == "http"
        app = bolt_app(
            client=client,
            identity=identity,
            signing_secret=secret_value(slack.signing_secret) if http_mode else None,
            inbox_worker=self.inbox_worker,
            job_options=self.job_options,
            settings_modal_flow=self.settings_modal,
            clock=self.clock,
        )
        self.socket_mode = (
            None
            if http_mode
            else SocketModeConnection(app, secret_value(slack.app_token), client, self.clock)
        )
        self.http_server = HttpServer(
            self.settings.http_server, app if http_mode else None, self.is_healthy, self.read_status
        )
        if self.http_server.enabled:
            await self.http_server.open()
            stack.push_async_callback(self.http_server.close)
        if self.socket_mode is not None:
            await self.socket_mode.open()
            stack.push_async_callback(self.socket_mode.close)
            await self.socket_mode.wait()

    async def is_healthy(self) -> bool:
        """Whether Slack can reach the bot and the store responds."""
        async with self.store.begin() as tx:
            await tx.inbox.next_due()
        return self.socket_mode is None or await self.socket_mode.connected()

    async def read_status(self) -> tuple[StoredStatus, LiveStatus]:
        """Return the status of the store, and of Slack and the connections."""
        now = self.clock.now()
        async with self.store.begin() as tx:
            stored = await status.read_status(tx, now)
        current = self.clock.monotonic()
        open_for = {one.name: one.circuit_breaker.open_for(current) for one in self.connections}
        live = LiveStatus(
            connected=self.socket_mode is None or await self.socket_mode.connected(),
            last_event_seconds=self.socket_mode.last_event_seconds if self.socket_mode else None,
            rate_limited=self.transport.rate_limited_count,
            open_circuits={name: seconds for name, seconds in open_for.items() if seconds},
        )
        return stored, live


async def _finish(task: asyncio.Task[None]) -> None:
    await asyncio.gather(task, return_exceptions=True)
