"""Modbus RTU lamps on ptys that keep a line's pace, in a process of their own: characters, silence, turnaround."""

import asyncio
import struct
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

from benchmarks.meter import wait_for
from benchmarks.parts.worker import CONTEXT, worker
from lamplighter_firmware_sim.scenario.model import SerialLine
from lamplighter_firmware_sim.wires.bus import Bus
from lamplighter_firmware_sim.wires.modbus import ExceptionCode, Unit
from lamplighter_firmware_sim.wires.rtu import RtuBus

Floats: TypeAlias = "SynchronizedArray[float]"
REGISTERS: Final = 16
TURNAROUND_MS: Final = 10.0
_QUESTION, _ANSWER = 8, 37  # characters of a read of sixteen registers
_EVERY: Final = 16  # answers, between two looks at the usual distance
_POWER, _ENERGY, _LEVEL, _SET_LEVEL = 4, 6, 1, 32
_LAMP: Final = (1, 60, 2301, 261, 571, 951, 0, 4200, 381, 12, 0, 51_234, 311, 0, 2, 5)


def line_at(baud: int) -> SerialLine:
    """A line of eleven bits per character, as 8E1 and 8N2 are; a pty refuses the former."""
    return SerialLine(baud=baud, stop_bits=2, turnaround_ms=TURNAROUND_MS)


def limit_per_s(line: SerialLine) -> float:
    """Lamps per second that no master can exceed: question, turnaround, answer, 3.5 characters of silence."""
    characters_s = (_QUESTION + _ANSWER) * line.character_s
    return 1 / (characters_s + max(line.silence_s, line.turnaround_ms / 1000) + line.silence_s)


@dataclass(slots=True)
class NumberedLamp:
    """A lamp whose energy is its unit and how often it was asked; its power moves, so that each reading is news.

    `faults` says how strongly what befalls it; `dead` ones never answer.
    """

    unit: int
    faults: Mapping[str, float]
    dead: bool = False
    level: int = 60
    asked: int = 0
    heard: Callable[[], None] | None = None
    hears_broadcast: bool = True

    @property
    def number(self) -> int:
        """What the last answer carried, in Wh."""
        return self.unit * 1_000_000 + self.asked

    def answers(self) -> bool:
        """Whether it lives."""
        return not self.dead

    def strength(self, fault: str) -> float:
        """How strongly a fault befalls it."""
        return self.faults.get(fault, 0.0)

    def read(self, address: int, count: int) -> bytes | ExceptionCode:
        """Its sixteen registers."""
        if address + count > REGISTERS:
            return ExceptionCode.ILLEGAL_ADDRESS
        if count == REGISTERS:
            self.asked += 1
            if self.heard is not None:
                self.heard()
        registers = list(_LAMP)
        registers[_LEVEL], registers[_POWER] = self.level, _LAMP[_POWER] + 100 * (self.asked % 2)
        registers[_ENERGY : _ENERGY + 2] = divmod(self.number, 1 << 16)
        return struct.pack(f">{count}H", *registers[address : address + count])

    def write(self, address: int, values: Sequence[int]) -> ExceptionCode | None:
        """Take a level."""
        if address != _SET_LEVEL or len(values) != 1:
            return ExceptionCode.ILLEGAL_ADDRESS
        self.level = values[0]
        return None


def lamps_on(units: int, faults: Mapping[str, float], dead: int = 0) -> dict[int, NumberedLamp]:
    """The lamps of one line; the last `dead` of them never answer."""
    return {unit: NumberedLamp(unit, faults, dead=unit > units - dead) for unit in range(1, units + 1)}


def opened(lamps: Mapping[int, NumberedLamp], line: SerialLine, link: Path, faults: Mapping[str, float]) -> RtuBus:
    """An open line with lamps on it."""
    units: dict[int, Unit] = dict(lamps)
    bus = RtuBus(Bus(units, lambda fault: faults.get(fault, 0.0)), line, link)
    bus.open()
    return bus


@dataclass(frozen=True, slots=True)
class Lines:
    """Open lines; for each how many reads were answered, when the last one was, and how far apart they usually are."""

    links: Sequence[Path]
    line: Sequence[SerialLine]
    answered: Floats
    latest_s: Floats
    usual_s: Floats

    def rates(self, seconds: float, wait: Callable[[float], None] = time.sleep) -> list[float]:
        """Reads per second of every line over a window, from answer to answer."""
        before, since_s = self.answered[:], self.latest_s[:]
        wait(seconds)
        after, until_s = self.answered[:], self.latest_s[:]
        spans = zip(before, after, since_s, until_s, strict=True)
        return [(last - first) / (end - begin) if end > begin else 0.0 for first, last, begin, end in spans]

    def shares(self, seconds: float) -> list[float]:
        """The same as a part of what each line can carry."""
        return [rate / limit_per_s(line) for rate, line in zip(self.rates(seconds), self.line, strict=True)]

    def usual_shares(self) -> list[float]:
        """Shares by the usual distance between answers: what others on this machine delay now and then is left out."""
        pairs = zip(self.usual_s[:], self.line, strict=True)
        return [1 / (usual_s * limit_per_s(line)) if usual_s else 0.0 for usual_s, line in pairs]


@dataclass(slots=True)
class _Notes:
    """What is noted of one line's answers in memory that both processes see."""

    lines: Lines
    place: int
    intervals_s: deque[float] = field(default_factory=lambda: deque(maxlen=500))

    def heard(self) -> None:
        now_s, place = time.monotonic(), self.place
        if self.lines.answered[place]:
            self.intervals_s.append(now_s - self.lines.latest_s[place])
        self.lines.answered[place] += 1
        self.lines.latest_s[place] = now_s
        if len(self.intervals_s) % _EVERY == _EVERY - 1:
            self.lines.usual_s[place] = median(self.intervals_s)


async def _serve(lines: Lines, units: int, dead: Collection[int]) -> None:
    for place, (link, line) in enumerate(zip(lines.links, lines.line, strict=True)):
        lamps = lamps_on(units, {}, dead=1 if place in dead else 0)
        notes = _Notes(lines, place)
        for lamp in lamps.values():
            lamp.heard = notes.heard
        opened(lamps, line, link, {})
    await asyncio.Event().wait()


def _run(lines: Lines, units: int, dead: Collection[int]) -> None:
    asyncio.run(_serve(lines, units, dead))


@contextmanager
def serial_lines(folder: Path, lines: Sequence[SerialLine], units: int, dead: Collection[int] = ()) -> Iterator[Lines]:
    """Serve lines with so many lamps each; those at the places `dead` have one lamp that never answers."""
    links = [folder / f"line-{place + 1}" for place in range(len(lines))]
    shared = [CONTEXT.Array("d", len(lines)) for _ in range(3)]
    served = Lines(links, list(lines), *shared)
    with worker(_run, served, units, frozenset(dead)):
        wait_for("opening the serial lines", lambda: all(link.is_symlink() for link in links), 20)
        yield served
