"""What people do with incidents: pure, each step with what it may follow."""

from collections.abc import Callable

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.diagnosis.incidents.incident import NEVER, OPEN, Incident, State

Step = Callable[[Incident], Incident | Refusal]


def acknowledge(incident: Incident, who: str, now_ms: int) -> Incident | Refusal:
    """Somebody has seen it."""
    if incident.state is not State.RAISED:
        return _not_now(incident, "acknowledged")
    done = {"state": State.ACKNOWLEDGED, "acknowledged_by": who, "changed_ms": now_ms}
    return msgspec.structs.replace(incident, **done)


def shelve(incident: Incident, until_ms: int, note: str, now_ms: int) -> Incident | Refusal:
    """Nobody wants to hear of it until then; danger cannot be shelved."""
    if incident.severity >= 5:
        return Refusal(Reason.ARGUMENT, "somebody may be in danger: it cannot be shelved")
    if until_ms <= now_ms:
        return Refusal(Reason.ARGUMENT, "until_ms lies in the past")
    if incident.state not in {State.RAISED, State.ACKNOWLEDGED}:
        return _not_now(incident, "shelved")
    done = {"state": State.SHELVED, "shelved_until_ms": until_ms, "note": note, "changed_ms": now_ms}
    return msgspec.structs.replace(incident, **done)


def begin_work(incident: Incident, order: str, now_ms: int) -> Incident | Refusal:
    """A crew has it; nothing more is raised of the element meanwhile."""
    if incident.state not in OPEN:
        return _not_now(incident, "taken in work")
    done = {"state": State.IN_WORK, "order": order, "shelved_until_ms": NEVER, "changed_ms": now_ms}
    return msgspec.structs.replace(incident, **done)


def close(incident: Incident, who: str, note: str, now_ms: int) -> Incident | Refusal:
    """Done, in the eyes of whoever closes it; what is still wrong afterwards is raised anew."""
    if incident.state is State.CLOSED:
        return _not_now(incident, "closed")
    done = {"state": State.CLOSED, "closed_ms": now_ms, "closed_by": who, "note": note, "changed_ms": now_ms}
    return msgspec.structs.replace(incident, **done)


def _not_now(incident: Incident, what: str) -> Refusal:
    return Refusal(Reason.ARGUMENT, f"the incident is {incident.state.value} and cannot be {what} now")
