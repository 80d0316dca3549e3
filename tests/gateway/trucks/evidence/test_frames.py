"""Raw frames on disk: kept as they came, within their limits, told with the terminal's offset."""

import asyncio
import hashlib
import json

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.wire.limits import MAX_PARCEL_BYTES
from lamplighter_gateway.drivers.jt808.codec.frame import Header, write_frame
from lamplighter_gateway.drivers.jt808.codec.location import write_location
from lamplighter_gateway.trucks.evidence import export
from lamplighter_gateway.trucks.evidence.recorder import Recorder
from lamplighter_gateway.trucks.evidence.store import CHUNK, ROW_BYTES, FrameLimits, RawFrame
from tests.gateway.drivers.jt808.terminal import PHONE, replace_location

NOW = 1_763_650_000_000
HEARTBEAT = write_frame(Header(0x0002, PHONE, 1), b"")


def report(time_ms, serial=1):
    return write_frame(Header(0x0200, PHONE, serial), write_location(replace_location(time_ms)))


class Kept:
    """A recorder on disk, with a clock of its own."""

    def __init__(self, folder, **limits):
        self.clock = ManualClock(NOW)
        self.trusted = True
        self.recorder = Recorder(folder, FrameLimits(**limits), self.clock, lambda: self.trusted)

    async def __aenter__(self):
        await self.recorder.open()
        return self

    async def __aexit__(self, *_):
        await self.recorder.close()

    async def find(self, device="truck-1", start_ms=0, end_ms=2**52):
        return [frame.content for frame in await self.recorder.find(device, start_ms, end_ms)]


async def test_frames_are_found_by_truck_and_time_also_by_the_next_start(tmp_path):
    async with Kept(tmp_path) as kept:
        kept.recorder.record("truck-1", b"\x7eone\x7e")
        kept.recorder.record("truck-2", b"\x7etwo\x7e")
        kept.clock.advance(10)
        kept.recorder.record("truck-1", b"\x7ethree\x7e")
        assert await kept.find(end_ms=NOW + 1) == [b"\x7eone\x7e"]
    async with Kept(tmp_path) as kept:
        assert await kept.find() == [b"\x7eone\x7e", b"\x7ethree\x7e"]
        assert await kept.find("truck-2") == [b"\x7etwo\x7e"]


async def test_old_frames_go_but_never_by_a_clock_that_nobody_trusts(tmp_path):
    async with Kept(tmp_path, keep_ms=60_000) as kept:
        kept.recorder.record("truck-1", b"\x7eone\x7e")
        await kept.find()
        kept.trusted = False
        kept.clock.advance(86_400)
        kept.recorder.record("truck-1", b"\x7etwo\x7e")
        assert await kept.find() == [b"\x7eone\x7e", b"\x7etwo\x7e"]
        kept.trusted = True
        kept.recorder.record("truck-1", b"\x7ethree\x7e")
        assert await kept.find() == [b"\x7etwo\x7e", b"\x7ethree\x7e"]


async def test_a_flood_of_one_truck_costs_that_truck(tmp_path):
    row = 100 + ROW_BYTES
    async with Kept(tmp_path, max_bytes=2 * CHUNK * row) as kept:
        kept.recorder.record("truck-2", bytes(100))
        for _ in range(5 * CHUNK):
            kept.recorder.record("truck-1", bytes(100))
        assert len(await kept.find("truck-2")) == 1
        assert CHUNK <= len(await kept.find()) < 2 * CHUNK


async def test_what_the_disk_does_not_take_is_lost_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("lamplighter_gateway.trucks.evidence.recorder.MOST_WAITING_BYTES", 250)
    async with Kept(tmp_path) as kept:
        for _ in range(5):
            kept.recorder.record("truck-1", bytes(100))
        assert kept.recorder.lost == 2
        assert len(await kept.find()) == 3


def lines(file):
    head, *rest = [json.loads(line) for line in file.splitlines()]
    return head, rest


def test_the_file_tells_receive_time_and_the_terminals_offset():
    frames = [
        RawFrame("truck-1", NOW + 900, report(NOW - 60_000)),
        RawFrame("truck-1", NOW + 2_000, HEARTBEAT),
        RawFrame("truck-1", NOW + 10_500, report(NOW - 50_000, 3)),
    ]
    head, rest = lines(export.file_of(frames, "gw-1", "truck-1", NOW, NOW + 60_000, trusted=True))
    assert (head["frames"], head["left_out"], head["clock_offset_ms"]) == (3, 0, -60_900)
    assert [line["offset_ms"] for line in rest] == [-60_900, None, -60_500]
    assert [bytes.fromhex(line["frame"]) for line in rest] == [frame.content for frame in frames]


def test_the_same_frames_make_the_same_file():
    frames = [RawFrame("truck-1", NOW, HEARTBEAT)]
    files = {export.file_of(frames, "gw-1", "truck-1", NOW, NOW + 1, trusted=True) for _ in range(2)}
    assert len({hashlib.sha256(file).hexdigest() for file in files}) == 1


def test_a_file_is_never_larger_than_a_parcel_and_says_what_it_leaves_out():
    frames = [RawFrame("truck-1", NOW + at, bytes(1_000)) for at in range(5_000)]
    file = export.file_of(frames, "gw-1", "truck-1", NOW, NOW + 60_000, trusted=True)
    head, rest = lines(file)
    assert len(file) <= MAX_PARCEL_BYTES
    assert head["frames"] == len(rest)
    assert head["frames"] + head["left_out"] == 5_000


@pytest.mark.parametrize("content", [b"\x7e\x7e", b"\x7e\x7d\x03\x7e", HEARTBEAT[:-3] + b"\x7e"])
def test_a_frame_that_cannot_be_read_has_no_offset(content):
    assert export.offset_ms(RawFrame("truck-1", NOW, content)) is None


async def test_the_recorder_commits_by_itself(tmp_path):
    async with Kept(tmp_path) as kept:
        task = asyncio.create_task(kept.recorder.run(), name="frames")
        kept.recorder.record("truck-1", b"\x7eone\x7e")
        async with asyncio.timeout(5):
            while not kept.recorder._opened.bytes:
                await asyncio.sleep(0.05)
        task.cancel()
