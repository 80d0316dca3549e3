"""Where findings are written down as violations, and told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_controller.events import Events, FleetChanged
from lamplighter_controller.fleet.judging.violations import BY_REGISTER, Finding
from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.violations import records
from lamplighter_controller.fleet.violations.book import FORGET_MS, Book, Noted
from lamplighter_controller.fleet.violations.violation import State, Step, Violation
from lamplighter_controller.ledger.engine import Ledger

RULES: Final = "rule:fleet"


@dataclass(slots=True)
class ViolationDesk:
    """Keeps the book and the ledger in step. What the ledger does not take now is written with the next."""

    ledger: Ledger
    events: Events
    clock: Clock
    zone: ZoneInfo
    new_id: Callable[[], str]
    book: Book = field(default_factory=Book)
    _unsaved: list[Noted] = field(default_factory=list)

    async def load(self) -> None:
        """Take up what goes on, and what has just ended.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        since_ms = self.clock.civil_ms() - FORGET_MS
        self.book.load(await self.ledger.read(lambda connection: records.recent(connection, since_ms)))

    async def take(
        self, findings: Iterable[Finding], city: City, now_ms: int, *, suspended: bool, late: bool = False
    ) -> list[Noted]:
        """Let violations follow findings, and write them.

        Raises:
            LedgerUnavailable: they are in the book and are written with the next.
        """
        noted = self.note(findings, city, now_ms, suspended=suspended, late=late)
        await self.save()
        return noted

    def note(
        self, findings: Iterable[Finding], city: City, now_ms: int, *, suspended: bool, late: bool = False
    ) -> list[Noted]:
        """Violations that began or went on, to be written by `save`. `suspended`: no permit holds today."""
        found = (self._noted(one, city, now_ms, suspended=suspended, late=late) for one in findings)
        noted = [one for one in found if one is not None]
        self._unsaved += noted
        return noted

    async def save(self) -> None:
        """Write violations and tell of them, with all that could not be written before.

        Raises:
            LedgerUnavailable: they are written with the next.
        """
        if not self._unsaved:
            return
        waiting = list(self._unsaved)

        def work(connection: Connection) -> None:
            for one in waiting:
                if one.new:
                    records.add(connection, [one.violation], RULES)
                else:
                    records.save(connection, one.violation)

        await self.ledger.write(work)
        self._unsaved = self._unsaved[len(waiting) :]
        for one in waiting:
            self._tell(one.violation)

    async def acted(self, violation: Violation) -> None:
        """Something followed from it."""
        now = self.book.latest(violation.truck, violation.kind)
        current = now if now is not None and now.id == violation.id else violation
        if not current.acted:
            changed = replace(current, acted=True)
            self.book.changed(changed)
            self._unsaved.append(Noted(changed, new=False))
            await self.save()

    async def corrected(self, violation: Violation, reason: str) -> None:
        """Data that came late show that it was none."""
        taken = Step(State.INVALID, self.clock.wall_ms(), RULES, reason)
        await self.ledger.write(lambda connection: records.step(connection, violation.id, taken))
        changed = replace(violation, state=State.INVALID)
        self.book.changed(changed)
        self._tell(changed)

    def heard(self, event: FleetChanged) -> None:
        """Somebody else let a violation go on to another state."""
        latest = self.book.latest(event.truck, event.class_id)
        if latest is not None and latest.id == event.id and event.state in set(State):
            self.book.changed(replace(latest, state=State(event.state)))

    def _noted(self, finding: Finding, city: City, now_ms: int, *, suspended: bool, late: bool) -> Noted | None:
        row = city.rows[finding.truck]
        if finding.kind in BY_REGISTER and not row.registered:
            return None
        if finding.last_ms is not None and not finding.first_ms:
            return self.book.ended(row.truck, finding.kind, finding.last_ms)
        local = datetime.fromtimestamp(finding.first_ms / 1000, self.zone)
        permit = city.permit_of(row.truck, local, suspended=suspended)
        wall_ms = self.clock.wall_ms()
        found = Violation(
            id=self.new_id(),
            truck=row.truck,
            company=row.company,
            kind=finding.kind.value,
            score=finding.score,
            first_ms=finding.first_ms,
            last_ms=finding.last_ms,
            found_ms=wall_ms,
            changed_ms=wall_ms,
            place=finding.place,
            place_version=city.register.place_versions.get(finding.place or ""),
            permit=permit.id if permit else None,
            permit_version=city.register.permit_versions.get(permit.id) if permit else None,
            latitude=finding.latitude,
            longitude=finding.longitude,
            evidence=dict(finding.evidence),
            rules=finding.rules,
            late=late,
        )
        return self.book.begun(found, now_ms)

    def _tell(self, one: Violation) -> None:
        state = one.state if one.last_ms is not None else "going_on"
        self.events.publish(FleetChanged("violation", one.id, one.truck, state, one.first_ms, one.kind))
