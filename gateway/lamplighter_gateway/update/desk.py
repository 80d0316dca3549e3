"""The running gateway's side of updates: a new version proves itself here, and the next one is asked for here."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Final

import msgspec

from lamplighter_contract.clock import Clock
from lamplighter_contract.wire.limits import MAX_TEXT
from lamplighter_gateway.app import Ending, Gateway
from lamplighter_gateway.change.trial import Answers
from lamplighter_gateway.control import Answer, Request
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.slots import Installed, Slots

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0


class UpdateDesk:
    """Healthy is a version under which answers what answered before it, and whose spool keeps."""

    def __init__(self, place: Place, gateway: Gateway, clock: Clock, health_s: float, prefix: str = sys.prefix) -> None:
        """`prefix` is where this process was installed."""
        self._place, self._gateway, self._clock, self._health_s = place, gateway, clock, health_s
        self._prefix = Path(prefix)
        self._began_s = clock.monotonic_s()
        self._slots = place.load()

    @property
    def about(self) -> Answer:
        """For the person beside it."""
        plain: Answer = msgspec.to_builtins(self._slots)
        return plain

    async def run(self) -> None:
        """Tell of a version that was taken back, then prove this one if it is on trial."""
        if self._slots.untold:
            sha256, why = self._slots.failed[-1]
            self._gateway.events.say("update.taken_back", sha256=sha256, detail=why[:MAX_TEXT])
            self._keep(msgspec.structs.replace(self._slots, untold=False))
        trial = self._slots.trial
        while trial is not None and self._prefix == self._place.path(trial.slot):
            await asyncio.sleep(LOOK_S)
            if self._healthy():
                self._keep(self._slots.proves())
                log.info("version %s is healthy", trial.version)
                self._gateway.events.say("update.proven", version=trial.version, sha256=trial.sha256)
                return

    async def switch(self, request: Request, user: str) -> Answer:
        """A version was installed into the spare slot: run it, on trial."""
        try:
            installed = msgspec.convert(request.get("installed"), Installed)
        except msgspec.ValidationError as error:
            return {"error": f"installed: {error}"}
        return self.begin(installed, f"local:{user}")

    def begin(self, installed: Installed, by: str, asked: str = "") -> Answer:
        """Have the launcher start it next, on trial; `asked` is the id of the command that wants it."""
        slots = self._place.load()
        if installed.slot is not slots.spare:
            return {"error": f"slot {installed.slot} is not the spare one"}
        since_s = self._clock.monotonic_s() - self._health_s
        before = self._gateway.answering(since_s)
        if not self._keep(slots.tries(installed, (before.bus, before.uplink), self._health_s, asked)):
            return {"error": "no room on the disk to note it"}
        self._gateway.events.say("update.tried", version=installed.version, by=by)
        self._gateway.stop(Ending.SWITCH)
        return {"outcome": "on trial", "version": installed.version, "health_s": self._health_s}

    def _healthy(self) -> bool:
        answers = self._gateway.answering(self._began_s)
        return not answers.lack(Answers(*self._slots.before)) and self._gateway.spool.status().state == "ok"

    def _keep(self, slots: Slots) -> bool:
        try:
            self._place.save(slots)
        except OSError as error:
            log.error("what runs cannot be noted: %s", error)  # noqa: TRY400 - expected trouble, no trace wanted
            return False
        self._slots = slots
        return True
