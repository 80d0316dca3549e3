"""What follows when the broker is out of our reach: people are told, and nobody is shown as there."""

import logging
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.link.port import Link

log = logging.getLogger(__name__)

ALARM: Final = "broker-gone"
TEXT: Final = (
    "no connection to the broker: nothing is heard of any gateway, no command goes out, lamps stay as they are"
)
PATIENCE_S: Final = 5.0  # a broker that restarts is back within
REMIND_S: Final = 60.0


class Outage:
    """Looks at our connection once a second."""

    def __init__(self, link: Link, clock: Clock, alarms: Alarms, gateways: Gateways) -> None:
        """Begin as if it stood."""
        self._link, self._clock, self._alarms, self._gateways = link, clock, alarms, gateways
        self._since_s: float | None = None
        self._remind_s = 0.0

    def tick(self) -> None:
        """Look, and tell what is new."""
        now_s = self._clock.monotonic_s()
        if self._link.up:
            self._over(now_s)
        elif self._since_s is None:
            self._since_s, self._remind_s = now_s, now_s + REMIND_S
        elif now_s - self._since_s >= PATIENCE_S:
            self._lasts(self._since_s, now_s)

    def _lasts(self, since_s: float, now_s: float) -> None:
        self._alarms.raised(ALARM, TEXT)
        self._gateways.out_of_sight(since_s)
        if now_s >= self._remind_s:
            self._remind_s += REMIND_S
            log.warning("no connection to the broker for %.0f min", (now_s - since_s) / 60)

    def _over(self, now_s: float) -> None:
        if self._since_s is not None:
            log.info("the broker was out of reach for %.0f s", now_s - self._since_s)
        self._since_s = None
        self._alarms.cleared(ALARM)
