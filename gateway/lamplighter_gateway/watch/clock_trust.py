"""Where the time comes from and whether it is to be trusted."""

from collections.abc import Callable
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.quality import Quality
from lamplighter_contract.wire.documents import ClockState
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS
from lamplighter_gateway.watch.kernel_clock import SYSTEM_UNCERTAINTY_MS, system_clock

UNKNOWN_UNCERTAINTY_MS: Final = 1e12
BACKWARDS_MS: Final = 300_000


SYSTEM: Final = ClockState("system", SYSTEM_UNCERTAINTY_MS)


def clock_state(wall_ms: int, latest_known_ms: int, system: ClockState = SYSTEM) -> ClockState:
    """The system clock as it is known, unless it was never set or stands before a moment already lived through."""
    if wall_ms < max(EARLIEST_TIME_MS, latest_known_ms - BACKWARDS_MS):
        return ClockState("none", UNKNOWN_UNCERTAINTY_MS)
    return system


def trusted(state: ClockState) -> bool:
    """True when plans and expiries may be judged by it."""
    return state.source != "none"


class TimeSense:
    """What the gateway thinks of its clock now; `latest_known_ms` is a moment it has lived through."""

    def __init__(self, clock: Clock, system: Callable[[], ClockState] = system_clock) -> None:
        """Nothing has been lived through; `system` tells where the machine has its time from."""
        self._clock, self._system = clock, system
        self.latest_known_ms = 0

    def state(self) -> ClockState:
        """Where the time comes from, and how far it may be off."""
        return clock_state(self._clock.wall_ms(), self.latest_known_ms, self._system())

    def trusted(self) -> bool:
        """True when plans and expiries may be judged by it."""
        return trusted(self.state())

    def doubts(self) -> int:
        """Quality bits for everything that is read now."""
        return Quality.GOOD if self.trusted() else Quality.CLOCK_UNTRUSTED
