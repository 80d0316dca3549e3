"""What one step of diagnosis looks at: readings of the whole city as columns, one row per element of the topology."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32] | NDArray[np.float64]
Flags = NDArray[np.bool_]
Times = NDArray[np.int64]
Rows = NDArray[np.int64]
NEVER: Final = 0


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings of one kind in one step, all of length n: the rows are those of the topology's list of that kind.

    At most one reading per element and step. A report period of the city (15 min, 60 s) is one step; what arrives
    twice in it is two steps.

    Args:
        asked: (n,) the element was due to speak in this step. False for what is dead by plan, has no controller or
            hangs on a gateway nobody can reach for a known reason: it is neither heard nor silent.
        answered: (n,) a reading came. `asked & ~answered` is silence.
        time_ms: (n,) civil epoch ms of the measurement, 0 where none came.
        values: canonical quantity -> (n,), NaN = not read; a quantity nobody read may be left out. `desired_percent`
            is what the plan or an override commands at that moment (NaN = nobody knows), `level_percent` what the
            device says it does. Flags are 0 and 1.
        quality: (n,) bits of `lamplighter_contract.quality`, None = all good.
        desired_since_ms: (n,) when the commanded level began to hold, fade included, where the caller knows it; None
            or 0 = found from the change of `desired_percent` between two steps.
        present: (n,) nothing came in this step, and yet it is there as it was: its gateway tells of changes alone, and
            would tell of its silence. None = whoever is there speaks in every step.
    """

    asked: Flags
    answered: Flags
    time_ms: Times
    values: Mapping[str, Floats] = field(default_factory=dict)
    quality: NDArray[np.uint8] | None = None
    desired_since_ms: Times | None = None
    present: Flags | None = None

    def __len__(self) -> int:
        """How many elements there are, heard or not."""
        return len(self.answered)

    def column(self, name: str) -> Floats:
        """(n,) values of a quantity, NaN where it was not read."""
        known = self.values.get(name)
        return np.broadcast_to(np.float32(nan), len(self.answered)) if known is None else known

    @property
    def silent(self) -> Flags:
        """(n,) asked and not heard."""
        return self.asked & ~self.answered


def nothing_from(rows: int) -> Columns:
    """Columns of elements that nobody asked."""
    nobody = np.zeros(rows, np.bool_)
    return Columns(nobody, nobody, np.zeros(rows, np.int64))


@dataclass(frozen=True, slots=True)
class Samples:
    """One step.

    Args:
        lamps: rows are `Topology.lamps`.
        cabinets: rows are `Topology.cabinets`; quantities `power_a_w`, `voltage_b_v`, `power_w`, `leakage_ma`, ...
        circuits: rows are `Topology.circuits` (contactor, current, breaker, residual current).
        excused: (lamps,) a maintenance window or a running work order covers the lamp, or it is switched off by a
            person on site: nothing is learned from it and nothing raised. None = nobody.
        replaced: (rows of lamps) whose luminaire was exchanged since the step before: gain, hours and light-output
            compensation begin anew.
        late: readings that missed their moment. They correct onset and may open or close what is known, and never ask
            for an act; they do not move what is held of the present.
        rain_mm_h: rain over the city, NaN = unknown.
    """

    lamps: Columns
    cabinets: Columns
    circuits: Columns
    excused: Flags | None = None
    replaced: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    late: bool = False
    rain_mm_h: float = nan
