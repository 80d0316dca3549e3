"""What the centre's inventory says of the devices here, from the files that it exports (CSV or JSON). Pure.

Rows are kept whole, so that they can be handed back corrected.
"""

import csv
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lamplighter_contract.ids import is_id
from lamplighter_gateway.config.problem import Problem, shown

MOST_ROWS: Final = 500_000  # a whole city, as the centre exports it
MOST_BYTES: Final = 128 * 1024 * 1024
PHASES: Final = ("a", "b", "c")
_LONGEST: Final = 120

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """Where a lamp ought to stand and what ought to feed it; empty = the inventory does not say."""

    device: str
    pole: str = ""
    circuit: str = ""
    phase: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedCircuit:
    """Which phase a circuit ought to be on; `abc` and empty promise none."""

    circuit: str
    phase: str = ""


def read_rows(file: str, text: str, needs: Sequence[str]) -> tuple[Row, ...] | tuple[Problem, ...]:
    """The rows of an inventory file, or everything that is wrong with it."""
    if len(text) > MOST_BYTES:
        return (Problem(file, "file", f"{len(text)} characters", f"at most {MOST_BYTES}"),)
    rows = _json_rows(file, text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(file, text, needs)
    problems = [row for row in rows if isinstance(row, Problem)]
    good = tuple(row for row in rows if not isinstance(row, Problem))
    if len(good) > MOST_ROWS:
        problems.append(Problem(file, "rows", str(len(good)), f"at most {MOST_ROWS}"))
    for number, row in enumerate(good, start=1):
        problems += [Problem(file, f"row {number}", "missing", f"a column {name}") for name in needs if name not in row]
        if problems:
            break
    return tuple(problems) if problems else good


def lamps(file: str, rows: Sequence[Row]) -> tuple[Expected, ...] | tuple[Problem, ...]:
    """What luminaires with a controller are expected to be."""
    problems: list[Problem] = []
    found: dict[str, Expected] = {}
    for number, row in enumerate(rows, start=1):
        device = row.get("device", "")
        if not device:
            continue
        where = f"row {number} device"
        if not is_id(device):
            problems.append(Problem(file, where, shown(device), "an id"))
        elif device in found:
            problems.append(Problem(file, where, shown(device), "a device that stands in one row"))
        if row.get("phase", "") not in ("", "abc", *PHASES):
            problems.append(Problem(file, f"row {number} phase", shown(row["phase"]), "a, b, c or abc"))
        pole, circuit = row.get("pole", "")[:_LONGEST], row.get("circuit", "")[:_LONGEST]
        found[device] = Expected(device, pole, circuit, row.get("phase", ""))
    return tuple(problems) if problems else tuple(found.values())


def circuits(rows: Sequence[Row]) -> tuple[ExpectedCircuit, ...]:
    """What circuits are expected to be."""
    return tuple(ExpectedCircuit(row["id"], row.get("phase", "")) for row in rows if row.get("id"))


def concerning(rows: Sequence[Row], ids: Collection[str], cabinets: Collection[str]) -> list[Row]:
    """Of a city's rows those of this gateway: of its devices and circuits, or fed by its cabinets."""
    return [row for row in rows if row.get("device") in ids or row.get("id") in ids or row.get("cabinet") in cabinets]


def changed(before: Sequence[Row], after: Sequence[Row]) -> list[Row]:
    """The rows that are not as they were: nothing else is handed back, as others may have worked on it meanwhile."""
    return [new for old, new in zip(before, after, strict=True) if dict(new) != dict(old)]


def to_csv(rows: Sequence[Row]) -> str:
    """Rows as the centre imports them."""
    lines = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(lines, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return lines.getvalue()


def _csv_rows(file: str, text: str, needs: Sequence[str]) -> list[Row | Problem]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        missing = [name for name in needs if name not in (reader.fieldnames or ())]
        if missing:
            return [Problem(file, "line 1", shown(name), "a column of this name") for name in missing]
        found: list[Row | Problem] = []
        for row in reader:
            if None in row or None in row.values():
                found.append(Problem(file, f"line {reader.line_num}", "another number of cells", "one for each column"))
            else:
                found.append(dict(row))
    except csv.Error as error:
        return [Problem(file, f"line {reader.line_num}", "not CSV", str(error))]
    return found


def _json_rows(file: str, text: str) -> list[Row | Problem]:
    """A list of objects, or the centre's page of them in `items`."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [Problem(file, "document", "not JSON", str(error))]
    items = document.get("items") if isinstance(document, dict) else document
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return [Problem(file, "document", type(items).__name__, "a list of objects")]
    return [{str(name): "" if value is None else str(value) for name, value in item.items()} for item in items]
