"""Terminals against the platform's own server, over real sockets."""

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lamplighter_contract.clock import CivilScale, SystemClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.quality import Quality
from lamplighter_firmware_sim.trucks.control import Order, order, ordering
from lamplighter_firmware_sim.trucks.fleet import Tracker
from lamplighter_firmware_sim.trucks.offences import Offence
from lamplighter_firmware_sim.trucks.serve import Reporting, running_trucks
from lamplighter_firmware_sim.trucks.wire.quirks import Quirks
from lamplighter_firmware_sim.trucks.wire.relay import Forwarding
from lamplighter_firmware_sim.trucks.wire.terminal import PICTURE
from lamplighter_gateway.config.model import Device, RelayServer, TrackerServer
from lamplighter_gateway.drivers.jt808.codec import fragments
from lamplighter_gateway.drivers.jt808.server import TrackerBus
from lamplighter_gateway.drivers.port import Outcome, Point, Reading, Write
from lamplighter_gateway.drivers.relay.bus import RelayBus
from lamplighter_gateway.profiles.load import load_profiles
from tests.firmware_sim.trucks.fleets import fleet
from tests.gateway.fakes import until

PROFILES = load_profiles(Path(__file__).parents[3] / "config" / "profiles", [])
NOW_MS = round(datetime(2026, 11, 20, 2, tzinfo=UTC).timestamp()) * 1000
ORDERS = Reporting(interval_s=5, least_s=0.1, healthy=True, per_truck_day=0)


class Platform:
    """The gateway's server, and what became durable; `full` makes it acknowledge nothing."""

    def __init__(self, trucks, clock):
        devices = [
            Device(truck.id, "trackers", PROFILES[truck.tracker.profile], address=truck.phone)
            for truck in trucks
            if truck.tracker not in (Tracker.MQTT, Tracker.RELAY)
        ]
        self.clock = clock
        self.bus = TrackerBus(TrackerServer("trackers", "127.0.0.1", 0), devices, clock, b"secret")
        self.stored, self.kept, self.full = [], [], False
        self.bus.attach(self.store, self.keep, lambda _device: None)

    async def store(self, readings):
        if self.full:
            return False
        self.stored += readings
        return True

    async def keep(self, device, brought):
        self.kept.append((device, brought))
        return True

    async def write(self, truck, point, value, text=""):
        deadline_s = self.clock.monotonic_s() + 5
        [told] = await self.bus.write([Write(truck, point, value, deadline_s, text)], lambda _d: None, broadcast=False)
        return told.outcome


@contextlib.asynccontextmanager
async def meeting(trucks=10):
    """A platform and trucks that call it; civil time runs a hundred times faster."""
    clock = SystemClock(CivilScale(100.0, NOW_MS, SystemClock().wall_ms()))
    found = fleet(trucks)
    platform = Platform(found.trucks, clock)
    task = asyncio.create_task(platform.bus.run(), name="platform")
    try:
        await until(lambda: platform.bus.status().connected)
        async with running_trucks(found, clock, ("127.0.0.1", platform.bus.port), None, ORDERS) as running:
            await until(lambda: all(one.logged_in.is_set() for one in running.terminals.values()))
            yield platform, running
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_all_terminals_of_the_standard_log_in_and_report():
    async with meeting() as (platform, running):
        await until(lambda: {one.device for one in platform.stored} >= set(running.terminals))
        assert platform.bus.status().refused == 0
        assert all(32 < one.values["latitude"] < 40 for one in platform.stored)


@pytest.mark.parametrize(("truck", "tracker"), [("truck-001", Tracker.MUCK_2013), ("truck-006", Tracker.MUCK_2019)])
async def test_a_limit_is_in_effect_at_the_truck_until_it_is_released(truck, tracker):
    async with meeting() as (platform, running):
        assert running.onboard[truck].truck.tracker is tracker
        assert await platform.write(truck, Point.SPEED_LIMIT, 40) is Outcome.VERIFIED
        assert running.seen(truck)["limit_kmh"] == 40
        assert await platform.write(truck, Point.LIFT_LIMIT, 1) is Outcome.VERIFIED
        assert await platform.write(truck, Point.SPEAK, 0, "请减速") is Outcome.APPLIED
        assert running.seen(truck)["spoken"] == ["请减速"]
        assert await platform.write(truck, Point.SPEED_LIMIT, 0) is Outcome.VERIFIED
        seen = running.seen(truck)
        assert (seen["limit_kmh"], seen["lift_limited"]) == (0, True)


