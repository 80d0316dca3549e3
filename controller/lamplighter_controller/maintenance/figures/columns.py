"""Orders in columns, as figures are worked out from them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.maintenance.orders.order import NO_REPAIR

Times = NDArray[np.int64]
Codes = NDArray[np.int32]
Flags = NDArray[np.bool_]

TIMES: Final = (
    "created_ms",
    "onset_ms",
    "detected_ms",
    "due_ms",
    "paused_ms",
    "paused_since_ms",
    "arrived_ms",
    "done_ms",
    "proved_ms",
    "closed_ms",
)
WORDS: Final = ("id", "element", "crew", "road", "company", "outcome", "proof")


class By(StrEnum):
    """What figures are grouped by; beside each, the month."""

    ALL = "all"
    CREW = "crew"
    ROAD = "road"
    COMPANY = "company"


@dataclass(frozen=True)
class Orders:
    """(n,) columns. Times are civil epoch ms, 0 = not yet; words are codes into `names`."""

    times: Mapping[str, Times]
    codes: Mapping[str, Codes]
    names: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        """How many orders."""
        return len(self.times["created_ms"])

    def time(self, name: str) -> Times:
        """A column of times."""
        return self.times[name]

    def is_word(self, name: str, words: Sequence[str]) -> Flags:
        """(n,) whether the word is one of these."""
        wanted = [code for code, word in enumerate(self.names[name]) if word in words]
        return np.isin(self.codes[name], wanted)

    def group(self, by: By) -> tuple[Codes, tuple[str, ...]]:
        """(n,) code of each order's group, and what the codes mean."""
        if by is By.ALL:
            return np.zeros(len(self), np.int32), ("",)
        return self.codes[by.value], self.names[by.value]

    @property
    def no_repair(self) -> Flags:
        """(n,) not ours, a duplicate, or over before anybody arrived."""
        return self.is_word("outcome", [state.value for state in NO_REPAIR])


def from_rows(rows: Sequence[Sequence[Any]]) -> Orders:
    """Columns of rows in the order of `TIMES`, then `WORDS`."""
    width = len(TIMES)
    times = np.array([row[:width] for row in rows], np.int64).reshape(-1, width)
    codes: dict[str, Codes] = {}
    names: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(WORDS, start=width):
        known: dict[str, int] = {}
        codes[name] = np.array([known.setdefault(row[place], len(known)) for row in rows], np.int32)
        names[name] = tuple(known)
    return Orders({name: times[:, place].copy() for place, name in enumerate(TIMES)}, codes, names)
