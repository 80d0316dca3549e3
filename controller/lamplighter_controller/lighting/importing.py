"""Inventory from CSV and GeoJSON: every problem is told with its line, and what has one is not taken at all."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, get_args, get_type_hints

import msgspec

from lamplighter_controller.lighting.faults import MOST_FAULTS, Fault, bounded
from lamplighter_controller.lighting.inventory import REFERENCES, Luminaire, Thing
from lamplighter_controller.lighting.placing import Frame, in_wgs84

BETWEEN: Final = ";"
ANYWHERE: Final = Frame()

Lines = Iterable[tuple[int, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Known:
    """What references may name: ids by kind; and which luminaire has which device."""

    ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    holders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds; with faults none of it is to be taken."""

    things: tuple[Thing, ...]
    faults: tuple[Fault, ...]


def from_csv(text: str, kind: type[Thing], known: Known, frame: Frame = ANYWHERE) -> Imported:
    """Things from CSV with a line of column names; lists within a cell are parted by `;`.

    `known`: what stands in the inventory already. `frame`: the system of its positions.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows = ((reader.line_num, row) for row in reader if any(row))
    faults: list[Fault] = []
    try:
        line, header = next(rows, (1, []))
        faults.extend(_header_faults(header, kind) if header else [_no_header(line, kind)])
        return (
            Imported((), tuple(faults))
            if faults
            else _checked(_cells(rows, header, kind, faults), kind, known, frame, faults)
        )
    except csv.Error as error:
        return Imported((), (*faults, Fault(reader.line_num, "", "", f"CSV: {error}")))


def from_geojson(text: bytes, kind: type[Thing], known: Known, frame: Frame = ANYWHERE) -> Imported:
    """Things from a FeatureCollection of points (RFC 7946), all else in their properties."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Imported((), (Fault(1, "", "", f"JSON: {error}"),))
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        return Imported((), (Fault(1, "type", "", "a FeatureCollection with features"),))
    faults: list[Fault] = []
    return _checked(_points(features, faults), kind, known, frame, faults)


def _points(features: Sequence[Any], faults: list[Fault]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, feature in enumerate(features, start=1):
        found = _feature(feature)
        if found is None:
            faults.append(Fault(number, "geometry", "", "a Feature that is a Point with properties"))
        else:
            yield number, found


def _feature(feature: Any) -> dict[str, Any] | None:
    match feature:
        case {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [float() | int() as longitude, float() | int() as latitude, *_],
            },
            "properties": {**properties},
        }:
            given = {str(name): value for name, value in properties.items() if value is not None}
            return {**given, "longitude": longitude, "latitude": latitude}
    return None


def _no_header(line: int, kind: type[Thing]) -> Fault:
    return Fault(line, "", "", f"a line of column names, some of {_columns(kind)}")


def _columns(kind: type[Thing]) -> str:
    return ", ".join(kind.__struct_fields__)


def _header_faults(header: Sequence[str], kind: type[Thing]) -> Iterator[Fault]:
    for name, times in Counter(header).items():
        if name not in kind.__struct_fields__:
            yield Fault(1, name[:64], "", f"one of {_columns(kind)}")
        elif times > 1:
            yield Fault(1, name, "", "each column once")
    yield from (Fault(1, name, "", "a column that is needed") for name in _needed(kind) if name not in header)


def _needed(kind: type[Thing]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind) if field.required]


def _cells(
    rows: Iterable[tuple[int, list[str]]], header: Sequence[str], kind: type[Thing], faults: list[Fault]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows by column name; an empty cell says nothing, cells of lists are parted."""
    lists = {field.name for field in msgspec.structs.fields(kind) if field.default == ()}
    for line, row in rows:
        if len(row) != len(header):
            expected = f"{len(header)} cells, as many as there are names"
            faults.append(Fault(line, "", f"{len(row)} cells", expected))
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
    types = get_type_hints(kind, include_extras=True)
    found: list[tuple[int, Thing]] = []
    first: dict[tuple[str, str], int] = {}
    for line, values in lines:
        thing = _read(values, kind)
        wrong = list(_value_faults(line, values, types, kind)) if thing is None else []
        wrong.extend(_twice(line, values, first))
        if thing is not None and not wrong:
            wrong.extend(_loose(line, thing, known))
            found.append((line, thing))
        faults.extend(wrong)
        if len(faults) > MOST_FAULTS:
            break
    faults.extend(_taken(found, known.holders))
    placed, outside = in_wgs84(found, frame)
    faults.extend(outside)
    return Imported((), bounded(faults)) if faults else Imported(tuple(thing for _, thing in placed), ())


def _read(values: Mapping[str, Any], kind: type[Thing]) -> Thing | None:
    """A whole row at once, None when something in it is wrong."""
    if not values.keys() <= set(kind.__struct_fields__):
        return None
    try:
        thing: Thing = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError:
        return None
    return thing


def _taken(found: Sequence[tuple[int, Thing]], holders: Mapping[str, str]) -> Iterator[Fault]:
    """Devices that a luminaire has which is not in this file."""
    here = {thing.id for _, thing in found}
    for line, thing in found:
        device = thing.device if isinstance(thing, Luminaire) else None
        holder = holders.get(device or "", thing.id)
        if holder != thing.id and holder not in here:
            yield Fault(line, "device", str(device), f"a device of no other luminaire; {holder} has it")


def _value_faults(line: int, values: Mapping[str, Any], types: Mapping[str, Any], kind: type[Thing]) -> Iterator[Fault]:
    for name, value in values.items():
        if name not in types:
            yield Fault(line, str(name)[:64], "", f"one of {_columns(kind)}")
            continue
        try:
            msgspec.convert(value, types[name], strict=False)
        except msgspec.ValidationError as error:
            yield Fault(line, name, _shown(value), _expected(error, types[name]))
    yield from (Fault(line, name, "", "a value that is needed") for name in _needed(kind) if name not in values)


def _expected(error: msgspec.ValidationError, kind: Any) -> str:
    """What would have been right; of words there are few of, which."""
    words = next((one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, Enum)), None)
    return f"one of {', '.join(str(word) for word in words)}" if words else str(error).removeprefix("Expected ")


def _twice(line: int, values: Mapping[str, Any], first: dict[tuple[str, str], int]) -> Iterator[Fault]:
    """An id, or a device, on two lines."""
    for name in ("id", "device"):
        value = values.get(name)
        if isinstance(value, str):
            before = first.setdefault((name, value), line)
            if before != line:
                yield Fault(line, name, _shown(value), f"one that no other line has; line {before} has it already")


def _loose(line: int, thing: Thing, known: Known) -> Iterator[Fault]:
    """References to nothing."""
    for name, kind in REFERENCES[type(thing)].items():
        value = getattr(thing, name)
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None and one not in known.ids.get(kind, frozenset()):
                yield Fault(line, name, _shown(one), f"one of the {kind} that are known; import them first")


def _shown(value: Any) -> str:
    return str(value)[:100]
