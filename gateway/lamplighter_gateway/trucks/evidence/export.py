"""Raw frames as a file: a line about all of them, then a JSON line each. Pure; equal frames give equal bytes."""

from collections.abc import Iterator, Sequence
from statistics import median_low
from typing import Any, Final

import orjson

from lamplighter_contract.wire.limits import MAX_PARCEL_BYTES
from lamplighter_gateway.drivers.jt808.codec.faults import Refused
from lamplighter_gateway.drivers.jt808.codec.frame import read_frame
from lamplighter_gateway.drivers.jt808.codec.location import read_location
from lamplighter_gateway.trucks.evidence.store import RawFrame

FILE_NAME: Final = "frames.jsonl"
POSITION: Final = 0x0200
HEAD_BYTES: Final = 1_024


def file_of(
    frames: Sequence[RawFrame], gateway: str, device: str, start_ms: int, end_ms: int, *, trusted: bool
) -> bytes:
    """Frames of one truck; `trusted`: whether the gateway's clock is. Those beyond the size of a parcel are left out.

    `offset_ms` of a position is the terminal's clock less ours at its arrival, the way through the network included.
    """
    offsets = [offset_ms(frame) for frame in frames]
    lines = list(_fitting(frames, offsets))
    told = [offset for offset in offsets if offset is not None]
    head = {
        "gateway": gateway,
        "device": device,
        "from_ms": start_ms,
        "to_ms": end_ms,
        "frames": len(lines),
        "left_out": len(frames) - len(lines),
        "clock_offset_ms": median_low(told) if told else None,
        "gateway_clock_trusted": trusted,
    }
    return b"\n".join([orjson.dumps(head), *lines]) + b"\n"


def offset_ms(frame: RawFrame) -> int | None:
    """How much the terminal's clock is ahead of ours by this frame; None where it tells no time of its own."""
    read = read_frame(frame.content[1:-1])
    if isinstance(read, Refused) or read.header.message != POSITION:
        return None
    place = read_location(read.body)
    if isinstance(place, Refused) or place.time_ms is None:
        return None
    return place.time_ms - frame.received_ms


def _fitting(frames: Sequence[RawFrame], offsets: Sequence[int | None]) -> Iterator[bytes]:
    room = MAX_PARCEL_BYTES - HEAD_BYTES
    for frame, offset in zip(frames, offsets, strict=True):
        line: dict[str, Any] = {"received_ms": frame.received_ms, "offset_ms": offset, "frame": frame.content.hex()}
        written = orjson.dumps(line)
        room -= len(written) + 1
        if room < 0:
            return
        yield written
