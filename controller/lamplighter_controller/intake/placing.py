"""From the columns of a frame to readings as stores and rules take them, and back. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.errors import Reason
from lamplighter_contract.quantities import Form, Quantity, quantity
from lamplighter_contract.wire.frame import Cell, ReadingsFrame, readings_body
from lamplighter_controller.series.port import Readings

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that could not be placed: why, and a frame body of just that part, fit to be tried again."""

    gateway: str
    reason: Reason
    detail: str
    body: bytes
    received_ms: int


@dataclass(frozen=True, slots=True)
class Placed:
    """What of a frame can be stored, what cannot, and how many rows are of devices its gateway does not serve."""

    readings: Readings
    letters: tuple[Letter, ...]
    strangers: int


def readings_of(frame: ReadingsFrame) -> Readings:
    """The frame's columns as arrays; None becomes NaN."""
    return Readings(
        frame.kind,
        frame.device,
        np.array(frame.time_ms, np.int64),
        {name: np.array(column, np.float64) for name, column in frame.columns.items()},
        np.array(frame.quality, np.uint8),
    )


def place(gateway: str, frame: ReadingsFrame, served: Mask, *, latest_ms: int, now_ms: int) -> Placed:
    """Part a frame's rows: those of strangers (`served` false) and of a time later than `latest_ms` are refused."""
    readings = readings_of(frame)
    letters = [Letter(gateway, part.reason, part.detail, part.body, now_ms) for part in frame.refused]
    early = readings.time_ms <= latest_ms
    good = served & early
    if good.all():
        return Placed(readings, tuple(letters), 0)
    for wrong, reason, words in (
        (~served, Reason.UNKNOWN_DEVICE, "{device} is not served by {gateway}"),
        (served & ~early, Reason.ABSURD_TIME, "time of {device} is in the future: {time}"),
    ):
        rows = np.flatnonzero(wrong)
        if len(rows):
            detail = words.format(device=frame.device[rows[0]], gateway=gateway, time=frame.time_ms[rows[0]])
            letters.append(
                Letter(gateway, reason, _and_more(detail, len(rows)), body_of(select(readings, wrong)), now_ms)
            )
    return Placed(select(readings, good), tuple(letters), int((~served).sum()))


def select(readings: Readings, rows: Mask) -> Readings:
    """The rows where the mask is true."""
    return Readings(
        readings.kind,
        [readings.device[row] for row in np.flatnonzero(rows).tolist()],
        readings.time_ms[rows],
        {name: column[rows] for name, column in readings.values.items()},
        readings.quality[rows],
    )


def body_of(readings: Readings) -> bytes:
    """Readings as a frame's body again."""
    columns = {name: _cells(quantity(readings.kind, name), column.tolist()) for name, column in readings.values.items()}
    return readings_body(readings.kind, readings.device, readings.time_ms.tolist(), columns, readings.quality.tolist())


def _cells(known: Quantity | None, column: Sequence[float]) -> list[Cell]:
    form = known.form if known else Form.NUMBER
    cell = _CELL[form]
    if form is Form.CHOICE and known:
        choices = known.choices
        return [choices[int(value)] if value == value else None for value in column]  # noqa: PLR0124 - NaN is not itself
    return [cell(value) if value == value else None for value in column]  # noqa: PLR0124 - NaN is not itself


def _and_more(detail: str, rows: int) -> str:
    return detail if rows == 1 else f"{detail} (and {rows - 1} more)"


_CELL: Final[dict[Form, Callable[[float], Cell]]] = {
    Form.NUMBER: float,
    Form.FLAG: bool,
    Form.BITS: int,
    Form.CHOICE: int,
}
