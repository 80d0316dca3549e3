"""Where people take steps: each is judged, written and audited in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.fleet.cases import exchange, life
from lamplighter_controller.fleet.cases.life import Wish
from lamplighter_controller.fleet.register.faults import Fault, bounded
from lamplighter_controller.fleet.violations import records
from lamplighter_controller.fleet.violations.violation import Violation
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.security import audit

Told = Callable[[Violation], None]
IMPORT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Taken:
    """The violation after a wish; `repeated` when it had been met before and nothing changed."""

    violation: Violation
    repeated: bool


@dataclass(frozen=True, slots=True)
class Brought:
    """What a file of the case system changed; with faults nothing did."""

    steps: int = 0
    unchanged: int = 0
    faults: tuple[Fault, ...] = ()


class _Faulty(ControllerError):
    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


class CaseDesk:
    """Steps in the life of violations."""

    def __init__(self, ledger: Ledger, clock: Clock, tell: Told) -> None:
        """`tell` is called with each violation that went on, once that is committed."""
        self._ledger, self._clock, self._tell = ledger, clock, tell

    async def take(self, violation: str, wish: Wish) -> Taken | Refusal | None:
        """Take a step; None when there is no such violation.

        Raises:
            LedgerUnavailable: it is not known to be taken; asking again is safe.
        """
        time_ms = self._clock.wall_ms()
        taken = await self._ledger.write(lambda connection: take(connection, violation, wish, time_ms))
        if isinstance(taken, Taken) and not taken.repeated:
            self._tell(taken.violation)
        return taken

    async def bring(self, rows: Sequence[exchange.Row], who: str, reason: str) -> Brought:
        """Take what the case system says of violations: all of it, or nothing and every mistake.

        Raises:
            LedgerUnavailable: it is not known to be taken; bringing it again is safe.
        """
        time_ms = self._clock.wall_ms()
        changed: list[Violation] = []

        def work(connection: Connection) -> Brought:
            changed.clear()
            return _bring(connection, rows, who, reason, time_ms, changed)

        try:
            brought = await self._ledger.write(work, IMPORT_S)
        except _Faulty as faulty:
            return Brought(faults=bounded(faulty.faults))
        for violation in changed:
            self._tell(violation)
        return brought


def take(connection: Connection, violation: str, wish: Wish, time_ms: int) -> Taken | Refusal | None:
    """One step, with its row in the audit trail."""
    found = records.find(connection, violation)
    if found is None:
        return None
    step = life.taken(records.steps_of(connection, violation), wish, time_ms)
    if isinstance(step, Refusal):
        return step
    if step is None:
        return Taken(found, repeated=True)
    number = records.step(connection, violation, step)
    audit.record(
        connection,
        who=wish.who,
        action=f"violation.{wish.act}",
        subject=f"violation:{violation}",
        reason=wish.reason,
        result=step.state,
        time_ms=time_ms,
        detail={"step": number, "from": found.state, **wish.detail},
    )
    return Taken(replace(found, state=step.state, changed_ms=time_ms), repeated=False)


def _bring(
    connection: Connection,
    rows: Sequence[exchange.Row],
    who: str,
    reason: str,
    time_ms: int,
    changed: list[Violation],
) -> Brought:
    faults: list[Fault] = []
    steps = unchanged = 0
    for row in rows:
        for wish in exchange.wishes(row, who, reason):
            taken = take(connection, row.violation, wish, time_ms)
            if taken is None:
                faults.append(Fault(row.line, "violation", row.violation, "a violation that is known"))
                break
            if isinstance(taken, Refusal):
                known = life.last_detail(records.steps_of(connection, row.violation), life.RULES[wish.act].to)
                if known is not None and exchange.says_the_same(wish, known):
                    unchanged += 1
                    continue
                faults.append(exchange.contradiction(row, wish, known, taken.detail))
                break
            unchanged += taken.repeated
            steps += not taken.repeated
            changed += [] if taken.repeated else [taken.violation]
    if faults:
        raise _Faulty(faults)
    return Brought(steps, unchanged)
