"""Starts the version that is to run, and goes back to the one before when a new one does not prove itself in time.

It is the launcher of the version that the machine came with: whatever is wrong with a new one, this code is not.
"""

import logging
import signal
import subprocess
from collections.abc import Sequence
from types import FrameType
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.slots import Slots, runs

log = logging.getLogger(__name__)

SWITCH: Final = 4  # the exit code that asks for another start
LOOK_S: Final = 1.0
END_S: Final = 30.0  # a process that was told to stop has so long
PAUSE_S: Final = 2.0  # between two starts of a version on trial


class Launcher:
    """One child at a time; signals to stop are handed on to it."""

    def __init__(self, place: Place, arguments: Sequence[str], clock: Clock) -> None:
        """Start what `place` says with these arguments."""
        self._place, self._arguments, self._clock = place, arguments, clock
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Start, and start again, until told to stop or the good version ends by itself; its exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while True:
            slots = self._begin()
            code = self._serve(slots)
            if self._stopping:
                return code
            if code == SWITCH:
                continue
            if slots.trial is None or self._place.load().trial is None:
                return code
            log.error("version %s on trial ended with code %d", slots.trial.version, code)
            self._wait(PAUSE_S)

    def _begin(self) -> Slots:
        slots = self._place.load()
        if slots.trial is not None:
            slots = slots.starts_again()
            self._save(slots)
        its = runs(slots)
        log.info("starting version %s from slot %s%s", its.version, its.slot, ", on trial" if slots.trial else "")
        return slots

    def _serve(self, slots: Slots) -> int:
        self._child = subprocess.Popen(self._place.command(slots, self._arguments))  # noqa: S603 - our own program
        if self._stopping:
            self._child.terminate()
        end_s = self._clock.monotonic_s() + slots.health_s
        while slots.trial is not None and self._child.poll() is None:
            self._wait(LOOK_S)
            if self._place.load().trial is None:
                log.info("version %s proved itself", slots.trial.version)
                break
            if self._clock.monotonic_s() >= end_s:
                return self._take_back(slots, f"it was not healthy within {slots.health_s:g} s")
        return self._child.wait()

    def _take_back(self, slots: Slots, why: str) -> int:
        log.error("version %s is taken back: %s", runs(slots).version, why)
        self._save(slots.takes_back(why))
        assert self._child is not None, "it was started"
        self._child.terminate()
        try:
            self._child.wait(END_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        return SWITCH

    def _save(self, slots: Slots) -> None:
        try:
            self._place.save(slots)
        except OSError as error:
            log.error("what runs cannot be noted: %s", error)  # noqa: TRY400 - expected trouble, no trace wanted

    def _wait(self, seconds: float) -> None:
        """Until the child ends, or so long."""
        assert self._child is not None, "it was started"
        if self._child.poll() is None:
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                return
        else:
            signal.sigtimedwait([], seconds)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)
