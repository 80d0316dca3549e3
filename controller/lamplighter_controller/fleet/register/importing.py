"""The register from CSV and GeoJSON: every problem is told with its line, and what has one is not taken at all."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_type_hints

import msgspec
import shapely

from lamplighter_controller.fleet.register.faults import MOST_FAULTS, Fault, bounded
from lamplighter_controller.fleet.register.placing import Frame, as_geojson, in_wgs84, shape_of
from lamplighter_controller.fleet.register.things import (
    FORMS,
    ONCE,
    REFERENCES,
    SHAPES,
    DeclaredWaybill,
    Known,
    Permit,
    Thing,
    WatchedObject,
)

BETWEEN: Final = ";"
Lines = Iterable[tuple[int, Mapping[str, Any]]]
Lined = tuple[int, Thing]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds; with faults none of it is to be taken."""

    things: tuple[Thing, ...]
    faults: tuple[Fault, ...] = ()


def from_csv(text: str, kind: type[Thing], known: Known, frame: Frame) -> Imported:
    """Things from CSV with a line of column names; lists within a cell are parted by `;`, shapes are GeoJSON."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows = ((reader.line_num, row) for row in reader if any(row))
    try:
        line, header = next(rows, (1, []))
        faults = list(_header_faults(header, kind)) if header else [Fault(line, "", "", f"names: {_columns(kind)}")]
        return (
            Imported((), bounded(faults))
            if faults
            else _checked(_cells(rows, header, kind, faults), kind, known, frame, faults)
        )
    except csv.Error as error:
        return Imported((), (Fault(reader.line_num, "", "", f"CSV: {error}"),))


def from_geojson(text: bytes, kind: type[Thing], known: Known, frame: Frame) -> Imported:
    """Things from a FeatureCollection (RFC 7946): the geometry is the shape, all else stands in the properties."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Imported((), (Fault(1, "", "", f"JSON: {error}"),))
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        return Imported((), (Fault(1, "type", "", "a FeatureCollection with features"),))
    faults: list[Fault] = []
    return _checked(_features(features, kind, faults), kind, known, frame, faults)


def read_one(values: Mapping[str, Any], kind: type[Thing], known: Known, frame: Frame) -> Imported:
    """One thing as a person writes it in a form."""
    return _checked([(1, values)], kind, known, frame, [])


def _features(features: Sequence[Any], kind: type[Thing], faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, feature in enumerate(features, start=1):
        match feature:
            case {"type": "Feature", "geometry": {**geometry}, "properties": {**properties}}:
                given = {str(name): value for name, value in properties.items() if value is not None}
                yield number, {**given, SHAPES.get(kind, "geometry"): geometry}
            case _:
                faults.append(Fault(number, "geometry", "", "a Feature with geometry and properties"))


def _columns(kind: type[Thing]) -> str:
    return ", ".join(kind.__struct_fields__)


def _needed(kind: type[Thing]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind) if field.required]


def _header_faults(header: Sequence[str], kind: type[Thing]) -> Iterator[Fault]:
    for name, times in Counter(header).items():
        if name not in kind.__struct_fields__:
            yield Fault(1, name[:64], "", f"one of {_columns(kind)}")
        elif times > 1:
            yield Fault(1, name, "", "each column once")
    yield from (Fault(1, name, "", "a column that is needed") for name in _needed(kind) if name not in header)


