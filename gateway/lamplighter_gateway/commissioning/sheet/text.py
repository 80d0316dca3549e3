"""The sheet for a terminal. Pure."""

from collections.abc import Iterable, Iterator
from unicodedata import east_asian_width

from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.sheet import rows
from lamplighter_gateway.commissioning.sheet.model import Sheet
from lamplighter_gateway.commissioning.sheet.words import WORDS


def lines(made: Sheet, language: Language, *, every: bool = False) -> Iterator[str]:
    """The sheet, with every lamp if wanted."""
    words = WORDS[language]
    yield words["title"]
    yield from _table(rows.head(made, language))
    yield f"\n{words['circuits']}"
    yield from _table([rows.circuit_names(language), *rows.circuits(made, language)])
    yield f"\n{words['conflicts']}"
    if made.clean:
        yield f"  {words['none']}"
    else:
        yield from _table([rows.conflict_names(language), *rows.conflicts(made, language)])
    if every:
        yield f"\n{words['every']}"
        yield from _table([rows.lamp_names(language), *rows.lamps(made, language)])
    yield "\n" + "  ".join(f"{words[name]} {'_' * 18}" for name in ("installer", "acceptor", "date"))


def _table(cells: Iterable[rows.Cells]) -> Iterator[str]:
    """Columns as wide as their widest cell; a Chinese character takes two places."""
    found = list(cells)
    widths = [max(map(_width, column)) for column in zip(*found, strict=True)]
    for row in found:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        yield ("  " + "  ".join(padded)).rstrip()


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
