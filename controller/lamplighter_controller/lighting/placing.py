"""Positions of an import: declared in one of the coordinate systems in use, kept in WGS-84, within the city."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from lamplighter_contract.geo.box import Box, likely
from lamplighter_contract.geo.systems import System, to_wgs84
from lamplighter_controller.lighting.faults import Fault
from lamplighter_controller.lighting.inventory import Cabinet, Luminaire, Thing

SYSTEMS: Final = ", ".join(System)
DECIMALS: Final = 7  # a centimetre

Lined = tuple[int, Thing]


@dataclass(frozen=True, slots=True)
class Frame:
    """The coordinate system of a file, and where the city is; without a box it may be anywhere."""

    system: System = System.WGS84
    box: Box | None = None


def frame_of(system: str | None, box: Box | None) -> Frame | Fault:
    """What a file's declaration says."""
    if system in set(System):
        return Frame(System(system), box)
    return Fault(0, "crs", system or "", f"one of {SYSTEMS}, declared with every file that has positions")


def in_wgs84(found: Sequence[Lined], frame: Frame) -> tuple[list[Lined], list[Fault]]:
    """Things with their lines, brought to WGS-84, and those outside the city."""
    placed = [(line, thing) for line, thing in found if _position(thing) is not None]
    if not placed or (frame.box is None and frame.system in {System.WGS84, System.CGCS2000}):
        return list(found), []
    positions = np.array([_position(thing) for _, thing in placed], dtype=np.float64)
    latitude, longitude = positions[:, 0], positions[:, 1]
    north, east = to_wgs84(frame.system, latitude, longitude)
    if frame.box is not None and not (inside := frame.box.holds(north, east)).all():
        expected = _expected(frame.box, likely(frame.box, latitude, longitude, frame.system))
        outside = np.flatnonzero(~inside)
        return [], [
            Fault(placed[at][0], "position", f"{latitude[at]:g}, {longitude[at]:g}", expected) for at in outside
        ]
    shown = zip(np.round(north, DECIMALS).tolist(), np.round(east, DECIMALS).tolist(), strict=True)
    moved = {thing.id: there for (_, thing), there in zip(placed, shown, strict=True)}
    return [(line, _moved(thing, moved.get(thing.id))) for line, thing in found], []


def _position(thing: Thing) -> tuple[float, float] | None:
    if not isinstance(thing, Luminaire | Cabinet) or thing.latitude is None or thing.longitude is None:
        return None
    return thing.latitude, thing.longitude


def _moved(thing: Thing, there: tuple[float, float] | None) -> Thing:
    return thing if there is None else msgspec.structs.replace(thing, latitude=there[0], longitude=there[1])


def _expected(box: Box, reading: str | None) -> str:
    within = f"a place in the city ({box})"
    return f"{within}; the file fits better read as {reading}" if reading else within
