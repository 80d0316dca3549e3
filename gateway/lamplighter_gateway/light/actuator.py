"""Writes to devices, whoever wants them: one at a time per device, and what was read back is known to all."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Reason
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Reading, Write, Written
from lamplighter_gateway.light.reconcile import Shown, Tried
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.light.switching import Relays, Switching

DEADLINE_S: Final = 10.0
DEADLINE_PER_DEVICE_S: Final = 0.25
NOT_SERVED: Final = "no longer a device of this gateway"
GRACE_S: Final = 5.0  # a driver keeps the deadline itself; this only bounds a driver that does not
READ_TIMEOUT_S: Final = 5.0

Done = Callable[[Sequence[Written]], None]


class Actuator:
    """The only way to a device's write registers."""

    def __init__(self, registry: Registry, clock: Clock, switching: Switching) -> None:
        """Nothing is written before it is asked for."""
        self._registry = registry
        self._clock = clock
        self.relays = Relays(switching)
        self.forbids: Callable[[str, Point, float, str | None], Reason | None] = lambda *_: None
        self.remember: Callable[[Collection[str]], Awaitable[None]] = _nothing
        self.busy: set[str] = set()
        self.under_test: set[str] = set()  # a person has them in hand for seconds: the loop leaves them alone
        self.shown: dict[str, Shown] = {}
        self.tried: dict[str, Tried] = {}
        self.switched_s: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=switching.most_a_day))

    def observe(self, readings: Iterable[Reading], of_interest: Collection[str]) -> None:
        """Note the levels that devices of interest show."""
        at_s = self._clock.monotonic_s()
        for reading in readings:
            if reading.device in of_interest:
                self._note(reading, at_s)

    async def write(
        self,
        point: Point,
        values: Mapping[str, float],
        applied: Callable[[str], None],
        done: Done,
        *,
        by: str | None = None,
    ) -> None:
        """Bring `point` of each device to its value, all buses at once; `done` is called bus by bus.

        What is isolated or locked is not written, unless `by` holds the lock.
        """
        served = self._registry.bus_of
        gone = [device for device in values if device not in served]
        if gone:
            done([Written(device, Outcome.FAILED, NOT_SERVED, answered=False) for device in gone])
        held = {device: self.forbids(device, point, value, by) for device, value in values.items() if device in served}
        refused = [Written(device, Outcome.FAILED, str(why), answered=False) for device, why in held.items() if why]
        if refused:
            done(refused)
        free = {device: values[device] for device, why in held.items() if why is None}
        self.busy.update(values)
        try:
            async with asyncio.TaskGroup() as buses:
                for bus, devices in self._registry.by_bus(free).items():
                    part = {device: values[device] for device in devices}
                    buses.create_task(self._write_bus(bus, point, part, applied, done), name=f"write-{bus}")
        finally:
            self.busy.difference_update(values)

    def admits(self, device: str, percent: float) -> bool:
        """False while a lamp that is off would come on with too many others of its bus."""
        shown = self.shown.get(device)
        comes_on = shown is not None and shown.level_percent == 0 < percent
        return not comes_on or self.relays.comes_on(self._registry.bus_of[device], self._clock.monotonic_s())

    async def read(self, device: str) -> Reading | ReadFailed:
        """Read one device now."""
        return (await self.read_all([device]))[0]

    async def read_all(self, devices: Sequence[str]) -> list[Reading | ReadFailed]:
        """Read devices now, one result per device in the same order; many on one bus get more time."""
        timeout_s = READ_TIMEOUT_S + DEADLINE_PER_DEVICE_S * len(devices)
        async with asyncio.TaskGroup() as reads:
            tasks = [reads.create_task(self._read(device, timeout_s), name=f"read-{device}") for device in devices]
        return [task.result() for task in tasks]

    async def _read(self, device: str, timeout_s: float) -> Reading | ReadFailed:
        if device not in self._registry.bus_of:
            return ReadFailed(device, NOT_SERVED)
        try:
            async with asyncio.timeout(timeout_s + GRACE_S):
                return await self._registry.driver(device).read(device, timeout_s)
        except TimeoutError:
            return ReadFailed(device, "no answer in time")

    async def _write_bus(
        self, bus: str, point: Point, values: Mapping[str, float], applied: Callable[[str], None], done: Done
    ) -> None:
        budget_s = DEADLINE_S + DEADLINE_PER_DEVICE_S * len(values)
        deadline_s = self._clock.monotonic_s() + budget_s
        turning = self._turning(values) if point in (Point.LEVEL, Point.CONTACTOR) else frozenset()
        driver = self._registry.drivers.get(bus)
        if driver is None:
            done([Written(device, Outcome.FAILED, NOT_SERVED, answered=False) for device in values])
            return
        writes = [Write(device, point, value, deadline_s) for device, value in values.items()]
        broadcast = len(set(values.values())) == 1 and self._registry.is_whole_bus(bus, values)
        try:
            async with asyncio.timeout(budget_s + GRACE_S):
                written = await driver.write(writes, applied, broadcast=broadcast)
        except TimeoutError:
            late = "the bus did not answer in time"
            written = [Written(device, Outcome.UNCONFIRMED, late, answered=False) for device in values]
        turned = self._settle(written, turning)
        if turned:
            await self.remember(turned)
        done(written)

    def _settle(self, written: Sequence[Written], turning: Collection[str]) -> list[str]:
        """Note what came of writes; those that have gone on or off."""
        now_s, turned = self._clock.monotonic_s(), []
        for part in written:
            good = part.outcome in (Outcome.VERIFIED, Outcome.APPLIED)
            before = self.tried.get(part.device)
            failures = (before.failures if before and part.answered else 0) + 1
            self.tried[part.device] = Tried(now_s, 0 if good else failures)
            if good and part.device in turning:
                self.switched_s[part.device].append(now_s)
                turned.append(part.device)
            if part.reading is not None:
                self._note(part.reading, now_s)
        return turned

    def _note(self, reading: Reading, at_s: float) -> None:
        self.shown[reading.device] = Shown(_percent(reading), at_s)

    def _turning(self, values: Mapping[str, float]) -> frozenset[str]:
        """Those that go on or off by these values."""
        shown = {device: self.shown[device].level_percent for device in values if device in self.shown}
        return frozenset(
            device for device, percent in shown.items() if percent is not None and (percent > 0) != (values[device] > 0)
        )


async def _nothing(_turned: Collection[str]) -> None:
    """Nobody keeps them."""


def _percent(reading: Reading) -> float | None:
    """The level a device tells; a contactor is at 0 or 100."""
    closed = reading.values.get("contactor_closed")
    if isinstance(closed, bool):
        return 100.0 if closed else 0.0
    percent = reading.values.get("level_percent")
    return float(percent) if isinstance(percent, int | float) else None
