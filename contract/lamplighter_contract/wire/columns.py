"""Placing the columns of a readings frame: what fits becomes numbers, what does not is kept with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

import orjson

from lamplighter_contract.errors import Reason
from lamplighter_contract.ids import are_ids, is_id
from lamplighter_contract.quantities import Form, Kind, Quantity, quantity
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS, MAX_TEXT

Number = float | int | bool | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A part of a frame that could not be placed; `body` is a frame body of just that part, fit to be tried again."""

    reason: Reason
    detail: str
    body: bytes


class ColumnReader:
    """Places the columns of one frame and collects what does not fit."""

    def __init__(self, kind: Kind, device: list[Any], time_ms: list[Any]) -> None:
        self.kind = kind
        self.device = device
        self.time_ms = time_ms
        self.refused: list[Refused] = []

    def rows(self) -> Sequence[int]:
        """Indices of rows whose device and time can be a reading's."""
        times_fit = set(map(type, self.time_ms)) <= {int} and (
            not self.time_ms or (min(self.time_ms) >= EARLIEST_TIME_MS and max(self.time_ms) < LATEST_TIME_MS)
        )
        if times_fit and are_ids(self.device):
            return range(len(self.device))
        good = []
        for index, (device, time_ms) in enumerate(zip(self.device, self.time_ms, strict=True)):
            if not is_id(device):
                self._refuse_row(index, Reason.UNKNOWN_DEVICE, f"device is {str(device)[:70]!r}")
            elif type(time_ms) is not int or not EARLIEST_TIME_MS <= time_ms < LATEST_TIME_MS:
                self._refuse_row(index, Reason.ABSURD_TIME, f"time of {device} is {str(time_ms)[:30]}")
            else:
                good.append(index)
        return good

    def quality(self, column: object) -> list[int]:
        """Quality bits, 0 where the column is absent or unusable."""
        rows = len(self.device)
        if column is None:
            return [0] * rows
        fits = isinstance(column, list) and len(column) == rows and set(map(type, column)) <= {int}
        if isinstance(column, list) and fits and (not column or (min(column) >= 0 and max(column) <= 255)):
            return column
        self._refuse_column("quality", column, Reason.WRONG_TYPE, "quality is a list of small whole numbers")
        return [0] * rows

    def column(self, name: str, column: object) -> list[Number] | None:
        """The column in stored form, or None when all of it is refused."""
        known = quantity(self.kind, name)
        if known is None:
            self._refuse_column(name, column, Reason.UNKNOWN_QUANTITY, f"{self.kind} has no {name[:60]!r}")
            return None
        if not isinstance(column, list) or len(column) != len(self.device):
            self._refuse_column(name, column, Reason.LENGTH, f"{name} is no list as long as device")
            return None
        types, fitting = set(map(type, column)), _TYPES[known.form]
        if not types <= fitting:
            if types.isdisjoint(fitting - {_NONE}):
                self._refuse_column(name, column, Reason.WRONG_TYPE, f"{name} is no column of {known.form}s")
                return None
            column, types = self._of_type(known, column, fitting), types | {_NONE}
        if known.form is Form.CHOICE:
            return self._words(known, column)
        present = [value for value in column if value is not None] if _NONE in types else column
        return self._bounded(known, column, present)

    def _of_type(self, known: Quantity, column: Sequence[Any], fitting: set[type]) -> list[Any]:
        """The column with null for every cell of another type."""
        wrong = [row for row, value in enumerate(column) if type(value) not in fitting]
        self._refuse_cells(known, column, wrong, Reason.WRONG_TYPE)
        return [value if type(value) in fitting else None for value in column]

    def _words(self, known: Quantity, column: list[str | None]) -> list[Number]:
        index = {word: position for position, word in enumerate(known.choices)}
        wrong = [row for row, word in enumerate(column) if word is not None and word not in index]
        self._refuse_cells(known, column, wrong)
        return [index.get(word) if word is not None else None for word in column]

    def _bounded(self, known: Quantity, column: list[Number], present: list[float]) -> list[Number]:
        if not present or (min(present) >= known.minimum and max(present) <= known.maximum):
            return column
        wrong = [row for row, value in enumerate(column) if value is not None and not _fits(known, value)]
        self._refuse_cells(known, column, wrong)
        lost = set(wrong)
        return [None if row in lost else value for row, value in enumerate(column)]

    def _refuse_cells(
        self, known: Quantity, column: Sequence[object], rows: Sequence[int], reason: Reason = Reason.OUT_OF_BOUNDS
    ) -> None:
        if rows:
            detail = f"{known.name} of {self.device[rows[0]]} is {str(column[rows[0]])[:30]}"
            if len(rows) > 1:
                detail += f" (and {len(rows) - 1} more)"
            body = self._part(rows, {known.name: [column[row] for row in rows]})
            self.refused.append(Refused(reason, detail, body))

    def _refuse_row(self, row: int, reason: Reason, detail: str) -> None:
        self.refused.append(Refused(reason, detail, self._part([row], {})))

    def _refuse_column(self, name: str, column: object, reason: Reason, detail: str) -> None:
        body = self._part(range(len(self.device)), {name[:MAX_TEXT]: column})
        self.refused.append(Refused(reason, detail, body))

    def _part(self, rows: Sequence[int], columns: Mapping[str, object]) -> bytes:
        head = {
            "kind": self.kind,
            "device": [self.device[i] for i in rows],
            "time": [self.time_ms[i] for i in rows],
        }
        return orjson.dumps(head | dict(columns))


def _fits(known: Quantity, value: float) -> bool:
    return isfinite(value) and known.minimum <= value <= known.maximum


_NONE: Final = type(None)
_TYPES: Final[dict[Form, set[type]]] = {
    Form.NUMBER: {int, float, _NONE},
    Form.FLAG: {bool, _NONE},
    Form.BITS: {int, _NONE},
    Form.CHOICE: {str, _NONE},
}
