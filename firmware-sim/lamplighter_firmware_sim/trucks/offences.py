"""What drivers do wrong, and the seeded script that says who and when. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from lamplighter_firmware_sim.trucks.fleet import Fleet


class Offence(StrEnum):
    """One way to offend."""

    OVERSPEED = "overspeed"
    COVER_OPEN = "cover_open"
    LIFT_IN_MOTION = "lift_in_motion"
    DUMP_OUTSIDE = "dump_outside"
    NO_GO = "no_go"
    OFF_ROUTE = "off_route"


SPELL_S: Final = {Offence.OVERSPEED: 300.0, Offence.COVER_OPEN: 400.0, Offence.LIFT_IN_MOTION: 90.0}
_DAY_MS: Final = 86_400_000
_WEIGHTS: Final = (0.35, 0.25, 0.05, 0.15, 0.1, 0.1)


@dataclass(frozen=True, slots=True)
class Planned:
    """An offence to come."""

    civil_ms: int
    truck: int
    offence: Offence


def script(fleet: Fleet, from_ms: int, per_truck_day: float = 0.3) -> Iterator[Planned]:
    """Offences from a time on, in order, without an end."""
    rng = np.random.default_rng((fleet.seed, 808))
    mean_ms = _DAY_MS / max(1e-9, per_truck_day * len(fleet.trucks))
    now_ms = float(from_ms)
    while True:
        now_ms += float(rng.exponential(mean_ms))
        offence = list(Offence)[int(rng.choice(len(Offence), p=_WEIGHTS))]
        yield Planned(round(now_ms), int(rng.integers(len(fleet.trucks))), offence)
