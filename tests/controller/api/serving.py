"""An app on a real socket of this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from tests.system.process import free_port

TIMEOUT_S = 5.0


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """Host and port at which the app answers."""
    port = free_port()
    config = uvicorn.Config(app, port=port, log_config=None, ws_per_message_deflate=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign]  # signals are the runner's
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(), name="test-server")
        async with asyncio.timeout(TIMEOUT_S):
            while not server.started:
                await asyncio.sleep(0.01)
        yield f"127.0.0.1:{port}"
        server.should_exit = server.force_exit = True
