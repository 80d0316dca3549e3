"""The supply tree as index arrays: transformer, cabinet, circuit, feeder, ordered poles, lamps.

Lamps stand feeder by feeder, each feeder's from the cabinet outwards, so that a feeder is a slice and what hangs behind
a pole is its tail. Names are found by place in their tuple; -1 stands for "not known" in every index.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int32]
Flags = NDArray[np.bool_]

NONE: Final = -1


class Phase(IntEnum):
    """The phase a feeder or circuit is on."""

    UNKNOWN = -1
    A = 0
    B = 1
    C = 2
    ABC = 3


PHASES: Final[Mapping[str, Phase]] = {"a": Phase.A, "b": Phase.B, "c": Phase.C, "abc": Phase.ABC}


@dataclass(frozen=True)
class Topology:
    """Everything that hangs on everything; (T,) transformers, (C,) cabinets, (K,) circuits, (F,) feeders, (N,) lamps.

    Args:
        cabinet_meter: device that measures the cabinet, empty = none.
        cabinet_isolates: a leaking circuit may be opened without asking.
        feeders: names unique in the city, `cabinet/circuit/feeder/phase` without what is not known.
        feeder_start: (F + 1,) first lamp of each feeder, and the number of lamps.
        feeder_ordered: the order of the feeder's poles is known.
        pole_feeder: (P,) poles are in the same order as lamps.
        lamp_device: controller of each lamp, empty = none.
        lamp_model: index into `models`.
        protector_circuit: -1 = guards its whole cabinet.
    """

    transformers: tuple[str, ...]
    gateways: tuple[str, ...]
    models: tuple[str, ...]
    cabinets: tuple[str, ...]
    cabinet_meter: tuple[str, ...]
    cabinet_transformer: Index
    cabinet_gateway: Index
    cabinet_isolates: Flags
    circuits: tuple[str, ...]
    circuit_cabinet: Index
    circuit_phase: Index
    circuit_gateway: Index
    feeders: tuple[str, ...]
    feeder_cabinet: Index
    feeder_circuit: Index
    feeder_phase: Index
    feeder_start: Index
    feeder_ordered: Flags
    poles: tuple[str, ...]
    pole_feeder: Index
    lamps: tuple[str, ...]
    lamp_device: tuple[str, ...]
    lamp_pole: Index
    lamp_feeder: Index
    lamp_cabinet: Index
    lamp_model: Index
    lamp_gateway: Index
    protectors: tuple[str, ...]
    protector_cabinet: Index
    protector_circuit: Index

    @cached_property
    def row_of_lamp(self) -> Mapping[str, int]:
        """Row of each lamp by its controller's device id."""
        return {device: row for row, device in enumerate(self.lamp_device) if device}

    @cached_property
    def row_of_cabinet(self) -> Mapping[str, int]:
        """Row of each cabinet by its meter's device id."""
        return {device: row for row, device in enumerate(self.cabinet_meter) if device}

    @cached_property
    def row_of_circuit(self) -> Mapping[str, int]:
        """Row of each circuit by its device id."""
        return {device: row for row, device in enumerate(self.circuits)}

    @cached_property
    def controlled(self) -> Flags:
        """(N,) the lamp has a controller; one without can neither be silent nor abnormal."""
        return np.fromiter(map(bool, self.lamp_device), np.bool_, len(self.lamps))

    @cached_property
    def lamp_order(self) -> Index:
        """(N,) place of the lamp's pole along its feeder, 0 next to the cabinet."""
        first_pole = np.searchsorted(self.pole_feeder, np.arange(len(self.feeders)))
        return (self.lamp_pole - first_pole[self.lamp_feeder]).astype(np.int32)

    def rows_by_name(self, kind: str) -> Mapping[str, int]:
        """Row of every lamp, pole, feeder, circuit, cabinet, gateway or model by its name; empty for other kinds."""
        names = {"lamp": "lamps", "pole": "poles", "feeder": "feeders", "circuit": "circuits", "cabinet": "cabinets"}
        names |= {"gateway": "gateways", "model": "models"}
        if kind not in self._rows_of:
            self._rows_of[kind] = (
                {name: row for row, name in enumerate(getattr(self, names[kind]))} if kind in names else {}
            )
        return self._rows_of[kind]

    @cached_property
    def _rows_of(self) -> dict[str, dict[str, int]]:
        return {}

    def lamps_of_feeder(self, feeder: int) -> range:
        """Rows of the lamps on a feeder, from the cabinet outwards."""
        return range(int(self.feeder_start[feeder]), int(self.feeder_start[feeder + 1]))
