"""One incident: what is wrong with which element, how sure, since when, what to do, and who has it in hand."""

from enum import StrEnum
from typing import Final

import msgspec

from lamplighter_controller.diagnosis.findings import Element, EvidenceLine, Finding

NEVER: Final = 0
MOST_TRIALS: Final = 20


class State(StrEnum):
    """raised -> acknowledged -> in work -> cleared -> closed; shelved until a date; evidence clears from anywhere."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    IN_WORK = "in_work"
    CLEARED = "cleared"
    CLOSED = "closed"


OPEN: Final = frozenset({State.RAISED, State.ACKNOWLEDGED, State.SHELVED, State.IN_WORK})


class Trial(msgspec.Struct, frozen=True, omit_defaults=True):
    """An active test: what was asked for by whom, and what came of it. Times in civil epoch ms."""

    state: str  # proposed, running, passed, failed, refused
    time_ms: int
    who: str = ""
    text: str = ""
    readings: tuple[tuple[float, float], ...] = ()  # (level percent commanded, watts read back)


class Isolation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Circuits to be opened for somebody's safety, and what `text` says of them.

    `state`: proposed, sent, refused, failed, open (read back), closed (a contactor says that it is live again).
    """

    circuits: tuple[str, ...]
    state: str
    time_ms: int
    automatic: bool = False
    request: str = ""
    text: str = ""


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    """One incident; its class is the first of `alternatives`. Times in civil epoch ms, 0 = not yet.

    Args:
        first_observable_ms: the first reading that differs from a healthy one.
        due_ms: when it has to be mended by its severity, 0 = no clock runs.
        withheld: a maintenance window or a running work order covers it; nobody is told.
        trip_ms: since when it is worth a trip.
        returned: how often it came back after it was cleared.
        members: elements folded under it.
    """

    id: str
    element: Element
    alternatives: tuple[tuple[str, float], ...]
    state: State
    severity: int
    onset_ms: int
    first_observable_ms: int
    raised_ms: int
    changed_ms: int
    evidence: tuple[EvidenceLine, ...] = ()
    members: tuple[Element, ...] = ()
    settle: str = ""
    due_ms: int = NEVER
    withheld: bool = False
    trip_ms: int = NEVER
    returned: int = 0
    acknowledged_by: str = ""
    shelved_until_ms: int = NEVER
    order: str = ""
    cleared_ms: int = NEVER
    closed_ms: int = NEVER
    closed_by: str = ""
    note: str = ""
    isolation: Isolation | None = None
    trials: tuple[Trial, ...] = ()

    @property
    def class_id(self) -> str:
        """The most likely class."""
        return self.alternatives[0][0]

    @property
    def confidence(self) -> float:
        """How likely that class is."""
        return self.alternatives[0][1]

    @property
    def is_open(self) -> bool:
        """Somebody has still to see to it."""
        return self.state in OPEN

    @property
    def key(self) -> tuple[Element, str]:
        """One incident per element and class."""
        return self.element, self.class_id


def updated(incident: Incident, finding: Finding, now_ms: int) -> Incident:
    """The incident with what a later finding says; its life goes on, and the onset only moves back."""
    onset_ms = min(filter(None, (incident.onset_ms, finding.onset_ms)), default=now_ms)
    first_ms = min(filter(None, (incident.first_observable_ms, finding.first_observable_ms)), default=now_ms)
    return msgspec.structs.replace(
        incident,
        alternatives=finding.alternatives,
        onset_ms=onset_ms,
        first_observable_ms=max(onset_ms, first_ms),
        changed_ms=now_ms,
        evidence=finding.evidence or incident.evidence,
        members=finding.members or incident.members,
        settle=finding.settle,
    )
