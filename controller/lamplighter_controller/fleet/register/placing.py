"""Shapes and positions of an import: declared in a coordinate system, kept in WGS-84, within the city."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from lamplighter_contract.geo.box import Box, likely
from lamplighter_contract.geo.systems import System, to_wgs84
from lamplighter_controller.fleet.register.faults import Fault

SYSTEMS: Final = ", ".join(System)
DECIMALS: Final = 7  # a centimetre
MOST_POINTS: Final = 10_000


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


def shape_of(document: object, forms: Sequence[str]) -> BaseGeometry | str:
    """A GeoJSON geometry, or what is expected instead."""
    expected = f"a GeoJSON {' or '.join(forms)} of at most {MOST_POINTS} points"
    if not isinstance(document, Mapping) or document.get("type") not in forms:
        return expected
    try:
        shape = shapely.from_geojson(json.dumps(document))
    except (shapely.errors.GEOSException, ValueError, TypeError):
        return expected
    if shape.is_empty or shapely.get_num_coordinates(shape) > MOST_POINTS:
        return expected
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return expected
    if not shape.is_valid:
        return f"a shape that does not cross itself: {shapely.is_valid_reason(shape)}"
    return shape


def in_wgs84(lined: Sequence[tuple[int, BaseGeometry]], frame: Frame) -> tuple[list[BaseGeometry], list[Fault]]:
    """Shapes with their lines brought to WGS-84; those with a point outside the city as faults, and then none."""
    if not lined:
        return [], []
    points = shapely.get_coordinates([shape for _, shape in lined])
    owner = np.repeat(np.arange(len(lined)), [shapely.get_num_coordinates(shape) for _, shape in lined])
    faults = list(_outside(lined, points, owner, frame))
    if faults:
        return [], faults
    return [_moved(shape, frame.system) for _, shape in lined], []


def as_geojson(shape: BaseGeometry) -> str:
    """A geometry as text."""
    document: Mapping[str, Any] = mapping(shape)
    return json.dumps(document, separators=(",", ":"))


def _outside(lined: Sequence[tuple[int, BaseGeometry]], points: Any, owner: Any, frame: Frame) -> Iterator[Fault]:
    if frame.box is None:
        return
    longitude, latitude = points[:, 0], points[:, 1]
    inside = frame.box.holds(*to_wgs84(frame.system, latitude, longitude))
    if inside.all():
        return
    reading = likely(frame.box, latitude, longitude, frame.system)
    expected = f"a place in the city ({frame.box})"
    expected += f"; the file fits better read as {reading}" if reading else ""
    for number in np.unique(owner[~inside]).tolist():
        at = int(np.flatnonzero(~inside & (owner == number))[0])
        yield Fault(lined[number][0], "position", f"{latitude[at]:g}, {longitude[at]:g}", expected)


def _moved(shape: BaseGeometry, system: System) -> BaseGeometry:
    def there(points: Any) -> Any:
        north, east = to_wgs84(system, points[:, 1], points[:, 0])
        return np.round(np.column_stack((east, north)), DECIMALS)

    moved: BaseGeometry = shapely.transform(shape, there)
    return moved
