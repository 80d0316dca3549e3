"""Terminals over real sockets: who gets in, what is acknowledged when, and what bad ones cost the others."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.quality import Quality
from lamplighter_gateway.config.model import Device, TrackerServer
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.frame import Header, write_frame
from lamplighter_gateway.drivers.jt808.server import TrackerBus
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Reading, Write
from lamplighter_gateway.profiles.load import load_profiles
from tests.gateway.drivers.jt808.terminal import PHONE, PLACE, Terminal, batch, replace_location
from tests.gateway.fakes import until

PROFILES = load_profiles(Path(__file__).parents[4] / "config" / "profiles", [])
OTHER = "013800138001"
LIMITED = 1 << 26


def now_ms():
    return round(time.time()) * 1000


class Harbour:
    """A running server, and what became durable."""

    def __init__(self, profile="zt-8f"):
        devices = [
            Device("truck-1", "trackers", PROFILES[profile], address=PHONE),
            Device("truck-2", "trackers", PROFILES["jt808-std"], address=OTHER.lstrip("0").rjust(20, "0")),
        ]
        self.bus = TrackerBus(TrackerServer("trackers", "127.0.0.1", 0), devices, SystemClock(), b"secret")
        self.stored: list[Reading] = []
        self.kept = []
        self.logins: list[str] = []
        self.disk = asyncio.Event()
        self.disk.set()
        self.bus.attach(self.store, self.keep, self.logins.append)

    async def store(self, readings):
        await self.disk.wait()
        self.stored += readings
        return True

    async def keep(self, device, brought):
        self.kept.append((device, brought))
        return True

    @property
    def refusals(self):
        return dict(self.bus.status().refusals)


@pytest.fixture
async def harbour():
    harbour = Harbour()
    task = asyncio.create_task(harbour.bus.run(), name="bus")
    await until(lambda: harbour.bus.status().connected)
    yield harbour
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("edition", [Edition.V2011, Edition.V2013, Edition.V2019])
async def test_a_terminal_of_any_edition_registers_logs_in_and_reports(harbour, edition):
    phone = PHONE.rjust(20, "0") if edition is Edition.V2019 else PHONE
    async with Terminal(harbour.bus.port, phone, edition) as terminal:
        await terminal.log_in()
        assert (await terminal.report(now_ms(), status=0b11 | LIMITED))["result"] == 0
    reading = harbour.stored[0]
    assert (reading.device, reading.values["speed_kmh"], reading.values["speed_limited"]) == ("truck-1", 42.5, True)
    assert reading.values["cover"] == "closed"
    assert harbour.logins == ["truck-1"]


async def test_nothing_is_acknowledged_before_it_is_durable(harbour):
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        harbour.disk.clear()
        report = asyncio.create_task(terminal.report(now_ms()), name="report")
        done, _ = await asyncio.wait([report], timeout=0.3)
        assert not done
        harbour.disk.set()
        assert (await report)["result"] == 0


async def test_a_stranger_is_refused_and_listed_for_adoption(harbour):
    async with Terminal(harbour.bus.port, "013900000000") as stranger:
        assert (await stranger.register())["result"] == 4
        assert (await stranger.report(now_ms()))["result"] == 1
    assert [one["plate"] for one in harbour.bus.strangers()] == ["鲁A12345"]
    assert harbour.stored == []


async def test_a_wrong_code_lets_nobody_in(harbour):
    async with Terminal(harbour.bus.port) as terminal:
        assert (await terminal.ask(0x0102, {"code": "0" * 32}))["result"] == 1
        assert (await terminal.report(now_ms()))["result"] == 1
    assert not harbour.bus.online("truck-1")


async def test_who_never_logs_in_is_sent_away(harbour):
    async with Terminal(harbour.bus.port) as terminal:
        for _ in range(20):
            assert (await terminal.ask(0x0002))["result"] == 1
        terminal.send(0x0002)
        with pytest.raises(EOFError):
            await terminal.receive()


async def test_a_new_connection_of_a_terminal_replaces_the_old(harbour):
    async with Terminal(harbour.bus.port) as old, Terminal(harbour.bus.port) as new:
        await old.log_in()
        await new.log_in()
        with pytest.raises((EOFError, ConnectionError)):
            await old.receive()
        assert (await new.report(now_ms()))["result"] == 0
    await until(lambda: not harbour.bus.online("truck-1"))


async def test_another_number_on_the_same_connection_ends_it(harbour):
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        terminal.phone = OTHER
        terminal.send(0x0002)
        with pytest.raises(EOFError):
            await terminal.receive()


async def test_bad_frames_are_counted_and_cost_neither_the_connection_nor_the_next_one(harbour):
    good = write_frame(Header(0x0002, PHONE, 9), b"")
    broken = bytearray(good)
    broken[5] ^= 1
    wrong_length = good[:4] + bytes((good[4] + 5,)) + good[5:]
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        terminal.writer.write(b"rubbish" + broken + b"\x7e\x7d\x09\x7e" + wrong_length + b"x" * 70_000 + good)
        assert (await terminal.told())[1]["answers_serial"] == 9
    assert {"checksum", "escape", "oversize"} <= harbour.refusals.keys()


async def test_one_that_floods_is_slowed_and_the_others_are_not(harbour):
    flood = b"".join(write_frame(Header(0x0002, PHONE, number & 0xFFFF), b"") for number in range(3_000))
    async with Terminal(harbour.bus.port) as loud, Terminal(harbour.bus.port, OTHER) as quiet:
        await loud.log_in()
        await quiet.log_in()
        loud.writer.write(flood)
        await until(lambda: "slowed" in harbour.refusals)
        begun = time.monotonic()
        assert (await quiet.report(now_ms()))["result"] == 0
        assert time.monotonic() - begun < 2


async def test_blind_area_batches_are_stored_as_the_past_beside_one_that_is_torn(harbour):
    past = now_ms() - 3_600_000
    body = batch(replace_location(past + 30_000), replace_location(past), blind_area=True)
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        assert (await terminal.ask(0x0704, body=body + b"\0\x05torn"))["result"] == 0
    assert [reading.time_ms for reading in harbour.stored] == [past, past + 30_000]
    assert all(reading.quality & Quality.STALE for reading in harbour.stored)
    assert harbour.refusals["body"] == 1


async def test_a_photo_in_fragments_is_kept_whole_and_confirmed(harbour):
    photo = bytes(range(256)) * 20
    values = {"id": 7, "kind": 0, "format": 0, "event": 0, "channel": 1, "content": photo.hex()}
    location: dict[str, float | str] = {
        "alarm": 0,
        "status": 2,
        "latitude": 36.65,
        "longitude": 117.12,
        "altitude_m": 0,
        "speed_kmh": 0.0,
    }
    location |= {"direction_deg": 0, "time": "2026-11-20T12:00:00"}
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        terminal.send(0x0801, {**values, "location": location}, most_bytes=900)
        messages = [await terminal.told() for _ in range(6)]
    assert messages[-1] == (0x8800, {"id": 7})
    [(device, brought)] = harbour.kept
    assert (device, brought.event, brought.content) == ("truck-1", "truck.photo", photo)


async def test_a_waybill_and_server_time(harbour):
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        assert (await terminal.ask(0x0701, {"waybill": "核准 12"}))["result"] == 0
        terminal.send(0x0004)
        message, body = await terminal.told()
        assert (message, len(body["time_utc"])) == (0x8004, 12)
        assert (await terminal.ask(0x0F01, body=b"\1"))["result"] == 3
    assert harbour.kept[0][1].detail == {"waybill": "核准 12"}


async def serve(terminal, *, obey=True, takes=True):
    """Answer commands as a terminal does, until cancelled; one that lies acknowledges and does nothing."""
    status = 0b11
    said = []
    with contextlib.suppress(EOFError, TimeoutError):
        while True:
            frame = await terminal.receive()
            if frame.header.message == 0x8201:
                terminal.answer_position(frame, PLACE._replace(time_ms=now_ms(), status=status))
            elif frame.header.message >= 0x8000 and frame.header.message != 0x8001:
                said.append((frame.header.message, frame.body[-1]))
                terminal.answer(frame, 0 if takes else 3)
                if obey and frame.header.message == 0x8F02:
                    status = status | LIMITED if frame.body[-1] else status & ~LIMITED
    return said


@pytest.mark.parametrize(
    ("how", "point", "value", "outcome"),
    [
        ({}, Point.SPEED_LIMIT, 40, Outcome.VERIFIED),
        ({"obey": False}, Point.SPEED_LIMIT, 40, Outcome.FAILED),
        ({"takes": False}, Point.SPEED_LIMIT, 40, Outcome.FAILED),
        ({}, Point.SPEED_LIMIT, 0, Outcome.VERIFIED),
        ({}, Point.SPEAK, 0, Outcome.APPLIED),
        ({}, Point.LEVEL, 50, Outcome.FAILED),
    ],
)
async def test_a_limit_is_in_effect_only_when_the_terminals_own_bit_says_so(harbour, how, point, value, outcome):
    applied: list[str] = []
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        serving = asyncio.create_task(serve(terminal, **how), name="terminal")
        deadline_s = time.monotonic() + 3
        write = Write("truck-1", point, value, deadline_s, "请减速")
        [written] = await harbour.bus.write([write], applied.append, broadcast=False)
        serving.cancel()
    assert written.outcome is outcome, written
    assert bool(applied) is (how.get("takes", True) and point is not Point.LEVEL)
    if how == {"obey": False}:
        assert written.reason == "acknowledged, but not in effect"


async def test_a_bound_that_nobody_answers_is_not_sent_again_once_it_is_stale_and_never_arrives_later(
    harbour, monkeypatch
):
    monkeypatch.setattr("lamplighter_gateway.drivers.jt808.connection.FIRST_WAIT_S", 0.05)
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        now_s = time.monotonic()
        write = Write("truck-1", Point.SPEED_LIMIT, 40, now_s + 3, again_by_s=now_s)
        [written] = await harbour.bus.write([write], lambda _: None, broadcast=False)
        assert (await terminal.receive()).header.message == 0x8F02
        with pytest.raises((EOFError, ConnectionError)):
            await terminal.receive()
    assert written.outcome is Outcome.UNCONFIRMED
    assert not harbour.bus.online("truck-1")


async def test_a_terminal_without_limits_says_so_and_one_that_is_gone_too(harbour):
    write = Write("truck-2", Point.SPEED_LIMIT, 40, time.monotonic() + 2)
    [gone] = await harbour.bus.write([write], lambda _: None, broadcast=False)
    assert not gone.answered
    assert isinstance(await harbour.bus.read("truck-2", 0.1), ReadFailed)
    async with Terminal(harbour.bus.port, OTHER) as terminal:
        await terminal.log_in()
        [written] = await harbour.bus.write([write], lambda _: None, broadcast=False)
    assert written.reason == "this terminal has no limits that can be set"


async def test_where_are_you_is_answered_with_a_new_position(harbour):
    async with Terminal(harbour.bus.port) as terminal:
        await terminal.log_in()
        serving = asyncio.create_task(serve(terminal), name="terminal")
        reading = await harbour.bus.read("truck-1", 3)
        serving.cancel()
    assert isinstance(reading, Reading)
    assert reading.values["latitude"] == 36.65
