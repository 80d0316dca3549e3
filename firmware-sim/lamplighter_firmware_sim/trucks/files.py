"""The fleet as files for people and importers: all as CSV but places, which are GeoJSON; WGS-84."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lamplighter_firmware_sim.trucks.fleet import Fleet, PlaceKind, Spot, Tracker
from lamplighter_firmware_sim.trucks.roads import Leg

BASIS: Final = "sample city / 示例城市"
Row = Mapping[str, Any]


def write(directory: Path, fleet: Fleet, issued: str, expires: str) -> list[Path]:
    """A file of each shelf, in the order to import them; permits hold from one day to another, YYYY-MM-DD."""
    directory.mkdir(parents=True, exist_ok=True)
    documents = {
        "companies.csv": _csv(companies(fleet)),
        "trucks.csv": _csv(trucks(fleet)),
        "places.geojson": places(fleet),
        "objects.csv": _csv(objects(fleet)),
        "permits.csv": _csv(permits(fleet, issued, expires)),
    }
    for name, text in documents.items():
        (directory / name).write_text(text, "utf-8")
    return [directory / name for name in documents]


def companies(fleet: Fleet) -> list[Row]:
    """Rows of companies."""
    return [{"id": one.id, "name": f"{one.name.zh} ({one.name.en})"} for one in fleet.companies]


def trucks(fleet: Fleet) -> list[Row]:
    """Rows of trucks; `device` is what the gateway calls them."""
    return [
        {
            "id": one.id,
            "plate": one.plate,
            "company": one.company,
            "device": one.id,
            "profile": one.tracker.profile,
            "capacity_m3": one.capacity_m3,
            "view_only": str(one.tracker is Tracker.RELAY).lower(),
        }
        for one in fleet.trucks
    ]


def objects(fleet: Fleet) -> list[Row]:
    """Rows of watched objects: sites and grounds, each with its place."""
    kinds = (PlaceKind.SITE, PlaceKind.GROUND)
    return [
        {"id": spot.id, "kind": str(spot.kind), "name": _named(spot), "place": spot.id}
        for spot in fleet.spots
        if spot.kind in kinds
    ]


def permits(fleet: Fleet, issued: str, expires: str) -> list[Row]:
    """Rows of permits: every truck may carry from its site to its ground, by the fastest way."""
    roads = fleet.roads()
    return [
        {
            "id": f"permit-{one.id}",
            "truck": one.id,
            "site": one.site,
            "ground": one.ground,
            "issued": issued,
            "expires": expires,
            "corridor": _line(fleet, roads.way(fleet.spot(one.site).point, fleet.spot(one.ground).point)),
        }
        for one in fleet.trucks
    ]


def places(fleet: Fleet) -> str:
    """Places as polygons (RFC 7946)."""
    features = [_feature(fleet, spot) for spot in fleet.spots]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1)


def _feature(fleet: Fleet, spot: Spot) -> Row:
    half_m = spot.side_m / 2
    turns = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
    corners = [fleet.where((spot.point[0] + east * half_m, spot.point[1] + north * half_m)) for east, north in turns]
    ring = [[corner.longitude, corner.latitude] for corner in corners]
    properties: dict[str, Any] = {"id": spot.id, "kind": str(spot.kind), "name": _named(spot), "basis": BASIS}
    if spot.limit_kmh is not None:
        properties["limit_kmh"] = spot.limit_kmh
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}


def _named(spot: Spot) -> str:
    return f"{spot.name.zh} ({spot.name.en})"


def _line(fleet: Fleet, legs: Sequence[Leg]) -> str:
    places = [fleet.where(point) for point in (legs[0].start, *(leg.end for leg in legs))]
    points = [[place.longitude, place.latitude] for place in places]
    return json.dumps({"type": "LineString", "coordinates": points})


def _csv(rows: Sequence[Row]) -> str:
    lines = io.StringIO()
    writer = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return lines.getvalue()
