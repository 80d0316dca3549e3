"""Readings into frame bodies: columns of one kind, at most 250 rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.frame import readings_body
from lamplighter_gateway.drivers.port import Reading

MOST_ROWS: Final = 250


class Batch:
    """Collects readings by kind; a full kind goes at once, the rest with `flush`."""

    def __init__(self, hand_over: Callable[[bytes], None], doubts: Callable[[], int]) -> None:
        """`doubts` gives quality bits that hold for all readings now."""
        self._hand_over = hand_over
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
        self._hand_over(body(kind, rows, self._doubts()))


def body(kind: Kind, rows: Sequence[Reading], doubts: int) -> bytes:
    """The frame body of readings of one kind, None where a device does not have a quantity."""
    names = dict.fromkeys(name for row in rows for name in row.values)
    columns = {name: [row.values.get(name) for row in rows] for name in names}
    quality = [int(row.quality) | doubts for row in rows]
    return readings_body(kind, [row.device for row in rows], [row.time_ms for row in rows], columns, quality)
