"""One circuit after the other is opened for seconds: the meter shows its phase, the lamps count their loss."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_gateway.commissioning.walk.feeding import drops, lost_power, phase_of
from lamplighter_gateway.commissioning.walk.field import Field
from lamplighter_gateway.commissioning.walk.record import Entry, Fed, What
from lamplighter_gateway.drivers.port import Value

FULL_MIN: Final = 15.0
SETTLE_S: Final = 20.0  # a filter, a gas lamp or a slow meter
LOOK_S: Final = 0.25
QUIET_S: Final = 2.5  # longer than a lamp blinks once
QUIET_MOST_S: Final = 130.0  # by then the last lamp of a walk has done blinking
TRIES: Final = 3  # where another load came or went in the middle
BACK_S: Final = 60.0  # until controllers answer again after their supply returned
_STEADY_A: Final = 0.1

Add = Callable[[Entry], Awaitable[None]]


@dataclass(slots=True)
class FeederTest:
    """Finds the phase of circuits and the lamps on them. What it opened, it closes, whatever happens between."""

    field: Field
    add: Add
    clock: Clock
    by: str

    async def run(self, circuits: Sequence[str]) -> None:
        """Each circuit in turn; what hinders one is noted with it."""
        counted: dict[str, int] = {}
        lit: set[str] = set()
        for circuit in circuits:
            hinder = self.field.held_beside(circuit)
            meter = self.field.meter_of(circuit)
            if hinder or meter is None:
                await self._fed(Fed(circuit, why=hinder or "no meter on its bus"))
                continue
            lamps = self.field.lamps_beside(circuit)
            if not lit.issuperset(lamps):
                await self.field.full_light(lamps, FULL_MIN)
                lit.update(lamps)
                await self._quiet(meter)
                counted |= await self.field.losses(lamps)
                counted |= await self.field.losses([lamp for lamp in lamps if lamp not in counted])
            with self.field.in_hand(circuit):
                await self._test(circuit, meter, lamps, counted)

    async def _test(self, circuit: str, meter: str, lamps: Sequence[str], counted: dict[str, int]) -> None:
        was_closed = await self.field.closed(circuit)
        if was_closed is None:
            await self._fed(Fed(circuit, why="the contactor does not answer"))
            return
        if not was_closed:
            await self.field.switch(circuit, closed=True, by=self.by)
        fed = Fed(circuit)
        for _ in range(TRIES):
            fed = await self._measured(circuit, meter, lamps, counted)
            if fed.phase:
                break
        if not was_closed:
            await self.field.switch(circuit, closed=False, by=self.by)
        await self._fed(fed)

    async def _measured(self, circuit: str, meter: str, lamps: Sequence[str], counted: dict[str, int]) -> Fed:
        """What one opening showed."""
        closed_a = await self._steady(meter)
        opened_a = await self._opened(circuit, meter, closed_a)
        if opened_a is None:
            return Fed(circuit, why="the contactor did not open")
        after = await self._back(lamps, counted)
        fed = lost_power(counted, after)
        counted |= after
        phase, drop_a = phase_of(drops(closed_a, opened_a))
        return Fed(circuit, phase, round(drop_a, 2), fed, "" if phase else "no phase of the meter stands out")

    async def _quiet(self, meter: str) -> None:
        """Wait until the load has rested for a while: lamps may still blink, or come up to full light."""
        end_s = self.clock.monotonic_s() + QUIET_MOST_S
        since_s, before = self.clock.monotonic_s(), await self.field.currents(meter)
        while since_s + QUIET_S > self.clock.monotonic_s() < end_s:
            await asyncio.sleep(LOOK_S)
            now = await self.field.currents(meter)
            if not _alike(before, now):
                since_s, before = self.clock.monotonic_s(), now

    async def _opened(self, circuit: str, meter: str, closed_a: Mapping[str, Value]) -> Mapping[str, Value] | None:
        """The meter while the circuit is open; None when it did not open. It is closed again in any case."""
        await self.add(Entry(What.OPENED, self.clock.civil_ms(), self.by, circuit))
        try:
            failure = await self.field.switch(circuit, closed=False, by=self.by)
            if failure and await self.field.closed(circuit) is not False:  # its answer alone may have been lost
                return None
            return await self._steady(meter, changed_from=closed_a)
        finally:
            async with asyncio.timeout(SETTLE_S):
                if not await self.field.switch(circuit, closed=True, by=self.by):
                    await self.add(Entry(What.CLOSED, self.clock.civil_ms(), self.by, circuit))

    async def _steady(self, meter: str, changed_from: Mapping[str, Value] | None = None) -> Mapping[str, Value]:
        """The meter once two looks agree, and differ from what was before where a change is expected."""
        end_s = self.clock.monotonic_s() + SETTLE_S
        before = await self.field.currents(meter)
        while self.clock.monotonic_s() < end_s:
            await asyncio.sleep(LOOK_S)
            now = await self.field.currents(meter)
            if _alike(before, now) and (changed_from is None or not _alike(changed_from, now)):
                return now
            before = now
        return before

    async def _back(self, lamps: Sequence[str], counted: Mapping[str, int]) -> dict[str, int]:
        """Counts of all lamps once everybody who answered before does so again."""
        end_s = self.clock.monotonic_s() + BACK_S
        found: dict[str, int] = {}
        while True:
            found |= await self.field.losses([lamp for lamp in lamps if lamp in counted and lamp not in found])
            if found.keys() >= counted.keys() & set(lamps) or self.clock.monotonic_s() >= end_s:
                return found
            await asyncio.sleep(LOOK_S)

    async def _fed(self, fed: Fed) -> None:
        await self.add(Entry(What.FED, self.clock.civil_ms(), self.by, fed=fed))


def _alike(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """True if both are read, and no phase differs by more than a meter's own unrest."""
    read = False
    for name, value in one.items():
        now = other.get(name)
        if isinstance(value, int | float) and isinstance(now, int | float):
            read = True
            if abs(value - now) > max(_STEADY_A, 0.03 * abs(value)):
                return False
        elif value != now:
            return False
    return read
