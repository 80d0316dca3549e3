"""Luminaire models as diagnosis knows them: rated power, what makes the light, and the power over level if told."""

from dataclasses import dataclass
from typing import Final

DISCHARGE: Final = frozenset({"hps", "lps", "metal-halide", "mercury"})


@dataclass(frozen=True, slots=True)
class LampModel:
    """One model of luminaire.

    Args:
        source: `led`, or a discharge lamp (`hps`, `lps`, `metal-halide`, `mercury`) that warms up and takes time to
            strike again; anything else is treated as LED.
        curve: (level percent, watts) points, rising; empty = learned from the fleet.
        clo: (burning hours, percent of power) points of constant light output; empty = power does not follow age, or
            nobody has said so and the slow part of the unit gain follows it.
    """

    id: str
    rated_w: float
    source: str = "led"
    curve: tuple[tuple[float, float], ...] = ()
    clo: tuple[tuple[float, float], ...] = ()

    @property
    def discharge(self) -> bool:
        """The lamp warms up for minutes."""
        return self.source in DISCHARGE
