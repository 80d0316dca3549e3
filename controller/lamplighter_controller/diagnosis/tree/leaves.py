"""The lamps of one step as the tree counts them: heard, silent, dark, lit; and the rest do not count."""

from dataclasses import dataclass

import numpy as np

from lamplighter_controller.diagnosis.samples import Flags, Samples
from lamplighter_controller.diagnosis.suspicions import Suspicions
from lamplighter_controller.diagnosis.topology import Topology


@dataclass(frozen=True, slots=True)
class Leaves:
    """(N,) each; a lamp without a controller, dead by plan or excused is none of them; `astray`: at its own level."""

    heard: Flags
    silent: Flags
    dark: Flags
    lit: Flags
    astray: Flags


class LeafMemory:
    """A lamp that is there and has nothing new to tell is as dark, or as lit, as when it last spoke."""

    def __init__(self, topology: Topology) -> None:
        """Begin with all as commanded."""
        self._topology = topology
        self._dark = np.zeros(len(topology.lamps), np.bool_)
        self._lit = np.zeros(len(topology.lamps), np.bool_)

    def leaves(self, samples: Samples, suspicions: Suspicions) -> Leaves:
        """The leaves of one step."""
        lamps = samples.lamps
        counted = self._topology.controlled
        if samples.excused is not None:
            counted = counted & ~samples.excused
        silent = counted & lamps.silent & (suspicions.silence > 0)
        there = lamps.answered if lamps.present is None else lamps.answered | (lamps.present & ~silent)
        self._dark = there & np.where(lamps.answered, suspicions.dark, self._dark)
        self._lit = there & np.where(lamps.answered, suspicions.lit, self._lit)
        astray = counted & there & suspicions.astray
        return Leaves(counted & there, silent, counted & self._dark, counted & self._lit, astray)


def silent_share(silent: int, heard: int) -> float:
    """Share of silent lamps, drawn towards the 2 % that any radio loses."""
    return float((silent + 1.0) / (silent + heard + 50.0))


def noise_nats(share: float) -> float:
    """What one silent lamp costs that nothing explains, when that share is silent for no common reason."""
    return float(-np.log(np.clip(share, 0.005, 0.9)))
