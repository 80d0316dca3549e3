"""Commissioning inside a gateway: feeders, refusals, what a kill leaves open; nothing where anybody is at work."""

import asyncio
import contextlib

import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.level import Override
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.cli import host
from lamplighter_gateway.cli.host import RefusedError
from lamplighter_gateway.commands.ledger import Change
from lamplighter_gateway.commissioning.walk.desk import WalkDesk
from lamplighter_gateway.commissioning.walk.field import Field
from lamplighter_gateway.commissioning.walk.journal import RecordFile
from lamplighter_gateway.commissioning.walk.record import (
    Entry,
    What,
)
from lamplighter_gateway.drivers.port import Outcome, Point, Reading, Written
from tests.gateway.fakes import MemoryBus, until
from tests.gateway.rig import LAMPS, Rig, keys_document

CIRCUIT, METER = "circuit-1", "cab-1"


class CabinetBus(MemoryBus):
    """Lamps behind one contactor with a meter; `phase` carries them."""

    def __init__(self, sink, clock):
        super().__init__("bus-1", LAMPS, sink, clock)
        self.closed, self.phase, self.losses = True, "b", 0
        self.in_hand: set[str] = set()
        self.out_of_hand = 0  # switchings that the gateway's own loop might have undone

    async def read(self, device, timeout_s):
        now_ms = self._clock.civil_ms()
        if device == METER:
            load_a = 6.0 if self.closed else 0.0
            values = {f"current_{p}_a": 2.0 + (load_a if p == self.phase else 0.0) for p in "abc"}
            return Reading(METER, Kind.CABINET, now_ms, values)
        if device == CIRCUIT:
            return Reading(CIRCUIT, Kind.CIRCUIT, now_ms, {"contactor_closed": self.closed})
        found = await super().read(device, timeout_s)
        assert isinstance(found, Reading)
        return Reading(device, Kind.LAMP, now_ms, {**found.values, "supply_loss_count": self.losses})

    def _write(self, write, applied):
        if write.device != CIRCUIT:
            return super()._write(write, applied)
        assert write.point is Point.CONTACTOR
        self.out_of_hand += CIRCUIT not in self.in_hand
        self.losses += self.closed and not write.value
        self.closed = bool(write.value)
        return Written(CIRCUIT, Outcome.VERIFIED)


class CabinetRig(Rig):
    """A gateway with a cabinet, and the desk in it."""

    desk: WalkDesk
    bus: CabinetBus

    def _drivers(self, sink):
        self.bus = CabinetBus(sink, self.clock)
        return {"bus-1": self.bus}

    def build(self, fault=lambda _point: None):
        gateway = super().build(fault)
        for name, kind in ((CIRCUIT, Kind.CIRCUIT), (METER, Kind.CABINET)):
            capabilities = ("supply.isolate", "supply.restore") if kind is Kind.CIRCUIT else ()
            gateway.registry.entries[name] = DeviceEntry(name, kind, "p", "bus-1/240", capabilities)
            gateway.registry.bus_of[name] = "bus-1"
        self.bus.in_hand = gateway.actuator.under_test
        field = Field(gateway.registry, gateway.actuator, gateway.journal, gateway.clock)
        self.desk = WalkDesk("gw-7", field, RecordFile(self.folder), gateway.events, gateway.clock)
        gateway.services["commissioning"] = self.desk.run
        return gateway

    async def say(self, step, **details):
        return await self.desk.handle({"step": step, **details}, "li")

    async def fed(self):
        await until(lambda: CIRCUIT in self.desk.record.fed, 60)
        return self.desk.record.fed[CIRCUIT]


async def test_a_circuit_is_opened_for_seconds_its_phase_and_lamps_found_and_the_centre_told(tmp_path):
    rig = CabinetRig(tmp_path)
    async with rig.running():
        assert "error" in await rig.say("feeders")  # nothing is open
        await rig.say("begin")
        await rig.say("expect", circuits=[{"circuit": CIRCUIT, "phase": "a"}])
        assert (await rig.say("feeders"))["circuits"] == [CIRCUIT]
        fed = await rig.fed()
        assert (fed.phase, set(fed.lamps or ())) == ("b", set(LAMPS))
        assert rig.bus.closed
        assert rig.bus.out_of_hand == 0
        assert rig.desk.record.open_circuits == {}
        await until(lambda: any(event["event"] == "commission.feeder" for event in rig.link.events()), 60)
        event = next(event for event in rig.link.events() if event["event"] == "commission.feeder")
        assert (event["detail"]["phase"], event["detail"]["expected"], event["device"]) == ("b", "a", CIRCUIT)
        assert "error" not in await rig.say("end")
        assert "error" in await rig.say("saw", device="lamp-1", pole="P1")
        assert rig.desk.about()["job"] is None


