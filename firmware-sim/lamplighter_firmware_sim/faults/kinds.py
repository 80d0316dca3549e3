"""The table of faults, and when one of them holds. A new kind is one row here and one place that reads its column."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import Final, Protocol

from lamplighter_contract.quantities import Kind


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way of going wrong; `value` is its strength, in the unit that `title` names."""

    name: str
    title: str
    targets: frozenset[Kind]
    default: float = 1.0
    lowest: float = 1.0
    highest: float = 1.0


_LAMP: Final = frozenset({Kind.LAMP})
_ANSWERING: Final = frozenset({Kind.LAMP, Kind.CABINET})

KINDS: Final[dict[str, FaultKind]] = {
    kind.name: kind
    for kind in (
        FaultKind("silent", "does not answer", _ANSWERING),
        FaultKind("slow", "answers late by value milliseconds", _ANSWERING, 500, 1, 60_000),
        FaultKind("dead_lamp", "is powered and gives no light", _LAMP),
        FaultKind("stuck_relay", "stays on when it is told to go off", _LAMP),
        FaultKind("breaker_trip", "the circuit's breaker is open", frozenset({Kind.CIRCUIT})),
    )
}


class FaultSpan(Protocol):
    """When a fault holds."""

    def holds(self, civil_ms: int, running_s: float) -> bool:
        """Whether it holds at this civil time, this many real seconds after the start."""


@dataclass(frozen=True, slots=True)
class RealSpan:
    """From `start_s` until before `end_s`, real seconds after the simulator's start."""

    start_s: float
    end_s: float

    def holds(self, civil_ms: int, running_s: float) -> bool:  # noqa: ARG002 - the other spans need civil time
        """Whether it holds now."""
        return self.start_s <= running_s < self.end_s


@dataclass(frozen=True, slots=True)
class CivilSpan:
    """From `start_ms` until before `end_ms`, civil."""

    start_ms: int
    end_ms: int

    def holds(self, civil_ms: int, running_s: float) -> bool:  # noqa: ARG002 - the other spans need real time
        """Whether it holds now."""
        return self.start_ms <= civil_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class DailySpan:
    """Every civil day from `start_ms` after local midnight, for `length_ms`."""

    zone: str
    start_ms: int
    length_ms: int

    def holds(self, civil_ms: int, running_s: float) -> bool:  # noqa: ARG002 - the other spans need real time
        """Whether it holds now."""
        now = dt.datetime.fromtimestamp(civil_ms / 1000, zoneinfo.ZoneInfo(self.zone))
        of_day_ms = round((now.hour * 3600 + now.minute * 60 + now.second) * 1000 + now.microsecond / 1000)
        return (of_day_ms - self.start_ms) % 86_400_000 < self.length_ms
