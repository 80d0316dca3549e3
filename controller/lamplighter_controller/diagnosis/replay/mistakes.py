"""What is wrong with a file, all of it at once up to a bound."""

from dataclasses import dataclass, field
from typing import Final

MOST: Final = 100
LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Mistake:
    """One of them. `column` is the name of a CSV column, or the path to a JSON value; line 0 = the file as a whole."""

    file: str
    line: int
    column: str
    value: str
    expected: str

    def __str__(self) -> str:
        """One line for a terminal."""
        where = f"line {self.line}" if self.line else "file"
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}: {where}{column}: {self.value[:LONGEST]!r} - expected {self.expected}"


@dataclass(slots=True)
class Mistakes:
    """The mistakes of one file; beyond the bound they are only counted."""

    file: str
    found: list[Mistake] = field(default_factory=list)
    more: int = 0

    def add(self, line: int, column: str, value: str, expected: str) -> None:
        """Note one."""
        if len(self.found) < MOST:
            self.found.append(Mistake(self.file, line, column, value, expected))
        else:
            self.more += 1
