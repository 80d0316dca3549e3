"""A night worked out: everything that was read in it, judged part by part, and added up. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.light.sky.nights import Night
from lamplighter_controller.lighting.inventory import Cabinet
from lamplighter_controller.lighting.proof.burning import Counted
from lamplighter_controller.lighting.proof.light import checks, rates
from lamplighter_controller.lighting.proof.light.bounds import Flags
from lamplighter_controller.lighting.proof.light.checks import Checked, Supplies
from lamplighter_controller.lighting.proof.light.curves import Curves
from lamplighter_controller.lighting.proof.light.evidence import DOUBTED, Rows, Sighting, from_power, with_patrols
from lamplighter_controller.lighting.proof.light.fleet import Fleet
from lamplighter_controller.lighting.proof.light.listing import LampNight, listed
from lamplighter_controller.lighting.proof.light.litrate import NEVER, Judged, burned, lit_time
from lamplighter_controller.lighting.proof.light.tally import By, Tally
from lamplighter_controller.lighting.proof.power.energy import Baseline, CabinetNight
from lamplighter_controller.lighting.proof.power.metering import flow
from lamplighter_controller.lighting.proof.power.tariff import Tariff
from lamplighter_controller.lighting.proof.power.usage import Supplied, cabinet_nights, dark_kwh, lamp_energy
from lamplighter_controller.series.port import Floats, Readings, Times

KEYS: Final[Mapping[By, str]] = {By.CLASS: "road_class", By.DISTRICT: "district", By.ROAD: "road"}


@dataclass(frozen=True)
class Burnt:
    """What one part of the lamps has burned: counters where lamps have them, hours and starts summed up for all."""

    counters: Mapping[str, Sequence[Counted]]
    summed: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Result:
    """What is published of a night."""

    tallies: Mapping[By, Sequence[Tally]]
    lamps: Sequence[LampNight]
    energy: Sequence[CabinetNight]


@dataclass
class Working:
    """One night in the making: parts of the lamps, then meters, then the result; nothing after `until_ms` counts."""

    fleet: Fleet
    during: Night
    until_ms: int
    hold_ms: int
    sightings: Sequence[Sighting] = ()
    readings: int = 0
    _meters: dict[str, Floats] = field(default_factory=dict)
    _open: dict[str, Flags] = field(default_factory=dict)
    _supplied: dict[str, Supplied] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing read: every lamp is unknown."""
        count, fleet = len(self.fleet.lamps), self.fleet
        self._required = Curves.of(fleet.required(), self.during.start_ms, self.during.end_ms)
        self._draw = Curves.of(fleet.drawn_w(), self.during.start_ms, self.during.end_ms)
        self._at_ms: Times = checks.instants(self.during.start_ms, self.until_ms)
        self._said = Checked(
            np.full((count, len(self._at_ms)), -1, np.int8), np.zeros((count, len(self._at_ms)), np.float32)
        )
        zeros = [np.zeros(count) for _ in range(5)]
        self._judged = Judged(zeros[0], zeros[1], zeros[2], zeros[3], zeros[4], np.full(count, NEVER, np.int64))
        self._dark_kwh = np.zeros(count)
        self._row_of = {lamp.device: row for row, lamp in enumerate(fleet.lamps) if lamp.device is not None}

    def silent(self, rows: Sequence[int] | range) -> None:
        """Judge lamps that no reading is expected of."""
        self._judge(np.fromiter(rows, np.int64), None)

    def part(self, devices: Sequence[str], readings: Readings) -> Burnt:
        """Judge the lamps with these devices by all their readings."""
        rows = np.array([self._row_of[name] for name in devices], np.int64)
        self.readings += len(readings.time_ms)
        return self._judge(rows, readings)

    def meter(self, supply: Cabinet, readings: Readings | None, before: tuple[int, float] | None = None) -> None:
        """Take what one supply point's meter has told, a day around the night included.

        `before`: (ms, kWh) its register when it was read last, more than a day before the night.
        """
        cabinet, account, tariff = supply.id, supply.account, supply.tariff
        if readings is None or not len(readings.time_ms):
            self._supplied[cabinet] = Supplied(account, tariff)
            return
        nothing = np.full(len(readings.time_ms), np.nan)
        sure = (readings.quality & DOUBTED) == 0
        energy = np.where(sure, readings.values.get("energy_kwh", nothing), np.nan)
        times = readings.time_ms
        if before is not None:
            times, energy = np.append(before[0], times), np.append(before[1], energy)
        self._supplied[cabinet] = Supplied(account, tariff, flow(times, energy))
        power_w = np.where(sure, _power_w(readings), np.nan)
        self._meters[cabinet] = checks.said_at(readings.time_ms, power_w, self._at_ms, self.hold_ms)

    def circuit(self, circuit: str, readings: Readings) -> None:
        """Take what one contactor has told; only what is told open is held for open."""
        closed = readings.values.get("contactor_closed", np.full(len(readings.time_ms), np.nan))
        sure = np.where((readings.quality & DOUBTED) == 0, closed, np.nan)
        self._open[circuit] = checks.said_at(readings.time_ms, sure, self._at_ms, self.hold_ms) == 0

    def result(self, baseline: Baseline, tariffs: Sequence[Tariff]) -> Result:
        """The night's figures; energy only of a night that is over."""
        fleet, judged = self.fleet, self._judged
        bounds = list(checks.bounds(fleet, self._required, self._said, self._at_ms, Supplies(self._meters, self._open)))
        proven = rates.metered(judged, bounds)
        keys = {by: [getattr(lamp, name) for lamp in fleet.lamps] for by, name in KEYS.items()}
        tallies = rates.tallies({By.CITY: ["city"] * len(fleet.lamps), **keys}, judged, proven)
        energy: list[CabinetNight] = []
        if self.until_ms >= self.during.end_ms:
            used = lamp_energy(fleet, self.during, baseline, judged, self._dark_kwh, proven)
            energy = cabinet_nights(fleet, self.during, used, self._supplied, tariffs)
        return Result(tallies, listed(fleet, judged, proven), energy)

    def _judge(self, rows: Rows, readings: Readings | None) -> Burnt:
        """Evidence of some lamps, their rows counted from 0, put where they belong."""
        fleet = self.fleet
        names = {fleet.lamps[row].id: number for number, row in enumerate(rows.tolist())}
        row, power_w, times, quality = _columns(rows, fleet, readings)
        evidence = from_power(row, times, power_w, quality, fleet.dark_below_w[rows], self.hold_ms)
        evidence = with_patrols(evidence, [one for one in self.sightings if one.lamp in names], names)
        judged, stretches = lit_time(fleet.profile[rows], self._required, evidence, self.until_ms)
        for name in Judged.__slots__:
            getattr(self._judged, name)[rows] = getattr(judged, name)
        said = checks.checked(evidence, self._at_ms, len(rows))
        self._said.state[rows], self._said.power_w[rows] = said.state, said.power_w
        self._dark_kwh[rows] = dark_kwh(fleet.draw[rows], self._draw, stretches)
        if readings is None:
            return Burnt({}, {})
        hours, starts = burned(stretches, len(rows))
        ids = list(names)
        summed = {ids[number]: (float(hours[number]), float(starts[number])) for number in np.unique(row).tolist()}
        return Burnt(_counters(ids, row, readings), summed)


