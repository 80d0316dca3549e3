"""Trackers that publish JSON in the shape of OwnTracks to a field broker, all on one connection."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from typing import Any, Final

import aiomqtt
import msgspec

from lamplighter_contract.clock import Clock
from lamplighter_firmware_sim.trucks.driver import EMPTY
from lamplighter_firmware_sim.trucks.wire.onboard import Onboard

_LOG: Final = logging.getLogger(__name__)
LOOK_S: Final = 0.2
_BACK_OFF_S: Final = (0.5, 1, 2, 5, 10)
_TIMEOUT_S: Final = 5.0
_LONGEST: Final = 4096


class _Set(msgspec.Struct):
    """What a tracker understands; unknown fields are ignored."""

    limit: float | None = None
    llim: float | bool | None = None
    say: str | None = None


class MqttTrackers:
    """They report every `interval_s` civil seconds, and at once when something changes or is asked."""

    def __init__(
        self, trucks: Sequence[Onboard], broker: tuple[str, int], clock: Clock, interval_s: float, least_s: float
    ) -> None:
        """`broker` is host and port."""
        self._trucks, self._broker, self._clock = {one.truck.phone: one for one in trucks}, broker, clock
        self._interval_ms, self._least_s = interval_s * 1000, least_s
        self._told: dict[str, tuple[int, float, int, float]] = {}
        self._asked: set[str] = set()
        self._identifier = f"lamplighter-sim-trucks-{secrets.token_hex(4)}"
        self.connected = asyncio.Event()
        self.refused = 0

    async def run(self) -> None:
        """Stay connected for ever; losing the broker is normal."""
        failures = 0
        while True:
            try:
                async with aiomqtt.Client(*self._broker, identifier=self._identifier, timeout=_TIMEOUT_S) as client:
                    failures = 0
                    await self._connected(client)
            except* aiomqtt.MqttError as lost:
                if failures == 0:
                    _LOG.warning("field broker %s:%d is away: %s", *self._broker, lost.exceptions[0])
            self.connected.clear()
            await asyncio.sleep(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
            failures += 1

    async def _connected(self, client: aiomqtt.Client) -> None:
        client._disconnected.add_done_callback(_seen)  # noqa: SLF001 - aiomqtt does not look at its own error
        await client.subscribe([("owntracks/+/truck/set", 1), ("owntracks/+/truck/ask", 1)])
        self.connected.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(client), name="mqtt trackers listen")
            tasks.create_task(self._tell(client), name="mqtt trackers tell")

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            _, address, _, verb = message.topic.value.split("/")
            onboard = self._trucks.get(address)
            if onboard is None or onboard.sickness.blind(self._clock.civil_ms()):
                continue
            if verb == "set" and not _take(onboard, message.payload):
                self.refused += 1
            self._asked.add(address)

    async def _tell(self, client: aiomqtt.Client) -> None:
        while True:
            now_ms = self._clock.civil_ms()
            for address, onboard in self._trucks.items():
                if not onboard.sickness.blind(now_ms) and self._due(address, onboard, now_ms):
                    await client.publish(f"owntracks/{address}/truck", report(onboard, now_ms))
            await asyncio.sleep(LOOK_S)

    def _due(self, address: str, onboard: Onboard, now_ms: int) -> bool:
        now_s, limit_kmh = self._clock.monotonic_s(), onboard.vehicle.limit_kmh
        told_ms, told_s, status, limit_told = self._told.get(address, (0, 0.0, -1, 0.0))
        waited = now_ms - told_ms >= self._interval_ms and now_s - told_s >= self._least_s
        changed = (status, limit_told) != (onboard.status(), limit_kmh)
        due = waited or changed or address in self._asked
        if due:
            self._asked.discard(address)
            self._told[address] = now_ms, now_s, onboard.status(), limit_kmh
        return due


def report(onboard: Onboard, civil_ms: int) -> bytes:
    """What a tracker publishes."""
    vehicle, fix = onboard.vehicle, onboard.fix(civil_ms)
    return msgspec.json.encode(
        {
            "_type": "location",
            "tst": round(civil_ms / 1000, 1),
            "lat": fix.latitude,
            "lon": fix.longitude,
            "vel": round(fix.speed_kmh, 1),
            "cog": round(fix.heading_deg),
            "fix": True,
            "ign": vehicle.ignition,
            "lift": "raised" if vehicle.raised else "flat",
            "cover": "open" if vehicle.cover_open else "closed",
            "load": "full" if vehicle.load > EMPTY else "empty",
            "slim": vehicle.limit_kmh > 0,
            "llim": vehicle.lift_limited,
            "limit": vehicle.limit_kmh,
            "odo": round(vehicle.odometer_km, 2),
            "cut": False,
            "ant": False,
        }
    )


def _take(onboard: Onboard, payload: Any) -> bool:
    """Do what was written; False when it was not understood."""
    if not isinstance(payload, bytes | bytearray) or len(payload) > _LONGEST:
        return False
    try:
        wanted = msgspec.json.decode(payload, type=_Set)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    if wanted.limit is not None:
        onboard.limit_speed(wanted.limit)
    elif wanted.llim is not None:
        onboard.limit_lift(limited=bool(wanted.llim))
    elif wanted.say is not None:
        onboard.speak(wanted.say)
    else:
        return False
    return True


def _seen(ended: "asyncio.Future[None]") -> None:
    if not ended.cancelled():
        ended.exception()
