"""Findings become violations: one episode, one violation, and equal ones soon after each other are one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lamplighter_controller.fleet.judging.violations import Class
from lamplighter_controller.fleet.violations.violation import State, Violation

SAME_S: Final[Mapping[Class, int]] = {  # civil seconds within which equal episodes of one truck are one violation
    Class.DUMP_OUTSIDE: 300,
    Class.MISSING_DUMP: 300,
    Class.POSITION_GAP: 0,
    Class.POSITION_JUMP: 600,
    Class.POSITION_FROZEN: 7_200,
    Class.POWER_CUT: 7_200,
    Class.ANTENNA_FAULT: 7_200,
    Class.SENSOR_CONTRADICTION: 86_400,
    Class.WRONG_GROUND: 0,
    Class.NO_PERMIT: 0,
    Class.PERMIT_EXPIRED: 0,
    Class.PERMIT_SUSPENDED: 0,
    Class.OUTSIDE_HOURS: 0,
}
SAME_USUAL_S: Final = 600
NO_END: Final = frozenset({Class.POSITION_FROZEN, Class.SENSOR_CONTRADICTION})  # told when seen; nothing tells the end
FORGET_MS: Final = 86_400_000

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Noted:
    """A violation as it stands now; `new` when it is to be added, else it is one that went on."""

    violation: Violation
    new: bool


@dataclass(slots=True)
class Book:
    """The latest violation of each truck and class."""

    _latest: dict[Key, Violation] = field(default_factory=dict)

    def load(self, known: Iterable[Violation]) -> None:
        """Those of the ledger that may go on."""
        for one in known:
            self._latest[one.truck, one.kind] = one

    def begun(self, found: Violation, now_ms: int) -> Noted | None:
        """An episode that began, or was seen whole; None when it is known. `now_ms` civil: of the report it is from."""
        if found.last_ms is None and found.kind in NO_END:
            found = replace(found, last_ms=max(now_ms, found.first_ms))
        key = found.truck, found.kind
        latest = self._latest.get(key)
        if latest is not None:
            if latest.last_ms is None or found.first_ms <= latest.first_ms:
                return None
            if latest.state is not State.INVALID and self._same(latest, found):
                if found.last_ms is not None and found.last_ms <= latest.last_ms:
                    return None
                again = replace(
                    latest, last_ms=found.last_ms, times=latest.times + 1, score=max(latest.score, found.score)
                )
                return self._noted(again, new=False)
        return self._noted(found, new=True)

    def ended(self, truck: str, kind: str, last_ms: int) -> Noted | None:
        """The end of an episode; None when none goes on."""
        latest = self._latest.get((truck, kind))
        if latest is None or latest.last_ms is not None:
            return None
        return self._noted(replace(latest, last_ms=max(last_ms, latest.first_ms)), new=False)

    def going_on(self, truck: str) -> list[Violation]:
        """What a truck is doing wrong now."""
        return [one for (name, _), one in self._latest.items() if name == truck and one.last_ms is None]

    def latest(self, truck: str, kind: str) -> Violation | None:
        """The last of a truck and class."""
        return self._latest.get((truck, kind))

    def changed(self, violation: Violation) -> None:
        """One of them was changed by somebody else."""
        latest = self._latest.get((violation.truck, violation.kind))
        if latest is not None and latest.id == violation.id:
            self._latest[violation.truck, violation.kind] = violation

    def forget(self, now_ms: int) -> None:
        """Leave out what is over for long."""
        self._latest = {
            key: one for key, one in self._latest.items() if one.last_ms is None or one.last_ms > now_ms - FORGET_MS
        }

    @staticmethod
    def _same(latest: Violation, found: Violation) -> bool:
        assert latest.last_ms is not None
        window_ms = SAME_S.get(Class(found.kind), SAME_USUAL_S) * 1000
        return found.first_ms - latest.last_ms <= window_ms and latest.place == found.place

    def _noted(self, violation: Violation, *, new: bool) -> Noted:
        self._latest[violation.truck, violation.kind] = violation
        return Noted(violation, new)
