"""What was really wrong: the answers a diagnosis is judged by."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]


class Shows(StrEnum):
    """When a fault can be seen at all."""

    ALWAYS = "always"
    LIT = "told to be on"
    DARK = "told to be off"
    DIMMED = "told to be dimmed"
    OTHERWISE = "at another level than told"


@dataclass(slots=True, kw_only=True)
class Injected:
    """One fault. `lamps` are all lamps it touches, `members` those that hang below its element.

    Args:
        kind: id of its class.
        element, element_kind: what is broken: a lamp, pole, feeder, phase, cabinet, transformer, model.
        strength: how bad, in the kind's own unit.
        case: name of the story it belongs to; faults of one story share it.
        first_observable_ms: the first reading, or missing one, that differs; filled in while the campaign runs.
    """

    kind: str
    element: str
    element_kind: str
    lamps: Index
    onset_ms: int
    end_ms: int
    strength: float = 1.0
    case: str = ""
    shows: Shows = Shows.ALWAYS
    index: int = -1
    draw: float = 0.5
    first_observable_ms: int | None = None

    def as_json(self, lamp_id: Any) -> dict[str, Any]:
        """One line of the truth file."""
        return {
            "kind": self.kind,
            "element": {"kind": self.element_kind, "id": self.element},
            "onset_ms": self.onset_ms,
            "end_ms": self.end_ms,
            "first_observable_ms": self.first_observable_ms,
            "strength": round(self.strength, 4),
            "case": self.case,
            "lamps": [lamp_id(lamp) for lamp in self.lamps],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Excused:
    """People work on these lamps, with an order in force."""

    lamps: Index
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """Something that is no fault of a lamp and may rightly be told: a wrong clock, a wrong record, a late gateway."""

    kind: str
    element: str
    start_ms: int
    end_ms: int


@dataclass(slots=True)
class Truth:
    """Everything that went wrong, what was excused, and what may be told beside it."""

    faults: list[Injected] = field(default_factory=list)
    excused: list[Excused] = field(default_factory=list)
    quirks: list[Quirk] = field(default_factory=list)
