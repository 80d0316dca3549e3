"""What every device is to show now: the plan's level function over the overrides kept here."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.level import OWN_SCHEDULE, Level, Why, Winner, level
from lamplighter_contract.light.level import circuit_level
from lamplighter_contract.light.level import level as planned_level
from lamplighter_contract.light.signals import Signals
from lamplighter_contract.light.view import View
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.light.photocell import Photocell

LEVEL_CAPABILITY: Final = "light.set"
NO_CLOCK: Final = "no trusted clock"
NO_PLAN: Final = "no usable plan"
FULL_PERCENT: Final = 100.0


class Wanted:
    """Asked by whoever writes to a lamp. A gateway that never had a plan wants what overrides say, and nothing else."""

    def __init__(
        self,
        entries: Mapping[str, DeviceEntry],
        journal: Journal,
        clock: Clock,
        clock_trusted: Callable[[], bool],
        photocell: Photocell,
    ) -> None:
        """Begin as a gateway that never had a plan."""
        self.photocell = photocell
        self._entries = entries
        self._journal = journal
        self._clock = clock
        self._clock_trusted = clock_trusted
        self._lamps: frozenset[str] = frozenset()
        self._circuits: frozenset[str] = frozenset()
        self._kept: frozenset[str] = frozenset()
        self.view: View | None = None
        self.commissioned = False
        self.signals: Signals = {}
        self.refit()

    def refit(self) -> None:
        """Other devices are served."""
        self._lamps = self._kept = frozenset(
            device
            for device, its in self._entries.items()
            if its.kind is Kind.LAMP and LEVEL_CAPABILITY in its.capabilities
        )
        if self.commissioned:
            self.follow(self.view)

    def follow(self, view: View | None) -> None:
        """From now on lamps and the circuits that the plan names follow it.

        None: there was one, and it is of no use. Every circuit may have been in it, and an open one keeps lamps dark.
        """
        self.commissioned = True
        self.view = view
        circuits = {name for name, its in self._entries.items() if its.kind is Kind.CIRCUIT}
        self._circuits = frozenset(circuits if view is None else circuits & view.circuits.keys())
        self._kept = self._lamps | self._circuits

    @property
    def devices(self) -> Collection[str]:
        """The devices to be kept at a level, or to be handed back to their own schedule."""
        return self._kept if self.commissioned else self._journal.desired.held

    @property
    def settable(self) -> Collection[str]:
        """The devices that may ever be brought to a level."""
        return self._kept

    def all(self) -> dict[str, Level]:
        """The level of every one of them now, and why; lamps before circuits."""
        now_ms, trusted = self._clock.civil_ms(), self._clock_trusted()
        found: dict[str, Level] = {}
        lamps = self._lamps if self.commissioned else self._journal.desired.held
        for device in lamps:
            found[device] = self._lamp(device, now_ms, trusted=trusted)
        for device in self._circuits:
            found[device] = self._circuit(device, now_ms, found, trusted=trusted)
        return found

    def unpowered(self, levels: Mapping[str, Level]) -> Collection[str]:
        """Lamps on circuits that are to be open at these levels."""
        if self.view is None:
            return ()
        opened = (self.view.circuits[name] for name in self._circuits if levels[name].level_percent == 0)
        return {lamp for circuit in opened for lamp in circuit.lamps}

    def lamps_on(self, circuit: str) -> Sequence[str]:
        """The lamps that a circuit feeds, as planned."""
        its = self.view.circuits.get(circuit) if self.view is not None else None
        return () if its is None else [lamp for lamp in its.lamps if lamp in self._lamps]

    def circuit_percent(self, circuit: str) -> float:
        """100 while a circuit is to be closed, 0 while it is to be open; one that nobody plans feeds its lamps."""
        if circuit not in self._circuits:
            return FULL_PERCENT
        return self._circuit(circuit, self._clock.civil_ms(), {}, trusted=self._clock_trusted()).level_percent or 0.0

    def level(self, device: str) -> Level:
        """The level of one lamp now, and why; for a lamp that nobody wants anything of, its own schedule."""
        return self._lamp(device, self._clock.civil_ms(), trusted=self._clock_trusted())

    def _lamp(self, device: str, now_ms: int, *, trusted: bool) -> Level:
        overrides = self._journal.desired.of(device)
        if self.view is not None and trusted:
            return planned_level(self.view, device, now_ms, self.signals, overrides)
        manual = level(overrides, device, now_ms)
        # Without a clock nobody knows when an override ends: it may only give more light than is safe anyway.
        counts = manual != OWN_SCHEDULE and (trusted or manual.level_percent == FULL_PERCENT)
        return manual if counts or not self.commissioned else self._without(NO_PLAN if trusted else NO_CLOCK)

    def _circuit(self, device: str, now_ms: int, known: Mapping[str, Level], *, trusted: bool) -> Level:
        its = self.view.circuits[device] if self.view is not None else None
        fed = its.lamps if its is not None else self._lamps  # which of them nobody knows without a plan
        lamps = {lamp: known.get(lamp) or self._lamp(lamp, now_ms, trusted=trusted) for lamp in fed}
        if self.view is None or its is None or not trusted:
            lit = (Level(FULL_PERCENT, lamp.why) for lamp in lamps.values() if lamp.level_percent != 0)
            return next(lit, self._without(NO_CLOCK if its is not None else NO_PLAN))
        return circuit_level(self.view, its, now_ms, lamps, self._journal.desired.of(device))

    def _without(self, what: str) -> Level:
        """Plan or clock are of no use: the light sensors decide, and full light where there are none."""
        dark = self.photocell.dark(self._clock.monotonic_s())
        if dark is None:
            return Level(FULL_PERCENT, Why(Winner.FAIL_SAFE, what))
        return Level(FULL_PERCENT if dark else 0.0, Why(Winner.PHOTOCELL, what))
