"""JT/T 808 position reports per second and core: bytes of a stream to values, and back.

A report has the 28 bytes of every position and three additional items. Decoding is all that a server does with one:
finding the frame, escapes, checksum, header, position, items and time.
"""

import time
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header, read_frame, write_frame
from lamplighter_gateway.drivers.jt808.codec.framing import Deframer
from lamplighter_gateway.drivers.jt808.codec.location import Location, read_location, write_location

FRAMES: Final = 50_000
PER_READ: Final = 16  # frames in one read of a busy socket
START_MS: Final = 1_763_600_000_000
ITEMS: Final = ((0x01, b"\0\0\1\2"), (0x30, b"\x1e"), (0x31, b"\x0c"))
PHONE: Final = "013800138000"


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of jt808-codec."""
    rounds = round(effort.pick(10, 3))
    positions = [_position(number) for number in range(FRAMES)]
    frames = [_frame(number, position) for number, position in enumerate(positions)]
    reads = [b"".join(frames[at : at + PER_READ]) for at in range(0, FRAMES, PER_READ)]
    config = {
        "frames": FRAMES,
        "rounds": rounds,
        "frame_bytes": len(frames[0]),
        "frames_per_read": PER_READ,
        "clock": "CPU time of one core, best round",
        "quick": effort.quick,
        "versions": versions("lamplighter-gateway"),
    }
    yield Figure("jt808-codec.decode_per_s", _rate(lambda: _decode(reads), rounds), "1/s", config=config)
    yield Figure("jt808-codec.encode_per_s", _rate(lambda: _encode(positions), rounds), "1/s", config=config)


def _position(number: int) -> Location:
    degrees = number / 1e5
    return Location(0, 0b11, 36.6 + degrees, 117.0 + degrees, 50, 42.5, number % 360, START_MS + number * 1000, ITEMS)


def _frame(number: int, position: Location) -> bytes:
    return write_frame(Header(0x0200, PHONE, number & 0xFFFF), write_location(position))


def _decode(reads: list[bytes]) -> int:
    deframer, found = Deframer(), 0
    for read in reads:
        for between in deframer.feed(read):
            frame = read_frame(between) if isinstance(between, bytes) else between
            if isinstance(frame, Frame) and isinstance(read_location(frame.body), Location):
                found += 1
    return found


def _encode(positions: list[Location]) -> int:
    return len([_frame(number, position) for number, position in enumerate(positions)])


def _rate(work: Callable[[], int], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        done = work()
        best = min(best, (time.process_time() - started) / done)
        assert done == FRAMES
    return 1 / best
