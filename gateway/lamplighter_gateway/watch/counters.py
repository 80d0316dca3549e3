"""Things counted since start."""

from collections import Counter
from collections.abc import Mapping


class Counters:
    """Named counts that only rise."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._counts: Counter[str] = Counter()

    def add(self, name: str, count: int = 1) -> None:
        """Count."""
        self._counts[name] += count

    def __getitem__(self, name: str) -> int:
        """The count, 0 if never met."""
        return self._counts[name]

    def all(self) -> Mapping[str, int]:
        """Every count, by name."""
        return dict(sorted(self._counts.items()))
