"""Tables as a terminal shows them: columns as wide as their widest cell, figures to the right."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from unicodedata import east_asian_width

GAP: Final = "  "
NOTHING: Final = "-"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """A line of names and one line each; None is shown as `-`, a Chinese character takes two columns."""
    shown = [[_cell(value) for value in row] for row in rows]
    for_figures = [bool(rows) and all(_is_figure(row[column]) for row in rows) for column in range(len(header))]
    widths = [max(_width(line[n]) for line in ([*header], *shown)) for n in range(len(header))]
    for line in ([*header], *shown):
        cells = zip(line, widths, for_figures, strict=True)
        yield GAP.join(_padded(cell, width, right=right) for cell, width, right in cells).rstrip()


def _cell(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _is_figure(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space
