"""Inventory as CSV and GeoJSON, as the import takes it back."""

import csv
from collections.abc import Iterable
from typing import Any

import msgspec

from lamplighter_controller.lighting.importing import BETWEEN
from lamplighter_controller.lighting.inventory import Cabinet, Luminaire, Thing


class _Lines(list[str]):
    """Takes what a CSV writer writes."""

    write = list.append


def to_csv(things: Iterable[Thing], kind: type[Thing]) -> str:
    """A line of column names, then one line each."""
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(kind.__struct_fields__)
    for thing in things:
        writer.writerow([_cell(value) for value in msgspec.structs.astuple(thing)])
    return "".join(lines)


def to_geojson(things: Iterable[Luminaire | Cabinet]) -> bytes:
    """A FeatureCollection of points in WGS-84 (RFC 7946); what has no position is left out."""
    features = [_feature(thing) for thing in things if thing.latitude is not None and thing.longitude is not None]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def _cell(value: Any) -> Any:
    return BETWEEN.join(value) if isinstance(value, tuple) else value


def _feature(thing: Luminaire | Cabinet) -> dict[str, Any]:
    properties = {name: value for name, value in msgspec.structs.asdict(thing).items() if value not in {None, ""}}
    point = [properties.pop("longitude"), properties.pop("latitude")]
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": point}, "properties": properties}
