"""What the ledger and the series know of a violation, as it is packed."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, desc, select

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.limits import MAX_EVIDENCE_MS, MAX_PHOTOS
from lamplighter_controller.commands import rules
from lamplighter_controller.commands import store as command_store
from lamplighter_controller.fleet.evidence import track
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.register.things import Company, Permit, Place, Truck
from lamplighter_controller.fleet.store import limit_table, past_table
from lamplighter_controller.fleet.violations import records as violations
from lamplighter_controller.fleet.violations.violation import Violation
from lamplighter_controller.intake.store import gateway_event
from lamplighter_controller.series.port import Readings, Series

AROUND_MS: Final = 15 * 60_000
MOST_ROWS: Final = 100_000
MOST_COMMANDS: Final = 200
PHOTO_EVENT: Final = "truck.photo"
BEFORE_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Known:
    """A violation with everything that is on record of it, as plain values."""

    violation: Violation
    device: str
    facts: Mapping[str, Any]


def window(violation: Violation, now_ms: int) -> tuple[int, int]:
    """The time that is looked at, civil ms: a quarter of an hour more on both sides, as much as may be asked for."""
    start_ms = violation.first_ms - AROUND_MS
    end_ms = min((violation.last_ms or now_ms) + AROUND_MS, now_ms)
    return start_ms, max(start_ms + 1, min(end_ms, start_ms + MAX_EVIDENCE_MS))


def known(connection: Connection, violation: str) -> Known | None:
    """What the ledger knows; None when there is no such violation."""
    found = violations.find(connection, violation)
    if found is None:
        return None
    truck = _as_of(connection, found)
    device = str(truck.get("device") or found.truck)
    place, permit = found.place, found.permit
    facts = {
        "violation": _plain(found),
        "evidence": dict(found.evidence),
        "steps": [_plain(step) for step in violations.steps_of(connection, violation)],
        "truck": truck,
        "company": _thing(register.kept(connection, "companies", found.company, Company)),
        "place": _thing(register.kept(connection, "places", place, Place, found.place_version)) if place else {},
        "permit": _thing(register.kept(connection, "permits", permit, Permit, found.permit_version)) if permit else {},
        "limits": list(_limits(connection, found)),
        "commands": list(_commands(connection, device, found)),
    }
    return Known(found, device, facts)


def photos(connection: Connection, device: str, start_ms: int, end_ms: int) -> list[str]:
    """Digests of the photos that the truck's terminal took in a time, the newest first."""
    table = gateway_event
    where = and_(table.c.device == device, table.c.event == PHOTO_EVENT, table.c.time_ms.between(start_ms, end_ms))
    rows = connection.scalars(select(table.c.body).where(where).order_by(desc(table.c.number)).limit(MAX_PHOTOS))
    told = [msgspec.json.decode(body).get("detail", {}).get("sha256") for body in rows]
    return list(dict.fromkeys(str(digest) for digest in told if digest))


async def track_of(series: Series, device: str, start_ms: int, end_ms: int) -> Readings:
    """Every report of a truck in a time.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    return await series.range(Kind.TRUCK, [device], list(track.quantities()), start_ms, end_ms, MOST_ROWS)


def _as_of(connection: Connection, found: Violation) -> dict[str, Any]:
    """The truck as it was on record when the violation was found, terminal, installation and calibration with it."""
    table = past_table
    where = and_(table.c.shelf == "trucks", table.c.id == found.truck, table.c.changed_ms <= found.found_ms)
    version = connection.scalar(select(table.c.version).where(where).order_by(desc(table.c.version)).limit(1))
    return _thing(register.kept(connection, "trucks", found.truck, Truck, version))


def _thing(kept: register.Kept | None) -> dict[str, Any]:
    if kept is None:
        return {}
    about = {"version": kept.version, "changed_ms": kept.changed_ms, "changed_by": kept.changed_by}
    return {**msgspec.to_builtins(kept.thing), **about}


def _plain(thing: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(asdict(thing))
    return plain


def _limits(connection: Connection, found: Violation) -> Iterator[dict[str, Any]]:
    table = limit_table
    since = and_(table.c.truck == found.truck, table.c.created_ms >= found.found_ms - DAY_MS)
    for row in connection.execute(select(table).where(since).order_by(table.c.created_ms).limit(MOST_COMMANDS)):
        yield row._asdict()


def _commands(connection: Connection, device: str, found: Violation) -> Iterator[dict[str, Any]]:
    requests = command_store.newest_requests(connection, device=device, before=None, limit=MOST_COMMANDS)
    near = [request for request in requests if request.issued_ms >= found.found_ms - BEFORE_MS]
    orders = command_store.orders_of(connection, [request.id for request in near])
    for request in reversed(near):
        mine = [order for order in orders.get(request.id, ()) if device in order.parts]
        part = mine[0].parts[device] if mine else None
        yield {
            "request": request.id,
            "issued_ms": request.issued_ms,
            "op": str(request.op),
            "args": dict(request.args),
            "who": request.who,
            "approvals": list(request.approvals),
            "state": str(part.state if part else rules.state_of(orders.get(request.id, ()))),
            "reason": request.reason,
            "result": part.reason if part else "",
            "reading": dict(part.reading) if part else {},
        }
