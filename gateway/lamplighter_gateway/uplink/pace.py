"""How fast, and how long until the next try. Pure."""

from collections.abc import Callable
from typing import Final

RECONNECT_FIRST_S: Final = 1.0
RECONNECT_MOST_S: Final = 60.0


class Pace:
    """A bucket of `burst` tokens that fills at `per_s`."""

    def __init__(self, per_s: float, burst: float) -> None:
        """Begin full."""
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._at_s: float | None = None

    def take(self, now_s: float) -> bool:
        """True if a token was there."""
        self._fill(now_s)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait_s(self, now_s: float) -> float:
        """Seconds until a token is there."""
        self._fill(now_s)
        return max(0.0, (1 - self._tokens) / self._per_s)

    def _fill(self, now_s: float) -> None:
        if self._at_s is not None:
            self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s


def reconnect_s(failures: int, jitter: Callable[[], float]) -> float:
    """Seconds before the next try after so many failures in a row: full jitter under a doubling ceiling."""
    ceiling = min(RECONNECT_MOST_S, RECONNECT_FIRST_S * 2.0 ** min(failures, 10))
    return ceiling * jitter()
