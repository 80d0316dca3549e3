"""A street for the supply tree's tests: what is heard, drawn and commanded is said outright, no detector in between."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.findings import Finding
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace
from lamplighter_controller.diagnosis.samples import Columns, Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.suspicions import LampSuspicions, MeterSuspicions, Suspicions
from lamplighter_controller.diagnosis.topology import NONE, Topology
from lamplighter_controller.diagnosis.tree.reasoner import SupplyTree

START_MS = 1_763_650_000_000
STEP_MS = 900_000
LAMP_W = 100.0
CLASSES = ("lamp_dead", "led_partial", "driver_drift", "relay_stuck_on", "dim_fail")


def street(
    cabinets: int = 4, poles: int = 10, transformer: str = "", gateways: int | None = None, *, controlled: bool = True
) -> Topology:
    """Per cabinet three circuits of one feeder each; a gateway per cabinet unless told otherwise."""
    names = [f"cab-{number}" for number in range(1, cabinets + 1)]
    gateway = {name: f"gw-{place % (gateways or cabinets) + 1}" for place, name in enumerate(names)}
    return assemble(
        Places(
            lamps=[
                LampPlace(
                    id=f"{name}-{phase}-{order}",
                    device=f"{name}-{phase}-{order}" if controlled else "",
                    cabinet=name,
                    circuit=f"{name}-{phase}",
                    phase=phase,
                    feeder="f1",
                    pole=f"pole-{name}-{phase}-{order}",
                    order=order,
                    model="new" if order % 2 else "old",
                    gateway=gateway[name],
                )
                for name in names
                for phase in "abc"
                for order in range(poles)
            ],
            cabinets=[CabinetPlace(name, name, transformer, gateway[name]) for name in names],
            circuits=[CircuitPlace(f"{name}-{phase}", name, phase, gateway[name]) for name in names for phase in "abc"],
        )
    )


@dataclass
class Street:
    """Set what is true, then `look`; findings of all looks are kept."""

    topology: Topology
    level: float = 100.0
    silent: set[str] = field(default_factory=set)
    dark: set[str] = field(default_factory=set)
    lit: set[str] = field(default_factory=set)
    astray: set[str] = field(default_factory=set)  # say themselves that they are at another level
    unpowered: set[str] = field(default_factory=set)  # silent, and the meter misses them
    meterless: set[str] = field(default_factory=set)
    volts: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    complaints: dict[str, str] = field(default_factory=dict)  # lamp -> class
    well: set[str] = field(default_factory=set)  # of those that complain: whose latest readings speak for health
    closed: float = 1.0
    excused: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        n = len(self.topology.lamps)
        self.tree = SupplyTree(self.topology, Settings())
        self.now_ms = START_MS
        self._silence = np.zeros(n, np.int32)
        self._since = np.zeros(n, np.int64)
        self._complained: set[str] = set()

    def look(self, times: int = 1) -> list[Finding]:
        """Let time pass; the findings of these looks."""
        found: list[Finding] = []
        for _ in range(times):
            self.now_ms += STEP_MS
            found += self.tree.step(self._samples(), self._suspicions(), self.now_ms)
        self.findings += found
        return found

    def _mask(self, names: Iterable[str]) -> np.ndarray:
        wanted = set(names)
        return np.array([name in wanted for name in self.topology.lamps])

    def _power(self) -> np.ndarray:
        on = self._mask(self.lit) | (np.full(len(self.topology.lamps), self.level > 0) & ~self._mask(self.dark))
        return np.where(on & ~self._mask(self.unpowered), LAMP_W, 0.0)

    def _samples(self) -> Samples:
        tree = self.topology
        n, c, k = len(tree.lamps), len(tree.cabinets), len(tree.circuits)
        heard = ~self._mask(self.silent | self.unpowered)
        volts = np.array([self.volts.get(name, (230.0, 231.0, 229.0)) for name in tree.cabinets])
        phase = tree.feeder_phase[tree.lamp_feeder]
        power = np.zeros((c, 3))
        np.add.at(power, (tree.lamp_cabinet, phase), self._power() * 1.03)
        meters = np.array([name not in self.meterless for name in tree.cabinets])
        values = {f"power_{letter}_w": power[:, place] for place, letter in enumerate("abc")}
        values |= {f"voltage_{letter}_v": volts[:, place] for place, letter in enumerate("abc")}
        ones = np.ones(k, np.bool_)
        circuit_heard = meters[tree.circuit_cabinet]
        return Samples(
            lamps=Columns(
                np.ones(n, np.bool_),
                heard,
                np.full(n, self.now_ms),
                {"power_w": np.where(heard, self._power(), np.nan)},
            ),
            cabinets=Columns(np.ones(c, np.bool_), meters, np.full(c, self.now_ms), values),
            circuits=Columns(
                ones, circuit_heard, np.full(k, self.now_ms), {"contactor_closed": np.full(k, self.closed)}
            ),
            excused=self._mask(self.excused),
        )

    def _suspicions(self) -> Suspicions:
        tree = self.topology
        n, c = len(tree.lamps), len(tree.cabinets)
        silent = self._mask(self.silent | self.unpowered)
        self._since = np.where(silent, np.where(self._silence > 0, self._since, self.now_ms - STEP_MS), 0)
        self._silence = np.where(silent, self._silence + 1, 0).astype(np.int32)
        return Suspicions(
            lamps=self._complaints(),
            meters=no_meter_suspicions(c),
            silence=self._silence,
            silent_since_ms=self._since,
            power_w=np.where(silent, np.nan, self._power()),
            expected_w=np.full(n, LAMP_W if self.level > 0 else 0.0),
            dark=self._mask(self.dark) & ~silent,
            lit=self._mask(self.lit) & ~silent,
            astray=self._mask(self.astray) & ~silent,
            feeder_common=np.full(len(tree.feeders), np.nan),
        )

    def _complaints(self) -> LampSuspicions:
        row_of = {name: row for row, name in enumerate(self.topology.lamps)}
        names = sorted(self.complaints, key=row_of.__getitem__)
        probability = np.full((len(names), len(CLASSES)), 0.02)
        for place, name in enumerate(names):
            probability[place, CLASSES.index(self.complaints[name])] = 0.96
        cleared = [row_of[name] for name in self._complained - set(names)]
        raised = np.array([name not in self._complained for name in names], np.bool_)
        self._complained = set(names)
        now = np.full(len(names), self.now_ms, np.int64)
        return LampSuspicions(
            np.array([row_of[name] for name in names], np.int64),
            CLASSES,
            np.log(probability),
            probability,
            raised,
            now,
            now,
            np.array([name not in self.well for name in names], np.bool_),
            {},
            np.array(cleared, np.int64),
        )


def no_meter_suspicions(cabinets: int) -> MeterSuspicions:
    """Meters that have nothing to say."""
    nothing, none = np.full((cabinets, 4), np.nan), np.zeros((cabinets, 4), np.bool_)
    zeros = np.zeros((cabinets, 4))
    times = np.zeros((cabinets, 4), np.int64)
    blocks = np.zeros((cabinets, 4), np.int32)
    return MeterSuspicions(nothing, nothing, nothing, zeros, zeros, zeros, none, none, times, blocks, nothing)


def of(topology: Topology, cabinet: str, phase: str = "", first: int = 0) -> set[str]:
    """Lamps of a cabinet, of one phase, from a place along it outwards."""
    order = topology.lamp_order
    return {
        name
        for row, name in enumerate(topology.lamps)
        if topology.lamp_cabinet[row] != NONE
        and topology.cabinets[topology.lamp_cabinet[row]] == cabinet
        and (not phase or f"-{phase}-" in name)
        and order[row] >= first
    }
