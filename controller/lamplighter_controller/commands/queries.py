"""What is asked about requests."""

from sqlalchemy import Connection

from lamplighter_contract.commands.states import summary
from lamplighter_controller.commands import rules, store
from lamplighter_controller.commands.model import Overview, Request, Submitted


def one(connection: Connection, request: str) -> Submitted | None:
    """A request by its id, with its commands and their parts."""
    found = store.find_request(connection, request)
    return None if found is None else load(connection, found)


def load(connection: Connection, request: Request, *, repeated: bool = False) -> Submitted:
    """A stored request with its commands."""
    orders = tuple(store.orders_of(connection, [request.id]).get(request.id, ()))
    return Submitted(request, rules.state_of(orders), orders, repeated)


def recent(connection: Connection, *, device: str | None, before: str | None, limit: int) -> list[Overview]:
    """The newest requests first, of one device or all, older than the request `before` when given."""
    found = store.newest_requests(connection, device=device, before=before, limit=limit)
    ids = [request.id for request in found]
    counts, only = store.counts(connection, ids), store.only_devices(connection, ids)
    return [
        Overview(request, summary(frozenset(counts[request.id])), counts[request.id], only.get(request.id))
        for request in found
    ]
