"""What one truck really did in a week, stretch by stretch, honest and not."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamplighter_firmware_sim.trucks.weeks.chart import Chart, Square

DAY_S: Final = 86_400.0
FLAT, UP = 0, 1
SHUT, OPENED = 0, 1
EMPTY, HALF, FULL = 0, 1, 2
Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a judge should find: from when to when, in seconds of the week."""

    kind: str
    start_s: float
    end_s: float


@dataclass(slots=True)
class Life:
    """Knots of a truck's week: from each time on it moves evenly to the next, with these states."""

    chart: Chart
    rng: np.random.Generator
    rows: list[tuple[float, float, float, int, int, int, int]] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    now_s: float = 0.0
    here: Spot = (0.0, 0.0)
    lift: int = FLAT
    load: int = EMPTY
    cover: int = SHUT
    ignition: int = 0

    def mark(self) -> None:
        """The state from now on."""
        self.rows.append((self.now_s, *self.here, self.lift, self.load, self.cover, self.ignition))

    def wait(self, seconds: float) -> None:
        """Stand here."""
        self.mark()
        self.now_s += max(1.0, seconds)

    def drive(self, to: Spot, kmh: float | None = None) -> None:
        """To a point by streets: first one way, then the other, at changing speeds."""
        self.ignition = 1
        corner = (to[0], self.here[1]) if self.rng.random() < 0.5 else (self.here[0], to[1])
        for end in (corner, to):
            self._straight(end, kmh)
        self.mark()

    def _straight(self, end: Spot, kmh: float | None) -> None:
        start, length_m = self.here, float(np.hypot(end[0] - self.here[0], end[1] - self.here[1]))
        done_m = 0.0
        while done_m < length_m - 1:
            step_m = min(length_m - done_m, float(self.rng.uniform(300, 900)))
            self.mark()
            self.now_s += step_m * 3.6 / (kmh or float(self.rng.uniform(25, 57)))
            done_m += step_m
            share = done_m / length_m
            self.here = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
            if kmh is None and self.rng.random() < 0.15:
                self.wait(self.rng.uniform(15, 80))  # a red light


@dataclass(slots=True)
class Ways:
    """How often a driver does what, per trip."""

    dumps_wrong: float = 0.024
    open_run: float = 0.01
    speeds: float = 0.01
    washes: float = 0.3
    service: float = 0.03
    empty_visit: float = 0.04
    ferry: float = 0.01
    half: float = 0.12


def live(life: Life, days: int, ways: Ways) -> None:
    """Days of work: from the yard, round after round, back to the yard."""
    rng, chart = life.rng, life.chart
    home = _pick(rng, chart.of("parking"))
    site, ground = _pick(rng, chart.of("site")), _pick(rng, chart.of("ground"))
    life.here = _bay(rng, home)
    for day in range(days):
        begins_s = day * DAY_S + float(rng.uniform(4, 9)) * 3600
        life.ignition = 0
        life.wait(begins_s - life.now_s)
        ends_s = begins_s + float(rng.uniform(8, 11)) * 3600
        while life.now_s < ends_s:
            _round(life, site, ground, ways)
        life.drive(_bay(rng, home))
    life.ignition = 0
    life.wait(days * DAY_S - life.now_s)
    life.mark()


def _round(life: Life, site: Square, ground: Square, ways: Ways) -> None:
    rng = life.rng
    life.drive(_bay(rng, site))
    life.wait(rng.exponential(300))
    if rng.random() < ways.empty_visit:
        life.wait(rng.uniform(200, 900))  # nothing to carry after all
    else:
        _take_on(life, ways)
        _bring(life, ground, ways)
    if rng.random() < ways.washes:
        _wash(life)
    if rng.random() < ways.service:
        _service(life)
    if rng.random() < ways.ferry:
        _ferry(life)


def _take_on(life: Life, ways: Ways) -> None:
    rng = life.rng
    life.cover = OPENED
    life.wait(rng.uniform(120, 240))
    half = rng.random() < ways.half
    life.load = HALF
    life.wait(rng.uniform(100, 200))
    life.load = HALF if half else FULL
    life.loads.append(life.now_s)
    life.wait(rng.uniform(20, 60))
    life.cover = SHUT
    life.wait(rng.uniform(10, 300))  # queue at the gate


