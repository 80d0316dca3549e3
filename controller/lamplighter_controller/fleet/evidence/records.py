"""Queries of evidence: parts of a violation, packages made of them, holds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, func, select, update

from lamplighter_controller.fleet.evidence.manifest import Missing
from lamplighter_controller.fleet.evidence.retention import Kept
from lamplighter_controller.fleet.evidence.store import hold_table, package_table, part_table
from lamplighter_controller.fleet.store import card_table, violation_table, waybill_table
from lamplighter_controller.fleet.violations.violation import State
from lamplighter_controller.ledger.tables import storable

AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Part:
    """A file that belongs to a violation; `source` says who took it, `taken_ms` when (civil), as far as is known."""

    violation: str
    sha256: str
    name: str
    media_type: str
    bytes: int
    source: str
    taken_ms: int | None
    added_ms: int
    added_by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was made; `audit_number` is the row of the audit trail that holds its manifest's digest."""

    violation: str
    number: int
    sha256: str
    bytes: int
    manifest_sha256: str
    audit_number: int
    parts: int
    missing: tuple[Missing, ...]
    made_ms: int
    made_by: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing of a violation is deleted from `placed_ms` on until it has ended."""

    violation: str
    placed_ms: int
    placed_by: str
    reason: str
    ended_ms: int | None = None
    ended_by: str | None = None


def add_part(connection: Connection, part: Part) -> bool:
    """Bind a file to its violation; False when it is bound already."""
    known = (part_table.c.violation == part.violation) & (part_table.c.sha256 == part.sha256)
    if connection.execute(select(part_table.c.name).where(known)).first():
        return False
    row = asdict(part) | {"note": storable(part.note), "added_by": storable(part.added_by)}
    connection.execute(part_table.insert().values(**row))
    return True


def parts_of(connection: Connection, violation: str) -> list[Part]:
    """All files of a violation, in the order they came."""
    table = part_table
    query = select(table).where(table.c.violation == violation).order_by(table.c.added_ms, table.c.sha256)
    return [_part(row) for row in connection.execute(query)]


def add_package(connection: Connection, package: Package) -> None:
    """Remember a package."""
    row = asdict(package) | {"missing": msgspec.json.encode(package.missing).decode()}
    connection.execute(package_table.insert().values(**row))


def packages_of(connection: Connection, violation: str) -> list[Package]:
    """All packages of a violation, the first one first."""
    table = package_table
    rows = connection.execute(select(table).where(table.c.violation == violation).order_by(table.c.number))
    return [_package(row) for row in rows]


def newest_packages(connection: Connection, violations: Sequence[str]) -> dict[str, str]:
    """The digest of the newest package of each violation that has one."""
    table, found = package_table.c, {}
    for start in range(0, len(violations), AT_ONCE):
        some = violations[start : start + AT_ONCE]
        query = select(table.violation, table.sha256).where(table.violation.in_(some)).order_by(table.number)
        found.update({row.violation: row.sha256 for row in connection.execute(query)})
    return found


def next_number(connection: Connection, violation: str) -> int:
    """The number of the next package."""
    query = select(func.max(package_table.c.number)).where(package_table.c.violation == violation)
    return (connection.scalar(query) or 0) + 1


def place_hold(connection: Connection, hold: Hold) -> None:
    """Begin a hold."""
    row = asdict(hold) | {"reason": storable(hold.reason), "placed_by": storable(hold.placed_by)}
    connection.execute(hold_table.insert().values(**row))


def end_hold(connection: Connection, violation: str, who: str, time_ms: int) -> bool:
    """End what is held; False when nothing is."""
    table = hold_table
    open_ones = (table.c.violation == violation) & table.c.ended_ms.is_(None)
    ended = connection.execute(update(table).where(open_ones).values(ended_ms=time_ms, ended_by=storable(who)))
    return bool(ended.rowcount)


def hold_of(connection: Connection, violation: str) -> Hold | None:
    """The hold in force."""
    table = hold_table
    row = connection.execute(select(table).where((table.c.violation == violation) & table.c.ended_ms.is_(None))).first()
    return Hold(**row._asdict()) if row else None


def held(connection: Connection) -> frozenset[str]:
    """Every violation under a hold."""
    query = select(hold_table.c.violation).where(hold_table.c.ended_ms.is_(None))
    return frozenset(connection.scalars(query))


def wanting(
    connection: Connection, name: str, states: Sequence[State], since_ms: int, ended_ms: int, limit: int
) -> list[str]:
    """Violations in these states without that file, found after `since_ms` (real) and over by `ended_ms` (civil)."""
    table, part = violation_table.c, part_table.c
    there = select(part.violation).where((part.violation == table.id) & (part.name == name)).exists()
    where = (table.found_ms >= since_ms) & (table.last_ms <= ended_ms) & table.state.in_(states) & ~there
    return list(connection.scalars(select(table.id).where(where).order_by(table.found_ms).limit(limit)))


def kept(connection: Connection) -> list[Kept]:
    """Every violation that has files."""
    table = violation_table.c
    some = select(part_table.c.violation).union(select(package_table.c.violation))
    query = select(table.id, table.state, table.changed_ms).where(table.id.in_(some))
    return [Kept(row.id, State(row.state), row.changed_ms) for row in connection.execute(query)]


def forget_drivers(connection: Connection, before_ms: int, spared: Sequence[str]) -> int:
    """Take drivers from waybills, and cards, from before then (civil), but for those of `spared` trucks; how many."""
    table, cards = waybill_table, card_table
    named = table.c.driver.is_not(None) | (table.c.driver_told != "")
    where = (table.c.loaded_ms < before_ms) & named & table.c.truck.not_in(spared)
    read = (cards.c.time_ms < before_ms) & cards.c.truck.not_in(spared)
    gone = connection.execute(update(table).where(where).values(driver=None, driver_told="", content="")).rowcount
    return gone + connection.execute(delete(cards).where(read)).rowcount


def trucks_of(connection: Connection, violations: Sequence[str]) -> list[str]:
    """The trucks of some violations."""
    found: set[str] = set()
    for start in range(0, len(violations), AT_ONCE):
        some = violations[start : start + AT_ONCE]
        found |= set(connection.scalars(select(violation_table.c.truck).where(violation_table.c.id.in_(some))))
    return sorted(found)


def in_process(connection: Connection, states: Sequence[State]) -> list[str]:
    """Violations in these states."""
    return list(connection.scalars(select(violation_table.c.id).where(violation_table.c.state.in_(states))))


def forget(connection: Connection, violation: str) -> list[str]:
    """Take every file from a violation; the digests that belong to no other one any more."""
    gone = set(connection.scalars(select(part_table.c.sha256).where(part_table.c.violation == violation)))
    gone |= set(connection.scalars(select(package_table.c.sha256).where(package_table.c.violation == violation)))
    connection.execute(delete(part_table).where(part_table.c.violation == violation))
    connection.execute(delete(package_table).where(package_table.c.violation == violation))
    for table in (part_table, package_table):
        gone -= set(connection.scalars(select(table.c.sha256).where(table.c.sha256.in_(gone))))
    return sorted(gone)


def _part(row: Row[Any]) -> Part:
    return Part(**row._asdict())


def _package(row: Row[Any]) -> Package:
    missing = msgspec.json.decode(row.missing, type=tuple[Missing, ...])
    return Package(**{**row._asdict(), "missing": missing})
