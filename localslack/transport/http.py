"""HTTP transport: signed requests to the app's request URL."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp

from localslack.transport.envelopes import Ack, Envelope
from localslack.transport.payloads import VERIFICATION_TOKEN

if TYPE_CHECKING:
    from localslack.state.messages import Json

_FORM = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return Slack's v0 signature of a request.

    https://docs.slack.dev/authentication/verifying-requests-from-slack
    """
    base = b":".join((b"v0", timestamp.encode(), body))
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpTransport:
    """Delivers envelopes to the app's request URL."""

    def __init__(self, url: str, secret: str, *, ack_seconds: float) -> None:
        self._url = url
        self._secret = secret
        self._timeout = aiohttp.ClientTimeout(total=ack_seconds)
        self.envelopes: list[Envelope] = []  # every envelope sent, in order

    async def deliver(self, envelope: Envelope) -> Ack:
        """Send the request; its response is the acknowledgement."""
        self.envelopes.append(envelope)
        kind, body = _encode(envelope)
        try:
            async with aiohttp.ClientSession(timeout=self._timeout) as session:
                headers = self._headers(kind, body, envelope)
                async with session.post(self._url, data=body, headers=headers) as response:
                    return await _read_ack(response)
        except TimeoutError:
            return Ack(error="operation_timeout", reason="http_timeout")
        except aiohttp.ClientError:
            return Ack(error="dispatch_failed", reason="connection_failed")

    async def verify(self) -> bool:
        """Return whether the app answers Slack's `url_verification`."""
        challenge = {"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY"}
        ack = await self.deliver(Envelope("events_api", {"token": VERIFICATION_TOKEN, **challenge}))
        echoed = (ack.payload or {}).get("challenge", (ack.payload or {}).get("text"))
        return ack.ok and echoed == challenge["challenge"]

    def _headers(self, kind: str, body: bytes, envelope: Envelope) -> dict[str, str]:
        # Real time, not the workspace's clock: the app checks the timestamp's age.
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": kind,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
        }
        if envelope.retry_attempt:
            headers["X-Slack-Retry-Num"] = str(envelope.retry_attempt)
            headers["X-Slack-Retry-Reason"] = envelope.retry_reason
        return headers


def _encode(envelope: Envelope) -> tuple[str, bytes]:
    if envelope.kind == "events_api":
        return "application/json", json.dumps(envelope.payload).encode()
    if envelope.kind == "slash_commands":
        return _FORM, urlencode(envelope.payload).encode()
    return _FORM, urlencode({"payload": json.dumps(envelope.payload)}).encode()


async def _read_ack(response: aiohttp.ClientResponse) -> Ack:
    no_retry = response.headers.get("X-Slack-No-Retry") == "1"
    if response.status >= 300:
        return Ack(error="dispatch_failed", reason="http_error", no_retry=no_retry)
    return Ack(payload=_payload(await response.text()), no_retry=no_retry)


def _payload(text: str) -> Json | None:
    if not text:
        return None
    try:
        parsed = json.loads(text)
    except ValueError:
        return {"text": text}
    return parsed if isinstance(parsed, dict) else {"text": text}
