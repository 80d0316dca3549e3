"""Tables of the inventory as CSV and GeoJSON, in the coordinate system somebody wants them in."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from lamplighter_contract.geo.systems import System, from_wgs84
from lamplighter_firmware_sim.survey.tables import Row

PLACED: Final = frozenset({"cabinets", "luminaires"})
BETWEEN: Final = ";"
DECIMALS: Final = 7  # a centimetre


def write(directory: Path, tables: Mapping[str, Sequence[Row]], system: System, *, geojson: bool) -> list[Path]:
    """A file for each kind that has rows, in the order to import them; what has positions as GeoJSON if wanted."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, rows in tables.items():
        if rows:
            placed = shifted(rows, system) if kind in PLACED else rows
            whole = geojson and kind in PLACED
            path = directory / f"{kind}.{'geojson' if whole else 'csv'}"
            path.write_text(to_geojson(placed) if whole else to_csv(placed), "utf-8")
            written.append(path)
    return written


def shifted(rows: Sequence[Row], system: System) -> list[Row]:
    """Rows with their positions in another system than WGS-84."""
    if system in {System.WGS84, System.CGCS2000}:
        return list(rows)
    latitude = np.array([row["latitude"] for row in rows])
    longitude = np.array([row["longitude"] for row in rows])
    north, east = (np.round(values, DECIMALS).tolist() for values in from_wgs84(system, latitude, longitude))
    return [{**row, "latitude": north[n], "longitude": east[n]} for n, row in enumerate(rows)]


def to_csv(rows: Sequence[Row]) -> str:
    """A line of names, then one line each; lists in a cell are parted by `;`."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return lines.getvalue()


def to_geojson(rows: Sequence[Row]) -> str:
    """A FeatureCollection of points (RFC 7946)."""
    return json.dumps({"type": "FeatureCollection", "features": [_feature(row) for row in rows]}, ensure_ascii=False)


def _cell(value: Any) -> Any:
    return BETWEEN.join(value) if isinstance(value, list) else value


def _feature(row: Row) -> dict[str, Any]:
    properties = {name: value for name, value in row.items() if name not in {"latitude", "longitude"}}
    point = {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]}
    return {"type": "Feature", "geometry": point, "properties": properties}
