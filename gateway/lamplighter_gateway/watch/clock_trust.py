"""Where the time comes from and whether it is to be trusted. Pure."""

from typing import Final

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
