"""What all imports have in common: how a file is declared, what is told of it, when it is a refusal."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from lamplighter_contract.geo.systems import System as CoordinateSystem
from lamplighter_controller.api.problems import Fault as ProblemFault
from lamplighter_controller.api.problems import several

R = TypeVar("R")

CSV: Final = "text/csv"
GEOJSON: Final = "application/geo+json"
BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {CSV: {}, GEOJSON: {}}}}
Format = Annotated[Literal["csv", "geojson"], Query(description="GeoJSON for what has a position")]
System = Annotated[
    str | None,
    Query(
        max_length=32,
        description=f"Coordinate system of the positions: {', '.join(CoordinateSystem)}; WGS-84 is kept",
    ),
]


class Fault(Protocol):
    """One mistake in a file, as the rooms below tell it."""

    @property
    def line(self) -> int:
        """Line of a CSV file, number of a GeoJSON feature."""

    @property
    def key(self) -> str:
        """The column."""

    @property
    def value(self) -> str:
        """What stands there."""

    @property
    def expected(self) -> str:
        """What should."""


class Mistake(BaseModel):
    """One mistake in a file."""

    line: int = Field(description="Line of a CSV file, number of a GeoJSON feature")
    key: str
    value: str
    expected: str


class Report(BaseModel):
    """What an import has done, or would do."""

    dry_run: bool
    rows: int
    added: int
    replaced: int
    mistakes: list[Mistake] = Field(description="All of them; with one nothing is taken")


def decoded(content: bytes, read: Callable[[str], R], refused: Callable[[int, str], R]) -> R:
    """What is read of a file of UTF-8 text; `refused` has the line and the byte that is none."""
    try:
        return read(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return refused(line, repr(content[error.start : error.start + 1]))


def mistakes(faults: Sequence[Fault]) -> list[Mistake]:
    """Faults as they are told."""
    return [Mistake(line=one.line, key=one.key, value=one.value, expected=one.expected) for one in faults]


def answer(rows: int, faults: Sequence[Fault], *, dry_run: bool) -> Report:
    """A dry run tells; an import that cannot be is a refusal.

    Raises:
        Problem: with every mistake.
    """
    if faults and not dry_run:
        told = [ProblemFault(field=f"line {one.line}, {one.key}", rule="import", detail=_told(one)) for one in faults]
        raise several(HTTPStatus.UNPROCESSABLE_ENTITY, "import", f"{len(told)} mistakes; nothing was taken.", told)
    return Report(dry_run=True, rows=rows, added=0, replaced=0, mistakes=mistakes(faults))


def _told(fault: Fault) -> str:
    return f"is {fault.value!r}, expected {fault.expected}" if fault.value else f"expected {fault.expected}"
