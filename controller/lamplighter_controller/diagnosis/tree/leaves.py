"""The lamps of one step as the tree counts them: heard, silent, dark, lit; and the rest do not count."""

from dataclasses import dataclass

import numpy as np

from lamplighter_controller.diagnosis.samples import Flags, Samples
from lamplighter_controller.diagnosis.suspicions import Suspicions
from lamplighter_controller.diagnosis.topology import Topology


@dataclass(frozen=True, slots=True)
class Leaves:
    """(N,) each; a lamp without a controller, dead by plan or excused is none of them."""

    heard: Flags
    silent: Flags
    dark: Flags
    lit: Flags


def leaves(topology: Topology, samples: Samples, suspicions: Suspicions) -> Leaves:
    """The leaves of one step."""
    counted = topology.controlled if samples.excused is None else topology.controlled & ~samples.excused
    heard = counted & samples.lamps.answered
    silent = counted & samples.lamps.silent & (suspicions.silence > 0)
    return Leaves(heard, silent, suspicions.dark & heard, suspicions.lit & heard)


def silent_share(silent: int, heard: int) -> float:
    """Share of silent lamps, drawn towards the 2 % that any radio loses."""
    return float((silent + 1.0) / (silent + heard + 50.0))


def noise_nats(share: float) -> float:
    """What one silent lamp costs that nothing explains, when that share is silent for no common reason."""
    return float(-np.log(np.clip(share, 0.005, 0.9)))
