"""A CSV file as columns of numbers, read in pieces; a cell that is no number is told by line and column."""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from types import MappingProxyType
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.replay.mistakes import Mistakes

_PIECE: Final = 20_000
_LONGEST_CELL: Final = 4_096
_FLAGS: Final = {"true": "1", "false": "0"}
TIME_EXPECTED: Final = "a time in UTC as ISO 8601, such as 2026-01-10T17:15:00Z"

Columns = dict[str, NDArray[np.float64]]
Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file in its order; `device` counts into `devices`."""

    devices: tuple[str, ...]
    device: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    values: Columns

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.device)


class _Names:
    """Numbers for names, in order of their first coming."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}

    def of(self, name: str) -> int:
        return self.number.setdefault(name, len(self.number))


def read_csv(file: TextIO, known: Collection[str], mistakes: Mistakes, bounds: Bounds = MappingProxyType({})) -> Table:
    """The table in `file`: `time`, `device`, then any of `known`; blank = NaN. What is wrong goes to `mistakes`.

    `bounds`: least and most of quantities of which a value beyond them is a mistake.
    """
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(file, strict=True)
    names, pieces = _Names(), []
    try:
        header = next(reader, [])
        quantities = _header(header, known, mistakes)
        if not mistakes.found:
            parsers = {name: _parser(bounds.get(name)) for name in quantities}
            pieces = [
                _piece(lines, header, parsers, names, mistakes) for lines in _pieces(reader, len(header), mistakes)
            ]
    except csv.Error as error:
        mistakes.add(reader.line_num, "", "", f"CSV: {error}")
    except UnicodeDecodeError as error:
        mistakes.add(reader.line_num + 1, "", "", f"UTF-8: {error.reason}")
    if not pieces and not mistakes.found:
        mistakes.add(1, "", "", "at least one row below the names of the columns")
    return _joined(pieces, names)


def _header(header: list[str], known: Collection[str], mistakes: Mistakes) -> list[str]:
    if header:
        header[0] = header[0].removeprefix("\ufeff")
    for name in ("time", "device"):
        if name not in header:
            mistakes.add(1, name, ",".join(header), f"a column named {name}")
    quantities = [name for name in header if name not in {"time", "device"}]
    for name in quantities:
        if name not in known:
            mistakes.add(1, name, name, f"one of {', '.join(sorted(known))}")
    for name in {name for name in header if header.count(name) > 1}:
        mistakes.add(1, name, name, "each column once")
    return quantities


Lines = list[tuple[int, list[str]]]


def _pieces(reader: "csv._reader", width: int, mistakes: Mistakes) -> Iterator[Lines]:  # type: ignore[name-defined]
    def whole() -> Iterator[tuple[int, list[str]]]:
        for cells in reader:
            if len(cells) == width:
                yield reader.line_num, cells
            elif cells:
                column = str(min(len(cells), width) + 1)
                mistakes.add(
                    reader.line_num, column, f"{len(cells)} cells", f"{width} cells, as many as there are names"
                )

    rows = whole()
    while piece := list(islice(rows, _PIECE)):
        yield piece


def _piece(
    lines: Lines, header: list[str], parsers: Mapping[str, "_Parser"], names: _Names, mistakes: Mistakes
) -> Table:
    cells = dict(zip(header, zip(*(row for _, row in lines), strict=True), strict=True))
    numbers = [number for number, _ in lines]
    for line, device in zip(numbers, cells["device"], strict=True):
        if not device:
            mistakes.add(line, "device", device, "the id of a device")
    values = {name: _parsed(cells[name], numbers, name, parser, mistakes) for name, parser in parsers.items()}
    time_ms = _parsed(cells["time"], numbers, "time", _TIMES, mistakes)
    device = np.fromiter((names.of(name) for name in cells["device"]), np.int64, len(lines))
    return Table((), device, np.nan_to_num(time_ms).astype(np.int64), values)


def _parsed(
    cells: Sequence[str], lines: list[int], name: str, parser: "_Parser", mistakes: Mistakes
) -> NDArray[np.float64]:
    try:
        return np.fromiter(map(parser.parse, cells), np.float64, len(cells))
    except ValueError:
        return np.array([_one(cell, line, name, parser, mistakes) for cell, line in zip(cells, lines, strict=True)])


def _one(cell: str, line: int, name: str, parser: "_Parser", mistakes: Mistakes) -> float:
    try:
        return parser.parse(cell)
    except ValueError:
        mistakes.add(line, name, cell, parser.expected)
        return float("nan")


def _float(cell: str) -> float:
    return float(cell) if cell and cell[0] not in "tfTF" else _flag(cell)


def _flag(cell: str) -> float:
    return float(_FLAGS.get(cell.lower(), cell) if cell else "nan")


def _epoch_ms(cell: str) -> float:
    time = datetime.fromisoformat(cell)
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class _Parser:
    """How a cell is read, and what to tell of one that cannot be."""

    parse: Callable[[str], float]
    expected: str


_TIMES: Final = _Parser(_epoch_ms, TIME_EXPECTED)


def _parser(bounds: tuple[float, float] | None) -> _Parser:
    if bounds is None:
        return _Parser(_float, "a number, or nothing where it was not read")
    least, most = bounds

    def within(cell: str) -> float:
        value = _float(cell)
        if value < least or value > most:
            raise ValueError(cell)
        return value

    return _Parser(within, f"a number from {least:g} to {most:g}, or nothing")


def _joined(pieces: list[Table], names: _Names) -> Table:
    if not pieces:
        return Table((), np.empty(0, np.int64), np.empty(0, np.int64), {})
    return Table(
        tuple(names.number),
        np.concatenate([piece.device for piece in pieces]),
        np.concatenate([piece.time_ms for piece in pieces]),
        {name: np.concatenate([piece.values[name] for piece in pieces]) for name in pieces[0].values},
    )
