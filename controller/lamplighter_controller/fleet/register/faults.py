"""What is wrong with a file, mistake by mistake."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MOST_FAULTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake: the line of the file (of a GeoJSON file the number of the feature, from 1), key and value."""

    line: int
    key: str
    value: str
    expected: str


def bounded(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """By line, no more than `MOST_FAULTS` of them, and then word that there are more."""
    found = sorted(faults, key=lambda fault: fault.line)
    if len(found) > MOST_FAULTS:
        more = Fault(found[MOST_FAULTS].line, "", "", f"no more than {MOST_FAULTS} mistakes are listed")
        return (*found[:MOST_FAULTS], more)
    return tuple(found)
