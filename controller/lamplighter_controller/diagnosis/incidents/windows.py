"""Maintenance windows: who works where and until when, so that nothing is raised of what they switch."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.diagnosis.samples import Flags
from lamplighter_controller.diagnosis.topology import NONE, Index, Topology

NOBODY: Final = ""


class Window(msgspec.Struct, frozen=True):
    """Elements that nothing is raised of from `start_ms` until before `end_ms`, civil; `order` is a work order's id."""

    id: str
    elements: tuple[Element, ...]
    start_ms: int
    end_ms: int
    who: str
    reason: str
    order: str = ""

    def holds(self, now_ms: int) -> bool:
        """Whether it is in force."""
        return self.start_ms <= now_ms < self.end_ms


def covered_lamps(topology: Topology, elements: Iterable[Element]) -> Flags:
    """(N,) lamps that hang on one of these elements, or are one."""
    found = np.zeros(len(topology.lamps), np.bool_)
    for element in elements:
        found |= _lamps_under(topology, element)
    return found


def covers(topology: Topology, elements: Iterable[Element], element: Element) -> bool:
    """The element is one of these, or every lamp that hangs on it hangs on one of them."""
    named = frozenset(elements)
    if element in named:
        return True
    cabinet = cabinet_of(topology, element)
    if cabinet and Element(ElementKind.CABINET, cabinet) in named:
        return True
    mine = _lamps_under(topology, element)
    return bool(mine.any()) and not bool((mine & ~covered_lamps(topology, named)).any())


def cabinet_of(topology: Topology, element: Element) -> str:
    """The cabinet an element belongs to, empty where it belongs to none or to several."""
    if element.kind is ElementKind.CABINET:
        return element.id
    if element.kind is ElementKind.PHASE:
        return element.id.rpartition("/")[0]
    if element.kind is ElementKind.CIRCUIT and element.id in topology.row_of_circuit:
        row = int(topology.circuit_cabinet[topology.row_of_circuit[element.id]])
        return topology.cabinets[row] if row != NONE else NOBODY
    cabinets = np.unique(topology.lamp_cabinet[_lamps_under(topology, element)])
    return topology.cabinets[int(cabinets[0])] if len(cabinets) == 1 and cabinets[0] != NONE else NOBODY


def _lamps_under(topology: Topology, element: Element) -> Flags:
    row = topology.rows_by_name(element.kind.value).get(element.id)
    if row is None:
        return np.zeros(len(topology.lamps), np.bool_)
    of: Mapping[ElementKind, Index] = {
        ElementKind.LAMP: np.arange(len(topology.lamps), dtype=np.int32),
        ElementKind.POLE: topology.lamp_pole,
        ElementKind.FEEDER: topology.lamp_feeder,
        ElementKind.CIRCUIT: topology.feeder_circuit[topology.lamp_feeder],
        ElementKind.CABINET: topology.lamp_cabinet,
        ElementKind.GATEWAY: topology.lamp_gateway,
        ElementKind.MODEL: topology.lamp_model,
    }
    return np.equal(of[element.kind], row)
