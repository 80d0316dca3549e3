"""Readings into frame bodies: columns of one kind, at most 250 rows or one second."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from lamplighter_contract.frame import readings_body
from lamplighter_contract.quantities import Kind
from lamplighter_gateway.drivers.port import Reading

MOST_ROWS: Final = 250
LONGEST_S: Final = 1.0


class Batch:
    """Collects readings by kind; a full kind goes at once, the rest with `flush`."""

    def __init__(
        self,
        hand_over: Callable[[bytes], None],
        levels: Callable[[], Mapping[str, float]],
        doubts: Callable[[], int] = lambda: 0,
    ) -> None:
        """`levels` gives the desired level of lamps that have one, `doubts` quality bits that hold for all now."""
        self._hand_over = hand_over
        self._levels = levels
        self._doubts = doubts
        self._rows: dict[Kind, list[Reading]] = {kind: [] for kind in Kind}

    def add(self, readings: Iterable[Reading]) -> None:
        """More readings."""
        for reading in readings:
            rows = self._rows[reading.kind]
            rows.append(reading)
            if len(rows) >= MOST_ROWS:
                self._give(reading.kind, rows)

    def flush(self) -> None:
        """Hand over what there is."""
        for kind, rows in self._rows.items():
            if rows:
                self._give(kind, rows)

    def _give(self, kind: Kind, rows: list[Reading]) -> None:
        self._rows[kind] = []
        self._hand_over(body(kind, rows, self._levels(), self._doubts()))


def body(kind: Kind, rows: Sequence[Reading], levels: Mapping[str, float], doubts: int = 0) -> bytes:
    """The frame body of readings of one kind; a lamp without a level wanted of it has no desired one."""
    names = dict.fromkeys(name for row in rows for name in row.values)
    columns = {name: [row.values.get(name) for row in rows] for name in names}
    devices = [row.device for row in rows]
    if kind is Kind.LAMP:
        columns["desired_percent"] = [levels.get(device) for device in devices]
    quality = [int(row.quality) | doubts for row in rows]
    return readings_body(kind, devices, [row.time_ms for row in rows], columns, quality)
