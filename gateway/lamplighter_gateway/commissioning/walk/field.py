"""What commissioning does to devices: blink, full light, switch a circuit. Locks and isolations stand above it."""

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.level import Override
from lamplighter_contract.quantities import Kind
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.ledger import Change
from lamplighter_gateway.commissioning.walk.feeding import CURRENTS, LOSSES
from lamplighter_gateway.control import MS_PER_MIN
from lamplighter_gateway.drivers.port import Outcome, Point, Reading, Value, Written
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.registry import Registry

BLINKS: Final = "light.identify"
TAKES_LEVEL: Final = "light.set"
LONGEST_BLINK_S: Final = 120
TRIES: Final = 3
_GOOD: Final = (Outcome.VERIFIED, Outcome.APPLIED)


class Field:
    """The devices of this gateway as an installer handles them."""

    def __init__(self, registry: Registry, actuator: Actuator, journal: Journal, clock: Clock) -> None:
        """Nothing is written before it is asked for."""
        self._registry, self._actuator, self._journal, self._clock = registry, actuator, journal, clock

    def of_kind(self, kind: Kind) -> list[str]:
        """Devices of a kind, in the order of the configuration."""
        return [device for device, entry in self._registry.entries.items() if entry.kind is kind]

    def lamps_beside(self, device: str) -> list[str]:
        """The lamps of the same bus."""
        bus = self._registry.bus_of.get(device)
        return [lamp for lamp in self.of_kind(Kind.LAMP) if self._registry.bus_of.get(lamp) == bus]

    def meter_of(self, circuit: str) -> str | None:
        """The meter of a circuit's cabinet: on the same unit, else the only one of its bus."""
        bus, unit = self._place(circuit)
        beside = [one for one in self.of_kind(Kind.CABINET) if self._place(one)[0] == bus]
        on_unit = [one for one in beside if self._place(one)[1] == unit]
        return on_unit[0] if on_unit else beside[0] if len(beside) == 1 else None

    def held_beside(self, circuit: str) -> str:
        """Who is at work on this bus, in words; empty when nobody is: only then anything is switched there."""
        bus = self._registry.bus_of.get(circuit)
        for hold in self._journal.holds.all():
            if self._registry.bus_of.get(hold.device) == bus:
                return f"{hold.device} is {hold.kind} by {hold.holder}"
        return ""

    async def blink(self, device: str, seconds: float) -> str:
        """Let a lamp blink; why it does not, or nothing."""
        entry = self._registry.entries.get(device)
        if entry is None or BLINKS not in entry.capabilities:
            return f"{device[:80]} cannot blink"
        return await self._write(Point.IDENTIFY, {device: seconds})

    async def full_light(self, lamps: Sequence[str], minutes: float) -> str:
        """Lamps at 100 % for a time, which ends by itself; why they are not, or nothing."""
        lamps = [lamp for lamp in lamps if TAKES_LEVEL in self._registry.entries[lamp].capabilities]
        now_ms, until_ms = self._clock.wall_ms(), self._clock.civil_ms() + round(minutes * MS_PER_MIN)
        identity, seq = uuid7(now_ms, secrets.token_bytes(10)), self._journal.highest_seq
        overrides = tuple(Override(identity, seq, now_ms, lamp, 100.0, until_ms) for lamp in lamps)
        await self._journal.want(Change(overrides=overrides), seq)
        return await self._write(Point.LEVEL, dict.fromkeys(lamps, 100.0))

    async def switch(self, circuit: str, *, closed: bool, by: str) -> str:
        """Close or open a contactor, read back; why it did not, or nothing."""
        return await self._write(Point.CONTACTOR, {circuit: 1.0 if closed else 0.0}, by)

    @contextlib.contextmanager
    def in_hand(self, circuit: str) -> Iterator[None]:
        """Meanwhile the gateway's own loop leaves this circuit alone; an isolation it keeps open all the same."""
        self._actuator.under_test.add(circuit)
        try:
            yield
        finally:
            self._actuator.under_test.discard(circuit)

    async def closed(self, circuit: str) -> bool | None:
        """Whether a contactor says that it is closed; None when it says nothing."""
        for _ in range(TRIES):
            value = (await self._values(circuit)).get("contactor_closed")
            if isinstance(value, bool):
                return value
        return None

    async def currents(self, meter: str) -> dict[str, Value]:
        """The phases' currents that a meter shows now."""
        values = await self._values(meter)
        return {name: values.get(name) for name in CURRENTS.values()}

    async def losses(self, lamps: Sequence[str]) -> dict[str, int]:
        """How often each lamp has lost its supply, of those that answer and count it."""
        found = await self._actuator.read_all(lamps)
        counts = {one.device: one.values.get(LOSSES) for one in found if isinstance(one, Reading)}
        return {device: count for device, count in counts.items() if isinstance(count, int)}

    async def answering(self, lamps: Sequence[str]) -> set[str]:
        """Those of the lamps that answer now."""
        return {one.device for one in await self._actuator.read_all(lamps) if isinstance(one, Reading)}

    async def _values(self, device: str) -> dict[str, Value]:
        found = await self._actuator.read(device)
        return dict(found.values) if isinstance(found, Reading) else {}

    async def _write(self, point: Point, values: dict[str, float], by: str | None = None) -> str:
        written: list[Written] = []
        await self._actuator.write(point, values, lambda _device: None, written.extend, by=by)
        bad = [one for one in written if one.outcome not in _GOOD]
        return f"{bad[0].device}: {bad[0].reason}" if bad else ""

    def _place(self, device: str) -> tuple[str, str]:
        """Bus and unit of a device."""
        entry = self._registry.entries.get(device)  # the configuration may have changed meanwhile
        unit = entry.address.rpartition("/")[2].partition("+")[0] if entry is not None else ""
        return self._registry.bus_of.get(device, ""), unit
