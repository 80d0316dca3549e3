"""The supply tree from places, whichever source told them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace, ProtectorPlace
from lamplighter_controller.diagnosis.topology import NONE, PHASES, Index, Phase, Topology


@dataclass(frozen=True, slots=True)
class Places:
    """Everything that one source, or several together, told."""

    lamps: Sequence[LampPlace] = ()
    cabinets: Sequence[CabinetPlace] = ()
    circuits: Sequence[CircuitPlace] = ()
    protectors: Sequence[ProtectorPlace] = ()


def assemble(places: Places) -> Topology:
    """The tree of these places. What one names and nobody lists is added; a lamp may hang on no cabinet at all."""
    lamps = sorted(places.lamps, key=_along_the_cable)
    feeders = [list(group) for _, group in groupby(lamps, _feeder_key)]
    heads = [group[0] for group in feeders]
    cabinets = _cabinets(places)
    circuits = _circuits(places, heads)
    cabinet_row, circuit_row = _rows(cabinets), _rows(circuits)
    transformer_row = _rows(dict.fromkeys(one.transformer for one in cabinets.values() if one.transformer))
    gateway_row = _rows(_gateways(cabinets.values(), circuits.values(), lamps))
    model_row = _rows(dict.fromkeys(lamp.model for lamp in lamps if lamp.model))
    cable = _cable(feeders)
    feeder_cabinet = _index(cabinet_row, (one.cabinet for one in heads))
    return Topology(
        transformers=tuple(transformer_row),
        gateways=tuple(gateway_row),
        models=tuple(model_row),
        cabinets=tuple(cabinet_row),
        cabinet_meter=tuple(one.meter for one in cabinets.values()),
        cabinet_transformer=_index(transformer_row, (one.transformer for one in cabinets.values())),
        cabinet_gateway=_index(gateway_row, (one.gateway for one in cabinets.values())),
        cabinet_isolates=np.array([one.isolates for one in cabinets.values()], np.bool_),
        circuits=tuple(circuit_row),
        circuit_cabinet=_index(cabinet_row, (one.cabinet for one in circuits.values())),
        circuit_phase=_phases(circuits.values()),
        circuit_gateway=_index(gateway_row, (one.gateway for one in circuits.values())),
        feeders=tuple(map(_feeder_name, heads)),
        feeder_cabinet=feeder_cabinet,
        feeder_circuit=_index(circuit_row, (one.circuit for one in heads)),
        feeder_phase=_phases(heads),
        feeder_start=np.cumsum([0, *map(len, feeders)], dtype=np.int32),
        feeder_ordered=np.array([all(one.order is not None for one in group) for group in feeders], np.bool_),
        poles=tuple(cable.poles),
        pole_feeder=np.array(cable.pole_feeder, np.int32),
        lamps=tuple(lamp.id for lamp in lamps),
        lamp_device=tuple(lamp.device for lamp in lamps),
        lamp_pole=np.array(cable.lamp_pole, np.int32),
        lamp_feeder=np.repeat(np.arange(len(feeders), dtype=np.int32), [len(group) for group in feeders]),
        lamp_cabinet=np.repeat(feeder_cabinet, [len(group) for group in feeders]),
        lamp_model=_index(model_row, (lamp.model for lamp in lamps)),
        lamp_gateway=_index(gateway_row, (lamp.gateway for lamp in lamps)),
        protectors=tuple(one.id for one in places.protectors),
        protector_cabinet=_index(cabinet_row, (one.cabinet for one in places.protectors)),
        protector_circuit=_index(circuit_row, (one.circuit for one in places.protectors)),
    )


def _along_the_cable(lamp: LampPlace) -> tuple[str, str, str, str, bool, int, str, str]:
    return (*_feeder_key(lamp), lamp.order is None, lamp.order or 0, lamp.pole, lamp.id)


def _feeder_key(lamp: LampPlace) -> tuple[str, str, str, str]:
    return lamp.cabinet, lamp.circuit, lamp.feeder, lamp.phase


def _feeder_name(lamp: LampPlace) -> str:
    """Unique in the city: the parts that are known."""
    return "/".join(filter(None, _feeder_key(lamp)))


def _cabinets(places: Places) -> dict[str, CabinetPlace]:
    found = {one.id: one for one in places.cabinets}
    named = [
        *(one.cabinet for one in places.circuits),
        *(one.cabinet for one in places.lamps),
        *(one.cabinet for one in places.protectors),
    ]
    for cabinet in dict.fromkeys(filter(None, named)):
        found.setdefault(cabinet, CabinetPlace(cabinet))
    return found


def _circuits(places: Places, heads: Iterable[LampPlace]) -> dict[str, CircuitPlace]:
    found = {one.id: one for one in places.circuits}
    for lamp in heads:
        if lamp.circuit and lamp.circuit not in found:
            found[lamp.circuit] = CircuitPlace(lamp.circuit, lamp.cabinet, lamp.phase, lamp.gateway)
    return found


def _gateways(*told: Iterable[CabinetPlace | CircuitPlace | LampPlace]) -> dict[str, None]:
    return dict.fromkeys(one.gateway for some in told for one in some if one.gateway)


def _rows(names: Iterable[str]) -> dict[str, int]:
    return {name: row for row, name in enumerate(names)}


def _index(row_of: Mapping[str, int], names: Iterable[str]) -> Index:
    return np.array([row_of.get(name, NONE) for name in names], np.int32)


def _phases(told: Iterable[CircuitPlace | LampPlace]) -> Index:
    return np.array([PHASES.get(one.phase, Phase.UNKNOWN) for one in told], np.int32)


@dataclass(slots=True)
class _Cable:
    poles: list[str] = field(default_factory=list)
    pole_feeder: list[int] = field(default_factory=list)
    lamp_pole: list[int] = field(default_factory=list)


def _cable(feeders: Sequence[Sequence[LampPlace]]) -> _Cable:
    """Poles in the order of their lamps; a lamp whose pole is not known stands on one of its own."""
    cable = _Cable()
    for feeder, group in enumerate(feeders):
        before = None
        for lamp in group:
            pole = lamp.pole or lamp.id
            if pole != before:
                cable.poles.append(pole)
                cable.pole_feeder.append(feeder)
            cable.lamp_pole.append(len(cable.poles) - 1)
            before = pole
    return cable
