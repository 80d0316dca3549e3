"""Which circuits feed a leaking element, and may they be opened without asking?"""

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.diagnosis.topology import NONE, Topology


def circuits_to_open(topology: Topology, element: Element) -> tuple[tuple[str, ...], bool]:
    """Circuits that feed a leaking element, and whether all their cabinets let them be opened without asking."""
    row = topology.rows_by_name(element.kind.value).get(element.id)
    circuits: tuple[int, ...] = ()
    if row is not None and element.kind is ElementKind.CIRCUIT:
        circuits = (row,)
    elif row is not None and element.kind is ElementKind.LAMP:
        circuits = (int(topology.feeder_circuit[topology.lamp_feeder[row]]),)
    elif row is not None and element.kind is ElementKind.CABINET:
        circuits = tuple(np.flatnonzero(topology.circuit_cabinet == row).tolist())
    known = tuple(one for one in circuits if one != NONE)
    cabinets = topology.circuit_cabinet[list(known)]
    allowed = bool(known) and bool((topology.cabinet_isolates[cabinets] & (cabinets != NONE)).all())
    return tuple(topology.circuits[one] for one in known), allowed
