"""Levels by hand that were of effect at some time, with when they began and ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlalchemy import Connection, select

from lamplighter_contract.commands.command import Operation
from lamplighter_controller.commands import store as commands
from lamplighter_controller.commands.model import Order
from lamplighter_controller.lighting.overrides import store
from lamplighter_controller.lighting.overrides.in_force import OLDEST_MS
from lamplighter_controller.lighting.overrides.standing import LEVELS, is_taken


@dataclass(frozen=True, slots=True)
class Past:
    """A level of a lamp that its gateway has taken; `until_ms` civil, other times real. `ended_ms`: before its time."""

    request: str
    issued_ms: int
    until_ms: int
    level_percent: float
    emergency: bool
    ended_ms: int | None = None


def between(connection: Connection, start_ms: int, end_ms: int) -> dict[str, list[Past]]:
    """Of each lamp what may have been of effect in a stretch of real time, in the order in which it was taken."""
    table, oldest_ms = commands.request_table, start_ms - OLDEST_MS
    wanted = select(table.c.id).where(table.c.op.in_(LEVELS), table.c.issued_ms > oldest_ms, table.c.issued_ms < end_ms)
    found = commands.orders_of(connection, list(connection.scalars(wanted.order_by(table.c.id))))
    return past((order for orders in found.values() for order in orders), store.ended(connection, oldest_ms))


def past(orders: Iterable[Order], ended: frozenset[str]) -> dict[str, list[Past]]:
    """`ended`: requests that a person ended; where a newer level stood above them they end when that one began."""
    found: dict[str, list[Past]] = {}
    for order in sorted(orders, key=lambda order: (order.gateway, order.seq)):
        issued_ms, args = order.request.issued_ms, order.request.args
        for part in order.parts.values():
            if not is_taken(order, part):
                continue
            mine = found.setdefault(part.device, [])
            if order.request.op is Operation.LIGHT_RESUME:
                mine[:] = [one if one.ended_ms is not None else replace(one, ended_ms=issued_ms) for one in mine]
            else:
                emergency = bool(args.get("emergency", False))
                mine.append(Past(order.request.id, issued_ms, args["until"], args["level_percent"], emergency))
    return {device: _hidden(mine, ended) for device, mine in found.items() if mine}


def _hidden(mine: list[Past], ended: Iterable[str]) -> list[Past]:
    """Those that ended unseen under a newer one."""
    gone: Mapping[str, int] = {one.request: newer.issued_ms for one, newer in pairwise(mine) if one.request in ended}
    return [
        replace(one, ended_ms=gone[one.request]) if one.ended_ms is None and one.request in gone else one
        for one in mine
    ]
