"""Who fell silent with the ignition on, although its gateway is there. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lamplighter_controller.fleet.judging.fixes import YES, Fixes
from lamplighter_controller.fleet.judging.violations import Class, Finding
from lamplighter_controller.fleet.live.city import City

OFFLINE_S: Final = 180.0
SCORE: Final = 0.8


@dataclass(slots=True)
class _Heard:
    heard_s: float
    time_ms: int
    ignition: bool
    told: bool = False


@dataclass(slots=True)
class Silence:
    """When each terminal was heard last, in monotonic seconds."""

    _heard: dict[str, _Heard] = field(default_factory=dict)

    def take(self, fixes: Fixes, city: City, now_s: float) -> list[Finding]:
        """Live reports; silences that are over with them."""
        over = []
        for row, time_ms, ignition in zip(
            fixes.truck.tolist(), fixes.time_ms.tolist(), fixes.ignition.tolist(), strict=True
        ):
            before = self._heard.get(city.rows[row].device)
            if before is not None and before.told:
                over.append(Finding(row, Class.OFFLINE_IGNITION, SCORE, 0, last_ms=time_ms))
            self._heard[city.rows[row].device] = _Heard(now_s, time_ms, ignition == YES)
        return over

    def look(self, city: City, now_s: float, vouched: Callable[[str], bool]) -> Iterator[Finding]:
        """Who has been silent for too long; `vouched` tells whether a terminal's gateway would have said more."""
        for device, heard in self._heard.items():
            silent_s = now_s - heard.heard_s
            if heard.told or not heard.ignition or silent_s < OFFLINE_S:
                continue
            row = city.row_of_device.get(device)
            if row is None:
                continue
            if not vouched(device):
                heard.heard_s = now_s  # our own eyes were shut: it counts from when they open
                continue
            heard.told = True
            yield Finding(
                row, Class.OFFLINE_IGNITION, SCORE, heard.time_ms, evidence={"ignition": "on", "silent_s": silent_s}
            )
