"""What is wrong with a plan: named by place and date, all of it, and nothing mended in silence."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps a plan from being published, a warning wants a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where, what, and when it shows first; `nights` that show it altogether."""

    severity: Severity
    where: str
    what: str
    day: date | None = None
    nights: int = 0

    def __str__(self) -> str:
        """As a person reads it."""
        more = f" (and {self.nights - 1} more nights)" if self.nights > 1 else ""
        when = f", {self.day}{more}" if self.day else ""
        return f"{self.where}{when}: {self.what}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of one night; `kind` gathers it with those of other nights, whose wording may differ."""

    kind: tuple[str, ...]
    problem: Problem


def gathered(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    """Each kind once, as it shows in its first night, with the number of its nights."""
    found: dict[tuple[str, ...], Problem] = {}
    for finding in findings:
        first = found.get(finding.kind, finding.problem)
        found[finding.kind] = replace(first, nights=first.nights + 1)
    return tuple(found.values())
