"""Orders on one road become one trip, with its bucket truck and its closure. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from lamplighter_controller.maintenance.orders.order import NEVER, Order, State
from lamplighter_controller.maintenance.refused import Refused, not_now

GOES: Final = frozenset({State.NEW, State.ASSIGNED, State.RETURNED})
MOST_ORDERS: Final = 50


class Trip(msgspec.Struct, frozen=True, omit_defaults=True):
    """One drive to one road; times civil epoch ms."""

    id: str
    road: str
    crew: str
    bucket_truck: Annotated[str, msgspec.Meta(max_length=64)] = ""
    closure: Annotated[str, msgspec.Meta(max_length=500)] = ""
    closure_from_ms: int = NEVER
    closure_until_ms: int = NEVER
    created_ms: int = NEVER
    created_by: str = ""


class Proposal(msgspec.Struct, frozen=True):
    """Orders that could be seen to in one drive; the most urgent first."""

    road: str
    orders: tuple[str, ...]
    priority: int
    due_ms: int


def proposals(orders: Iterable[Order]) -> list[Proposal]:
    """Roads with several orders that nobody has left for; the most urgent first."""
    by_road: defaultdict[str, list[Order]] = defaultdict(list)
    for order in orders:
        if order.road and not order.trip and order.state in GOES:
            by_road[order.road].append(order)
    found = [_proposal(road, mine) for road, mine in by_road.items() if len(mine) > 1]
    return sorted(found, key=lambda one: (-one.priority, one.due_ms or 2**53, one.road))


def _proposal(road: str, orders: list[Order]) -> Proposal:
    first = sorted(orders, key=lambda one: (-one.priority, one.due_ms or 2**53, one.id))[:MOST_ORDERS]
    due_ms = min((one.due_ms for one in first if one.due_ms), default=NEVER)
    return Proposal(road, tuple(one.id for one in first), first[0].priority, due_ms)


def cannot_go(trip: Trip, orders: Iterable[Order]) -> Refused | None:
    """Why these orders are no trip, None when they are."""
    for order in orders:
        if order.road != trip.road:
            return Refused("body.orders", "one-road", f"{order.id} is on {order.road or 'no road'}, not on {trip.road}")
        if order.state not in GOES:
            return not_now(f"{order.id} is {order.state}: somebody is on it already")
        if order.trip:
            return not_now(f"{order.id} goes with {order.trip} already")
    if trip.closure_until_ms and trip.closure_until_ms <= trip.closure_from_ms:
        return Refused("body.closure_until_ms", "after-its-begin", "a closure ends after it begins")
    return None
