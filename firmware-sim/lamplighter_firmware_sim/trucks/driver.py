"""One driver's work: load at the site, dump at the ground, wash, rest, come back; and what is done wrong. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamplighter_firmware_sim.trucks.fleet import Fleet, PlaceKind, Spot, Truck
from lamplighter_firmware_sim.trucks.offences import SPELL_S, Offence
from lamplighter_firmware_sim.trucks.roads import Point, Roads
from lamplighter_firmware_sim.trucks.vehicle import HIGHEST_DEG, Vehicle

HURRY: Final = 1.6
FLAT_DEG: Final = 0.5
FULL: Final = 0.95
EMPTY: Final = 0.1
LOADED: Final = 0.5
ASTRAY_M: Final = 1_500.0
_DETOURS: Final = (Offence.DUMP_OUTSIDE, Offence.NO_GO, Offence.OFF_ROUTE)
Acts = Iterator[None]  # each step of the work that takes time yields until it is done


@dataclass(slots=True)
class Driver:
    """Works for ever; `step` once per step of the vehicle. `trips` counts loads brought to a ground."""

    truck: Truck
    fleet: Fleet
    roads: Roads
    vehicle: Vehicle
    rng: np.random.Generator
    now_s: float = 0.0
    trips: int = 0
    loaded_s: float = 0.0
    spells: dict[Offence, float] = field(default_factory=dict)
    detour: Offence | None = None
    waybill: tuple[str, float] | None = None  # what the terminal is to tell of a load just taken on
    _acts: Acts = field(init=False)

    def __post_init__(self) -> None:
        """Begin somewhere in the round, so that not all load at once."""
        self._acts = self._work()

    def step(self, seconds: float) -> None:
        """Decide, for this much time."""
        self.now_s += seconds
        next(self._acts)
        self._spells()

    def offend(self, offence: Offence) -> None:
        """Do this as soon as the work allows it."""
        if offence in _DETOURS:
            self.detour = offence
        else:
            self.spells[offence] = SPELL_S[offence]

    def _spells(self) -> None:
        """Faults of driving that last a while; only time in which they can be seen counts."""
        vehicle = self.vehicle
        driving = vehicle.speed_kmh > 1.0
        loaded = vehicle.load > LOADED
        if self.spells.get(Offence.OVERSPEED):
            vehicle.hurry = HURRY
        else:
            vehicle.hurry = 1.0
        if Offence.COVER_OPEN in self.spells and loaded:
            vehicle.cover_open = True
        if Offence.LIFT_IN_MOTION in self.spells and driving:
            vehicle.lever(HIGHEST_DEG / 4)
        for offence in tuple(self.spells):
            self.spells[offence] -= 1.0 if driving and (loaded or offence is not Offence.COVER_OPEN) else 0.0
            if self.spells[offence] <= 0:
                self._end(offence)

    def _end(self, offence: Offence) -> None:
        del self.spells[offence]
        if offence is Offence.COVER_OPEN:
            self.vehicle.cover_open = False
        if offence is Offence.LIFT_IN_MOTION:
            self.vehicle.lever(0.0)

    def _work(self) -> Acts:
        site, ground = self.fleet.spot(self.truck.site), self.fleet.spot(self.truck.ground)
        self.vehicle.point = self.fleet.spot(self.truck.parking).point
        yield from self._rest(float(self.rng.uniform(0, 3600)))
        while True:
            yield from self._drive(site)
            yield from self._wait(float(self.rng.exponential(240)))
            yield from self._load()
            yield from self._drive(ground)
            if self.vehicle.load > LOADED:
                yield from self._wait(float(self.rng.exponential(200)))
                yield from self._dump()
                self.trips += 1
            if self.rng.random() < 0.3:
                yield from self._wash()
            if self.rng.random() < 0.15:
                yield from self._drive(self.fleet.spot(self.truck.parking))
                yield from self._rest(float(self.rng.uniform(1200, 3600)))

    def _drive(self, spot: Spot) -> Acts:
        target = self._bay(spot)
        while math.dist(self.vehicle.point, target) > 1.0:
            self.vehicle.ignition = True
            self.vehicle.go(self.roads.way(self.vehicle.point, target))
            while self.vehicle.legs and not self._astray():
                yield
            if self._astray():
                yield from self._go_astray()
            yield

    def _bay(self, spot: Spot) -> Point:
        """Trucks do not stand on top of each other."""
        east, north = (float(self.rng.uniform(-0.3, 0.3)) * spot.side_m + middle for middle in spot.point)
        return east, north

    def _astray(self) -> bool:
        loaded = self.vehicle.load > LOADED or self.detour is Offence.NO_GO
        return self.detour is not None and loaded and self._off_site()

    def _off_site(self) -> bool:
        near = (PlaceKind.SITE, PlaceKind.GROUND, PlaceKind.PARKING)
        return not any(
            math.dist(self.vehicle.point, s.point) < 2 * s.side_m for s in self.fleet.spots if s.kind in near
        )

    def _go_astray(self) -> Acts:
        offence, self.detour = self.detour, None
        if offence is Offence.DUMP_OUTSIDE:
            yield from self._stop()
            yield from self._dump()
            return
        yield from self._through(self._wrong_place(offence))

    def _wrong_place(self, offence: Offence | None) -> Point:
        if offence is Offence.NO_GO:
            return self.fleet.of(PlaceKind.NO_GO)[0].point
        east, north = self.vehicle.point
        return east + ASTRAY_M, north - ASTRAY_M

    def _through(self, point: Point) -> Acts:
        self.vehicle.go(self.roads.way(self.vehicle.point, point))
        while self.vehicle.legs:
            yield
        yield from self._wait(90)

    def _stop(self) -> Acts:
        """Let it roll out and brake to a standstill where it is."""
        self.vehicle.go(())
        while self.vehicle.speed_kmh > 0:
            yield

    def _load(self) -> Acts:
        """Some buckets, five minutes or so; the cover is open meanwhile, and closed before it leaves."""
        self.vehicle.cover_open = True
        buckets = int(self.rng.integers(5, 9))
        for _ in range(buckets):
            yield from self._wait(float(self.rng.uniform(35, 65)))
            self.vehicle.load = min(FULL, self.vehicle.load + 1.0 / buckets)
        self.vehicle.load = FULL
        self.vehicle.cover_open = False
        self.loaded_s = self.now_s
        self.waybill = (f"{self.truck.id}-{round(self.now_s)}", self.truck.capacity_m3 * FULL)
        yield from self._wait(30)

    def _dump(self) -> Acts:
        self.vehicle.cover_open = True
        yield from self._wait(15)
        self.vehicle.lever(HIGHEST_DEG)
        patience_s = self.now_s + 600
        while self.vehicle.load > EMPTY and self.now_s < patience_s:
            yield
        yield from self._wait(20)
        self.vehicle.load = 0.0 if self.vehicle.load <= EMPTY else self.vehicle.load
        self.vehicle.lever(0.0)
        while self.vehicle.lift_deg > FLAT_DEG:
            yield
        self.vehicle.cover_open = False

    def _wash(self) -> Acts:
        """The empty body is raised to be rinsed."""
        washes = self.fleet.of(PlaceKind.WASH)
        yield from self._drive(washes[int(self.rng.integers(len(washes)))])
        self.vehicle.lever(HIGHEST_DEG / 2)
        yield from self._wait(60)
        self.vehicle.lever(0.0)
        yield from self._wait(60)

    def _rest(self, seconds: float) -> Acts:
        self.vehicle.ignition = False
        yield from self._wait(seconds)
        self.vehicle.ignition = True

    def _wait(self, seconds: float) -> Acts:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            yield
