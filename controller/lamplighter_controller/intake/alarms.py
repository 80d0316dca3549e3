"""Alarms about the system itself: raised once, cleared once, however often their cause is seen."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_controller.events import AlarmChanged, Events
from lamplighter_controller.intake import store
from lamplighter_controller.intake.journal import Journal
from lamplighter_controller.intake.store import Alarm

log = logging.getLogger(__name__)

MOST_ACTIVE: Final = 1_000
FROM_LAST_RUN_S: Final = 600.0
TOO_MANY: Final = "alarms-full"
QUIET_S: Final = 600.0


@dataclass(slots=True)
class _Active:
    alarm: Alarm
    ends_s: float | None  # cleared then by itself, unless seen again


class Alarms:
    """Active alarms by key, kept in the ledger over restarts."""

    def __init__(self, clock: Clock, events: Events, journal: Journal) -> None:
        """Begin with none; `load` follows."""
        self._clock, self._events, self._journal = clock, events, journal
        self._active: dict[str, _Active] = {}
        self.lost = 0  # causes seen while there was no room for them

    def load(self, known: Iterable[Alarm]) -> None:
        """Take alarms of the last run; those not seen again within some minutes are over."""
        ends_s = self._clock.monotonic_s() + FROM_LAST_RUN_S
        for alarm in known:
            self._active.setdefault(alarm.key, _Active(alarm, ends_s))

    def raised(self, key: str, text: str, *, quiet_s: float | None = None) -> None:
        """The cause is there (again); with `quiet_s` the alarm ends when it was not seen for that long."""
        ends_s = None if quiet_s is None else self._clock.monotonic_s() + quiet_s
        active = self._active.get(key)
        if active is not None:
            active.ends_s = ends_s
            return
        if len(self._active) >= MOST_ACTIVE and key != TOO_MANY:
            self.lost += 1
            self.raised(TOO_MANY, f"{MOST_ACTIVE} alarms are active; further ones are only counted", quiet_s=QUIET_S)
            return
        alarm = Alarm(key, text, self._clock.wall_ms(), None)
        self._active[key] = _Active(alarm, ends_s)
        log.warning("alarm %s: %s", key, text)
        self._tell(alarm)

    def cleared(self, key: str) -> None:
        """The cause is gone."""
        active = self._active.pop(key, None)
        if active is not None:
            log.info("alarm %s is over", key)
            self._tell(replace(active.alarm, cleared_ms=self._clock.wall_ms()))

    def tick(self) -> None:
        """Clear what has been quiet for long enough."""
        now_s = self._clock.monotonic_s()
        for key in [
            key for key, active in self._active.items() if active.ends_s is not None and active.ends_s <= now_s
        ]:
            self.cleared(key)

    def active(self) -> list[Alarm]:
        """Alarms raised and not cleared, oldest first."""
        return sorted((active.alarm for active in self._active.values()), key=lambda alarm: alarm.raised_ms)

    def is_raised(self, key: str) -> bool:
        """True while the alarm is active."""
        return key in self._active

    def _tell(self, alarm: Alarm) -> None:
        self._journal.put(f"alarm:{alarm.key}", lambda connection: store.put_alarm(connection, alarm))
        raised = alarm.cleared_ms is None
        time_ms = alarm.raised_ms if alarm.cleared_ms is None else alarm.cleared_ms
        self._events.publish(AlarmChanged(alarm.key, raised, alarm.text, time_ms))
