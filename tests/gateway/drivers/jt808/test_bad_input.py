"""What bad terminals send, item by item: counted by its reason, bounded, and no matter to anybody else."""

import struct

import pytest

from lamplighter_gateway.drivers.jt808.codec import fragments
from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.fragments import Assembly, Missing, Room
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header, write_frame
from lamplighter_gateway.drivers.jt808.codec.framing import seal
from lamplighter_gateway.drivers.jt808.codec.location import write_location
from lamplighter_gateway.drivers.jt808.server import UNFINISHED_BYTES
from tests.gateway.drivers.jt808.terminal import PHONE, Terminal, replace_location
from tests.gateway.drivers.jt808.test_server import OTHER, Harbour, harbour, now_ms
from tests.gateway.fakes import until

__all__ = ["harbour"]

GOOD = write_frame(Header(0x0002, PHONE, 9), b"")


def content(body=b"", *, attributes=None, phone=PHONE, message=0x0002, serial=9):
    """A frame's content, whatever its header says of it."""
    word = len(body) if attributes is None else attributes
    return struct.pack(">HH6sH", message, word, bytes.fromhex(phone), serial) + body


def position(time=b"\x26\x11\x20\x12\x00\x00"):
    return write_location(replace_location(now_ms()))[:22] + time


BAD = {
    "checksum": GOOD[:-2] + bytes((GOOD[-2] ^ 1,)) + GOOD[-1:],
    "escape": b"\x7e" + GOOD[1:-2] + b"\x7d\x09" + b"\x7e",
    "length": seal(content(b"ab", attributes=9)),
    "short": seal(b"\x00\x02\x00"),
    "bcd": seal(content(phone="01380013800a")),
    "flag": b"rubbish before a flag" + GOOD,
    "oversize": b"\x7e" + b"x" * 65_535 + b"\x7e",
    "fragment": seal(content(b"abc", attributes=0x2000 | 3)[:12] + struct.pack(">HH", 2, 3) + b"abc"),
    "body": write_frame(Header(0x0200, PHONE, 9), b"\0" * 27),
    "time": write_frame(Header(0x0200, PHONE, 9), position(b"\x26\x13\x45\x12\x00\x00")),
}


@pytest.mark.parametrize("reason", BAD)
async def test_a_bad_frame_is_counted_by_its_reason_and_costs_neither_its_neighbours_nor_its_connection(
    harbour: Harbour, reason
):
    async with Terminal(harbour.bus.port) as bad, Terminal(harbour.bus.port, OTHER) as other:
        if reason != "flag":  # only before its first flag can a stream begin with rubbish
            await bad.log_in()
        await other.log_in()
        bad.writer.write(BAD[reason])
        await until(lambda: harbour.refusals.get(reason) == 1)
        assert (await other.report(now_ms()))["result"] == 0
        if reason == "flag":
            bad.frames.clear()
            await bad.receive()  # the good frame behind it
            await bad.log_in()
        assert (await _answered(bad, await _send(bad)))["result"] == 0
    assert harbour.refusals == {reason: 1}
    assert {reading.device for reading in harbour.stored} == {"truck-1", "truck-2"}


async def _send(terminal):
    return terminal.send(0x0200, body=write_location(replace_location(now_ms())))


async def _answered(terminal, serial):
    """The answer to a message, past those to bad ones before it."""
    while True:
        _, body = await terminal.told()
        if body["answers_serial"] == serial:
            return body


async def test_fragments_out_of_order_and_repeated_make_one_message(harbour: Harbour):
    waybill = "联单" * 600
    body = len(waybill.encode("gbk")).to_bytes(4) + waybill.encode("gbk")
    pieces = [body[at : at + 500] for at in range(0, len(body), 500)]
    frames = [
        write_frame(Header(0x0701, PHONE, 100 + number, total=len(pieces), number=number), piece)
        for number, piece in enumerate(pieces, start=1)
    ]
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        terminal.writer.write(b"".join([*frames[1:], frames[2], frames[1], frames[0]]))
        await until(lambda: bool(harbour.kept))
    assert [brought.detail for _, brought in harbour.kept] == [{"waybill": waybill}]
    assert harbour.refusals == {}
    await until(lambda: harbour.bus._unfinished.used == 0)


def piece(number, total=3, serial=100, size=10):
    return Frame(Header(0x0801, PHONE, serial + number - 1, total=total, number=number), b"x" * size)


def test_fragments_that_never_come_are_asked_for_a_few_times_and_given_up():
    room = Room(10_000)
    assembly, now_s, asked = Assembly(room), 0.0, []
    assert assembly.take(piece(2), now_s) is None
    while len(assembly):
        now_s += 5.0
        asked += assembly.late(now_s)
    *questions, end = asked
    assert questions == [Missing(0x0801, 100, (1, 3))] * fragments.MOST_REQUESTS
    assert isinstance(end, Refused)
    assert end.fault is Fault.FRAGMENT
    assert room.used == 0


def test_a_message_that_only_drips_is_given_up_too():
    assembly, now_s = Assembly(), 0.0
    for number in range(1, 1_000):
        assembly.take(piece(number, total=1_000), now_s)
        now_s += 5.0
        if any(isinstance(one, Refused) for one in assembly.late(now_s)):
            break
    assert now_s == pytest.approx(fragments.LONGEST_S, abs=10)


def test_a_message_beyond_all_measure_is_refused():
    assembly = Assembly()
    assert isinstance(assembly.take(piece(1, total=fragments.MOST_FRAGMENTS + 1), 0.0), Refused)
    found = [assembly.take(piece(number, total=1_024, size=2_000), 0.0) for number in range(1, 600)]
    assert [one.fault for one in found if isinstance(one, Refused)] == [Fault.FRAGMENT]
    assert len(assembly) <= fragments.MOST_MESSAGES


def test_many_terminals_share_one_room_and_give_it_back():
    room = Room(100_000)
    assemblies = [Assembly(room) for _ in range(200)]
    refused = [
        one for assembly in assemblies if (one := assembly.take(piece(1, size=1_000), 0.0)) and isinstance(one, Refused)
    ]
    assert {one.fault for one in refused} == {Fault.CROWDED}
    assert room.used <= 100_000
    for assembly in assemblies:
        assembly.close()
    assert room.used == 0
    assert assemblies[-1].take(piece(1, size=1_000), 0.0) is None


async def test_what_is_unfinished_goes_with_its_connection(harbour: Harbour):
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        terminal.writer.write(write_frame(Header(0x0801, PHONE, 100, total=9, number=1), b"x" * 900))
        await until(lambda: harbour.bus._unfinished.used > 900)
    await until(lambda: harbour.bus._unfinished.used == 0)
    assert UNFINISHED_BYTES < 100 * 1024 * 1024


async def test_strangers_are_told_once_each_and_no_more_than_can_be_looked_at(harbour: Harbour):
    for number in range(230):
        async with Terminal(harbour.bus.port, f"0139{number % 215:08}") as stranger:
            assert (await stranger.register())["result"] == 4
    told = [dict(brought.detail) for device, brought in harbour.kept if device == "" and brought.event]
    assert len(told) == 200
    assert len(harbour.bus.strangers()) == 200
    assert told[0]["plate"] == "鲁A12345"
    assert told[0].items() >= {"bus": "trackers", "wire": "jt808", "phone": "013900000000"}.items()
    assert harbour.refusals == {"unknown_terminal": 230}
