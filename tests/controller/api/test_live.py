"""The live stream and the events over real sockets."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.api import live
from lamplighter_controller.api.guard import COOKIE
from lamplighter_controller.api.sight import Sight
from lamplighter_controller.events import AlarmChanged, CommandChanged, GatewayChanged, OrderChanged
from lamplighter_controller.security import tokens
from lamplighter_controller.security.accounts import sessions
from lamplighter_controller.security.callers import of_token
from tests.controller.api.serving import serving
from tests.controller.api.world import LAMPS, World

TIMEOUT_S = 5.0


@pytest.fixture
async def address(world: World) -> AsyncIterator[str]:
    async with serving(world.app) as address:
        yield address


async def cookie_of(world: World, token: str) -> dict[str, str]:
    identity, now_ms = token.partition(".")[0], world.clock.wall_ms()

    def work(connection: Connection) -> str:
        known = tokens.in_force(connection, identity, now_ms)
        assert known is not None
        return sessions.begin(connection, of_token(known), "10.0.0.1", now_ms, os.urandom)

    return {"Cookie": f"{COOKIE}={await world.ledger.write(work)}"}


async def hear(socket: ClientConnection, word: str) -> Any:
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            frame = json.loads(await socket.recv())
            if frame["type"] == word:
                return frame


async def test_values_come_as_they_change(world: World, address: str):
    async with connect(f"ws://{address}/api/v1/live", additional_headers=world.bearer("reader")) as socket:
        assert (await hear(socket, "hello"))["rate"] == 60.0
        world.light(LAMPS[2:4], 30, 45)
        delta = await hear(socket, "delta")
        assert (delta["row"], delta["values"]["level_percent"]) == ([2, 3], [30, 30])


async def test_a_page_of_another_site_cannot_listen_in(world: World, address: str):
    cookie = await cookie_of(world, world.secret["reader"])
    for origin in ("http://evil.example", "null", None):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{address}/api/v1/live", additional_headers=cookie, origin=origin)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403
    async with connect(f"ws://{address}/api/v1/live", additional_headers=cookie, origin=f"http://{address}") as socket:  # type: ignore[arg-type]
        assert await hear(socket, "hello")


@pytest.mark.parametrize("name", ["nobody", None])
async def test_who_may_not_read_is_told_so(world: World, address: str, name: str | None):
    headers = world.bearer(name) if name else {"Authorization": "Bearer a.b"}
    async with connect(f"ws://{address}/api/v1/live", additional_headers=headers) as socket:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), TIMEOUT_S)
        assert socket.close_code == live.UNAUTHORIZED


async def test_kinds_that_are_none_are_refused(world: World, address: str):
    with pytest.raises(InvalidStatus):
        await connect(f"ws://{address}/api/v1/live?kinds=spoon", additional_headers=world.bearer("reader"))


async def test_a_revoked_token_watches_no_longer(world: World, address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "RECHECK_S", 0.05)
    async with connect(f"ws://{address}/api/v1/live", additional_headers=world.bearer("reader")) as socket:
        await hear(socket, "hello")
        await world.ledger.write(lambda ledger: tokens.revoke(ledger, "reader", who="t", reason="t", time_ms=1))
        with pytest.raises(ConnectionClosed):
            await hear(socket, "never")
        assert socket.close_code == live.UNAUTHORIZED


async def test_who_does_not_keep_up_is_dropped_with_a_reason(world: World, address: str):
    async with connect(f"ws://{address}/api/v1/live", additional_headers=world.bearer("reader")) as socket:
        await hear(socket, "hello")
        (watcher,) = world.app.state.hub._watchers
        watcher.slow.set()
        with pytest.raises(ConnectionClosed):
            await hear(socket, "never")
        assert (socket.close_code, socket.close_reason) == (live.TOO_SLOW, "too slow")
    assert not world.app.state.hub._watchers


async def test_events_are_told_by_name(world: World, address: str):
    told: list[tuple[str, Any]] = []
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_S) as client,
        client.stream("GET", f"http://{address}/api/v1/events", headers=world.bearer("reader")) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        world.events.publish(
            CommandChanged("r-1", "c-1", "gw-1", CommandState.SENT, (("lamp-1", CommandState.SENT, ""),))
        )
        world.events.publish(GatewayChanged("gw-1", online=False))
        world.events.publish(AlarmChanged("k", raised=True, text="text", time_ms=5))
        world.events.publish(OrderChanged("WO-000001", "lamp", "lamp-1", "leak", "new", 5, 7))
        name = ""
        async for line in lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                told.append((name, json.loads(line.removeprefix("data: "))))
            if len(told) == 4:
                break
    assert [name for name, _ in told] == ["command", "gateway", "alarm", "order"]
    assert told[0][1]["devices"] == [{"device": "lamp-1", "state": "sent", "reason": ""}]
    assert told[1][1] == {"gateway": "gw-1", "online": False}
    assert (told[3][1]["order"], told[3][1]["state"]) == ("WO-000001", "new")


async def test_who_missed_events_is_told_to_read_afresh(world: World):
    with world.events.subscribe(GatewayChanged) as subscription:
        subscription.missed = 3
        world.events.publish(GatewayChanged("gw-1", online=True))
        assert await live._next(subscription, Sight(world.services)) == b"event: missed\ndata: {}\n\n"
        world.events.publish(GatewayChanged("gw-1", online=True))
        assert (await live._next(subscription, Sight(world.services))).startswith(b"event: gateway\n")


async def test_only_so_many_may_listen(world: World):
    world.app.state.listeners = live.MAX_LISTENERS
    answer = await world.get("/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
