"""Where people and rules change incidents: stored and in the audit trail first, then told."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_controller.diagnosis import store
from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.catalogue.faults import catalogue
from lamplighter_controller.diagnosis.findings import Element, Finding
from lamplighter_controller.diagnosis.incidents.book import Book, Surroundings
from lamplighter_controller.diagnosis.incidents.handling import Step
from lamplighter_controller.diagnosis.incidents.incident import Incident, Isolation, State
from lamplighter_controller.diagnosis.incidents.windows import Window, cabinet_of
from lamplighter_controller.diagnosis.leakage.protectors import TripTest
from lamplighter_controller.diagnosis.live.city import Rules
from lamplighter_controller.events import ElementReplaced, Events, IncidentChanged
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.security import audit
from lamplighter_controller.security.audit import Entry

CLOSED_KEPT_MS: Final = 2 * 24 * 3_600_000
RULE: Final = "rule:diagnosis"


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody with a reason."""

    who: str
    reason: str


class IncidentDesk:
    """All living incidents. What could not be stored yet is stored with the next change, and told then."""

    def __init__(self, ledger: Ledger, events: Events, clock: Clock, rules: Rules, new_id: Callable[[], str]) -> None:
        """Begin with none; `load` follows."""
        self._ledger, self._events, self._clock, self._rules = ledger, events, clock, rules
        self._new_id = new_id
        self._lock = asyncio.Lock()
        self._book = Book(new_id)
        self._told: dict[str, tuple[State, bool]] = {}
        self._unstored: dict[str, Incident] = {}
        self.topology = assemble(Places())
        self.windows: tuple[Window, ...] = ()

    async def load(self) -> None:
        """Take up incidents and windows as the ledger has them.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        now_ms = self._clock.civil_ms()
        known = await self._ledger.read(lambda connection: store.living(connection, now_ms - CLOSED_KEPT_MS))
        self._book.load(known)
        self._told = {one.id: (one.state, one.withheld) for one in known}
        self.windows = tuple(await self._ledger.read(lambda connection: store.windows(connection, now_ms)))

    def incident(self, identity: str) -> Incident | None:
        """One that is open or was closed lately."""
        return self._book.get(identity)

    def open(self) -> list[Incident]:
        """Those that are not closed, withheld ones too."""
        return self._book.open()

    def excused(self, now_ms: int) -> frozenset[Element]:
        """Elements under a window in force, and those that a crew has in work."""
        by_window = {element for window in self.windows if window.holds(now_ms) for element in window.elements}
        in_work = {one.element for one in self._book.open() if one.state is State.IN_WORK}
        return frozenset(by_window | in_work)

    async def take(self, findings: Sequence[Finding], now_ms: int) -> list[Incident]:
        """What findings and time make of incidents; returns those that changed. Storing may have to wait."""
        async with self._lock:
            around = self._around(now_ms)
            changed = {one.id: one for one in self._book.take(findings, around, now_ms)}
            changed |= {one.id: one for one in self._book.tick(around, now_ms)}
            await self._keep_if_possible(list(changed.values()))
            return list(changed.values())

    async def replaced(self, elements: Iterable[Element], now_ms: int) -> None:
        """Parts of these were exchanged."""
        async with self._lock:
            await self._keep_if_possible(self._book.replaced(elements, now_ms))

    async def part_replaced(self, elements: Sequence[Element], by: Who) -> list[Element]:
        """Somebody exchanged these: told to all rooms once it is in the audit trail. Returns those nobody knows.

        Raises:
            LedgerUnavailable: it is not known to be stored, and nobody was told.
        """
        unknown = [one for one in elements if one.id not in self.topology.rows_by_name(one.kind.value)]
        if unknown:
            return unknown
        now_ms = self._clock.wall_ms()
        entries = [
            Entry(by.who, "element.replaced", f"{one.kind}:{one.id}", by.reason, "ok", now_ms) for one in elements
        ]
        await self._ledger.write(lambda connection: audit.record_all(connection, entries))
        told = tuple((one.kind.value, one.id) for one in elements)
        self._events.publish(ElementReplaced(told, self._clock.civil_ms()))
        return []

    async def change(self, identity: str, step: Step, by: Who, action: str) -> Incident | Refusal | None:
        """Have somebody change an incident; None when there is none of that id.

        Raises:
            LedgerUnavailable: it is not known to be stored, and has not been changed.
        """
        async with self._lock:
            incident = self._book.get(identity)
            if incident is None:
                return None
            changed = step(incident)
            if isinstance(changed, Refusal):
                return changed
            entry = self._entry(changed, by.who, f"incident.{action}", by.reason)
            await self._ledger.write(lambda connection: self._write(connection, [changed], [entry]))
            self._book.put(changed)
            self._unstored.pop(changed.id, None)
            self._tell(changed)
            return changed

    async def isolation(self, identity: str, isolation: Isolation, by: Who) -> None:
        """Note what is proposed, or has become of, the isolation of a leak.

        Raises:
            LedgerUnavailable: it is not known to be stored.
        """
        by = Who(by.who, isolation.text)
        changed = {"isolation": isolation, "changed_ms": isolation.time_ms}
        action = f"isolation-{isolation.state}"
        await self.change(identity, lambda one: msgspec.structs.replace(one, **changed), by, action)

    async def find(self, wanted: store.Wanted, offset: int, limit: int) -> tuple[list[Incident], int]:
        """A page of incidents, and how many there are.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        return await self._ledger.read(lambda connection: store.some(connection, wanted, offset, limit))

    async def one(self, identity: str) -> Incident | None:
        """An incident, however old.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        return self._book.get(identity) or await self._ledger.read(lambda connection: store.one(connection, identity))

    async def open_window(
        self, elements: Sequence[Element], start_ms: int, end_ms: int, by: Who, order: str = ""
    ) -> Window:
        """Add a maintenance window.

        Raises:
            LedgerUnavailable: it is not known to be stored.
        """
        window = Window(self._new_id(), tuple(elements), start_ms, end_ms, by.who, by.reason, order)
        entry = self._window_entry(window, by, "window.opened")

        def work(connection: Connection) -> None:
            store.put_window(connection, window)
            audit.record_all(connection, [entry])

        await self._ledger.write(work)
        self.windows = (*self.windows, window)
        return window

    async def end_window(self, identity: str, by: Who) -> Window | None:
        """End a window now; None when there is none of that id in force or to come.

        Raises:
            LedgerUnavailable: it is not known to be stored.
        """
        known = next((one for one in self.windows if one.id == identity), None)
        if known is None:
            return None
        ended = msgspec.structs.replace(known, end_ms=self._clock.civil_ms())
        entry = self._window_entry(ended, by, "window.ended")

        def work(connection: Connection) -> None:
            store.end_window(connection, ended)
            audit.record_all(connection, [entry])

        await self._ledger.write(work)
        self.windows = tuple(one for one in self.windows if one.id != identity)
        return ended

    async def protectors(self) -> list[store.Protector]:
        """Every protector that is listed, with its last trip test.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        return await self._ledger.read(store.protectors)

    async def trip_tested(self, protector: str, test: TripTest, by: Who) -> bool:
        """Keep the result of a trip test; False when there is no such protector.

        Raises:
            LedgerUnavailable: it is not known to be stored.
        """
        result = "tripped" if test.tripped else "did not trip"
        now_ms = self._clock.wall_ms()

        def work(connection: Connection) -> bool:
            if not store.put_test(connection, protector, test):
                return False
            entry = Entry(by.who, "protector.tested", protector, by.reason, result, now_ms)
            audit.record_all(connection, [entry])
            return True

        return await self._ledger.write(work)

    def _around(self, now_ms: int) -> Surroundings:
        self.windows = tuple(window for window in self.windows if window.end_ms > now_ms)
        return Surroundings(self.topology, catalogue(), self._rules.sla, self.excused(now_ms))

    async def _keep_if_possible(self, changed: Sequence[Incident]) -> None:
        """Store what changed and what could not be stored before; the ledger tells itself when it cannot."""
        self._unstored |= {one.id: one for one in changed}
        if not self._unstored:
            return
        waiting = list(self._unstored.values())
        entries = [
            self._entry(one, RULE, f"incident.{one.state.value}", one.class_id)
            for one in waiting
            if self._told.get(one.id, (None, None))[0] is not one.state
        ]
        try:
            await self._ledger.write(lambda connection: self._write(connection, waiting, entries))
        except LedgerUnavailable:
            return
        for incident in waiting:
            del self._unstored[incident.id]
            self._tell(incident)

    @property
    def is_stored(self) -> bool:
        """Every change so far is in the ledger."""
        return not self._unstored

    def _write(self, connection: Connection, changed: Sequence[Incident], entries: Sequence[Entry]) -> None:
        store.put_incidents(connection, [(one, cabinet_of(self.topology, one.element)) for one in changed])
        audit.record_all(connection, entries)

    def _tell(self, incident: Incident) -> None:
        """What is withheld is nobody's business; what was, and is not any more, is told as raised."""
        self._told[incident.id] = (incident.state, incident.withheld)
        if not incident.withheld:
            element = incident.element
            self._events.publish(
                IncidentChanged(
                    incident.id,
                    element.kind.value,
                    element.id,
                    incident.class_id,
                    incident.state.value,
                    incident.severity,
                    incident.changed_ms,
                )
            )

    def _entry(self, incident: Incident, who: str, action: str, reason: str) -> Entry:
        detail = {"incident": incident.id, "class": incident.class_id, "severity": incident.severity}
        return Entry(who, action, incident.element.id, reason, incident.state.value, self._clock.wall_ms(), detail)

    def _window_entry(self, window: Window, by: Who, action: str) -> Entry:
        detail = {"elements": [f"{one.kind.value}:{one.id}" for one in window.elements[:100]]}
        return Entry(by.who, action, window.id, by.reason, "ok", self._clock.wall_ms(), detail)
