"""Why a node is silent: supply or radio, by the witness of the cabinet's meter, its contactors and its breakers."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.samples import Rows, Samples
from lamplighter_controller.diagnosis.suspicions import Suspicions
from lamplighter_controller.diagnosis.topology import NONE, Phase
from lamplighter_controller.diagnosis.tree.branches import Branches
from lamplighter_controller.diagnosis.tree.leaves import Leaves
from lamplighter_controller.diagnosis.tree.outages import Node, Outage
from lamplighter_controller.diagnosis.tree.verdicts import Verdict
from lamplighter_controller.diagnosis.tree.witness import ALL, PHASE_NAMES, Statement

SUPPLY_HOLD: Final = 2
RADIO_HOLD: Final = 8  # radios of a whole street come back from a bad hour; a dead gateway is told by its presence
FRESH: Final = 4  # reports missed; later nobody knows what silent lamps have been commanded since
CERTAIN_NATS: Final = 8.0
NO_CURRENT_A: Final = 0.05
# Log-odds of lost power against lost radio before any witness: radios fail as a whole, cables by phase and feeder.
PRIOR_NATS: Final = {Node.FEEDER: 3.0, Node.CUT: 3.5, Node.CIRCUIT: 3.0, Node.PHASE: 3.0, Node.CABINET: -0.8}
KIND: Final = {
    Node.FEEDER: ElementKind.FEEDER,
    Node.CUT: ElementKind.POLE,
    Node.CIRCUIT: ElementKind.CIRCUIT,
    Node.PHASE: ElementKind.PHASE,
    Node.CABINET: ElementKind.CABINET,
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is looked at in one step."""

    branches: Branches
    leaves: Leaves
    samples: Samples
    suspicions: Suspicions
    statement: Statement


@dataclass(frozen=True, slots=True)
class Cause:
    """An outage and its verdict; `supply` is the probability that power is gone."""

    outage: Outage
    verdict: Verdict
    supply: float


def cause(scene: Scene, outage: Outage) -> Cause:
    """The verdict on one outage."""
    column = _column(scene.branches, outage)
    silent = outage.lamps[scene.leaves.silent[outage.lamps]]
    lines = [_silent_line(scene.leaves, outage.lamps)]
    nats, witnesses = _witnesses(scene, outage, column, silent)
    supply = float(1 / (1 + np.exp(-(PRIOR_NATS[outage.node] + nats))))
    probability = _classes(scene, outage, column, supply)
    verdict = Verdict(
        element=element_of(scene.branches, outage, column if probability.get("phase_loss", 0) > 0.5 else NONE),
        probability=probability,
        onset_ms=int(np.median(scene.suspicions.silent_since_ms[silent])),
        hold=SUPPLY_HOLD if supply > 0.5 and _is_plain(scene, outage) else RADIO_HOLD,
        evidence=tuple(lines + witnesses),
        lamps=outage.lamps,
        settle="" if max(probability.values()) > 0.9 else "cabinet_meter",
    )
    return Cause(outage, verdict, supply)


def _is_plain(scene: Scene, outage: Outage) -> bool:
    """A whole cabinet that draws nothing may have been switched off while its lamps could not be heard."""
    return outage.node is not Node.CABINET or scene.statement.dead(outage.cabinet, ALL)


def element_of(branches: Branches, outage: Outage, phase: int = NONE) -> Element:
    """The node as it is named; with `phase` the phase that feeds it."""
    tree, kind, index = branches.topology, KIND[outage.node], outage.index
    if NONE not in {phase, outage.cabinet} and phase != ALL:
        return phase_element(branches, outage.cabinet, phase)
    if outage.node is Node.FEEDER:
        circuit = int(tree.feeder_circuit[index])
        alone = circuit != NONE and int((tree.feeder_circuit == circuit).sum()) == 1
        return Element(ElementKind.CIRCUIT, tree.circuits[circuit]) if alone else Element(kind, tree.feeders[index])
    if outage.node is Node.PHASE:
        return phase_element(branches, outage.cabinet, index)
    if outage.node is Node.CUT:
        return Element(kind, tree.poles[tree.lamp_pole[outage.lamps[0]]])
    return Element(kind, (tree.circuits if outage.node is Node.CIRCUIT else tree.cabinets)[index])


def phase_element(branches: Branches, cabinet: int, phase: int) -> Element:
    """A phase of a cabinet, by its place in `a`, `b`, `c`."""
    return Element(ElementKind.PHASE, f"{branches.topology.cabinets[cabinet]}/{PHASE_NAMES[phase]}")


