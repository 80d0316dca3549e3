"""All incidents of one city: what findings, the hours of the night and people make of them. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

import msgspec

from lamplighter_controller.diagnosis.catalogue.faults import Fault, Trip
from lamplighter_controller.diagnosis.findings import Element, ElementKind, Finding
from lamplighter_controller.diagnosis.incidents.clock import Sla
from lamplighter_controller.diagnosis.incidents.incident import NEVER, Incident, State, updated
from lamplighter_controller.diagnosis.incidents.severity import DARK, EMERGENCY, URGENT, in_a_row, severity_of, trip_of
from lamplighter_controller.diagnosis.incidents.windows import covers
from lamplighter_controller.diagnosis.topology import Topology

CLOSES_AFTER_MS: Final = 24 * 3_600_000  # cleared for that long, nobody has to look at it any more
SETTLES_MS: Final = 3_600_000  # after a part was replaced
REMEMBERED: Final = 20_000  # closed incidents, so that what is judged again after a restart is not raised again

Key = tuple[Element, str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What incidents are judged by beside findings.

    Args:
        excused: elements under a maintenance window or a running work order now.
        faults: the catalogue.
    """

    topology: Topology
    faults: Mapping[str, Fault]
    sla: Sla = field(default_factory=Sla)
    excused: AbstractSet[Element] = frozenset()


