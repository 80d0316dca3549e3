"""How rows of the audit trail hang together: each carries the SHA-256 of the row before it and of itself. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

HASHED: Final = ("number", "time_ms", "who", "action", "subject", "reason", "result", "detail", "previous_sha256")
COLUMNS: Final = (*HASHED, "row_sha256")
GENESIS: Final = "0" * 64  # what the first row follows

Row = tuple[Any, ...]
"""The values of `COLUMNS`; `detail` is JSON text exactly as it was recorded."""


@dataclass(frozen=True, slots=True)
class Tampered:
    """The first row that does not fit; `number` is where it stands or should stand."""

    number: int
    what: str


@dataclass(slots=True)
class Walk:
    """A walk along the chain: how far it came, and the digest of the last row."""

    number: int = 0
    row_sha256: str = GENESIS

    def over(self, rows: Iterable[Row]) -> Tampered | None:
        """Go on over the next rows; what does not fit ends the walk where it is."""
        for row in rows:
            number = self.number + 1
            if row[0] != number:
                return Tampered(number, f"the row is missing, the next one is {row[0]}")
            if row[-2] != self.row_sha256 or row[-1] != _sha256(row[:-1]):
                return Tampered(number, "the row is not what was recorded")
            self.number, self.row_sha256 = number, row[-1]
        return None

    def at_end(self, number: int, row_sha256: str) -> Tampered | None:
        """None when the walk ended where the trail is said to end."""
        if (self.number, self.row_sha256) == (number, row_sha256):
            return None
        return Tampered(self.number + 1, f"the trail ends at {self.number}, {number} were recorded")


def row_sha256(row: Mapping[str, Any]) -> str:
    """The digest of a row by its columns."""
    return _sha256([row[name] for name in HASHED])


def _sha256(values: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(values)).hexdigest()
