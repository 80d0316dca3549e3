"""The HTTP server: more connections than it has room for are answered shortly, and those it has are served."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from lamplighter_controller import server
from lamplighter_controller.api.live import MAX_LISTENERS
from lamplighter_controller.config import HttpConfig
from lamplighter_controller.server import HttpServer


async def test_beyond_its_connections_it_says_so_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 3)
    app, served = FastAPI(), HttpServer(HttpConfig(port=0))

    @app.get("/")
    async def here() -> str:
        return "here"

    async def status() -> int:
        async with httpx.AsyncClient(timeout=5) as http:
            return (await http.get(served.url)).status_code

    async with asyncio.TaskGroup() as group:
        group.create_task(served.run(app), name="http")
        port = httpx.URL(served.url).port
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        async with asyncio.timeout(10):
            while await status() != 503:
                await asyncio.sleep(0.01)
            for _, writer in idle:
                writer.close()
            while await status() != 200:
                await asyncio.sleep(0.01)
        await served.stop()


def test_every_live_listener_has_room() -> None:
    assert MAX_LISTENERS < server.MOST_CONNECTIONS
