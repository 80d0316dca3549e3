"""Modbus RTU slaves on a pseudo-terminal, with the timing of a real half-duplex line.

A pseudo-terminal has no speed of its own: each frame is held back for the time its characters would take, the slave
thinks for its turnaround, and what overlaps in time is garbled.
"""

import asyncio
import contextlib
import os
import struct
import tty
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Final

from lamplighter_firmware_sim.scenario.model import SerialLine
from lamplighter_firmware_sim.wires.bus import Bus
from lamplighter_firmware_sim.wires.modbus import crc16
from lamplighter_firmware_sim.wires.noise import answered, garbled

_LONGEST: Final = 256
_MOST_LAG_S: Final = 0.002
_PTY_GAP_S: Final = 0.004  # a pseudo-terminal may hand over one frame in pieces
_READ_FOUR: Final = struct.pack(">BHH", 3, 0, 4)  # what the other master asks of one unit after the other


@dataclass(slots=True)
class _Reply:
    """An answer on its way: on the wire from `start_s` to `end_s`, loop time."""

    frame: bytes
    start_s: float
    end_s: float
    garbled: bool = False

    def overlaps(self, start_s: float, end_s: float) -> bool:
        return start_s < self.end_s and self.start_s < end_s


def request_length(head: bytes) -> int | None:
    """Length of the whole request frame that begins with `head`; None while that is not known."""
    if len(head) >= 2 and 1 <= head[1] <= 6:
        return 8
    if len(head) >= 7 and head[1] in {15, 16}:
        return 9 + head[6]
    return None


class RtuBus:
    """A bus on a pseudo-terminal; `link` is the stable name of the master's side."""

    def __init__(self, bus: Bus, line: SerialLine, link: Path) -> None:
        """Nothing is opened yet."""
        self.bus, self.line, self.link = bus, line, link
        self._ours = self._theirs = -1
        self._request = b""
        self._began_s = 0.0
        self._silence: asyncio.TimerHandle | None = None
        self._replies: list[_Reply] = []
        self._lag_s = 0.0
        self._random = Random(link.name)
        self._second_master: asyncio.TimerHandle | None = None
        self._turns = cycle(bus.units)

    def open(self) -> None:
        """Make the pseudo-terminal and its link."""
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._theirs))
        asyncio.get_running_loop().add_reader(self._ours, self._readable)

    def look(self) -> None:
        """Begin and end what the line's faults bring by themselves; to be called often."""
        if self.bus.strength("unplugged"):
            self.close()
        elif self._ours < 0:
            self.open()
        if self.bus.strength("second_master") and self._second_master is None:
            self._arm_second_master()

    def close(self) -> None:
        """Take the line down."""
        if self._second_master is not None:
            self._second_master.cancel()
            self._second_master = None
        if self._ours < 0:
            return
        asyncio.get_running_loop().remove_reader(self._ours)
        self.link.unlink(missing_ok=True)
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1

    def _readable(self) -> None:
        try:
            data = os.read(self._ours, 4096)
        except BlockingIOError:
            return
        if self.bus.strength("line_short"):
            return
        now_s = asyncio.get_running_loop().time()
        if self.bus.strength("line_echo"):
            end_s = now_s + len(data) * self.line.character_s
            asyncio.get_running_loop().call_at(end_s, self._put, data)
        if not self._request:
            self._began_s = now_s
        data = garbled(data, self.bus.strength, self._random)
        self._request = (self._request + data)[:_LONGEST]
        if self._collided(now_s, len(data)):
            return
        if len(self._request) == request_length(self._request) and self._sound():
            self._take()
        else:
            self._wait_for_silence(now_s)

    def _sound(self) -> bool:
        return len(self._request) >= 4 and crc16(self._request[:-2]) == self._request[-2:]

    def _collided(self, now_s: float, count: int) -> bool:
        """Whether the master talked into an answer: then both are lost."""
        hit = [reply for reply in self._replies if reply.overlaps(now_s, now_s + count * self.line.character_s)]
        for reply in hit:
            reply.garbled = True
        if hit:
            self._drop()
        return bool(hit)

    def _wait_for_silence(self, now_s: float) -> None:
        if self._silence is not None:
            self._silence.cancel()
        end_s = max(self._began_s + len(self._request) * self.line.character_s, now_s)
        wait_s = max(self.line.silence_s, _PTY_GAP_S)
        self._silence = asyncio.get_running_loop().call_at(end_s + wait_s, self._silent)

    def _silent(self) -> None:
        """The line went quiet: what has arrived is a frame, or it is nothing."""
        if self._sound():
            self._take()
        else:
            self._drop()

    def _drop(self) -> None:
        self.bus.corrupt += 1
        self._clear()

    def _clear(self) -> None:
        self._request = b""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _take(self) -> None:
        request, heard_s = self._request, self._began_s + len(self._request) * self.line.character_s
        self._clear()
        self._answer(request[0], request[1:-2], heard_s)

    def _answer(self, unit: int, pdu: bytes, heard_s: float) -> None:
        answer = self.bus.ask(unit, pdu)
        if answer is not None:
            thinks_s = max(self.line.silence_s, self.line.turnaround_ms / 1000) + answer.late_s
            self._schedule(_framed(answer.unit, answer.pdu), heard_s + thinks_s)

    def _schedule(self, frame: bytes, start_s: float) -> None:
        # Timers fire up to a millisecond late; what the last one was late is taken off this one, so that the line's
        # mean speed is the true one.
        end_s = start_s + len(frame) * self.line.character_s - self._lag_s
        self._lag_s = 0.0
        reply = _Reply(frame, start_s, end_s)
        for other in self._replies:
            if other.overlaps(start_s, end_s):
                other.garbled = reply.garbled = True
        self._replies.append(reply)
        asyncio.get_running_loop().call_at(end_s, self._deliver, reply)

    def _deliver(self, reply: _Reply) -> None:
        self._replies.remove(reply)
        self._lag_s = min(max(asyncio.get_running_loop().time() - reply.end_s, 0.0), _MOST_LAG_S)
        frame = bytes(byte ^ 0x55 for byte in reply.frame) if reply.garbled else reply.frame
        if not self.bus.strength("line_short"):
            self._put(answered(frame, self.bus.strength, self._random))

    def _put(self, data: bytes) -> None:
        if self._ours >= 0:
            with contextlib.suppress(BlockingIOError):  # nobody has read for long: a real line loses it, too
                os.write(self._ours, data)

    def _arm_second_master(self) -> None:
        pause_s = self.bus.strength("second_master") / 1000
        self._second_master = asyncio.get_running_loop().call_later(pause_s, self._speak_as_second_master)

    def _speak_as_second_master(self) -> None:
        """A question of somebody else and its answer: both are heard, and collide with ours."""
        self._second_master = None
        if not self.bus.strength("second_master"):
            return
        now_s, unit = asyncio.get_running_loop().time(), next(self._turns)
        question = _framed(unit, _READ_FOUR)
        self._schedule(question, now_s)
        self._answer(unit, _READ_FOUR, now_s + len(question) * self.line.character_s)
        self._arm_second_master()


def _framed(unit: int, pdu: bytes) -> bytes:
    body = bytes((unit,)) + pdu
    return body + crc16(body)