def _column(branches: Branches, outage: Outage) -> int:
    """Which column of the meter speaks of it."""
    if outage.node is Node.PHASE:
        return outage.index
    if outage.node is Node.CABINET:
        return ALL
    tree = branches.topology
    phases = np.unique(tree.feeder_phase[tree.lamp_feeder[outage.lamps]])
    single = len(phases) == 1 and int(phases[0]) in {Phase.A, Phase.B, Phase.C}
    return int(phases[0]) if single else ALL


def _silent_line(leaves: Leaves, lamps: Rows) -> EvidenceLine:
    silent, heard = int(leaves.silent[lamps].sum()), int(leaves.heard[lamps].sum())
    return EvidenceLine("silent_lamps", silent, 0.0, float("nan"), silent + heard, "")


def _witnesses(scene: Scene, outage: Outage, column: int, silent: Rows) -> tuple[float, list[EvidenceLine]]:
    """Log-odds of lost power, and what they rest on."""
    if outage.cabinet == NONE:
        return 0.0, []
    statement, lines, nats = scene.statement, [], 0.0
    missing_w = float(np.nansum(scene.suspicions.expected_w[silent]))
    fresh = float(np.median(scene.suspicions.silence[silent])) <= FRESH
    by_power = (
        0.0
        if not fresh
        else statement.supply_nats(outage.cabinet, column, missing_w * statement.share(outage.cabinet, column))
    )
    if by_power:
        nats += by_power
        lines.append(statement.line(outage.cabinet, column))
    if statement.dead(outage.cabinet, column):
        nats += CERTAIN_NATS
        lines.append(statement.volts(outage.cabinet, column))
    by_circuit, line = _circuit_says(scene, outage, missing_w)
    return nats + by_circuit, [*lines, *line]


def _circuit_says(scene: Scene, outage: Outage, missing_w: float) -> tuple[float, list[EvidenceLine]]:
    """A breaker that is open, or a closed contactor without current where some is due."""
    circuits = np.unique(scene.branches.topology.feeder_circuit[scene.branches.topology.lamp_feeder[outage.lamps]])
    circuits = circuits[circuits != NONE]
    columns = scene.samples.circuits
    if not len(circuits) or not columns.answered[circuits].all():
        return 0.0, []
    breaker = columns.column("breaker_bits")[circuits]
    if (breaker > 0).all():
        return CERTAIN_NATS, [EvidenceLine("breaker_bits", float(breaker[0]), 0.0, float("nan"), 1, "")]
    current = columns.column("circuit_current_a")[circuits]
    fresh = bool((scene.suspicions.silence[outage.lamps] <= FRESH).all())
    if fresh and missing_w > 50 and outage.node is not Node.CUT and not np.isnan(current).any():
        due_a = missing_w / 230 / len(circuits)
        line = [EvidenceLine("circuit_current", float(current.mean()), due_a, 0.1 * due_a, 1, "A")]
        if (current < NO_CURRENT_A).all():
            return CERTAIN_NATS, line
        if (current > 0.7 * due_a).all():
            return -CERTAIN_NATS, line
    return 0.0, []


def _classes(scene: Scene, outage: Outage, column: int, supply: float) -> dict[str, float]:
    radio = {"gw_down": 1 - supply}
    if outage.node is Node.CUT:
        return radio | {"cable_cut": 0.9 * supply, "feeder_trip": 0.1 * supply}
    if outage.node is Node.CABINET:
        return _of_cabinet(scene, outage, supply)
    dead = outage.cabinet != NONE and column != ALL and scene.statement.dead(outage.cabinet, column)
    lost = 0.95 if dead else _phase_share(scene, outage, column)
    return radio | {"phase_loss": lost * supply, "feeder_trip": (1 - lost) * supply}


def _phase_share(scene: Scene, outage: Outage, column: int) -> float:
    """How likely it is the phase itself, with no word that its voltage is gone."""
    if outage.cabinet == NONE or column == ALL:
        return 0.0
    if scene.statement.answered[outage.cabinet] and not np.isnan(scene.statement.voltage_v[outage.cabinet, column]):
        return 0.02
    return 0.4 if outage.node is Node.PHASE else 0.1


def _of_cabinet(scene: Scene, outage: Outage, supply: float) -> dict[str, float]:
    """No lamp of it is heard: with its meter heard, that decides; without, radio and supply are told apart by odds."""
    statement, cabinet = scene.statement, outage.cabinet
    if statement.dead(cabinet, ALL):
        return {"cabinet_off": 0.97, "gw_down": 0.03}
    if statement.answered[cabinet] and not np.isnan(statement.voltage_v[cabinet, :3]).all():
        return {"gw_down": 1 - supply, "feeder_trip": 0.9 * supply, "cabinet_off": 0.1 * supply}
    return {"gw_down": 1 - supply, "cabinet_off": supply}
