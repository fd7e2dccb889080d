"""Proxy selection from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.app import Bot
from bot.sdk.testing import ManualClock
from bot.slack.proxy import proxy_for
from localslack import LocalSlack
from tests.harness import settings_for

if TYPE_CHECKING:
    from pathlib import Path

PROXY = "http://proxy.example:3128"
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove this machine's own proxy settings."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"])
def test_slack_is_reached_through_the_configured_proxy(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both Web API and Socket Mode."""
    assert proxy_for("https://slack.com/api/") is None
    monkeypatch.setenv(variable, PROXY)
    assert proxy_for("https://slack.com/api/") == PROXY
    assert proxy_for("wss://wss-primary.slack.com/link") == PROXY


@pytest.mark.parametrize(
    ("url", "proxied"),
    [
        ("http://127.0.0.1:8080/api/", False),
        ("http://localhost:8080/api/", False),
        ("http://[::1]:8080/api/", False),
        ("https://chat.corp.example/api/", False),
        ("https://slack.com/api/", True),
    ],
)
def test_loopback_and_no_proxy_hosts_bypass_the_proxy(
    url: str, monkeypatch: pytest.MonkeyPatch, *, proxied: bool
) -> None:
    """A proxy cannot reach our loopback."""
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", ".corp.example")
    assert (proxy_for(url) is not None) == proxied


@pytest.mark.anyio
async def test_bot_connects_to_a_local_slack_despite_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo runs where outgoing traffic needs a proxy."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with LocalSlack() as slack:
        settings = settings_for(slack, "http://127.0.0.1:1", tmp_path)
        async with Bot(settings, clock=ManualClock()):
            await slack.says("/job help")
            await slack.until(lambda: "Ask for a job" in str(slack.ephemerals()))
