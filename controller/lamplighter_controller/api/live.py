"""`/live`: values as they change, over a WebSocket. `/events`: what happened, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, WebSocket
from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from lamplighter_contract.quantities import Kind
from lamplighter_controller.api import guard
from lamplighter_controller.api.guard import Reader
from lamplighter_controller.api.hub import Hub, TooManyWatchers, Watcher, fleet_of, incident_of
from lamplighter_controller.api.problems import Problem
from lamplighter_controller.api.services import Provided, Services
from lamplighter_controller.api.sight import Sight, sight_of
from lamplighter_controller.events import (
    AlarmChanged,
    CommandChanged,
    DevicesChanged,
    Event,
    FleetChanged,
    GatewayChanged,
    IncidentChanged,
    OrderChanged,
    Subscription,
)
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.security.callers import Caller

SEND_TIMEOUT_S: Final = 10.0
RECHECK_S: Final = 5.0  # a revoked token watches no longer than that
QUIET_S: Final = 10.0
MAX_LISTENERS: Final = 500
ROUTE: Final = "GET /live"
UNAUTHORIZED, FORBIDDEN, TOO_SLOW, TRY_LATER = 4401, 4403, 4408, 1013

router = APIRouter(tags=["live"])


@router.websocket("/live")
async def live(
    socket: WebSocket, services: Provided, kinds: Annotated[str, Query(max_length=100)] = Kind.LAMP.value
) -> None:
    """Frames of `hello`, `delta`, `beat` and `resync`; see the guide."""
    by_token = "authorization" in socket.headers
    wanted = frozenset(Kind(word) for word in kinds.split(",") if word in set(Kind))
    if not wanted or not (by_token or guard.from_own_page(socket)):
        await socket.close()  # before it is accepted: the handshake is refused with 403
        return
    await socket.accept()
    caller = await _watching(socket, services)
    if caller is None:
        await socket.close(UNAUTHORIZED, "no valid token or session")
        return
    sight = sight_of(services, caller)
    seen = frozenset(kind for kind in wanted if sight.sees_kind(kind))
    if not seen:
        await socket.close(FORBIDDEN, "nothing of this may be seen")
        return
    hub: Hub = socket.app.state.hub
    try:
        with hub.watch(seen, sight) as watcher:
            code, reason = await _serve(socket, services, watcher)
    except TooManyWatchers:
        code, reason = TRY_LATER, "too many watchers"
    if code:
        await socket.close(code, reason)


async def _serve(socket: WebSocket, services: Services, watcher: Watcher) -> tuple[int, str]:
    """Send until something ends it; the code and reason to close with, 0 when the other side has gone."""
    endings = {
        "live-send": _send(socket, watcher),
        "live-receive": _until_gone(socket),
        "live-slow": _until_slow(watcher),
        "live-recheck": _until_changed(socket, services, watcher.sight),
    }
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ending, name=name) for name, ending in endings.items()]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
    return next(iter(done)).result()


async def _send(socket: WebSocket, watcher: Watcher) -> tuple[int, str]:
    while True:
        frame = await watcher.frames.get()
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await socket.send_text(frame.decode())
        except TimeoutError:
            return TOO_SLOW, "too slow"
        except WebSocketDisconnect:
            return 0, ""


async def _until_gone(socket: WebSocket) -> tuple[int, str]:
    """Whatever a watcher says is of no interest; that it leaves is."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    return 0, ""


async def _until_slow(watcher: Watcher) -> tuple[int, str]:
    await watcher.slow.wait()
    return TOO_SLOW, "too slow"


async def _until_changed(socket: WebSocket, services: Services, sight: Sight) -> tuple[int, str]:
    while await _sees_still(socket, services, sight):  # noqa: ASYNC110 - nothing tells of a session's end
        await asyncio.sleep(RECHECK_S)
    return UNAUTHORIZED, "the token or session has ended, or may see something else now"


async def _sees_still(connection: HTTPConnection, services: Services, sight: Sight) -> bool:
    """True also while the ledger cannot be asked: who came in lawfully is not sent away by a fault of ours."""
    try:
        caller = await _watching(connection, services)
    except LedgerUnavailable:
        return True
    return caller is not None and sight_of(services, caller) == sight


async def _watching(connection: HTTPConnection, services: Services) -> Caller | None:
    caller = await guard.caller_of(connection, services)
    return caller.at(ROUTE) if caller else None


@router.get(
    "/events",
    summary="What happens, as server-sent events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"example": 'event: gateway\ndata: {"gateway":"gw-1"}\n\n'}}}},
)
async def events(connection: HTTPConnection, services: Provided, caller: Reader) -> StreamingResponse:
    """`command`, `gateway`, `devices`, `alarm`, `incident`, `fleet`; `missed`: some were lost, read the lists again."""
    state = connection.app.state
    if state.listeners >= MAX_LISTENERS:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "Too many listen already.", headers={"Retry-After": "10"})
    stream = _stream(connection, services, sight_of(services, caller))
    return StreamingResponse(stream, media_type="text/event-stream")


async def _stream(connection: HTTPConnection, services: Services, sight: Sight) -> AsyncIterator[bytes]:
    state = connection.app.state
    state.listeners += 1
    try:
        of_the_city = (IncidentChanged, FleetChanged, OrderChanged)
        kinds = (CommandChanged, GatewayChanged, DevicesChanged, AlarmChanged, *of_the_city)
        with services.events.subscribe(*kinds) as subscription:
            yield b"retry: 2000\n\n"
            checked_s = services.clock.monotonic_s()
            while True:
                now_s = services.clock.monotonic_s()
                if now_s - checked_s >= RECHECK_S:
                    checked_s = now_s
                    if not await _sees_still(connection, services, sight):
                        return
                yield await _next(subscription, sight)
    finally:
        state.listeners -= 1


async def _next(subscription: Subscription, sight: Sight) -> bytes:
    """The next event worth telling, or a comment that keeps the line open."""
    try:
        async with asyncio.timeout(min(QUIET_S, RECHECK_S)):
            while True:
                event = await subscription.queue.get()
                if subscription.missed:
                    subscription.missed = 0
                    return b"event: missed\ndata: {}\n\n"
                told = _told(event) if sight.is_told(event) else None
                if told is not None:
                    name, data = told
                    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))
    except TimeoutError:
        return b": quiet\n\n"


def _told(event: Event) -> tuple[str, dict[str, Any]] | None:
    match event:
        case CommandChanged(request, command, gateway, state, devices):
            parts = [{"device": device, "state": part, "reason": reason} for device, part, reason in devices]
            return "command", {
                "request": request,
                "command": command,
                "gateway": gateway,
                "state": state,
                "devices": parts,
            }
        case GatewayChanged(gateway, online):
            return "gateway", {"gateway": gateway, "online": online}
        case DevicesChanged(gateway):
            return "devices", {"gateway": gateway}
        case AlarmChanged(key, raised, text, time_ms):
            return "alarm", {"key": key, "raised": raised, "text": text, "time_ms": time_ms}
        case _:
            return _told_of_the_city(event)


def _told_of_the_city(event: Event) -> tuple[str, dict[str, Any]] | None:
    match event:
        case IncidentChanged():
            return "incident", incident_of(event)
        case FleetChanged():
            return "fleet", fleet_of(event)
        case OrderChanged():
            return "order", asdict(event)
        case _:
            return None
