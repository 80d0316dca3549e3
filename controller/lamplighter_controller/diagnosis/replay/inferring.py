"""Whether lamps were told to burn, where nobody wrote down what they were told."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.samples import Columns
from lamplighter_controller.diagnosis.topology import Topology

Floats = NDArray[np.float32]

_DRAWS: Final = 0.12  # of its model's power: beyond standby, below any dimmed light
_FEWEST: Final = 3


def inferred_percent(lamps: Columns, topology: Topology, rated_w: Floats) -> Floats:
    """(n,) level each lamp was told, NaN = cannot be known.

    What the device says of its own command comes first; else most of the lamps of its cabinet decide, and where those
    are too few, most of the city: 0 when they draw no power. When they do, the level stays open: detectors find it from
    what lamps of the same model draw.
    """
    told = lamps.column("desired_percent").astype(np.float32)
    told = np.where(np.isnan(told), lamps.column("level_percent"), told)
    told = np.where(np.isnan(told), 100 * lamps.column("switched_on"), told)
    dark = _majority(lamps, topology, rated_w) == 0
    return np.where(np.isnan(told) & dark, 0, told).astype(np.float32)


def _majority(lamps: Columns, topology: Topology, rated_w: Floats) -> Floats:
    """1 where most around the lamp burn, 0 where most do not, NaN where there is nobody to ask."""
    share = lamps.column("power_w") / rated_w
    seen = ~np.isnan(share)
    burns = seen & (share > _DRAWS)
    cabinets = max(1, len(topology.cabinets))
    place = np.maximum(topology.lamp_cabinet, 0)
    votes = np.bincount(place, seen, cabinets)
    burning = np.bincount(place, burns, cabinets)
    city = burns.sum() / seen.sum() if seen.sum() >= _FEWEST else np.nan
    own = np.divide(burning, votes, out=np.full(cabinets, city), where=votes >= _FEWEST)
    return np.where(np.isnan(own), np.nan, own > 0.5).astype(np.float32)[place]
