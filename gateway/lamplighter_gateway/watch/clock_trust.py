"""Where the time comes from and whether it is to be trusted."""

from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.quality import Quality
from lamplighter_contract.wire.documents import ClockState
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS

SYSTEM_UNCERTAINTY_MS: Final = 1000.0
UNKNOWN_UNCERTAINTY_MS: Final = 1e12
BACKWARDS_MS: Final = 300_000


def clock_state(wall_ms: int, latest_known_ms: int) -> ClockState:
    """The system clock, unless it was never set or stands before a moment already lived through."""
    if wall_ms < max(EARLIEST_TIME_MS, latest_known_ms - BACKWARDS_MS):
        return ClockState("none", UNKNOWN_UNCERTAINTY_MS)
    return ClockState("system", SYSTEM_UNCERTAINTY_MS)


def trusted(state: ClockState) -> bool:
    """True when plans and expiries may be judged by it."""
    return state.source != "none"


class TimeSense:
    """What the gateway thinks of its clock now; `latest_known_ms` is a moment it has lived through."""

    def __init__(self, clock: Clock) -> None:
        """Nothing has been lived through."""
        self._clock = clock
        self.latest_known_ms = 0

    def state(self) -> ClockState:
        """Where the time comes from, and how far it may be off."""
        return clock_state(self._clock.wall_ms(), self.latest_known_ms)

    def trusted(self) -> bool:
        """True when plans and expiries may be judged by it."""
        return trusted(self.state())

    def doubts(self) -> int:
        """Quality bits for everything that is read now."""
        return Quality.GOOD if self.trusted() else Quality.CLOCK_UNTRUSTED