def _columns(rows: Rows, fleet: Fleet, readings: Readings | None) -> tuple[Rows, Floats, Times, NDArray[np.uint8]]:
    if readings is None:
        return np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.uint8)
    numbers = {fleet.lamps[row].device: number for number, row in enumerate(rows.tolist())}
    row = np.fromiter((numbers[name] for name in readings.device), np.int64, len(readings.device))
    power_w = readings.values.get("power_w", np.full(len(row), np.nan))
    return row, power_w, readings.time_ms, readings.quality


def _counters(ids: Sequence[str], row: Rows, readings: Readings) -> dict[str, list[Counted]]:
    """Of each lamp the last reading of its counters; all of them where one has fallen."""
    hours = readings.values.get("burning_h")
    if hours is None:
        return {}
    starts = readings.values.get("starts", np.full(len(row), np.nan))
    read = np.flatnonzero(~np.isnan(hours) & ((readings.quality & DOUBTED) == 0))
    its = row[read]
    if not len(its):
        return {}
    last = np.append(its[1:] != its[:-1], True)
    fell = (its[1:] == its[:-1]) & ((hours[read[1:]] < hours[read[:-1]]) | (starts[read[1:]] < starts[read[:-1]]))
    fallen = np.isin(its, its[1:][fell])
    found: dict[str, list[Counted]] = {}
    for index in read[last | fallen].tolist():
        count = None if np.isnan(starts[index]) else float(starts[index])
        found.setdefault(ids[int(row[index])], []).append(
            Counted(int(readings.time_ms[index]), float(hours[index]), count)
        )
    return found


def _power_w(readings: Readings) -> Floats:
    """A meter's power; where it tells none, the sum of its phases."""
    nothing = np.full(len(readings.time_ms), np.nan)
    total = readings.values.get("power_w", nothing)
    phases = sum(readings.values.get(f"power_{phase}_w", nothing) for phase in "abc")
    return np.where(np.isnan(total), phases, total)
