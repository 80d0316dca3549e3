"""Queries of programs, calendars, assignments, plans and the versions gateways were given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, desc, func, select

from lamplighter_contract.light.plans.problems import Problem
from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.lighting.gate import PlanState
from lamplighter_controller.lighting.library import Item, Library, kind_of
from lamplighter_controller.lighting.store import floor_table, library_table, plan_table, version_table

FLOOR: Final = 1


@dataclass(frozen=True, slots=True)
class Shelved:
    """An item of the library with its version, and who changed it when (real epoch ms)."""

    item: Item
    version: int
    changed_ms: int
    changed_by: str


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as the ledger has it; times in real epoch ms."""

    number: int
    state: PlanState
    library: Library
    problems: tuple[Problem, ...]
    approvals: tuple[str, ...]
    author: str
    reason: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Version:
    """What one gateway was given."""

    gateway: str
    version: int
    plan: int
    published_ms: int
    published_by: str


_GIVEN: Final = tuple(version_table.c[name] for name in Version.__slots__)  # without the document


def put_items(connection: Connection, shelf: str, items: Sequence[Item], *, who: str, time_ms: int) -> None:
    """Add or replace items; each rises by one version."""
    table = library_table
    for item in items:
        here = (table.c.shelf == shelf) & (table.c.id == item.id)
        version = connection.scalar(select(table.c.version).where(here)) or 0
        values = {
            "version": version + 1,
            "body": msgspec.json.encode(item, order="deterministic").decode(),
            "changed_ms": time_ms,
            "changed_by": storable(who),
        }
        if version:
            connection.execute(table.update().where(here).values(values))
        else:
            connection.execute(table.insert().values(shelf=shelf, id=item.id, **values))


def remove_item(connection: Connection, shelf: str, name: str) -> bool:
    """Take an item from the library; plans made before keep their copy. False when there is none."""
    table = library_table
    return connection.execute(table.delete().where(table.c.shelf == shelf, table.c.id == name)).rowcount > 0


def shelved(connection: Connection, shelf: str) -> list[Shelved]:
    """All items of a shelf, by id."""
    table = library_table
    rows = connection.execute(select(table).where(table.c.shelf == shelf).order_by(table.c.id))
    kind = kind_of(shelf)
    return [
        Shelved(msgspec.json.decode(row.body, type=kind), row.version, row.changed_ms, row.changed_by) for row in rows
    ]


def library(connection: Connection) -> Library:
    """The library as it stands."""
    shelves = Library.__struct_fields__
    found: dict[str, Any] = {shelf: tuple(one.item for one in shelved(connection, shelf)) for shelf in shelves}
    return Library(**found)


