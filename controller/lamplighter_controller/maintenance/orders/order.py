"""One work order. Pure; times in civil epoch ms, 0 = not yet."""

from enum import StrEnum
from typing import Final

import msgspec

from lamplighter_controller.diagnosis.findings import Element, ElementKind

NEVER: Final = 0


class State(StrEnum):
    """Where an order stands; what may follow what is the table of `life`."""

    NEW = "new"
    ASSIGNED = "assigned"
    ON_THE_WAY = "on_the_way"
    ON_SITE = "on_site"
    WAITING_PARTS = "waiting_parts"
    WAITING_UTILITY = "waiting_utility"
    WAITING_POLICE = "waiting_police"
    DONE = "done"  # awaiting proof
    RETURNED = "returned"  # the fault is still there
    PROVED = "proved"
    NOT_OURS = "not_ours"
    DUPLICATE = "duplicate"
    CLEARED = "cleared"  # before anybody arrived
    CLOSED = "closed"


WAITING: Final = frozenset({State.WAITING_PARTS, State.WAITING_UTILITY, State.WAITING_POLICE})
RUNNING: Final = frozenset({State.NEW, State.ASSIGNED, State.ON_THE_WAY, State.ON_SITE, State.RETURNED})
UNFINISHED: Final = RUNNING | WAITING
OPEN: Final = UNFINISHED | {State.DONE}
NO_REPAIR: Final = frozenset({State.NOT_OURS, State.DUPLICATE, State.CLEARED})


class SourceKind(StrEnum):
    """Where an order comes from."""

    INCIDENT = "incident"
    VIOLATION = "violation"
    INSPECTION = "inspection"
    REPORT = "report"
    PERSON = "person"


class ProofKind(StrEnum):
    """What shows that a repair has helped; it stands beside every figure."""

    TELEMETRY = "telemetry"  # of the element itself, at the next energised night
    METER = "meter"  # a step of the cabinet's meter
    PHOTO = "photo"  # and a second person
    NONE = "none"


class Source(msgspec.Struct, frozen=True):
    """One thing that asked for the order; `ref` is its id there."""

    kind: SourceKind
    ref: str
    time_ms: int


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """One work order.

    Args:
        class_id: the class of fault, as in the catalogue of faults where it is known there.
        priority: severity after the road's class was looked at; the time to mend follows it.
        onset_ms: since when it is broken, detected_ms: since when we know.
        due_ms: when it has to be done, moved on by every pause; 0 = no clock runs.
        paused_ms: how long the clock has stood in all, paused_since_ms: it stands since then.
        outcome: how it ended: proved, not_ours, duplicate or cleared; empty until then.
        proof: the kind of proof that is wanted, and after `proved_ms` the one that was given.
    """

    id: str
    element_kind: ElementKind
    element: str
    class_id: str
    severity: int
    priority: int
    state: State
    created_ms: int
    changed_ms: int
    title: str = ""
    road: str = ""
    road_class: str = ""
    district: str = ""
    pole: str = ""
    cabinet: str = ""
    latitude: float | None = None
    longitude: float | None = None
    crew: str = ""
    company: str = ""
    trip: str = ""
    onset_ms: int = NEVER
    detected_ms: int = NEVER
    due_ms: int = NEVER
    paused_ms: int = 0
    paused_since_ms: int = NEVER
    accepted_ms: int = NEVER
    departed_ms: int = NEVER
    arrived_ms: int = NEVER
    done_ms: int = NEVER
    done_by: str = ""
    proved_ms: int = NEVER
    closed_ms: int = NEVER
    returned: int = 0
    escalated_ms: int = NEVER
    outcome: str = ""
    duplicate_of: str = ""
    proof: ProofKind = ProofKind.TELEMETRY
    proof_text: str = ""

    @property
    def on(self) -> Element:
        """The element it is about."""
        return Element(self.element_kind, self.element)

    @property
    def is_open(self) -> bool:
        """Somebody has still to see to it, or it is not proved yet."""
        return self.state in OPEN

    @property
    def is_timely(self) -> bool | None:
        """Done before it was due; None while it is not done, or when no clock runs."""
        if not self.done_ms or not self.due_ms:
            return None
        return self.done_ms <= self.due_ms

    def is_overdue(self, now_ms: int) -> bool:
        """Its clock runs and has run out."""
        return self.state in RUNNING and 0 < self.due_ms < now_ms


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step in the life of an order; `at_ms` civil, when it was taken, `wall_ms` real, when we heard of it."""

    action: str
    before: str
    after: str
    at_ms: int
    wall_ms: int
    who: str
    reason: str = ""
    detail: dict[str, object] = {}
