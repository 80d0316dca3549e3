"""Devices that speak by themselves: who has been quiet too long, who is asked, who is silent. Pure.

Times are monotonic seconds handed in. A device not heard for three heartbeats is asked; without an answer it is silent,
and asked again now and then. Each device stands in one heap entry, so a step costs only what is due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

HEARTBEATS: Final = 3
ANSWER_S: Final = 10.0
_ASKED_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Step:
    """Whom to ask now, and who has just become silent."""

    ask: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


class Silence:
    """Watches the devices of one broker."""

    def __init__(self, heartbeat_s: Mapping[str, float], now_s: float) -> None:
        """`heartbeat_s` says for each device how often it speaks when all is well."""
        self._heartbeat_s = dict(heartbeat_s)
        self._heard_s = dict.fromkeys(heartbeat_s, now_s)
        self._asked: set[str] = set()
        self._silent: dict[str, None] = {}
        self._heap: list[tuple[float, str]] = []
        for device in heartbeat_s:
            heappush(self._heap, (now_s + self._patience_s(device), device))

    @property
    def silent(self) -> tuple[str, ...]:
        """Who does not speak, in the order in which they fell silent."""
        return tuple(self._silent)

    def heard(self, device: str, now_s: float) -> bool:
        """Note that the device spoke; True if it was silent."""
        self._heard_s[device] = now_s
        self._asked.discard(device)
        return self._silent.pop(device, self) is None

    def step(self, now_s: float) -> Step:
        """What is due now."""
        ask: list[str] = []
        silent: list[str] = []
        while self._heap and self._heap[0][0] <= now_s and len(ask) < _ASKED_AT_ONCE:
            _, device = heappop(self._heap)
            due_s = self._heard_s[device] + self._patience_s(device)
            if due_s > now_s:
                heappush(self._heap, (due_s, device))
            elif device in self._asked:
                self._asked.discard(device)
                if device not in self._silent:
                    self._silent[device] = None
                    silent.append(device)
                heappush(self._heap, (now_s + self._patience_s(device), device))
            else:
                self._asked.add(device)
                ask.append(device)
                heappush(self._heap, (now_s + ANSWER_S, device))
        return Step(tuple(ask), tuple(silent))

    def _patience_s(self, device: str) -> float:
        return HEARTBEATS * self._heartbeat_s[device]
