"""Circuits opened for somebody's safety: proposed, asked for, and told open only when that was read back."""

from typing import Final, Protocol

import msgspec
import numpy as np

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import FINAL, CommandState
from lamplighter_contract.errors import Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.diagnosis.incidents.incident import Incident, Isolation
from lamplighter_controller.diagnosis.leakage.isolation import circuits_to_open
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.series.port import Readings

OPEN_TEXT: Final = "open, 0 A; lock and test by hand"
CLOSED_TEXT: Final = "closed again; the circuit is live"


class Commands(Protocol):
    """Takes requests for commands; the dispatch is one."""

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""


def proposed(topology: Topology, incident: Incident, now_ms: int) -> Isolation | None:
    """What is to be opened for a leak; None when nobody knows what feeds the element."""
    circuits, allowed = circuits_to_open(topology, incident.element)
    if not circuits:
        return None
    text = f"isolation of {', '.join(circuits)} is proposed; keep people away from it until it is done"
    return Isolation(circuits, "proposed", now_ms, automatic=allowed, text=text)


async def isolate(commands: Commands, incident: Incident, isolation: Isolation, who: str, now_ms: int) -> Isolation:
    """Ask for the circuits to be opened; what becomes of it is told by `followed`."""
    wanted = CommandRequest(
        Operation.SUPPLY_ISOLATE,
        isolation.circuits,
        reason=f"leakage at {incident.element.id}",
        key=f"isolate:{incident.id}:{now_ms}",
    )
    try:
        answer = await commands.submit(wanted, who)
    except LedgerUnavailable as error:
        return _told(isolation, "refused", f"not sent: {error}", now_ms)
    if isinstance(answer, Refusal):
        return _told(isolation, "refused", f"not opened: {answer.detail}; open it by hand", now_ms)
    sent = _told(isolation, "sent", "asked for; not open until it is read back", now_ms)
    return msgspec.structs.replace(sent, request=answer.request.id)


def followed(isolation: Isolation, state: CommandState, why: str, now_ms: int) -> Isolation:
    """The isolation after its command went on. It never says more than what was read back."""
    if state is CommandState.VERIFIED:
        return _told(isolation, "open", OPEN_TEXT, now_ms)
    if state in FINAL:
        return _told(isolation, "failed", f"{state.value}: {why or 'no reason given'}; open it by hand", now_ms)
    return isolation


def live_again(isolation: Isolation, readings: Readings, now_ms: int) -> Isolation:
    """The isolation after its circuits were read: one contactor that closed since it was open ends what is said."""
    closed = readings.values.get("contactor_closed")
    if isolation.state != "open" or readings.kind is not Kind.CIRCUIT or closed is None:
        return isolation
    live = np.isin(readings.device, isolation.circuits) & (closed > 0) & (readings.time_ms > isolation.time_ms)
    return _told(isolation, "closed", CLOSED_TEXT, now_ms) if live.any() else isolation


def _told(isolation: Isolation, state: str, text: str, now_ms: int) -> Isolation:
    return msgspec.structs.replace(isolation, state=state, text=text, time_ms=now_ms)
