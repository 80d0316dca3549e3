"""What one look at the tree says of a node, before it has stood for long enough to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, EvidenceLine
from lamplighter_controller.diagnosis.samples import Rows

SUPPLY: Final = "supply"
NO_LAMPS: Final[Rows] = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One node that seems to be at fault now.

    Args:
        probability: class -> how likely, not sorted; sums to 1.
        lamps: rows that it explains and that say nothing of their own meanwhile.
        hold: looks in a row that have to agree before it is told.
        family: what kind of complaint it is; an element has one verdict of each at a time.
        onset_ms: when it began, as far as the lamps' last words tell.
    """

    element: Element
    probability: Mapping[str, float]
    onset_ms: int
    hold: int
    evidence: tuple[EvidenceLine, ...] = ()
    lamps: Rows = field(default_factory=lambda: NO_LAMPS)
    settle: str = ""
    family: str = SUPPLY

    @property
    def key(self) -> tuple[Element, str]:
        """What it is one verdict of."""
        return self.element, self.family

    @property
    def alternatives(self) -> tuple[tuple[str, float], ...]:
        """Most likely first; what is next to impossible is left out."""
        likely = {name: share for name, share in self.probability.items() if share >= 0.005}
        total = sum(likely.values())
        return tuple(sorted(((name, share / total) for name, share in likely.items()), key=lambda item: -item[1]))