def _bring(life: Life, ground: Square, ways: Ways) -> None:
    rng = life.rng
    if rng.random() < ways.open_run:
        _run_open(life)
    if rng.random() < ways.speeds:
        _speed(life)
    if rng.random() < ways.dumps_wrong:
        life.drive(_wrong_spot(life, ground))
        begun_s = life.now_s
        _dump(life)
        life.deeds.append(Deed("dump_outside", begun_s, life.now_s))
        return
    life.drive(_bay(rng, ground))
    for _ in range(int(rng.integers(0, 4))):  # the queue creeps
        life.wait(rng.uniform(20, 150))
        life.drive((life.here[0] + rng.uniform(-8, 8), life.here[1] + rng.uniform(-8, 8)), 6.0)
    _dump(life)


def _wrong_spot(life: Life, ground: Square) -> Spot:
    """A field somewhere, or just outside the ground where nobody pays."""
    if life.rng.random() < 0.15:
        away_m = ground.side_m / 2 + float(life.rng.uniform(150, 400))
        return ground.east_m + away_m, ground.north_m
    return life.chart.free(life.rng, 250.0)


def _dump(life: Life) -> None:
    rng = life.rng
    life.cover = OPENED
    life.wait(rng.uniform(8, 40))
    for last in (False, True) if rng.random() < 0.1 else (True,):  # some stick, and are lifted twice
        life.lift = UP
        life.wait(rng.uniform(18, 60))
        life.load = EMPTY if last else life.load
        life.wait(rng.uniform(18, 90))
        life.lift = FLAT
        life.wait(rng.uniform(10, 30))
    life.cover = SHUT
    life.wait(rng.uniform(5, 60))


def _run_open(life: Life) -> None:
    """Some kilometres with the cover open."""
    life.cover = OPENED
    begun_s = life.now_s
    life.drive((life.here[0] + life.rng.uniform(1_500, 3_000), life.here[1]), 35.0)
    life.cover = SHUT
    life.deeds.append(Deed("cover_open", begun_s, life.now_s))
    life.mark()


def _speed(life: Life) -> None:
    begun_s = life.now_s
    life.drive((life.here[0] + life.rng.uniform(-3_000, -1_500), life.here[1]), float(life.rng.uniform(72, 90)))
    life.deeds.append(Deed("overspeed", begun_s, life.now_s))


def _wash(life: Life) -> None:
    life.drive(_bay(life.rng, _pick(life.rng, life.chart.of("wash"))))
    life.wait(life.rng.uniform(20, 60))
    _lift_empty(life, life.rng.uniform(60, 240))


def _service(life: Life) -> None:
    """In a workshop, or at the roadside where it broke down."""
    workshop = life.rng.random() < 0.5
    spot = _bay(life.rng, _pick(life.rng, life.chart.of("service"))) if workshop else life.chart.free(life.rng, 250.0)
    life.drive(spot)
    life.wait(life.rng.uniform(60, 600))
    _lift_empty(life, life.rng.uniform(60, 1800))


def _lift_empty(life: Life, seconds: float) -> None:
    life.lift = UP
    life.wait(seconds)
    life.lift = FLAT
    life.wait(life.rng.uniform(10, 40))


def _ferry(life: Life) -> None:
    """Carried over the water with the engine off."""
    life.wait(life.rng.uniform(120, 600))
    life.ignition = 0
    life.mark()
    life.now_s += 3_000 * 3.6 / 12
    life.here = (life.here[0] + 3_000.0, life.here[1])
    life.ignition = 1
    life.wait(60)


def _pick(rng: np.random.Generator, squares: tuple[Square, ...]) -> Square:
    return squares[int(rng.integers(len(squares)))]


def _bay(rng: np.random.Generator, square: Square) -> Spot:
    east, north = rng.uniform(-0.38, 0.38, 2) * square.side_m
    return square.east_m + float(east), square.north_m + float(north)
