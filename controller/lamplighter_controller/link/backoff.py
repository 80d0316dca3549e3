"""How long to wait before the next try."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Exponential back-off with full jitter: `random` gives [0, 1), so a thousand clients do not come back as one."""

    random: Callable[[], float]
    base_s: float = 0.5
    cap_s: float = 30.0
    tries: int = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        ceiling = min(self.cap_s, self.base_s * 2.0 ** min(self.tries, 16))
        self.tries += 1
        return ceiling * self.random()

    def reset(self) -> None:
        """It worked."""
        self.tries = 0
