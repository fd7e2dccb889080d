"""Envelope, acknowledgement and the transport protocol. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Envelope:
    """One delivery to the app."""

    kind: str  # slash_commands, events_api or interactive
    payload: Json
    retry_attempt: int = 0  # 1 for the first retry
    retry_reason: str = ""

    def socket_mode_message(self, id_: str) -> Json:
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
    """The app's acknowledgement of an envelope, or why there is none."""

    payload: Json | None = None
    error: str | None = None  # Slack's error code: dispatch_failed or operation_timeout
    reason: str = ""  # Slack's retry reason, when there is an error
    no_retry: bool = False  # the app asked for no retry

    @property
    def ok(self) -> bool:
        """Tell whether the app acknowledged in time."""
        return self.error is None


class Transport(Protocol):
    """Delivers envelopes to the app: by Socket Mode or HTTP."""

    async def deliver(self, envelope: Envelope) -> Ack:
        """Deliver the envelope and wait for its acknowledgement."""
        ...
