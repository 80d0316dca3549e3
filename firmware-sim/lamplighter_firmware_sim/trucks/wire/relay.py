"""A vendor's platform that forwards what its trucks tell, as signed parts over HTTP; it cannot pass anything back."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import h11
import msgspec

from lamplighter_contract.clock import Clock
from lamplighter_firmware_sim.trucks.driver import EMPTY
from lamplighter_firmware_sim.trucks.wire.onboard import Onboard

_LOG: Final = logging.getLogger(__name__)
LOOK_S: Final = 0.5
ANSWER_S: Final = 10.0
MOST_WAITING: Final = 500
OK: Final = 200
CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Where parts are posted, what they are signed with, and what the receiver calls the feed."""

    server: tuple[str, int]
    secret: bytes
    feed: str


class VendorPlatform:
    """Collects the positions of its trucks and posts them in order; a part goes again until it is taken."""

    def __init__(
        self, trucks: Sequence[Onboard], to: Forwarding, clock: Clock, interval_s: float, least_s: float
    ) -> None:
        """Each truck is heard every `interval_s` civil seconds, and no oftener than every `least_s` real ones."""
        self._trucks, self._to, self._clock = trucks, to, clock
        self._interval_ms, self._least_s = interval_s * 1000, least_s
        self._told: dict[str, tuple[int, float]] = {}
        self._waiting: list[dict[str, Any]] = []
        self._sequence = clock.wall_ms()  # a platform that starts anew goes on above its last number
        self.taken = 0
        self.refused = 0

    async def run(self) -> None:
        """Forward for ever."""
        away = False
        while True:
            self._collect()
            if self._waiting:
                try:
                    await self._post()
                    away = False
                except (OSError, TimeoutError, h11.ProtocolError) as lost:
                    if not away:
                        _LOG.warning("the receiver of forwarded trucks is away: %s", lost)
                    away = True
            await asyncio.sleep(LOOK_S)

    def _collect(self) -> None:
        now_ms, now_s = self._clock.civil_ms(), self._clock.monotonic_s()
        for one in self._trucks:
            told_ms, told_s = self._told.get(one.truck.id, (0, 0.0))
            if now_ms - told_ms >= self._interval_ms and now_s - told_s >= self._least_s:
                self._told[one.truck.id] = now_ms, now_s
                self._waiting.append(position(one, now_ms))
        del self._waiting[:-MOST_WAITING]

    async def _post(self) -> None:
        part, sequence = self._waiting, self._sequence + 1
        about = {"feed": self._to.feed, "sequence": sequence, "sent": self._clock.wall_ms(), "positions": part}
        async with asyncio.timeout(ANSWER_S):
            status, answer = await _send(self._to, msgspec.json.encode(about))
        if status == OK:
            self._sequence, self._waiting = sequence, self._waiting[len(part) :]
            self.taken += int(answer.get("stored", 0))
        elif status == CONFLICT:
            self._sequence = int(answer["highest"])
        else:
            self.refused += 1


def position(onboard: Onboard, civil_ms: int) -> dict[str, Any]:
    """What the platform forwards of a truck."""
    vehicle, fix = onboard.vehicle, onboard.fix(civil_ms)
    return {
        "truck": onboard.truck.plate,
        "time": civil_ms,
        "latitude": fix.latitude,
        "longitude": fix.longitude,
        "speed_kmh": round(fix.speed_kmh, 1),
        "heading_deg": round(fix.heading_deg) % 360,
        "ignition": vehicle.ignition,
        "lift": "raised" if vehicle.raised else "flat",
        "cover": "open" if vehicle.cover_open else "closed",
        "load": "full" if vehicle.load > EMPTY else "empty",
        "odometer_km": round(vehicle.odometer_km, 2),
    }


async def _send(to: Forwarding, body: bytes) -> tuple[int, dict[str, Any]]:
    signed = hmac.new(to.secret, body, hashlib.sha256).hexdigest()
    state = h11.Connection(h11.CLIENT)
    headers = {"host": to.server[0], "content-length": str(len(body)), "x-lamplighter-signature": signed}
    head = h11.Request(method="POST", target="/v1/positions", headers=[*headers.items(), ("connection", "close")])
    reader, writer = await asyncio.open_connection(*to.server)
    try:
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(state.send(event) or b"")
        return await _answer(state, reader)
    finally:
        writer.close()


async def _answer(state: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    status, content = 0, b""
    while True:
        event = state.next_event()
        if event is h11.NEED_DATA:
            state.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            content += bytes(event.data)
        else:
            return status, msgspec.json.decode(content or b"{}", type=dict[str, Any])
