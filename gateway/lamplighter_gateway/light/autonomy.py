"""The loop that keeps every lamp where it should be, and without a plan gives it back when nobody wants it any more."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from lamplighter_contract.clock import Clock
from lamplighter_contract.level import Level, Override
from lamplighter_contract.quantities import Kind
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.drivers.port import Outcome, Point, Reading, Value, Written
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.debts import Debts
from lamplighter_gateway.light.reconcile import Action, fits, reconcile
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.light.supply import Supply
from lamplighter_gateway.light.switching import Steps
from lamplighter_gateway.light.wanted import Wanted
from lamplighter_gateway.safety.holds import OPENS
from lamplighter_gateway.watch.counters import Counters

log = logging.getLogger(__name__)

TICK_S: Final = 1.0
WAKE_TRIES: Final = 5
FULL_PERCENT: Final = 100.0
_NOTHING: Final[Mapping[str, Value]] = {"desired_percent": None, "desired_by": None}

Reached = Callable[[str, str], Awaitable[None]]


class Autonomy:
    """Asks every second what should be true now; a missed tick or a restart heals itself."""

    def __init__(
        self,
        wanted: Wanted,
        journal: Journal,
        registry: Registry,
        actuator: Actuator,
        clock: Clock,
        counters: Counters,
        on_reached: Reached,
    ) -> None:
        """`on_reached` is told a device and the source of the level it now shows."""
        self._wanted = wanted
        self._journal = journal
        self._registry = registry
        self._actuator = actuator
        self._clock = clock
        self._counters = counters
        self._on_reached = on_reached
        self._steps = Steps()
        self._debts = Debts()
        self._supply = Supply()
        self._reached: dict[str, str] = {}
        self._desired: dict[str, Mapping[str, Value]] = {}
        self.came_round: Callable[[], None] = _nobody

    def observe(self, readings: Sequence[Reading]) -> None:
        """Take note of readings as they come."""
        self._wanted.photocell.observe(readings, self._clock.monotonic_s())
        # Those, too, that nobody wants anything of yet: a command that brings them on has to know that they are off.
        isolated = self._journal.holds.circuits()
        settable = self._wanted.settable
        self._actuator.observe(readings, {*settable, *isolated} if isolated else settable)

    def with_desired(self, readings: Sequence[Reading]) -> Sequence[Reading]:
        """The readings, those of lamps that are or were wanted at a level with it and who decides (None: no longer)."""
        if not self._desired:
            return readings
        return [
            replace(reading, values={**reading.values, **self._desired[reading.device]})
            if reading.device in self._desired
            else reading
            for reading in readings
        ]

    def expected_silent(self) -> Collection[str]:
        """Lamps that are without power by plan: their silence is no news."""
        return self._supply.expected_silent(self._clock.monotonic_s())

    def refresh(self) -> Mapping[str, Level]:
        """Desired state changed: what readings carry as desired follows at once. What is wanted of every device."""
        wanted = self._wanted.all()
        unpowered = {*self._wanted.unpowered(wanted), *self._journal.holds.without_power()}
        self._supply.note(unpowered, self._clock.monotonic_s())
        told = {
            device: {"desired_percent": its.level_percent, "desired_by": its.why.winner.value}
            for device, its in wanted.items()
            if its.level_percent is not None and self._is_lamp(device)
        }
        self._desired = {**dict.fromkeys(self._desired, _NOTHING), **told}
        return wanted

    async def run(self) -> NoReturn:
        """Reconcile until cancelled."""
        async with asyncio.TaskGroup() as writes:
            while True:
                await self.step(writes)
                self.came_round()
                await asyncio.sleep(TICK_S)
        raise AssertionError("unreachable")

    async def step(self, writes: asyncio.TaskGroup) -> None:
        """One look at every device; writes go on by themselves, each bus for itself."""
        await self._end_overrides()
        due: dict[tuple[str, Point], dict[str, float]] = defaultdict(dict)
        levels = self.refresh()
        self._ask_debtors(levels, writes)
        holds = self._journal.holds
        locked = holds.holders()
        for device in dict.fromkeys((*levels, *holds.circuits())):  # lamps before circuits
            if holds.isolated(device):
                action = self._keep_open(device)
            elif device in locked:
                continue
            else:
                action = await self._look(device, levels[device])
            if action is not None:
                due[self._registry.bus_of[device], action.point][device] = action.value
        for (bus, point), values in due.items():
            # Busy from now on, not from when the task begins: the next step must not write the same again.
            self._actuator.busy.update(values)
            writes.create_task(self._write(point, values), name=f"autonomy-{bus}-{point}")

    def _keep_open(self, circuit: str) -> Action | None:
        """An isolated circuit that closes is opened again at once, whatever else is wanted of it."""
        shown = self._actuator.shown.get(circuit)
        closed = shown is not None and shown.level_percent != 0 and circuit in self._registry.bus_of
        return Action(Point.CONTACTOR, 0.0) if closed and circuit not in self._actuator.busy else None

    async def _look(self, device: str, wanted: Level) -> Action | None:
        wanted = self._steps.step(device, wanted)
        in_hand = device in self._actuator.busy or device in self._actuator.under_test
        if in_hand or device not in self._registry.bus_of:
            return None
        shown, now_s = self._actuator.shown.get(device), self._clock.monotonic_s()
        if shown is None:
            return None
        if fits(wanted, shown) and self._reached.get(device) != wanted.why.source:
            self._reached[device] = wanted.why.source
            await self._on_reached(device, wanted.why.source)
        action = reconcile(wanted, shown, self._actuator.tried.get(device), now_s)
        if action is None:
            return None
        bus, switched_s = self._registry.bus_of[device], self._actuator.switched_s.get(device, ())
        if not self._actuator.relays.may(bus, wanted, shown, switched_s, now_s):
            return None
        return action if self._is_lamp(device) else Action(Point.CONTACTOR, action.value / FULL_PERCENT)

    def _ask_debtors(self, levels: Mapping[str, Level], asking: asyncio.TaskGroup) -> None:
        """One silent lamp of each bus that owes a level is asked now and then, beside what the driver asks."""
        now_s, excused = self._clock.monotonic_s(), self.expected_silent()
        owing = [one for one, its in levels.items() if its.level_percent is not None and one not in excused]
        for bus, lamps in self._registry.by_bus(one for one in owing if one in self._registry.bus_of).items():
            lamp = self._debts.due(bus, lamps, self._actuator.shown, self._actuator.tried, now_s)
            if lamp is not None:
                asking.create_task(self._actuator.read(lamp), name=f"debt-{lamp}")

    async def _write(self, point: Point, values: dict[str, float]) -> None:
        self._counters.add("autonomy_writes", len(values))
        written: list[Written] = []
        # The loop leaves alone what is locked; what is isolated as well as locked it still opens.
        by = OPENS if point is Point.CONTACTOR else None
        await self._actuator.write(point, values, lambda _device: None, written.extend, by=by)
        failed = [part for part in written if part.outcome in (Outcome.FAILED, Outcome.UNCONFIRMED)]
        if failed:
            self._counters.add("autonomy_failures", len(failed))
            log.info("%s of %s not taken (%s); tried again when it answers", point, failed[0].device, failed[0].reason)
        if point is Point.CONTACTOR:
            await self._wake([device for device, closed in values.items() if closed])
        if point is Point.RESUME:
            await self.handed_back([part.device for part in written if part not in failed])

    async def handed_back(self, devices: Sequence[str]) -> None:
        """These lamps took the resume: those nobody wants anything of are no longer held."""
        free = [device for device in devices if self._wanted.level(device).level_percent is None]
        for device in free:
            self._actuator.shown.pop(device, None)
            self._actuator.tried.pop(device, None)
            self._reached.pop(device, None)
        await self._forget([], free)

    async def _wake(self, circuits: Sequence[str]) -> None:
        """Power is back: one lamp of each circuit is asked until it answers, and the drivers find the others by it."""
        async with asyncio.TaskGroup() as asking:
            for circuit in circuits:
                lamps = self._wanted.lamps_on(circuit)
                if lamps:
                    asking.create_task(self._ask(lamps), name=f"wake-{circuit}")

    async def _ask(self, lamps: Sequence[str]) -> None:
        for lamp in [*lamps[:1], *lamps[:WAKE_TRIES]]:
            if isinstance(await self._actuator.read(lamp), Reading):
                return
            await asyncio.sleep(TICK_S)

    def _is_lamp(self, device: str) -> bool:
        entry = self._registry.entries.get(device)
        return entry is None or entry.kind is Kind.LAMP

    async def _end_overrides(self) -> None:
        ended = self._journal.desired.drop_ended(self._clock.civil_ms())
        if ended:
            self._counters.add("overrides_ended", len(ended))
            await self._forget(ended, [])

    async def _forget(self, ended: Sequence[Override], free: Sequence[str]) -> None:
        try:
            await self._journal.forget(ended, free)
        except DiskFullError:
            log.warning("no room to note that overrides ended; the note is made again after the next start")


def _nobody() -> None:
    """Nobody watches."""
