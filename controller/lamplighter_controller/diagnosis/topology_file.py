"""The topology file of a replay: models, cabinets with their feeders, poles and lamps, outermost last."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from lamplighter_controller.diagnosis.assembling import Places
from lamplighter_controller.diagnosis.places import CabinetPlace, LampPlace, ProtectorPlace

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Watts = Annotated[float, msgspec.Meta(ge=0, le=10_000)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class ModelEntry(msgspec.Struct, frozen=True):
    """A luminaire model; `curve` has points (level percent, watts)."""

    id: Name
    rated_w: Watts
    source: str = "led"
    curve: tuple[tuple[Percent, Watts], ...] = ()


class LampEntry(msgspec.Struct, frozen=True):
    """A luminaire; one without a meter simply never occurs in the telemetry."""

    id: Name
    model: str = ""


class PoleEntry(msgspec.Struct, frozen=True):
    """A pole; its place in the list is its place along the feeder."""

    id: Name
    lamps: tuple[LampEntry, ...] = ()


class FeederEntry(msgspec.Struct, frozen=True):
    """A cable out of a cabinet; `circuit` is the contactor device that switches it, if it has one."""

    id: Name
    phase: str = ""
    circuit: str = ""
    poles: tuple[PoleEntry, ...] = ()


class ProtectorEntry(msgspec.Struct, frozen=True):
    """A residual-current device of a cabinet or of one of its circuits."""

    id: Name
    circuit: str = ""


class CabinetEntry(msgspec.Struct, frozen=True):
    """A supply point; one with only a meter is valid."""

    id: Name
    meter: str | None = None
    transformer: str = ""
    gateway: str = ""
    feeders: tuple[FeederEntry, ...] = ()
    protectors: tuple[ProtectorEntry, ...] = ()


class TopologyFile(msgspec.Struct, frozen=True):
    """The whole file."""

    models: tuple[ModelEntry, ...] = ()
    cabinets: tuple[CabinetEntry, ...] = ()


def read_topology(payload: bytes) -> TopologyFile:
    """The file from its bytes.

    Raises:
        msgspec.DecodeError: it is no JSON, or not of that shape; the message says where.
    """
    return msgspec.json.decode(payload, type=TopologyFile)


def places_of(file: TopologyFile) -> Places:
    """Everything the file places; a lamp's id is its device's."""
    return Places(
        lamps=tuple(lamp for cabinet in file.cabinets for lamp in _lamps(cabinet)),
        cabinets=tuple(CabinetPlace(one.id, one.meter or "", one.transformer, one.gateway) for one in file.cabinets),
        protectors=tuple(
            ProtectorPlace(one.id, cabinet.id, one.circuit) for cabinet in file.cabinets for one in cabinet.protectors
        ),
    )


def _lamps(cabinet: CabinetEntry) -> Iterator[LampPlace]:
    for feeder in cabinet.feeders:
        for order, pole in enumerate(feeder.poles):
            for lamp in pole.lamps:
                yield LampPlace(
                    id=lamp.id,
                    device=lamp.id,
                    cabinet=cabinet.id,
                    circuit=feeder.circuit,
                    phase=feeder.phase.lower(),
                    feeder=feeder.id,
                    pole=pole.id,
                    order=order,
                    model=lamp.model,
                    gateway=cabinet.gateway,
                )
