"""What the audit trail is told of commands."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from lamplighter_contract.commands.results import Result
from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.commands.model import Change, Order, Part
from lamplighter_controller.security.audit import Entry

CENTRE = "controller"


def taken(order: Order) -> Entry:
    """Somebody asked, and this command came of it."""
    request = order.request
    detail = {
        "request": request.id,
        "gateway": order.gateway,
        "seq": order.seq,
        "op": request.op,
        "args": request.args,
        "approvals": request.approvals,
        "expires": request.expires_ms,
        "devices": list(order.parts),
        "why": order.reason,
    }
    return Entry(request.who, "command.create", _subject(order), request.reason, order.state, request.issued_ms, detail)


def told(change: Change, result: Result, wall_ms: int) -> Entry:
    """A gateway's result changed a command."""
    order = change.order
    detail = _devices(change.changed) | {"n": result.n, "time": result.time, "detail": result.detail}
    who = f"gateway:{order.gateway}"
    return Entry(who, "command.result", _subject(order), result.reason, order.state, wall_ms, detail)


def ended(change: Change, wall_ms: int) -> Entry:
    """Time changed a command."""
    order = change.order
    return Entry(
        CENTRE, "command.timeout", _subject(order), order.reason, order.state, wall_ms, _devices(change.changed)
    )


def failed(change: Change, wall_ms: int) -> Entry:
    """A command could not be put into a message."""
    order = change.order
    return Entry(CENTRE, "command.fail", _subject(order), order.reason, order.state, wall_ms, _devices(change.changed))


def sent(change: Change, wall_ms: int) -> Entry:
    """A command is handed to the broker that could not be when it was made."""
    order = change.order
    return Entry(CENTRE, "command.send", _subject(order), "the gateway is there", order.state, wall_ms)


def distrusted(change: Change, wall_ms: int) -> Entry:
    """A command comes from a backup, and may have been sent after that was made."""
    order = change.order
    why = "restored from a backup: it may have been sent"
    return Entry(CENTRE, "command.distrust", _subject(order), why, order.state, wall_ms)


def _subject(order: Order) -> str:
    return f"command:{order.id}"


def _devices(changed: Iterable[Part]) -> dict[str, Any]:
    by_state: defaultdict[CommandState, list[str]] = defaultdict(list)
    for part in changed:
        by_state[part.state].append(part.device)
    return {"devices": by_state}