def draft(connection: Connection, *, who: str, reason: str, time_ms: int) -> StoredPlan:
    """A new plan with a copy of the library."""
    content = msgspec.json.encode(library(connection), order="deterministic").decode()
    result = connection.execute(
        plan_table.insert().values(
            state=PlanState.DRAFT,
            library=content,
            problems="[]",
            approvals="[]",
            author=storable(who),
            reason=storable(reason),
            created_ms=time_ms,
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    made = plan(connection, key[0])
    assert made is not None
    return made


def plan(connection: Connection, number: int) -> StoredPlan | None:
    """One plan."""
    row = connection.execute(select(plan_table).where(plan_table.c.number == number)).first()
    return _plan(row) if row else None


def plans(connection: Connection, before: int | None, limit: int) -> list[StoredPlan]:
    """The newest plans first, below a number when given."""
    query = select(plan_table).order_by(desc(plan_table.c.number)).limit(limit)
    if before is not None:
        query = query.where(plan_table.c.number < before)
    return [_plan(row) for row in connection.execute(query)]


def set_checked(connection: Connection, number: int, state: PlanState, problems: Iterable[Problem]) -> None:
    """Keep what a check of a plan has found."""
    found = msgspec.json.encode(list(problems)).decode()
    connection.execute(plan_table.update().where(plan_table.c.number == number).values(state=state, problems=found))


def set_approvals(connection: Connection, number: int, approvals: Sequence[str]) -> None:
    """Keep who has approved a plan."""
    names = msgspec.json.encode([storable(name) for name in approvals]).decode()
    connection.execute(plan_table.update().where(plan_table.c.number == number).values(approvals=names))


def published(
    connection: Connection, number: int, documents: Mapping[str, tuple[int, bytes]], who: str, ms: int
) -> None:
    """Give gateways a version each with its document; `ms` in real epoch ms."""
    rows = [
        {
            "gateway": gateway,
            "version": version,
            "plan": number,
            "document": document,
            "published_ms": ms,
            "published_by": storable(who),
        }
        for gateway, (version, document) in documents.items()
    ]
    connection.execute(version_table.insert(), rows)
    connection.execute(plan_table.update().where(plan_table.c.number == number).values(state=PlanState.PUBLISHED))


def in_force(connection: Connection) -> list[Version]:
    """The newest version of every gateway that has one, by gateway."""
    newest = _newest()
    table = version_table
    query = select(*_GIVEN).join(newest, (table.c.gateway == newest.c.gateway) & (table.c.version == newest.c.version))
    return [_version(row) for row in connection.execute(query.order_by(table.c.gateway))]


def documents(connection: Connection, gateways: Iterable[str] | None = None) -> dict[str, bytes]:
    """The newest document of gateways, or of all."""
    newest, table = _newest(), version_table
    query = select(table.c.gateway, table.c.document).join(
        newest, (table.c.gateway == newest.c.gateway) & (table.c.version == newest.c.version)
    )
    if gateways is not None:
        query = query.where(table.c.gateway.in_(list(gateways)))
    return {row.gateway: row.document for row in connection.execute(query)}


def renew(connection: Connection, versions: Sequence[tuple[Version, bytes]]) -> None:
    """Give gateways the plan they have once more, as a new version that tells of other overrides and scenes."""
    rows = [
        {
            "gateway": one.gateway,
            "version": one.version,
            "plan": one.plan,
            "document": document,
            "published_ms": one.published_ms,
            "published_by": one.published_by,
        }
        for one, document in versions
    ]
    if rows:
        connection.execute(version_table.insert(), rows)


def prune(connection: Connection, keep: int) -> int:
    """Forget all but the newest versions of each gateway, and never the plan it can step back to; how many went."""
    table, gone = version_table, 0
    for given in in_force(connection):
        here = table.c.gateway == given.gateway
        versions = connection.scalars(select(table.c.version).where(here).order_by(desc(table.c.version))).all()
        former = select(func.max(table.c.version)).where(here, table.c.plan != given.plan)
        last = connection.scalar(former)
        old = [version for version in versions[keep:] if version != last]
        if old:
            gone += connection.execute(table.delete().where(here, table.c.version.in_(old))).rowcount
    return gone


def history(connection: Connection, gateway: str, limit: int) -> list[Version]:
    """What a gateway was given, the newest first."""
    table = version_table
    query = select(*_GIVEN).where(table.c.gateway == gateway).order_by(desc(table.c.version)).limit(limit)
    return [_version(row) for row in connection.execute(query)]


def before(connection: Connection, version: Version) -> int | None:
    """Number of the plan a gateway had before the one of this version, None when there was none."""
    table = version_table
    query = (
        select(table.c.plan)
        .where(table.c.gateway == version.gateway, table.c.version < version.version, table.c.plan != version.plan)
        .order_by(desc(table.c.version))
        .limit(1)
    )
    return connection.scalar(query)


def floor(connection: Connection) -> int:
    """The version that every new one is above; 0 when there was no restore."""
    return connection.scalar(select(floor_table.c.version).where(floor_table.c.id == FLOOR)) or 0


def raise_floor(connection: Connection, version: int) -> None:
    """After a restore: gateways may have been given versions since the backup that we know nothing of."""
    known = floor(connection)
    if not known:
        connection.execute(floor_table.insert().values(id=FLOOR, version=version))
    elif version > known:
        connection.execute(floor_table.update().values(version=version))


def _newest() -> Any:
    table = version_table
    return select(table.c.gateway, func.max(table.c.version).label("version")).group_by(table.c.gateway).subquery()


def _version(row: Row[Any]) -> Version:
    return Version(row.gateway, row.version, row.plan, row.published_ms, row.published_by)


def _plan(row: Row[Any]) -> StoredPlan:
    return StoredPlan(
        row.number,
        PlanState(row.state),
        msgspec.json.decode(row.library, type=Library),
        msgspec.json.decode(row.problems, type=tuple[Problem, ...]),
        msgspec.json.decode(row.approvals, type=tuple[str, ...]),
        row.author,
        row.reason,
        row.created_ms,
    )
