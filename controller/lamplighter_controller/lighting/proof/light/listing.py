"""The list behind a night's figures: lamps that were not proven lit all the time they were due."""

from dataclasses import dataclass

import numpy as np

from lamplighter_controller.lighting.proof.light.fleet import Fleet
from lamplighter_controller.lighting.proof.light.litrate import NEVER, Judged
from lamplighter_controller.lighting.proof.light.rates import Metered
from lamplighter_controller.lighting.proof.light.tally import Proof


@dataclass(frozen=True, slots=True)
class LampNight:
    """A lamp not lit all the time that was required; `since_ms`: its last dark stretch, else its last unknown one."""

    lamp: str
    device: str | None
    road: str
    road_class: str
    district: str
    cabinet: str
    proof: Proof
    since_ms: int | None
    required_ms: float
    lit_ms: float
    dark_ms: float
    unknown_ms: float


def listed(fleet: Fleet, judged: Judged, proven: Metered) -> list[LampNight]:
    """The lamps that were not proven lit all the time they were due."""
    dark_ms = judged.dark_ms + proven.dark_ms
    unknown_ms = np.maximum(judged.unknown_ms - proven.lit_ms - proven.dark_ms, 0.0)
    found = []
    for row in np.flatnonzero((dark_ms >= 1) | (unknown_ms >= 1)).tolist():
        lamp = fleet.lamps[row]
        since_ms = int(judged.since_ms[row])
        found.append(
            LampNight(
                lamp=lamp.id,
                device=lamp.device,
                road=lamp.road,
                road_class=lamp.road_class,
                district=lamp.district,
                cabinet=lamp.cabinet,
                proof=_proof(judged, proven, row),
                since_ms=None if since_ms == NEVER else since_ms,
                required_ms=float(judged.required_ms[row]),
                lit_ms=float(judged.lit_ms[row] + proven.lit_ms[row]),
                dark_ms=float(dark_ms[row]),
                unknown_ms=float(unknown_ms[row]),
            )
        )
    return found


def _proof(judged: Judged, proven: Metered, row: int) -> Proof:
    """What most of a lamp's time is proven by."""
    patrol_ms = float(judged.patrol_ms[row])
    times = {
        Proof.OWN_POWER: float(judged.lit_ms[row] + judged.dark_ms[row]) - patrol_ms,
        Proof.PATROL: patrol_ms,
        Proof.METER: float(proven.lit_ms[row] + proven.dark_ms[row]),
    }
    most = max(times, key=times.__getitem__)
    return most if times[most] > 0 else Proof.NONE