async def test_a_terminal_that_lies_acknowledges_and_limits_nothing():
    async with meeting() as (platform, running):
        running.onboard["truck-001"].sickness.quirks = Quirks(lies=True)
        deadline_s = platform.clock.monotonic_s() + 2
        write = Write("truck-001", Point.SPEED_LIMIT, 40, deadline_s)
        [told] = await platform.bus.write([write], lambda _d: None, broadcast=False)
        assert (told.outcome, told.reason) == (Outcome.FAILED, "acknowledged, but not in effect")
        assert running.seen("truck-001")["limit_kmh"] == 0


async def test_what_happened_without_a_link_follows_as_blind_area_positions():
    async with meeting() as (platform, running):
        sickness = running.onboard["truck-001"].sickness
        sickness.blind_until_ms = running.clock.civil_ms() + 200_000
        await until(lambda: not running.terminals["truck-001"].logged_in.is_set())
        began_ms = sickness.blind_until_ms - 150_000

        def backfilled():
            mine = [one for one in platform.stored if one.device == "truck-001" and one.quality & Quality.STALE]
            return [one for one in mine if began_ms < one.time_ms < sickness.blind_until_ms]

        await until(lambda: len(backfilled()) >= 4)


async def test_what_was_not_acknowledged_is_sent_again():
    async with meeting(1) as (platform, running):
        platform.full = True
        terminal = running.terminals["truck-001"]
        await until(lambda: len(terminal._unacked) > 3)
        lost = set(terminal._unacked.values())
        platform.full = False
        running.onboard["truck-001"].sickness.blind_until_ms = running.clock.civil_ms() + 50_000
        await until(lambda: not terminal.logged_in.is_set())
        await until(lambda: terminal.logged_in.is_set() and not terminal._stored)
        assert len(platform.stored) >= len(lost)


async def test_a_photo_that_is_asked_for_comes_in_fragments():
    async with meeting(1) as (platform, _):
        connection = platform.bus._online["truck-001"]
        assert await connection.ask(0x8801, bytes((1, 0, 1, 0, 0, 0, 1, 5, 80, 60, 60, 60)), 5) is not None
        await until(lambda: any(brought.event == "truck.photo" for _, brought in platform.kept))
        [brought] = [brought for _, brought in platform.kept if brought.event == "truck.photo"]
        assert brought.content.startswith(b"\xff\xd8")


@pytest.fixture
def impatient(monkeypatch):
    """A platform that asks soon for what it misses."""
    monkeypatch.setattr(fragments, "PATIENCE_S", 0.2)


@pytest.mark.parametrize("truck", ["truck-001", "truck-006"])
async def test_a_photo_that_nobody_asked_for_loses_a_fragment_that_is_sent_again(impatient, truck):
    async with meeting(6) as (platform, running):
        its = Quirks(frame_bytes=256, photo_every_s=36_000, fragments_lost=1.0)
        sickness = running.onboard[truck].sickness
        sickness.photo_ms, sickness.quirks = 1, its
        await until(lambda: any(brought.event == "truck.photo" for _, brought in platform.kept), 60)
        [(device, photo)] = [(device, one) for device, one in platform.kept if one.event == "truck.photo"]
        assert (device, photo.content, photo.detail["event"]) == (truck, PICTURE, 1)
        assert running.terminals[truck].kept.resent >= 1
        assert platform.bus.status().refused == 0


@pytest.mark.parametrize("truck", ["truck-001", "truck-006"])
async def test_a_long_gap_comes_as_one_batch_in_fragments_and_reports_go_on_while_it_is_mended(impatient, truck):
    async with meeting(6) as (platform, running):
        terminal, sickness = running.terminals[truck], running.onboard[truck].sickness
        sickness.quirks = Quirks(frame_bytes=128, batch=100, fragments_lost=1.0)
        sickness.blind_until_ms = ends_ms = running.clock.civil_ms() + 200_000
        await until(lambda: not terminal.logged_in.is_set(), 60)
        await until(lambda: terminal.logged_in.is_set() and not terminal._stored, 60)
        mine = [one for one in platform.stored if one.device == truck]
        late = [one for one in mine if one.quality & Quality.STALE and one.time_ms <= ends_ms]
        assert len(late) >= 3
        assert terminal.kept.resent >= 1
        first = mine.index(late[0])
        assert any(one.time_ms > ends_ms for one in mine[:first])
        assert platform.bus.status().refused == 0