def _cells(
    rows: Iterable[tuple[int, list[str]]], header: Sequence[str], kind: type[Thing], faults: list[Fault]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows by column name; an empty cell says nothing, cells of lists are parted."""
    lists = {field.name for field in msgspec.structs.fields(kind) if field.default == ()}
    for line, row in rows:
        if len(row) != len(header):
            faults.append(Fault(line, "", f"{len(row)} cells", f"{len(header)} cells, as many as there are names"))
            continue
        yield (
            line,
            {
                name: [one.strip() for one in cell.split(BETWEEN)] if name in lists else cell.strip()
                for name, cell in zip(header, row, strict=True)
                if cell.strip()
            },
        )


def _checked(lines: Lines, kind: type[Thing], known: Known, frame: Frame, faults: list[Fault]) -> Imported:
    found: list[Lined] = []
    shapes: dict[str, tuple[int, Any]] = {}
    first: dict[tuple[str, str], int] = {}
    for line, values in lines:
        read = dict(values)
        wrong = list(_shape_faults(line, read, kind, shapes))
        thing = None if wrong else _read(read, kind)
        wrong += [] if thing is not None or wrong else _value_faults(line, read, kind)
        wrong += _twice(line, values, kind, first)
        if thing is not None:
            wrong += [*_loose(line, thing, known), *_held(line, thing, known)]
            found.append((line, thing))
        faults += wrong
        if len(faults) > MOST_FAULTS:
            break
    moved, outside = in_wgs84(list(shapes.values()), frame)
    faults += outside
    faults += _gates_outside(found, frame)
    if faults:
        return Imported((), bounded(faults))
    placed = dict(zip(shapes, moved, strict=True))
    return Imported(tuple(_placed(thing, placed, frame) for _, thing in found))


def _shape_faults(
    line: int, values: dict[str, Any], kind: type[Thing], shapes: dict[str, tuple[int, Any]]
) -> Iterator[Fault]:
    """Read the shape of a row, text or JSON, and keep it aside under the id of its thing."""
    name = SHAPES.get(kind)
    given = values.get(name or "")
    if name is None or given in (None, ""):
        return
    document = given
    if isinstance(given, str):
        try:
            document = json.loads(given)
        except ValueError as error:
            yield Fault(line, name, given[:100], f"GeoJSON: {error}")
            return
    shape = shape_of(document, FORMS[kind])
    if isinstance(shape, str):
        yield Fault(line, name, str(document)[:100], shape)
        return
    values[name] = "{}"
    shapes[str(values.get("id"))] = (line, shape)


def _placed(thing: Thing, shapes: Mapping[str, Any], frame: Frame) -> Thing:
    name = SHAPES.get(type(thing))
    if name is not None and thing.id in shapes:
        return msgspec.structs.replace(thing, **{name: as_geojson(shapes[thing.id]), "crs": str(frame.system)})
    if isinstance(thing, WatchedObject) and thing.gate_latitude is not None and thing.gate_longitude is not None:
        point = shapely.Point(thing.gate_longitude, thing.gate_latitude)
        [there], _ = in_wgs84([(1, point)], frame)
        return msgspec.structs.replace(thing, gate_latitude=there.y, gate_longitude=there.x)  # type: ignore[attr-defined]  # a point stays one
    return thing


def _gates_outside(found: Iterable[Lined], frame: Frame) -> list[Fault]:
    gates = [
        (line, shapely.Point(thing.gate_longitude, thing.gate_latitude))
        for line, thing in found
        if isinstance(thing, WatchedObject) and thing.gate_latitude is not None and thing.gate_longitude is not None
    ]
    return in_wgs84(gates, frame)[1]


def _read(values: Mapping[str, Any], kind: type[Thing]) -> Thing | None:
    """A whole row at once, None when something in it is wrong."""
    if not values.keys() <= set(kind.__struct_fields__):
        return None
    try:
        thing: Thing = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError:
        return None
    return thing


def _value_faults(line: int, values: Mapping[str, Any], kind: type[Thing]) -> Iterator[Fault]:
    types = get_type_hints(kind, include_extras=True)
    for name, value in values.items():
        if name not in types:
            yield Fault(line, str(name)[:64], "", f"one of {_columns(kind)}")
            continue
        try:
            msgspec.convert(value, types[name], strict=False)
        except msgspec.ValidationError as error:
            yield Fault(line, name, str(value)[:100], str(error))
    yield from (Fault(line, name, "", "a value that is needed") for name in _needed(kind) if name not in values)


def _twice(
    line: int, values: Mapping[str, Any], kind: type[Thing], first: dict[tuple[str, str], int]
) -> Iterator[Fault]:
    """An id, or what only one may hold, on two lines."""
    for name in ("id", *ONCE.get(kind, ())):
        value = values.get(name)
        if isinstance(value, str) and (before := first.setdefault((name, value), line)) != line:
            yield Fault(line, name, value[:100], f"it stands in line {before} already")


def _loose(line: int, thing: Thing, known: Known) -> Iterator[Fault]:
    """References to nothing, and hours of which only one is told."""
    for name, shelf in REFERENCES[type(thing)].items():
        value = getattr(thing, name)
        if value is not None and value not in known.ids.get(shelf, frozenset()):
            yield Fault(line, name, str(value), f"one of the {shelf} that are known; import them first")
    start, end = getattr(thing, "start", None), getattr(thing, "end", None)
    if (start is None) is not (end is None):
        yield Fault(line, "end" if end is None else "start", "", "both start and end of the hours, or neither")
    if isinstance(thing, DeclaredWaybill) and thing.unloaded is not None and thing.unloaded < thing.loaded:
        yield Fault(line, "unloaded", str(thing.unloaded), f"a time not before {thing.loaded}, when it was loaded")
    if isinstance(thing, Permit) and thing.expires < thing.issued:
        yield Fault(line, "expires", thing.expires, f"a day not before {thing.issued}, when it was issued")


def _held(line: int, thing: Thing, known: Known) -> Iterator[Fault]:
    """What another one holds that stays as it is."""
    for name in ONCE.get(type(thing), ()):
        value = getattr(thing, name)
        holder = known.holders.get((name, value or ""), thing.id)
        if holder != thing.id:
            yield Fault(line, name, str(value), f"one that is nobody's; {holder} has it")
