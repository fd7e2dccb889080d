"""Injects immediate faults: cut connections, archived channels, deleted messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from localslack.state.faults import Faults
    from localslack.state.messages import Json, Message
    from localslack.state.workspace import Workspace
    from localslack.transport.socket_mode import SocketModeServer


class FaultInjector:
    """Injects faults at once; later ones are planned with `Faults`."""

    def __init__(self, workspace: Workspace, sockets: SocketModeServer, faults: Faults) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._faults = faults

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect` to the app: refresh_requested, warning or link_disabled."""
        self._faults.record("disconnect", reason)
        await self._sockets.disconnect(reason)

    def cut(self) -> None:
        """Abort the app's connections without notice."""
        self._faults.record("cut", "sockets")
        self._sockets.cut()

    def archive(self, channel: str) -> None:
        """Archive the channel."""
        self._faults.record("archive", channel)
        self._workspace.archive(channel)

    def remove_bot(self, channel: str) -> None:
        """Remove the bot from the channel."""
        self._faults.record("remove_bot", channel)
        self._workspace.leave(channel, self._workspace.bot.id)

    def delete(self, message: Message) -> None:
        """Delete the message, as an authorised user would."""
        self._faults.record("delete", message.ts)
        self._workspace.delete(message)

    async def inject(self, name: str, arguments: Json) -> None:
        """Plan or inject the fault of this name. Raise LookupError if there is none."""
        actions = self._actions()
        if name not in actions:
            raise LookupError(f"There is no fault {name!r}; there are {', '.join(actions)}.")
        pending = actions[name](**arguments)
        if pending is not None:
            await pending

    def _actions(self) -> dict[str, Callable[..., Any]]:
        return {
            "rate_limit": self._faults.rate_limit,
            "lose_answer": self._faults.lose_answer,
            "fail": self._faults.fail,
            "delay": self._faults.delay,
            "refuse": self._faults.refuse,
            "refuse_sockets": self._faults.refuse_sockets,
            "deliver_twice": self._faults.deliver_twice,
            "retry_event": self._faults.retry_event,
            "swallow": self._faults.drop_envelope,
            "clear": self._faults.clear,
            "cut": self.cut,
            "archive": self.archive,
            "remove_bot": self.remove_bot,
            "disconnect": self.disconnect,
            "delete": self._delete_by_name,
        }

    def _delete_by_name(self, channel: str, ts: str) -> None:
        found = self._workspace.find(self._workspace.channel(channel).id, ts)
        if found is None:
            raise LookupError(f"There is no message {ts} in {channel}.")
        self.delete(found)
