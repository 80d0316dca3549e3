"""What the store remembers about its summaries, kept in the database itself.

Due windows are marked before the late readings they are due for are sent, and unmarked after they are summarised, so a
crash at any point leaves too many marks, never too few.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.influx.influxql import Table, name, newest
from lamplighter_controller.series.influx.line import encode

PROGRESS: Final = "lamplighter_progress"
DUE: Final = "lamplighter_due"
FIELDS: Final = ("rolled_ms", "raw_from_ms", "quarter_hour_from_ms")

READ_PROGRESS: Final = newest(PROGRESS, FIELDS, 0)
READ_DUE: Final = f'SELECT "open" FROM {name(DUE)} WHERE "open" = 1 GROUP BY "device"'  # noqa: S608 - a constant


@dataclass(slots=True)
class KindState:
    """How far one kind is summarised, since when its readings and quarter hours are there, what is due again."""

    rolled_ms: int = 0
    raw_from_ms: int = 0
    quarter_hour_from_ms: int = 0
    due: set[int] = field(default_factory=set)


def decode_states(progress: list[Table], due: list[Table]) -> dict[Kind, KindState]:
    """The state of every kind from the answers to `READ_PROGRESS` and `READ_DUE`."""
    states = {kind: KindState() for kind in Kind}
    for table in (table for table in progress if table.device in states):
        numbers = {column: int(np.nan_to_num(values[-1])) for column, values in table.numbers().items()}
        state = states[Kind(table.device)]
        state.rolled_ms, state.raw_from_ms, state.quarter_hour_from_ms = (numbers[each] for each in FIELDS)
    for table in (table for table in due if table.device in states):
        states[Kind(table.device)].due = {int(time_ms) for time_ms in table.numbers()["time"]}
    return states


def encode_progress(kind: Kind, state: KindState, now_ms: int) -> bytes:
    """The line that remembers how far a kind is."""
    rolled, *others = ((each, np.array([getattr(state, each)], np.float64)) for each in FIELDS)
    return encode(PROGRESS, [kind], np.array([now_ms]), rolled, dict(others))


def encode_due(kind: Kind, starts: Collection[int], *, is_open: bool) -> bytes:
    """The lines that mark windows as due, or no longer."""
    times = np.array(sorted(starts), np.int64)
    return encode(DUE, [kind] * len(times), times, ("open", np.full(len(times), float(is_open))), {})
