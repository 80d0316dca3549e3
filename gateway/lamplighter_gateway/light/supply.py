"""Lamps without power by plan: they are off, not silent. No clock, no I/O; times in monotonic seconds."""

from collections.abc import Collection
from typing import Final

GRACE_S: Final = 90.0  # after its contactor closes a lamp starts, and a unit long silent is probed within a minute


class Supply:
    """Which lamps nobody may expect an answer of."""

    def __init__(self) -> None:
        """Every lamp has power."""
        self._without_s: dict[str, float] = {}

    def note(self, unpowered: Collection[str], now_s: float) -> None:
        """These have no power now."""
        self._without_s |= dict.fromkeys(unpowered, now_s)

    def expected_silent(self, now_s: float) -> Collection[str]:
        """Lamps without power, or with it again only since a moment ago."""
        self._without_s = {device: at_s for device, at_s in self._without_s.items() if now_s < at_s + GRACE_S}
        return self._without_s.keys()
