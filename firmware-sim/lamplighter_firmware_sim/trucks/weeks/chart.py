"""A town as trucks know it: squares in metres around its centre."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Square:
    """A place. `kind` is site, ground, wash, parking or service."""

    kind: str
    east_m: float
    north_m: float
    side_m: float

    def away_m(self, east_m: float, north_m: float) -> float:
        """Metres from its border, negative inside."""
        return max(abs(east_m - self.east_m), abs(north_m - self.north_m)) - self.side_m / 2


@dataclass(frozen=True, slots=True)
class Chart:
    """All places of a town; streets of the middle lie between high houses."""

    squares: tuple[Square, ...]
    canyon_m: float = 1_500.0

    def of(self, kind: str) -> tuple[Square, ...]:
        """Places of a kind."""
        return tuple(square for square in self.squares if square.kind == kind)

    def free(self, rng: np.random.Generator, least_m: float) -> tuple[float, float]:
        """A point that far from every place."""
        while True:
            east_m, north_m = rng.uniform(-9_000, 9_000, 2).tolist()
            if all(square.away_m(east_m, north_m) > least_m for square in self.squares):
                return east_m, north_m


def draw(rng: np.random.Generator) -> Chart:
    """A town of its own: sites inside, grounds outside, a small legal temporary yard among the grounds."""
    return Chart(tuple(_squares(rng)))


def _squares(rng: np.random.Generator) -> Iterator[Square]:
    wanted = (
        ("site", 6, 1_000, 5_000, (140, 260)),
        ("ground", 3, 7_000, 11_000, (220, 420)),
        ("ground", 1, 3_000, 6_000, (130, 160)),
        ("wash", 2, 2_000, 7_000, (50, 70)),
        ("parking", 3, 3_000, 8_000, (120, 200)),
        ("service", 2, 3_000, 8_000, (80, 120)),
    )
    found: list[Square] = []
    for kind, count, near_m, far_m, sides in wanted:
        for _ in range(count):
            found.append(_placed(rng, kind, (near_m, far_m), float(rng.uniform(*sides)), found))
            yield found[-1]


def _placed(
    rng: np.random.Generator, kind: str, reach: tuple[float, float], side_m: float, others: list[Square]
) -> Square:
    while True:
        angle, away_m = rng.uniform(0, 2 * np.pi), rng.uniform(*reach)
        square = Square(kind, float(away_m * np.cos(angle)), float(away_m * np.sin(angle)), side_m)
        if all(other.away_m(square.east_m, square.north_m) > side_m + 300 for other in others):
            return square
