"""What stands on an acceptance sheet. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lamplighter_gateway.commissioning.walk.findings import Conflict, Finding, conflicts
from lamplighter_gateway.commissioning.walk.record import Record, from_json


@dataclass(frozen=True, slots=True)
class Sheet:
    """One cabinet's commissioning as it is signed for; `gateway` serves `lamps` and `circuits`."""

    gateway: str
    record: Record
    lamps: tuple[str, ...]
    circuits: tuple[str, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many lamps: all of them, right, wrong, dark, left."""
        kinds = [conflict.finding for conflict in self.conflicts]
        dark, left = kinds.count(Finding.NOT_SEEN), kinds.count(Finding.NOT_ASKED)
        wrong = kinds.count(Finding.WRONG_POLE)
        right = len(self.lamps) - dark - left - wrong
        return {"lamps": len(self.lamps), "right": right, "wrong": wrong, "dark": dark, "left": left}

    @property
    def clean(self) -> bool:
        """True when everything was looked at and nothing differs."""
        return not self.conflicts


def sheet(gateway: str, record: Record, lamps: Sequence[str], circuits: Sequence[str]) -> Sheet:
    """The sheet of a record."""
    return Sheet(gateway, record, tuple(lamps), tuple(circuits), tuple(conflicts(record, lamps, circuits)))


def sheet_of(told: Mapping[str, Any]) -> Sheet:
    """The sheet of what a gateway told of its record."""
    return sheet(str(told["gateway"]), from_json(told["record"]), told["served"], told["contactors"])


def as_json(made: Sheet) -> dict[str, Any]:
    """For a program."""
    differing = [
        {"finding": one.finding.value, "subject": one.subject, "expected": one.expected, "found": one.found}
        for one in made.conflicts
    ]
    return {"gateway": made.gateway, "job": made.record.job, "counts": dict(made.counts), "conflicts": differing}
