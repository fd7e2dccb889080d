"""What goes to the app and what comes back, whichever way it travels. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """One delivery to the app."""

    kind: str  # slash_commands, events_api or interactive
    payload: Json
    retry_attempt: int = 0  # 1 for the first repetition
    retry_reason: str = ""

    def wire(self, id_: str) -> Json:
        """Return the envelope as Socket Mode sends it."""
        sent = {
            "envelope_id": id_,
            "type": self.kind,
            "payload": self.payload,
            "accepts_response_payload": self.kind != "events_api",
        }
        if self.kind == "events_api":
            sent |= {"retry_attempt": self.retry_attempt, "retry_reason": self.retry_reason}
        return sent


@dataclass(frozen=True, slots=True)
class Ack:
    """What the app made of a delivery."""

    payload: Json | None = None
    error: str | None = None  # Slack's word: dispatch_failed or operation_timeout
    reason: str = ""  # Slack's retry reason, when there is an error
    no_retry: bool = False  # the app asked for no repetition

    @property
    def ok(self) -> bool:
        """Tell whether the app acknowledged in time."""
        return self.error is None


class Carrier(Protocol):
    """A way to the app: Socket Mode or HTTP."""

    async def carry(self, envelope: Envelope) -> Ack:
        """Deliver, and wait for the acknowledgement."""
        ...
