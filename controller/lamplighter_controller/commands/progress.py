"""Moves stored commands on, by results, by being sent and by time; each call is one transaction's work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from lamplighter_contract.commands.results import Result
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_controller.commands import rules, store, trail
from lamplighter_controller.commands.model import Change, Order
from lamplighter_controller.security import audit

Told = tuple[str, Result]  # a gateway and what it says
Stranger = tuple[str, Result, Refusal]


@dataclass(frozen=True, slots=True)
class Taken:
    """What results did: changes in order, and the results that belong to no command of their gateway."""

    changes: tuple[Change, ...]
    strangers: tuple[Stranger, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """Every command that was looked at, as it is now, and those of them that changed."""

    orders: tuple[Order, ...]
    changes: tuple[Change, ...]


def take(connection: Connection, told: Sequence[Told], wall_ms: int) -> Taken:
    """Store what the results tell, with an audit row for each that changes something."""
    known = store.orders(connection, list({result.id for _, result in told if is_id(result.id)}))
    changes: list[Change] = []
    entries: list[audit.Entry] = []
    strangers: list[Stranger] = []
    highest: dict[str, int] = {}
    for gateway, result in told:
        highest[gateway] = max(highest.get(gateway, 0), rules.believed(result.highest_seq))
        order = known.get(result.id)
        if order is None or order.gateway != gateway:
            refusal = Refusal(Reason.ADDRESS, f"{gateway} was never given a command {result.id!r}")
            strangers.append((gateway, result, refusal))
            continue
        change = rules.advance(order, result)
        if change is not None:
            known[order.id] = change.order
            changes.append(change)
            entries.append(trail.told(change, result, wall_ms))
    store.save(connection, changes)
    for gateway, seq in highest.items():
        _learn(connection, gateway, seq, wall_ms)
    audit.record_all(connection, entries)
    return Taken(tuple(changes), tuple(strangers))


def send(connection: Connection, commands: Sequence[str], wall_ms: int) -> Moved:
    """Note that commands are about to be handed to the broker."""
    return _move(connection, commands, rules.sent, lambda change: trail.sent(change, wall_ms))


def fail(connection: Connection, command: str, why: str, wall_ms: int) -> Moved:
    """End a command that can never be sent."""
    return _move(
        connection, [command], lambda order: rules.unsendable(order, why), lambda change: trail.failed(change, wall_ms)
    )


def distrust(connection: Connection, wall_ms: int) -> Moved:
    """After a restore: what waits may have been sent since, so it must not end as "expired"; numbers go on from now."""
    store.raise_numbers(connection, wall_ms)
    waiting = [order.id for order in store.open_orders(connection)]
    return _move(connection, waiting, rules.sent, lambda change: trail.distrusted(change, wall_ms))


def end(connection: Connection, commands: Sequence[str], wall_ms: int) -> Moved:
    """End what time has ended."""
    return _move(
        connection, commands, lambda order: rules.time_out(order, wall_ms), lambda change: trail.ended(change, wall_ms)
    )


def _move(
    connection: Connection,
    commands: Sequence[str],
    rule: Callable[[Order], Change | None],
    entry: Callable[[Change], audit.Entry],
) -> Moved:
    known = store.orders(connection, commands)
    changes = tuple(change for order in known.values() if (change := rule(order)) is not None)
    store.save(connection, changes)
    audit.record_all(connection, [entry(change) for change in changes])
    known.update((change.order.id, change.order) for change in changes)
    return Moved(tuple(known.values()), changes)


def _learn(connection: Connection, gateway: str, told: int, wall_ms: int) -> None:
    """A gateway that has seen higher numbers than we gave: this ledger is older than it; go on above both."""
    stored = store.highest_seq(connection, gateway) if told else 0
    if told > stored:
        store.set_highest_seq(connection, gateway, max(told, wall_ms))
