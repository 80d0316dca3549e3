"""How often somebody may try to log in: by account and address, so that nobody locks out anybody else. Pure."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

TRIES_A_MINUTE: Final = 10
TRIES_OF_AN_ADDRESS: Final = 30
WINDOW_S: Final = 60.0
MOST_KEYS: Final = 50_000


@dataclass(slots=True)
class _Tries:
    since_s: float
    count: int = 0


@dataclass(slots=True)
class Throttle:
    """Tries within the last minute; bounded, the oldest are forgotten first."""

    _tries: OrderedDict[tuple[str, str], _Tries] = field(default_factory=OrderedDict)

    def wait_s(self, name: str, address: str, now_s: float) -> float:
        """0 when a try is taken and counted; else how long to wait. A try that has to wait is not counted."""
        limits = {(name, address): TRIES_A_MINUTE, ("", address): TRIES_OF_AN_ADDRESS}
        waits = [self._wait_s(key, most, now_s) for key, most in limits.items()]
        if any(waits):
            return max(waits)
        for key in limits:
            self._count(key, now_s)
        return 0.0

    def _wait_s(self, key: tuple[str, str], most: int, now_s: float) -> float:
        tries = self._tries.get(key)
        if tries is None or now_s - tries.since_s >= WINDOW_S or tries.count < most:
            return 0.0
        return tries.since_s + WINDOW_S - now_s

    def _count(self, key: tuple[str, str], now_s: float) -> None:
        tries = self._tries.get(key)
        if tries is None or now_s - tries.since_s >= WINDOW_S:
            tries = self._tries[key] = _Tries(now_s)
            self._tries.move_to_end(key)
        tries.count += 1
        while len(self._tries) > MOST_KEYS:
            self._tries.popitem(last=False)