class Book:
    """Open incidents and those closed lately; every method returns the incidents that it changed."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        """Begin with none; `load` follows."""
        self._new_id = new_id
        self._by_id: dict[str, Incident] = {}
        self._by_key: dict[Key, str] = {}
        self._replaced: dict[Element, int] = {}

    def load(self, known: Iterable[Incident]) -> None:
        """Take incidents as they were kept, the oldest first."""
        for incident in known:
            self._put(incident)

    def get(self, identity: str) -> Incident | None:
        """An incident that is open or was closed lately."""
        return self._by_id.get(identity)

    def open(self) -> list[Incident]:
        """Those not closed, withheld ones too."""
        return [one for one in self._by_id.values() if one.state is not State.CLOSED]

    def take(self, findings: Sequence[Finding], around: Surroundings, now_ms: int) -> list[Incident]:
        """What the findings of one step open, change and clear."""
        before = dict(self._by_id)
        ended = {finding.element: finding for finding in findings if not finding.open}
        for finding in findings:
            if finding.open:
                self._opened(finding, ended.get(finding.element), around, now_ms)
        for finding in findings:
            if not finding.open:
                self._cleared(finding, now_ms)
        self._raise_neighbours(around)
        return self._changes(before)

    def tick(self, around: Surroundings, now_ms: int) -> list[Incident]:
        """What time alone changes: windows and shelves that ended, second nights, incidents cleared long ago."""
        before = dict(self._by_id)
        for incident in self.open():
            changed = self._aged(incident, around, now_ms)
            if changed is not incident:
                self._put(changed)
        self._forget(now_ms)
        return self._changes(before)

    def replaced(self, elements: Iterable[Element], now_ms: int) -> list[Incident]:
        """Parts were replaced: what stood of them is over, and nothing is raised of them until they have settled."""
        before = dict(self._by_id)
        for element in elements:
            self._replaced[element] = now_ms
            for incident in self.open():
                if incident.element == element and incident.state is not State.CLEARED:
                    cleared = {"state": State.CLEARED, "cleared_ms": now_ms, "changed_ms": now_ms, "note": "replaced"}
                    self._put(msgspec.structs.replace(incident, **cleared))
        return self._changes(before)

    def put(self, incident: Incident) -> Incident:
        """Take an incident as somebody changed it."""
        self._put(incident)
        return incident

    def _put(self, incident: Incident) -> None:
        former = self._by_id.get(incident.id)
        if former is not None and self._by_key.get(former.key) == incident.id:
            del self._by_key[former.key]
        self._by_id[incident.id] = incident
        self._by_key[incident.key] = incident.id

    def _changes(self, before: Mapping[str, Incident]) -> list[Incident]:
        return [one for name, one in self._by_id.items() if before.get(name) is not one]

    def _opened(self, finding: Finding, ended: Finding | None, around: Surroundings, now_ms: int) -> None:
        known = self._known(finding, ended)
        if known is None:
            self._put(self._new(finding, around, now_ms))
            return
        if known.state is State.CLOSED:
            if known.closed_ms < now_ms:  # what is judged again after a restart has been seen to already
                self._put(self._new(finding, around, now_ms))
            return
        changed = updated(known, finding, now_ms)
        if known.state is State.CLEARED:
            if known.cleared_ms > now_ms:
                return
            back = {"state": State.RAISED, "cleared_ms": NEVER, "returned": known.returned + 1}
            changed = msgspec.structs.replace(changed, **back)
        severity = max(severity_of(changed.class_id, around.faults), known.severity)
        self._put(_with_severity(changed, severity, around))

    def _known(self, finding: Finding, ended: Finding | None) -> Incident | None:
        """Of the same element and class; or of the class that the same element is taken out of in this very step."""
        identity = self._by_key.get((finding.element, finding.class_id))
        if identity is None and ended is not None:
            identity = self._by_key.get((ended.element, ended.class_id))
        return None if identity is None else self._by_id[identity]

    def _new(self, finding: Finding, around: Surroundings, now_ms: int) -> Incident:
        severity = severity_of(finding.class_id, around.faults)
        withheld = self._is_excused(finding.element, around, now_ms)
        onset_ms = finding.onset_ms or now_ms
        incident = Incident(
            id=self._new_id(),
            element=finding.element,
            alternatives=finding.alternatives,
            state=State.RAISED,
            severity=severity,
            onset_ms=onset_ms,
            first_observable_ms=max(finding.first_observable_ms, onset_ms),
            raised_ms=now_ms,
            changed_ms=now_ms,
            evidence=finding.evidence,
            members=finding.members,
            settle=finding.settle,
            withheld=withheld,
            due_ms=NEVER if withheld else around.sla.due_ms(severity, now_ms),
        )
        return _worth_a_trip(incident, around, now_ms)

    def _is_excused(self, element: Element, around: Surroundings, now_ms: int) -> bool:
        replaced_ms = self._replaced.get(element, now_ms - SETTLES_MS)
        return now_ms - replaced_ms < SETTLES_MS or (
            bool(around.excused) and covers(around.topology, around.excused, element)
        )

    def _cleared(self, finding: Finding, now_ms: int) -> None:
        identity = self._by_key.get((finding.element, finding.class_id))
        incident = self._by_id[identity] if identity is not None else None
        if incident is not None and incident.is_open:
            over = {"state": State.CLEARED, "cleared_ms": now_ms, "changed_ms": now_ms, "shelved_until_ms": NEVER}
            self._put(msgspec.structs.replace(incident, **over))

    def _raise_neighbours(self, around: Surroundings) -> None:
        dark = {
            one.element.id: one
            for one in self._by_id.values()
            if one.is_open and not one.withheld and one.class_id in DARK and one.element.kind is ElementKind.LAMP
        }
        for name in in_a_row(around.topology, dark):
            if dark[name].severity < EMERGENCY:
                self._put(_with_severity(dark[name], EMERGENCY, around))

    def _aged(self, incident: Incident, around: Surroundings, now_ms: int) -> Incident:
        if incident.state is State.CLEARED:
            over = now_ms - incident.cleared_ms >= CLOSES_AFTER_MS
            ended = {"state": State.CLOSED, "closed_ms": now_ms, "closed_by": "rule:evidence", "changed_ms": now_ms}
            return msgspec.structs.replace(incident, **ended) if over else incident
        if incident.withheld:
            if self._is_excused(incident.element, around, now_ms):
                return incident
            due_ms = around.sla.due_ms(incident.severity, now_ms)
            incident = msgspec.structs.replace(
                incident, withheld=False, raised_ms=now_ms, changed_ms=now_ms, due_ms=due_ms
            )
        if incident.state is State.SHELVED and incident.shelved_until_ms <= now_ms:
            back = {"state": State.RAISED, "shelved_until_ms": NEVER, "changed_ms": now_ms}
            incident = msgspec.structs.replace(incident, **back)
        return _worth_a_trip(incident, around, now_ms)

    def _forget(self, now_ms: int) -> None:
        self._replaced = {one: time for one, time in self._replaced.items() if now_ms - time < SETTLES_MS}
        closed = [one for one in self._by_id.values() if one.state is State.CLOSED]
        for incident in closed[: max(len(closed) - REMEMBERED, 0)]:
            del self._by_id[incident.id]
            if self._by_key.get(incident.key) == incident.id:
                del self._by_key[incident.key]


def _with_severity(incident: Incident, severity: int, around: Surroundings) -> Incident:
    """A higher severity starts its own clock, from when the incident was raised."""
    if severity == incident.severity:
        return incident
    due_ms = NEVER if incident.withheld else around.sla.due_ms(severity, incident.raised_ms)
    raised = msgspec.structs.replace(incident, severity=severity, due_ms=due_ms)
    return _worth_a_trip(raised, around, incident.changed_ms)


def _worth_a_trip(incident: Incident, around: Surroundings, now_ms: int) -> Incident:
    """What nobody is in danger of waits for a second night, when it may have mended itself, or for a failed test."""
    trip = trip_of(incident.class_id, around.faults)
    if incident.trip_ms or incident.withheld or not incident.is_open or trip in {Trip.OFFICE, Trip.NEVER}:
        return incident
    sla = around.sla
    urgent = trip is Trip.AT_ONCE or incident.severity >= URGENT
    again = sla.night(now_ms) > sla.night(incident.raised_ms) and sla.is_well_into_the_night(now_ms)
    proved = any(trial.state == "failed" for trial in incident.trials)
    if urgent or again or proved:
        return msgspec.structs.replace(incident, trip_ms=now_ms)
    return incident
