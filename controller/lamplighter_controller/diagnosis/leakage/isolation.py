"""Which circuits feed a leaking element, and may they be opened without asking?"""

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.diagnosis.topology import NONE, Topology


def circuits_to_open(topology: Topology, element: Element) -> tuple[tuple[str, ...], bool]:
    """Circuits that feed a leaking element, and whether all their cabinets let them be opened without asking."""
    circuits: tuple[int, ...] = ()
    if element.kind is ElementKind.CIRCUIT and element.id in topology.row_of_circuit:
        circuits = (topology.row_of_circuit[element.id],)
    elif element.kind is ElementKind.LAMP and element.id in topology.lamps:
        row = topology.lamps.index(element.id)
        circuits = (int(topology.feeder_circuit[topology.lamp_feeder[row]]),)
    elif element.kind is ElementKind.CABINET and element.id in topology.cabinets:
        row = topology.cabinets.index(element.id)
        circuits = tuple(np.flatnonzero(topology.circuit_cabinet == row).tolist())
    known = tuple(one for one in circuits if one != NONE)
    cabinets = topology.circuit_cabinet[list(known)]
    allowed = bool(known) and bool((topology.cabinet_isolates[cabinets] & (cabinets != NONE)).all())
    return tuple(topology.circuits[one] for one in known), allowed
