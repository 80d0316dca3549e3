"""Violations to and from the online case system, as CSV or JSON. Pure; a file that comes twice changes nothing."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from lamplighter_controller.fleet.cases import life
from lamplighter_controller.fleet.cases.life import Act, Outcome, Wish
from lamplighter_controller.fleet.register.faults import Fault, bounded
from lamplighter_controller.fleet.violations.violation import State, Step, Violation

COLUMNS: Final = ("violation", "case_number", "outcome", "amount_yuan", "reference")
MOST_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """What the case system says of one violation; `line` of its file, from 1."""

    line: int
    violation: str
    case_number: str = ""
    outcome: str = ""
    amount_yuan: float | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A file as rows; with faults it is not to be taken."""

    rows: tuple[Row, ...] = ()
    faults: tuple[Fault, ...] = ()


def exported(
    violation: Violation, steps: Sequence[Step], names: Mapping[str, str], package: str | None, zone: ZoneInfo
) -> dict[str, Any]:
    """One violation as the case system takes it; `names` holds plate, company_name and legal_basis where known."""
    case, outcome = life.last_detail(steps, State.CASE) or {}, life.last_detail(steps, State.OUTCOME) or {}
    return {
        "violation": violation.id,
        "state": violation.state.value,
        "class": violation.kind,
        "rules": violation.rules,
        "score": violation.score,
        "truck": violation.truck,
        "plate": names.get("plate"),
        "company": violation.company,
        "company_name": names.get("company_name"),
        "first": _local(violation.first_ms, zone),
        "last": _local(violation.last_ms, zone),
        "latitude": violation.latitude,
        "longitude": violation.longitude,
        "place": violation.place,
        "place_version": violation.place_version,
        "legal_basis": names.get("legal_basis"),
        "permit": violation.permit,
        "permit_version": violation.permit_version,
        "package_sha256": package,
        "case_number": case.get("case_number"),
        "outcome": outcome.get("outcome"),
        "amount_yuan": outcome.get("amount_yuan"),
    }


def from_csv(text: str) -> Read:
    """Rows of a CSV file with a line of column names."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        lined = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error as error:
        return Read(faults=(Fault(reader.line_num, "", "", f"CSV: {error}"),))
    if not lined:
        return Read(faults=(Fault(1, "", "", f"names: {', '.join(COLUMNS)}"),))
    (line, header), *rows = lined
    wrong = [Fault(line, name[:64], "", f"one of {', '.join(COLUMNS)}") for name in header if name not in COLUMNS]
    wrong += [Fault(line, name, "", "each column once") for name in set(header) if header.count(name) > 1]
    wrong += [Fault(line, "violation", "", "a column that is needed")] if "violation" not in header else []
    wrong += [
        Fault(number, "", f"{len(row)} cells", f"{len(header)} cells, as many as there are names")
        for number, row in rows
        if len(row) != len(header)
    ]
    if wrong:
        return Read(faults=bounded(wrong))
    return _read((number, dict(zip(header, row, strict=True))) for number, row in rows)


def from_json(content: bytes) -> Read:
    """Rows of a JSON list of objects; a line is the number of the object."""
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Read(faults=(Fault(1, "", "", f"JSON: {error}"),))
    items = found.get("items") if isinstance(found, dict) else found
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return Read(faults=(Fault(1, "", "", "a list of objects"),))
    return _read(enumerate(items, start=1))


def wishes(row: Row, who: str, reason: str) -> Iterator[Wish]:
    """The steps that a row asks for."""
    also = {"reference": row.reference} if row.reference else {}
    if row.case_number:
        yield Wish(Act.NUMBER, who, reason, {"case_number": row.case_number, **also})
    if row.outcome:
        amount = {} if row.amount_yuan is None else {"amount_yuan": row.amount_yuan}
        yield Wish(Act.CONCLUDE, who, reason, {"outcome": row.outcome, **amount, **also})


def says_the_same(wish: Wish, known: Mapping[str, Any]) -> bool:
    """True when a step was taken before as it is wished for; a reference that came later is no other step."""
    return all(known.get(name) == value for name, value in wish.detail.items() if name != "reference")


def contradiction(row: Row, wish: Wish, known: Mapping[str, Any] | None, why: str) -> Fault:
    """What is wrong with a row that cannot be taken."""
    name = "case_number" if wish.act is Act.NUMBER else "outcome"
    if known is None:
        return Fault(row.line, name, str(wish.detail[name]), why)
    return Fault(row.line, name, str(wish.detail[name]), f"{known.get(name)}, as it stands already")


def _read(lined: Iterable[tuple[int, Mapping[str, Any]]]) -> Read:
    rows: list[Row] = []
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for line, given in lined:
        values = {name: value for name, value in given.items() if value not in (None, "")}
        wrong = list(_faults(line, values, first))
        faults += wrong
        if not wrong:
            rows.append(_row(line, values))
    if len(rows) > MOST_ROWS:
        faults.append(Fault(rows[MOST_ROWS].line, "", "", f"at most {MOST_ROWS} rows"))
    return Read(faults=bounded(faults)) if faults else Read(tuple(rows))


def _faults(line: int, values: Mapping[str, Any], first: dict[str, int]) -> Iterator[Fault]:
    for name, value in values.items():
        expected = _expected(str(name), value)
        if expected is not None:
            yield Fault(line, str(name)[:64], str(value)[:100], expected)
    violation = values.get("violation")
    if not violation:
        yield Fault(line, "violation", "", "a value that is needed")
    elif (before := first.setdefault(str(violation), line)) != line:
        yield Fault(line, "violation", str(violation)[:100], f"it stands in line {before} already")
    if not values.get("case_number") and not values.get("outcome"):
        yield Fault(line, "case_number", "", "a case number or an outcome")


def _expected(name: str, value: object) -> str | None:
    if name not in COLUMNS:
        return f"one of {', '.join(COLUMNS)}"
    if name == "outcome":
        return None if value in set(Outcome) else f"one of {', '.join(Outcome)}"
    if name == "amount_yuan":
        return None if _amount(value) is not None else f"a number from 0 to {life.MOST_YUAN}"
    return None if isinstance(value, str) and len(value) <= life.MOST_TEXT else f"text of {life.MOST_TEXT} characters"


def _amount(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 <= number <= life.MOST_YUAN else None


def _row(line: int, values: Mapping[str, Any]) -> Row:
    texts = {name: str(values[name]) for name in COLUMNS if name in values and name != "amount_yuan"}
    return Row(line, **texts, amount_yuan=_amount(values["amount_yuan"]) if "amount_yuan" in values else None)


def _local(time_ms: int | None, zone: ZoneInfo) -> str | None:
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, zone).isoformat(timespec="seconds")
