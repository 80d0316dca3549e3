"""Which nodes went silent: the cheapest explanation of all silent lamps of a cabinet (minimum description length).

A silent lamp that nothing explains costs what losing one report costs; a node that is out costs its own rarity, and
each lamp heard behind it the improbability that the inventory places it wrongly. What explains most for its price wins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.samples import Flags, Rows
from lamplighter_controller.diagnosis.topology import NONE
from lamplighter_controller.diagnosis.tree.branches import Branches, Counts, count_up
from lamplighter_controller.diagnosis.tree.cuts import CONTRADICTED_NATS, best_split, tail
from lamplighter_controller.diagnosis.tree.leaves import Leaves, noise_nats, silent_share

FEWEST: Final = 3  # silent lamps; fewer are told lamp by lamp
LEAST_SHARE: Final = 0.7  # of the lamps that were asked


class Node(Enum):
    """What may be out."""

    FEEDER = "feeder"
    CUT = "cut"
    CIRCUIT = "circuit"
    PHASE = "phase"
    CABINET = "cabinet"


COST_NATS: Final = {Node.FEEDER: 6.0, Node.CUT: 7.0, Node.CIRCUIT: 6.5, Node.PHASE: 7.0, Node.CABINET: 6.0}


@dataclass(frozen=True, slots=True)
class Outage:
    """One node whose lamps are silent together; `index` is its feeder, circuit, phase (0..2) or cabinet."""

    node: Node
    cabinet: int
    index: int
    lamps: Rows
    nats: float


@dataclass(frozen=True, slots=True)
class _Counted:
    silent: Counts
    heard: Counts


def outages(branches: Branches, leaves: Leaves) -> list[Outage]:
    """The nodes that best explain who is silent, cabinet by cabinet; feeders without a cabinet are one more group."""
    silent = branches.by_feeder(leaves.silent)
    if silent.sum() < FEWEST:
        return []
    counted = _Counted(silent, branches.by_feeder(leaves.heard))
    noise = _noise(counted, np.arange(len(silent)))
    found: list[Outage] = []
    single = counted.silent >= FEWEST
    groups = _in_silent_groups(branches, counted)
    cabinet_of = branches.topology.feeder_cabinet
    grouped = set(np.unique(cabinet_of[groups]).tolist())
    for cabinet in np.unique(cabinet_of[single | groups]).tolist():
        feeders = branches.feeders_of(cabinet)
        found += _of_cabinet(branches, leaves, counted, cabinet, feeders, noise, grouped=cabinet in grouped)
    return found


def _in_silent_groups(branches: Branches, counted: _Counted) -> Flags:
    """(F,) the feeder hangs on a circuit, phase or cabinet that is silent as a whole; one array expression each."""
    found = np.zeros(len(counted.silent), np.bool_)
    asked = counted.silent + counted.heard
    for node, nodes in (
        (branches.feeder_phase_node, 3 * len(branches.topology.cabinets)),
        (branches.topology.feeder_circuit, len(branches.topology.circuits)),
        (branches.topology.feeder_cabinet, len(branches.topology.cabinets)),
    ):
        out = count_up(node, counted.silent, nodes)
        whole = (out >= FEWEST) & (out >= LEAST_SHARE * count_up(node, asked, nodes))
        if nodes:
            found |= (node != NONE) & whole[node]
    return found


def _of_cabinet(
    branches: Branches,
    leaves: Leaves,
    counted: _Counted,
    cabinet: int,
    feeders: Rows,
    city_noise: float,
    *,
    grouped: bool,
) -> list[Outage]:
    singles: dict[int, list[Outage]] = {}
    for feeder in feeders[counted.silent[feeders] >= FEWEST].tolist():
        others = feeders[feeders != feeder]
        noise = min(city_noise, _noise(counted, others))
        found = _of_feeder(branches, leaves, feeder, noise)
        singles[feeder] = [found] if found else []
    options = [_flat(singles, feeders)]
    if cabinet != NONE and grouped:
        options += [
            _grouped(branches, counted, cabinet, feeders, singles, node, city_noise)
            for node in (Node.CIRCUIT, Node.PHASE)
        ]
        options.append(_whole(branches, counted, Node.CABINET, cabinet, cabinet, feeders, city_noise))
    return max(options, key=lambda option: sum(one.nats for one in option))


def _noise(counted: _Counted, feeders: Rows) -> float:
    """In nats, by the feeders beside those under judgement that are not out as a whole themselves."""
    silent, heard = counted.silent[feeders], counted.heard[feeders]
    partly = silent < LEAST_SHARE * np.maximum(silent + heard, 1)
    return noise_nats(silent_share(int(silent[partly].sum()), int(heard[partly].sum())))


def _of_feeder(branches: Branches, leaves: Leaves, feeder: int, noise: float) -> Outage | None:
    tree = branches.topology
    split = best_split(tree, leaves, feeder, noise)
    lamps = tail(tree, feeder, split.first)
    silent = int(leaves.silent[lamps].sum())
    # Lamps next to the cabinet that nobody asked say nothing for a cut behind them.
    before = slice(int(tree.feeder_start[feeder]), split.first)
    cut = bool(leaves.heard[before].any())
    if not cut:
        lamps = tail(tree, feeder, int(tree.feeder_start[feeder]))
    node = Node.CUT if cut else Node.FEEDER
    nats = split.nats - COST_NATS[node] - (float(np.log(len(tree.lamps_of_feeder(feeder)))) if cut else 0.0)
    asked = silent + int(leaves.heard[lamps].sum())
    if silent < FEWEST or nats <= 0 or silent < LEAST_SHARE * asked:
        return None
    return Outage(node, int(tree.feeder_cabinet[feeder]), feeder, lamps, nats)


def _flat(singles: dict[int, list[Outage]], feeders: Rows) -> list[Outage]:
    return [one for feeder in feeders.tolist() for one in singles.get(feeder, ())]


def _grouped(
    branches: Branches,
    counted: _Counted,
    cabinet: int,
    feeders: Rows,
    singles: dict[int, list[Outage]],
    node: Node,
    noise: float,
) -> list[Outage]:
    """Each circuit or phase either as one node or as its feeders, whichever explains more."""
    chosen: list[Outage] = []
    for index, part in _parts(branches, feeders, node):
        apart = _flat(singles, part)
        together = (
            _whole(branches, counted, node, cabinet, index, part, noise) if index != NONE and len(part) > 1 else []
        )
        chosen += max((apart, together), key=lambda option: sum(one.nats for one in option))
    return chosen


def _parts(branches: Branches, feeders: Rows, node: Node) -> Iterator[tuple[int, Rows]]:
    tree = branches.topology
    of = tree.feeder_circuit[feeders] if node is Node.CIRCUIT else branches.feeder_phase_node[feeders] % 3
    if node is Node.PHASE:
        of = np.where(branches.feeder_phase_node[feeders] == NONE, NONE, of)
    for index in np.unique(of).tolist():
        yield index, feeders[of == index]


def _whole(
    branches: Branches, counted: _Counted, node: Node, cabinet: int, index: int, feeders: Rows, noise: float
) -> list[Outage]:
    silent, heard = int(counted.silent[feeders].sum()), int(counted.heard[feeders].sum())
    nats = silent * noise - heard * CONTRADICTED_NATS - COST_NATS[node]
    if silent < FEWEST or nats <= 0 or silent < LEAST_SHARE * (silent + heard):
        return []
    return [Outage(node, cabinet, index, branches.lamps_of(feeders), nats)]
