"""The baseline: what a good Bolt user would write, an app that says a command's text back."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

CONNECTIONS = 200  # at once, as many as the bot's


async def main(api_url: str) -> None:
    """Echo until the process is ended."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        client = AsyncWebClient(token="xoxb-bench", base_url=api_url, session=session)  # noqa: S106
        app = AsyncApp(client=client)

        @app.command("/job")
        async def echo(ack: Any, say: Any, command: dict[str, Any]) -> None:
            await ack()
            await say(command["text"])

        await AsyncSocketModeHandler(app, "xapp-bench").start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