async def test_a_truck_takes_orders_to_offend(tmp_path):
    async with meeting(2) as (_, running), ordering(running, tmp_path):
        await asyncio.to_thread(order, tmp_path, Order("offend", "truck-001", "overspeed"))
        assert running.traffic.offended[-1].offence is Offence.OVERSPEED
        seen = await asyncio.to_thread(order, tmp_path, Order("see", "truck-002"))
        assert seen["id"] == "truck-002"


@pytest.mark.parametrize("truck", ["truck-001", "truck-006"])
async def test_a_terminal_does_what_it_is_instructed_and_tells_what_was_set(truck):
    fence = {"fence": 7, "shape": "circle", "points": [[36.65, 117.12]], "radius_m": 200}
    ground = {
        "fence": 8,
        "shape": "polygon",
        "points": [[36.6, 117.1], [36.7, 117.1], [36.7, 117.2]],
        "meaning": "ground",
    }
    async with meeting() as (platform, running):
        done = []
        for operation, args in (
            (Operation.TRUCK_SET_PARAMETERS, {"values": {"report_s": 20, "overspeed_kmh": 50}}),
            (Operation.TRUCK_PARAMETERS, {}),
            (Operation.TRUCK_FENCE, fence),
            (Operation.TRUCK_FENCE, ground),
            (Operation.TRUCK_TRACK, {"interval_s": 1, "seconds": 60}),
            (Operation.TRUCK_CONFIRM_ALARM, {"alarms": ["area"]}),
        ):
            done.append(await platform.bus.instruct(truck, operation, args, 30.0))
        settings = running.terminals[truck].settings
        assert settings.fences == {(0, 7), (2, 8)}
        for shape, number in (("circle", 7), ("polygon", 8)):
            args = {"shape": shape, "fence": number}
            done.append(await platform.bus.instruct(truck, Operation.TRUCK_UNFENCE, args, 30.0))
    assert {one.outcome for one in done} == {Outcome.VERIFIED, Outcome.APPLIED}
    assert done[1].told.items() >= {"0x0029": 20, "0x0055": 50}.items()
    assert settings.fences == set()


async def test_a_driver_puts_a_card_in():
    async with meeting() as (platform, _):
        await until(lambda: any(brought.event == "truck.driver_card" for _, brought in platform.kept))
    cards = [brought.detail for _, brought in platform.kept if brought.event == "truck.driver_card"]
    assert (cards[0]["card"], cards[0]["result"], cards[0]["valid_until"]) == (1, 0, "20301231")


async def test_every_twentieth_truck_is_forwarded_by_its_vendor_and_seen_so(tmp_path):
    clock = SystemClock(CivilScale(100.0, NOW_MS, SystemClock().wall_ms()))
    found = fleet(20)
    forwarded = [truck for truck in found.trucks if truck.tracker is Tracker.RELAY]
    devices = [Device(one.id, "vendor", PROFILES["truck-relay"], address=one.plate) for one in forwarded]
    stored: list[Reading] = []

    async def store(readings):
        stored.extend(readings)
        return True

    async def keep(_device, _brought):
        return True

    bus = RelayBus(RelayServer("vendor", "127.0.0.1", 0, tmp_path), devices, clock, b"agreed", tmp_path / "vendor.json")
    bus.attach(store, keep, lambda _device: None)
    task = asyncio.create_task(bus.run(), name="relay")
    try:
        await until(lambda: bus.status().connected)
        to = Forwarding(("127.0.0.1", bus.port), b"agreed", "vendor")
        async with running_trucks(found, clock, ("127.0.0.1", 1), None, ORDERS, to) as running:
            await until(lambda: len(stored) >= 3)
            assert running.vendor is not None
            assert running.vendor.refused == 0
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert {reading.device for reading in stored} == {"truck-020"}
    assert stored[0].values["load"] in ("empty", "full")
    assert bus.status().refused == 0
