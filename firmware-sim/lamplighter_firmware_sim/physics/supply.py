"""The supply tree: transformer, cabinet, circuits, cables and what is lost on the way."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.city.inventory import City
from lamplighter_firmware_sim.physics.lamps import Array, full_power_w, led_power_w

_SPAN_OHM: Final = 0.08  # 105 m of 25 mm2 copper: every third pole is on the same phase
_SOURCE_OHM: Final = 0.02  # transformer and mains up to the cabinet
_DEAD_V: Final = 1.0  # below this nothing works
CABINET_OWN_W: Final = 12.0  # gateway, meter, contactor coils; on phase a
CABINET_OWN_PF: Final = 0.6

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Tree:
    """Who hangs on what. `cable` lists lamps feeder by feeder, from the cabinet outwards.

    `loop_w`: what the lamps without a controller on each circuit draw.
    """

    lamp_circuit: Index
    lamp_cabinet: Index
    circuit_cabinet: Index
    circuit_phase: Index
    loop_w: Array
    cable: Index
    first: Index
    last: Index
    circuits: int
    cabinets: int


def tree_of(city: City) -> Tree:
    """The supply tree of a city."""
    lamp_circuit = np.array([lamp.circuit for lamp in city.lamps], dtype=np.intp)
    branch = np.array([lamp.branch for lamp in city.lamps], dtype=np.intp)
    cable = np.lexsort((np.array([lamp.order for lamp in city.lamps]), branch, lamp_circuit))
    feeder = (lamp_circuit * 2 + branch)[cable]
    starts = np.flatnonzero(np.r_[True, feeder[1:] != feeder[:-1]])
    lengths = np.diff(np.r_[starts, len(feeder)])
    return Tree(
        lamp_circuit=lamp_circuit,
        lamp_cabinet=np.array([lamp.cabinet for lamp in city.lamps], dtype=np.intp),
        circuit_cabinet=np.array([circuit.cabinet for circuit in city.circuits], dtype=np.intp),
        circuit_phase=np.array([circuit.phase for circuit in city.circuits], dtype=np.intp),
        loop_w=np.array([circuit.loop_lamps for circuit in city.circuits]) * full_power_w(city.scenario.models[0]),
        cable=cable,
        first=np.repeat(starts, lengths),
        last=np.repeat(starts + lengths - 1, lengths),
        circuits=len(city.circuits),
        cabinets=len(city.cabinets),
    )


def sum_by(index: Index, value: Array, count: int) -> Array:
    """Sum of the values that share an index, for indices 0 to `count` - 1."""
    return np.bincount(index, value, count).astype(np.float64)


def feeder_drops(tree: Tree, current_a: Array, joint_ohm: Array) -> tuple[Array, Array]:
    """Voltage drop up to each lamp (V), and what each circuit's cables turn into heat (W).

    `joint_ohm`: resistance of a bad joint in the span before each lamp, 0 = a good one.
    """
    ohm = _SPAN_OHM + joint_ohm[tree.cable]
    along = current_a[tree.cable]
    total = np.cumsum(along)
    span_a = total[tree.last] - total + along  # everything behind the span flows through it
    drop = np.cumsum(span_a * ohm)
    drop_at_first = (drop - span_a * ohm)[tree.first]
    drops = np.empty_like(current_a)
    drops[tree.cable] = drop - drop_at_first
    losses = sum_by(tree.lamp_circuit[tree.cable], span_a**2 * ohm, tree.circuits)
    return drops, losses


def loops_w(tree: Tree, cabinet_v: Array) -> Array:
    """What the lamps without a controller draw on each circuit that is closed; `cabinet_v` is (cabinet, phase)."""
    return led_power_w(tree.loop_w, np.array(100.0), cabinet_v[tree.circuit_cabinet, tree.circuit_phase])


@dataclass(frozen=True, slots=True)
class Load:
    """What circuits and cabinets carry; circuit arrays and (cabinet, phase) arrays."""

    circuit_w: Array
    circuit_a: Array
    phase_w: Array
    phase_a: Array
    phase_pf: Array


def sum_load(tree: Tree, power_w: Array, reactive_var: Array, losses_w: Array, cabinet_v: Array) -> Load:
    """Sum lamps and whatever else is drawn (`losses_w`, by circuit) up the tree; `cabinet_v` is (cabinet, phase)."""
    circuit_w = sum_by(tree.lamp_circuit, power_w, tree.circuits) + losses_w
    circuit_var = sum_by(tree.lamp_circuit, reactive_var, tree.circuits)
    circuit_v = cabinet_v[tree.circuit_cabinet, tree.circuit_phase]
    phase_w, phase_var = np.zeros_like(cabinet_v), np.zeros_like(cabinet_v)
    np.add.at(phase_w, (tree.circuit_cabinet, tree.circuit_phase), circuit_w)
    np.add.at(phase_var, (tree.circuit_cabinet, tree.circuit_phase), circuit_var)
    alive = cabinet_v > _DEAD_V
    phase_w[:, 0] += CABINET_OWN_W * alive[:, 0]
    phase_var[:, 0] += CABINET_OWN_W * np.tan(np.arccos(CABINET_OWN_PF)) * alive[:, 0]
    apparent = np.hypot(phase_w, phase_var)
    return Load(
        circuit_w=circuit_w,
        circuit_a=np.hypot(circuit_w, circuit_var) / np.maximum(circuit_v, _DEAD_V) * (circuit_v > _DEAD_V),
        phase_w=phase_w,
        phase_a=apparent / np.maximum(cabinet_v, _DEAD_V) * alive,
        phase_pf=np.divide(phase_w, apparent, out=np.ones_like(phase_w), where=apparent > 0),
    )


def source_voltage(local_hour: float, wander_v: Array, phase_a: Array) -> Array:
    """Voltage at each cabinet and phase: high in the night's light load, low at the evening peak."""
    evening = 5.0 * math.exp(-(((local_hour - 19.5) / 2.5) ** 2))
    night = 3.0 * math.cos(2 * math.pi * (local_hour - 3.0) / 24)
    return 232.0 - evening + night + wander_v - _SOURCE_OHM * phase_a
