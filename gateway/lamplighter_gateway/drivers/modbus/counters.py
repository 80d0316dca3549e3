"""What one bus has been through since start."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

_WINDOW_S: Final = 60.0
_LATELY: Final = 100  # questions over which shares are averaged


@dataclass(slots=True)
class Counters:
    """Counted since start; `last_error` in words."""

    requests: int = 0
    timeouts: int = 0
    crc_errors: int = 0
    exceptions: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    last_error: str = ""
    garbled_share: float = 0.0  # of the latest answers
    refused_share: float = 0.0
    foreign_share: float = 0.0

    def end(self, *, garbled: bool = False, refused: bool = False, foreign: bool = False) -> None:
        """Note how a question ended, for the shares."""
        self.garbled_share += (garbled - self.garbled_share) / _LATELY
        self.refused_share += (refused - self.refused_share) / _LATELY
        self.foreign_share += (foreign - self.foreign_share) / _LATELY


@dataclass(slots=True)
class Utilisation:
    """Share of time that the bus was busy, over the last minute or so; `lanes` questions may be underway at once."""

    since_s: float
    lanes: int = 1
    busy_s: float = 0.0
    last: float = 0.0

    def add(self, busy_s: float, now_s: float) -> None:
        """Note `busy_s` seconds of work that end now."""
        self.busy_s += busy_s
        if now_s - self.since_s >= _WINDOW_S:
            self.last = self.busy_s / (now_s - self.since_s) / self.lanes
            self.since_s, self.busy_s = now_s, 0.0

    def share(self, now_s: float) -> float:
        """0 to 1."""
        if self.last:
            return min(self.last, 1.0)
        elapsed_s = now_s - self.since_s
        return min(self.busy_s / elapsed_s / self.lanes, 1.0) if elapsed_s > 0 else 0.0
