"""Makes a request into numbered commands, in one transaction."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.commands import queries, rules, store, trail
from lamplighter_controller.commands.model import CommandRequest, Order, Part, Request, Submitted
from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.security import audit


@dataclass(frozen=True, slots=True)
class Target:
    """Where one command goes, and what is known about its gateway: `ready` when it can be sent at once."""

    gateway: str
    devices: tuple[str, ...]
    refusal: Refusal | None
    ready: bool
    highest_seq: int


@dataclass(frozen=True, slots=True)
class Taking:
    """Everything `create` needs to know; nothing of it is looked up inside the transaction."""

    wanted: CommandRequest
    who: str
    targets: tuple[Target, ...]
    wall_ms: int
    new_id: Callable[[], str]

    def request(self) -> Request:
        """The request as it is stored."""
        wanted = self.wanted
        return Request(
            id=self.new_id(),
            op=wanted.op,
            args=wanted.args,
            reason=storable(wanted.reason),
            approvals=wanted.approvals,
            who=self.who,
            key=wanted.key,
            content=rules.content_of(wanted),
            issued_ms=self.wall_ms,
            expires_ms=self.wall_ms + round(wanted.expires_s * 1000),
        )


def create(connection: Connection, taking: Taking) -> Submitted | Refusal:
    """Store the request with its commands and audit rows; the same key gives the same request again."""
    repeated = repeat(connection, taking.wanted, taking.who)
    if repeated is not None:
        return repeated
    request = taking.request()
    orders = tuple(_orders(connection, request, taking))
    store.add(connection, request, orders)
    audit.record_all(connection, [trail.taken(order) for order in orders])
    return Submitted(request, rules.state_of(orders), orders)


def repeat(connection: Connection, wanted: CommandRequest, who: str) -> Submitted | Refusal | None:
    """What was taken before under the same key; refused when it was something else, None when there is nothing."""
    known = store.find_by_key(connection, who, wanted.key) if wanted.key is not None else None
    if known is None:
        return None
    if known.content != rules.content_of(wanted):
        return Refusal(Reason.REPLAYED, f"key {wanted.key!r} stands for another request, {known.id}")
    return queries.load(connection, known, repeated=True)


def _orders(connection: Connection, request: Request, taking: Taking) -> Iterable[Order]:
    highest: dict[str, int] = {}
    for target in taking.targets:
        stored = highest.get(target.gateway) or store.highest_seq(connection, target.gateway)
        highest[target.gateway] = rules.next_seq(stored, target.highest_seq, taking.wall_ms)
        yield _begun(_order(request, target, taking.new_id(), highest[target.gateway]), target)
    for gateway, number in highest.items():
        store.set_highest_seq(connection, gateway, number)


def _order(request: Request, target: Target, command: str, seq: int) -> Order:
    parts: Mapping[str, Part] = {device: Part(device, CommandState.CREATED) for device in target.devices}
    return Order(command, request, target.gateway, seq, CommandState.CREATED, parts=parts)


def _begun(order: Order, target: Target) -> Order:
    """The order as it stands when it is stored: sent at once when the gateway is there."""
    if target.refusal is not None:
        change = rules.refused(order, target.refusal)
    else:
        change = rules.sent(order) if target.ready else None
    return order if change is None else change.order
