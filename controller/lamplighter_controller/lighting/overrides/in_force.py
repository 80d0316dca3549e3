"""Levels by hand that are in force, read from the commands that are still of effect; whoever asked for them and how."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from lamplighter_contract.level import Override
from lamplighter_contract.wire.limits import MAX_OVERRIDE_MS
from lamplighter_controller.commands import store as commands
from lamplighter_controller.commands.model import Order, Request
from lamplighter_controller.lighting.overrides import store
from lamplighter_controller.lighting.overrides.standing import LEVELS, Standing, standing
from lamplighter_controller.lighting.overrides.store import Ask
from lamplighter_controller.lighting.records import floor

OLDEST_MS: Final = MAX_OVERRIDE_MS + 3_600_000  # civil time never runs slower than real time


@dataclass(frozen=True, slots=True)
class InForce:
    """A level by hand that gateways have taken; of `doubtful` lamps nobody knows yet. `ask` if it was an override."""

    request: Request
    records: tuple[Override, ...]
    doubtful: frozenset[str] = frozenset()
    ask: Ask | None = None

    @property
    def name(self) -> str:
        """How it is spoken of: the override's id, else that of its request."""
        return self.ask.id if self.ask else self.request.id


def in_force(connection: Connection, wall_ms: int, civil_ms: int) -> list[InForce]:
    """The newest first."""
    orders = _level_orders(connection, wall_ms)
    requests = {order.id: order.request for order in orders}
    found: defaultdict[str, list[Override]] = defaultdict(list)
    doubtful: defaultdict[str, set[str]] = defaultdict(set)
    for one in _standings(connection, orders, wall_ms, civil_ms).values():
        for record in (*one.taken, *one.doubtful):
            found[requests[record.id].id].append(record)
        for record in one.doubtful:
            doubtful[requests[record.id].id].add(record.device)
    by_id = {request.id: request for request in requests.values()}
    asks = store.of_requests(connection, found)
    return [
        InForce(by_id[name], tuple(found[name]), frozenset(doubtful[name]), asks.get(name))
        for name in sorted(found, reverse=True)
    ]


def standings(connection: Connection, wall_ms: int, civil_ms: int) -> dict[str, Standing]:
    """What is in force at each gateway that was ever commanded."""
    return _standings(connection, _level_orders(connection, wall_ms), wall_ms, civil_ms)


def _standings(connection: Connection, orders: Sequence[Order], wall_ms: int, civil_ms: int) -> dict[str, Standing]:
    by_gateway: defaultdict[str, list[Order]] = defaultdict(list)
    for order in orders:
        by_gateway[order.gateway].append(order)
    highest = _known_for_sure(connection, wall_ms)
    return {name: standing(by_gateway[name], highest.get(name, 0), civil_ms) for name in {*by_gateway, *highest}}


def _known_for_sure(connection: Connection, wall_ms: int) -> dict[str, int]:
    """Gateway -> number up to which every command for it is known.

    Whoever was restored from a backup knows nothing of commands between the backup and the restore, which may be of
    effect for as long as an override can be: no plan of that time ends what it does not list.
    """
    table, restored_ms = commands.command_table, floor(connection)
    query = select(table.c.gateway, func.max(table.c.seq).label("seq")).group_by(table.c.gateway)
    if restored_ms and wall_ms < restored_ms + OLDEST_MS:
        made_ms = select(commands.request_table.c.id).where(commands.request_table.c.issued_ms < restored_ms)
        query = query.where(table.c.request.in_(made_ms))
    return {row.gateway: row.seq for row in connection.execute(query)}


def _level_orders(connection: Connection, wall_ms: int) -> list[Order]:
    """Level commands young enough to be of effect, in the order in which they were asked for."""
    table = commands.request_table
    wanted = select(table.c.id).where(table.c.op.in_(LEVELS), table.c.issued_ms > wall_ms - OLDEST_MS)
    ended = store.ended(connection, wall_ms - OLDEST_MS)
    requests = [name for name in connection.scalars(wanted.order_by(table.c.id)) if name not in ended]
    return [order for found in commands.orders_of(connection, requests).values() for order in found]
