"""A bus of lamps in memory: they obey at once and are polled from time to time; deaf ones never answer a write."""

import asyncio
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.quantities import Kind
from lamplighter_gateway.drivers.port import (
    Applied,
    BusStatus,
    Outcome,
    Point,
    ReadFailed,
    Reading,
    Sink,
    Value,
    Write,
    Written,
)

POLL_S: Final = 30.0
OWN_PERCENT: Final = 100.0
_WATTS_PER_PERCENT: Final = 1.2


class MemoryLamps:
    """One bus; `level_percent` is what each lamp shows."""

    def __init__(
        self, bus: str, devices: Iterable[str], sink: Sink, clock: Clock, percent: float, deaf: Collection[str] = ()
    ) -> None:
        self.bus = bus
        self.level_percent = dict.fromkeys(devices, percent)
        self._deaf = frozenset(deaf)
        self._sink, self._clock = sink, clock

    async def run(self) -> None:
        """Poll all lamps together, after a first random moment."""
        await asyncio.sleep(random.random())
        while True:
            self._sink([self._reading(device) for device in self.level_percent])
            await asyncio.sleep(POLL_S)

    async def read(self, device: str, timeout_s: float) -> Reading | ReadFailed:  # noqa: ARG002 - the port's form
        """What the lamp shows."""
        return ReadFailed(device, "no response") if device in self._deaf else self._reading(device)

    async def write(self, writes: Sequence[Write], applied: Applied, *, broadcast: bool) -> list[Written]:  # noqa: ARG002 - the port's form
        """Levels, and back to full light."""
        written = [self._written(write, applied) for write in writes]
        self._sink([part.reading for part in written if part.reading is not None])
        return written

    def status(self) -> BusStatus:
        """All is well."""
        return BusStatus(self.bus, "memory", True, len(self.level_percent), (), 0.1, 0.1, 1, 0, 0, 0, 0, "")

    def _written(self, write: Write, applied: Applied) -> Written:
        if write.device in self._deaf:
            return Written(write.device, Outcome.UNCONFIRMED, "no response", answered=False)
        applied(write.device)
        self.level_percent[write.device] = OWN_PERCENT if write.point is Point.RESUME else write.value
        return Written(write.device, Outcome.VERIFIED, "", self._reading(write.device))

    def _reading(self, device: str) -> Reading:
        percent = self.level_percent[device]
        values: Mapping[str, Value] = {
            "switched_on": percent > 0,
            "level_percent": percent,
            "power_w": percent * _WATTS_PER_PERCENT,
            "voltage_v": 230.0,
        }
        return Reading(device, Kind.LAMP, self._clock.civil_ms(), values)
