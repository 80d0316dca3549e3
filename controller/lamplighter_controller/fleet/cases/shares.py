"""How often a rule is wrong: the share of its candidates that people found invalid, rule by rule and published."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, select, true

from lamplighter_controller.fleet.cases.life import JUDGED_VALID
from lamplighter_controller.fleet.store import violation_table
from lamplighter_controller.fleet.violations.violation import State


@dataclass(frozen=True, slots=True)
class Share:
    """Violations of one class found by one version of the rules."""

    kind: str
    rules: int
    found: int
    valid: int
    invalid: int

    @property
    def reviewed(self) -> int:
        """How many people have looked at."""
        return self.valid + self.invalid

    @property
    def invalid_share(self) -> float | None:
        """Of those reviewed; None before any was."""
        return self.invalid / self.reviewed if self.reviewed else None


def shares(connection: Connection, start_ms: int | None = None, end_ms: int | None = None) -> list[Share]:
    """Of all violations, or those that began from `start_ms` to before `end_ms` (civil), by class and rules."""
    table = violation_table.c
    where: list[Any] = [true()]
    where += [] if start_ms is None else [table.first_ms >= start_ms]
    where += [] if end_ms is None else [table.first_ms < end_ms]
    kind = table["class"].label("kind")
    query = (
        select(kind, table.rules, table.state, func.count().label("number"))
        .where(and_(*where))
        .group_by(table["class"], table.rules, table.state)
    )
    counted: defaultdict[tuple[str, int], dict[State, int]] = defaultdict(dict)
    for row in connection.execute(query):
        counted[row.kind, row.rules][State(row.state)] = row.number
    return [
        Share(
            kind,
            rules,
            sum(by_state.values()),
            sum(number for state, number in by_state.items() if state in JUDGED_VALID),
            by_state.get(State.INVALID, 0),
        )
        for (kind, rules), by_state in sorted(counted.items())
    ]