@pytest.mark.parametrize("operation", [Operation.SUPPLY_ISOLATE, Operation.DEVICE_LOCK])
async def test_nothing_is_switched_where_anybody_is_at_work(tmp_path, operation):
    rig = CabinetRig(tmp_path)
    async with rig.running():
        rig.link.send(Down.KEYS, keys_document(), retained=True)
        isolates = operation is Operation.SUPPLY_ISOLATE
        command = rig.centre.command(
            operation, {} if isolates else {"holder": "user:li"}, (CIRCUIT if isolates else "lamp-2",)
        )
        rig.centre.send(command)
        await until(lambda: len(rig.gateway.journal.holds.all()) == 1, 60)
        await rig.say("begin")
        before = [write for write in rig.bus.writes if write.device != CIRCUIT]
        await rig.say("feeders")
        fed = await rig.fed()
        assert (fed.phase, fed.lamps) == ("", None)
        assert ("isolated" if isolates else "lamp-2 is locked by user:li") in fed.why
        assert [write for write in rig.bus.writes if write.device != CIRCUIT] == before
        assert all(not write.value for write in rig.bus.writes if write.device == CIRCUIT)


async def test_the_loop_leaves_alone_what_is_under_test_and_mends_it_afterwards(tmp_path):
    rig = Rig(tmp_path)
    async with rig.running() as gateway:
        now_ms = rig.clock.civil_ms()
        await gateway.journal.want(Change(overrides=(Override("o", 1, now_ms, "lamp-1", 70.0, now_ms + 600_000),)), 1)
        gateway.actuator.under_test.add("lamp-1")
        await until(lambda: "lamp-1" in gateway.actuator.shown, 60)
        async with asyncio.TaskGroup() as writes:
            await gateway._autonomy.step(writes)
        assert rig.bus.writes == []
        gateway.actuator.under_test.clear()
        await until(lambda: rig.levels["lamp-1"] == 70, 60)


async def test_a_circuit_left_open_by_a_kill_is_closed_at_the_next_start(tmp_path):
    file = RecordFile(tmp_path)
    await file.add(Entry(What.BEGUN, 1, "li", "job-1"))
    await file.add(Entry(What.OPENED, 2, "li", CIRCUIT))
    rig = CabinetRig(tmp_path)
    rig.build()
    gateway = rig.gateway
    rig.bus.closed = False
    task = asyncio.create_task(gateway.run(), name="gateway")
    try:
        await until(lambda: rig.bus.closed and not rig.desk.record.open_circuits, 60)
    finally:
        gateway.stop()
        await task
    await file.open()
    assert file.record.open_circuits == {}


async def test_answers_are_refused_when_they_make_no_sense(tmp_path):
    rig = CabinetRig(tmp_path)
    async with rig.running():
        assert "no commissioning is open" in (await rig.say("saw", device="lamp-1", pole="P1"))["error"]
        await rig.say("begin")
        assert "still open" in (await rig.say("begin"))["error"]
        for details in (
            {"device": "nobody", "pole": "P1"},
            {"device": "lamp-1", "pole": ""},
            {"device": "lamp-1", "pole": "P\x00"},
            {"device": "lamp-1", "pole": "P" * 500},
            {"device": "lamp-1", "pole": 7},
        ):
            assert "error" in await rig.say("saw", **details)
        assert "error" in await rig.say("expect", lamps=[{"pole": 1}])
        assert "error" in await rig.say("expect", lamps="many")
        assert "error" in await rig.say("feeders", circuits=["nobody"])
        assert "error" in await rig.say("blink", device="lamp-1", seconds=0)
        assert "error" in await rig.say("blink", device=METER, seconds=5)
        assert "error" in await rig.say("dance")
        assert rig.desk.record.seen == {}
        assert rig.bus.writes == []


def test_a_data_folder_of_another_user_is_left_alone(tmp_path, monkeypatch):
    host._check_owner(tmp_path)
    host._check_owner(tmp_path / "none")
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(RefusedError, match="run this as that user"):
        host._check_owner(tmp_path)


async def test_a_full_disk_takes_no_answer(tmp_path):
    class Full(RecordFile):
        def _append(self, entry):
            raise OSError(28, "No space left on device")

    rig = CabinetRig(tmp_path)
    rig.build()
    field = Field(rig.gateway.registry, rig.gateway.actuator, rig.gateway.journal, SystemClock())
    desk = WalkDesk("gw-7", field, Full(tmp_path), rig.gateway.events, SystemClock())
    task = asyncio.create_task(desk.run(), name="desk")
    try:
        assert "not kept" in (await desk.handle({"step": "begin"}, "li"))["error"]
        assert desk.record.job == ""
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
