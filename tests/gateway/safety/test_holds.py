"""Isolations and locks: kept over kills and plans, past nobody but their holder, ended by the person on site only."""

import asyncio
import shutil

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Reason
from lamplighter_contract.light.plans.plan import Circuit
from lamplighter_contract.light.preview import preview
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.app import Gateway
from lamplighter_gateway.drivers.port import BusStatus, Outcome, Point, ReadFailed, Reading, Written
from lamplighter_gateway.faults import no_fault
from lamplighter_gateway.light import autonomy, reconcile
from lamplighter_gateway.safety import work
from lamplighter_gateway.safety.holds import OPENS, Hold, HoldKind, Holds
from lamplighter_gateway.settings import Settings
from tests.gateway.fakes import lamp_entry, until
from tests.gateway.light.test_night import DAY, Street
from tests.gateway.light.test_night import LAMPS as NIGHT_LAMPS
from tests.gateway.plans import nights, signed, steady
from tests.gateway.rig import FAST, GATEWAY, LAMPS, ROOT, Rig

CIRCUIT = "circuit-1"
CREW = "user:crew"


class Cabinet:
    """One contactor with a current; `welded` keeps it closed, `leaking_a` flows although it is open."""

    def __init__(self, sink, clock):
        self.sink, self.clock = sink, clock
        self.closed = True
        self.welded = False
        self.silent = False
        self.leaking_a = 0.0
        self.load_a: float | None = 12.5
        self.writes = []

    async def run(self):
        while True:
            if not self.silent:
                self.sink([self.reading()])
            await asyncio.sleep(0.05)

    def reading(self):
        current_a = self.load_a if self.closed else self.leaking_a
        values = {"contactor_closed": self.closed, "circuit_current_a": current_a}
        return Reading(CIRCUIT, Kind.CIRCUIT, self.clock.civil_ms(), values)

    async def read(self, device, timeout_s):
        return ReadFailed(device, "no response") if self.silent else self.reading()

    async def write(self, writes, applied, *, broadcast):
        self.writes += [write.value for write in writes]
        if not self.welded:
            self.closed = bool(writes[-1].value)
        return [Written(write.device, Outcome.VERIFIED, "", self.reading()) for write in writes]

    def status(self):
        return BusStatus("cab", "memory", True, 1, (), 0, 0, 0, 0, 0, 0, 0, "")


class SupplyRig(Rig):
    """A gateway with lamps and the circuit that feeds them."""

    def _both(self, sink):
        self.cabinet = Cabinet(sink, self.clock)
        self.cabinet.closed = getattr(self, "closed", True)
        return {**self._drivers(sink), "cab": self.cabinet}

    def build(self, fault=no_fault):
        settings = Settings(GATEWAY, self.folder, ROOT.public, timing=FAST)
        capabilities = ("supply.isolate", "supply.restore")
        circuit = DeviceEntry(CIRCUIT, Kind.CIRCUIT, "circuit-contactor", "cab/240", capabilities)
        entries = [*(lamp_entry(lamp) for lamp in LAMPS), circuit]
        buses = dict.fromkeys(LAMPS, "bus-1") | {CIRCUIT: "cab"}
        self.gateway = Gateway(settings, entries, buses, self._both, self.link, self.clock, self.reports, fault)
        return self.gateway

    def order(self, operation, devices=(CIRCUIT,), **changes):
        by = changes.pop("by", CREW)
        args = {
            Operation.SUPPLY_RESTORE: {"confirmation": "pole 7, cover closed"},
            Operation.DEVICE_LOCK: {"holder": CREW},
            Operation.DEVICE_UNLOCK: {"confirmation": "pole 7, away"},
        }.get(operation, {})
        return self.centre.send(self.centre.command(operation, args, devices, by=by, **changes))

    async def done(self, operation, devices=(CIRCUIT,), **changes):
        return await self.centre.final(self.order(operation, devices, **changes))


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "LOOK_S", 0.01)
    return SupplyRig(tmp_path)


async def test_an_isolated_circuit_is_open_by_contactor_and_current_and_nothing_is_called_safe(rig):
    async with rig.running() as gateway:
        final = await rig.done(Operation.SUPPLY_ISOLATE)
        [part] = final["devices"]
        assert (final["state"], part["reason"]) == ("verified", "open, 0 A; lock and test by hand")
        assert part["reading"] | {"contactor_closed": False, "circuit_current_a": 0.0} == part["reading"]
        assert gateway._about.birth().isolated == (CIRCUIT,)
    assert "safe" not in str(final)


@pytest.mark.parametrize(
    ("trouble", "state", "reason"),
    [
        ({"welded": True}, "failed", "the contactor does not say that it is open"),
        ({"leaking_a": 3.2}, "failed", "open, but 3.2 A flow"),
        ({"silent": True}, "unconfirmed", "no response"),
    ],
)
async def test_what_is_not_proven_open_is_not_told_open_and_stays_to_be_opened(rig, trouble, state, reason):
    async with rig.running() as gateway:
        for name, value in trouble.items():
            setattr(rig.cabinet, name, value)
        final = await rig.done(Operation.SUPPLY_ISOLATE)
        assert (final["state"], final["devices"][0]["reason"]) == (state, reason)
        assert gateway.journal.holds.isolated(CIRCUIT)


async def test_an_isolation_outlives_a_kill_and_a_circuit_that_closes_is_opened_again(rig):
    async with rig.running():
        await rig.done(Operation.SUPPLY_ISOLATE)
    rig.closed = True
    async with rig.running():
        await until(lambda: not rig.cabinet.closed)
        rig.cabinet.closed = True
        await until(lambda: not rig.cabinet.closed)
        assert set(rig.cabinet.writes) == {0.0}


async def test_only_the_confirmation_from_the_site_brings_power_back(rig):
    async with rig.running() as gateway:
        await rig.done(Operation.SUPPLY_ISOLATE)
        bare = rig.centre.send(rig.centre.command(Operation.SUPPLY_RESTORE, {}, (CIRCUIT,)))
        assert (await rig.centre.final(bare))["state"] == "rejected"
        assert gateway.journal.holds.isolated(CIRCUIT)
        final = await rig.done(Operation.SUPPLY_RESTORE)
        assert (final["state"], final["devices"][0]["reason"]) == ("verified", "closed, 12.5 A")
        assert rig.cabinet.closed
        assert not gateway.journal.holds.all()


@pytest.mark.parametrize(
    ("load_a", "state", "reason"),
    [(0.0, "verified", "closed, 0 A"), (None, "unconfirmed", "closed, and its current cannot be read")],
)
async def test_a_circuit_is_restored_by_contactor_and_current(rig, load_a, state, reason):
    async with rig.running():
        await rig.done(Operation.SUPPLY_ISOLATE)
        rig.cabinet.load_a = load_a
        final = await rig.done(Operation.SUPPLY_RESTORE)
        assert (final["state"], final["devices"][0]["reason"]) == (state, reason)


async def test_an_isolation_outlives_a_new_plan(rig):
    fed = {"circuits": (Circuit(CIRCUIT, lamps=LAMPS),)}
    async with rig.running() as gateway:
        rig.link.send(Down.PLAN, signed(steady(1, 70, **fed)), retained=True)
        await until(lambda: gateway._plans.version == 1 and rig.bus.levels["lamp-1"] == 70)
        await rig.done(Operation.SUPPLY_ISOLATE)
        rig.cabinet.writes.clear()
        rig.link.send(Down.PLAN, signed(steady(2, 40, **fed)), retained=True)
        await until(lambda: gateway._plans.version == 2)
        rig.cabinet.closed = True  # somebody presses its button
        await until(lambda: not rig.cabinet.closed)
        assert set(rig.cabinet.writes) == {0.0}
        assert gateway.journal.holds.isolated(CIRCUIT)


async def test_an_isolation_and_a_lock_outlive_dusk(tmp_path):
    plan = nights(*NIGHT_LAMPS, circuits=(Circuit(CIRCUIT, lamps=NIGHT_LAMPS[:2]),))
    street = Street(tmp_path, plan)
    await street.journal.open()
    holds = street.journal.holds
    street.actuator.forbids = holds.forbids
    holds.add((hold(HoldKind.ISOLATED), hold(HoldKind.LOCKED, device=NIGHT_LAMPS[3])))
    began = next(c for c in preview(street.view, NIGHT_LAMPS[2], DAY, {}, ()) if c.level.why.source == "begin")
    dusk_ms = began.start_ms
    for minute in range(-20, 60, 5):
        await street.at(dusk_ms + minute * 60_000)
    lit = {lamp for lamp in NIGHT_LAMPS if street.bus.levels[lamp] > 0}
    await street.journal.close()
    assert not street.cabinet.closed
    assert NIGHT_LAMPS[2] in lit
    assert NIGHT_LAMPS[3] not in lit


async def test_a_locked_lamp_takes_commands_of_its_holder_only(rig):
    async with rig.running() as gateway:
        assert (await rig.done(Operation.DEVICE_LOCK, ("lamp-1",)))["state"] == "verified"
        strange = await rig.centre.final(rig.centre.send(rig.centre.light_set(80)))
        assert (strange["state"], strange["reason"]) == ("rejected", "locked")
        own = await rig.centre.final(rig.centre.send(rig.centre.light_set(70, by=CREW)))
        assert own["state"] == "verified"
        assert rig.bus.levels["lamp-1"] == 70
        taken = await rig.done(Operation.DEVICE_UNLOCK, ("lamp-1",), by="user:other")
        assert taken["state"] == "rejected"
        second = await rig.done(Operation.DEVICE_UNLOCK, ("lamp-1",), by="user:other", approvals=("user:li",))
        assert second["state"] == "verified"
        assert not gateway.journal.holds.all()


async def test_a_lock_outlives_a_restart_and_a_new_plan(rig, monkeypatch):
    monkeypatch.setattr(autonomy, "TICK_S", 0.02)
    monkeypatch.setattr(reconcile, "RETRY_FIRST_S", 0.02)
    async with rig.running() as gateway:
        rig.link.send(Down.PLAN, signed(steady(1, 70)), retained=True)
        await until(lambda: gateway._plans.version == 1 and rig.bus.levels["lamp-1"] == 70)
        assert (await rig.done(Operation.DEVICE_LOCK, ("lamp-1",)))["state"] == "verified"
    async with rig.running() as gateway:
        rig.link.send(Down.PLAN, signed(steady(2, 40)), retained=True)
        await until(lambda: gateway._plans.version == 2 and rig.bus.levels["lamp-2"] == 40)
        rig.bus.levels["lamp-2"] = 20.0  # one more round of the loop
        await until(lambda: rig.bus.levels["lamp-2"] == 40)
        assert rig.bus.levels["lamp-1"] == 70
        assert {write.device for write in rig.bus.writes} == {"lamp-2", "lamp-3"}
        assert [(one.device, one.kind, one.holder) for one in gateway.journal.holds.all()] == [
            ("lamp-1", HoldKind.LOCKED, CREW)
        ]
        strange = await rig.centre.final(rig.centre.send(rig.centre.light_set(80)))
        assert (strange["state"], strange["reason"]) == ("rejected", "locked")
        assert (await rig.done(Operation.DEVICE_UNLOCK, ("lamp-1",)))["state"] == "verified"
        await until(lambda: rig.bus.levels["lamp-1"] == 40)
    async with rig.running() as gateway:
        assert not gateway.journal.holds.all()


async def test_the_loop_leaves_a_locked_lamp_alone(rig):
    async with rig.running():
        await rig.centre.final(rig.centre.send(rig.centre.light_set(80, ("lamp-1", "lamp-2"))))
        await rig.done(Operation.DEVICE_LOCK, ("lamp-1",))
        for lamp in ("lamp-1", "lamp-2"):
            rig.bus.levels[lamp] = 20.0
        await until(lambda: rig.bus.levels["lamp-2"] == 80.0)
        assert rig.bus.levels["lamp-1"] == 20.0
        await rig.done(Operation.DEVICE_UNLOCK, ("lamp-1",))
        await until(lambda: rig.bus.levels["lamp-1"] == 80.0)


async def test_a_circuit_is_isolated_although_somebody_locked_it(rig):
    async with rig.running():
        await rig.done(Operation.DEVICE_LOCK)
        final = await rig.done(Operation.SUPPLY_ISOLATE, by="rule:leakage")
        assert final["state"] == "verified"
        other = await rig.done(Operation.SUPPLY_RESTORE, by="user:other")
        assert (other["state"], other["reason"]) == ("rejected", "locked")


async def test_a_box_in_its_place_that_was_told_again_holds_what_the_former_held(rig, tmp_path):
    async with rig.running():
        await rig.done(Operation.SUPPLY_ISOLATE)
    shutil.rmtree(tmp_path)
    rig.closed = True
    async with rig.running():
        assert (await rig.done(Operation.SUPPLY_ISOLATE))["state"] == "verified"
        assert not rig.cabinet.closed


def hold(kind, holder=CREW, device=CIRCUIT):
    return Hold(device, kind, holder, "c1", 1, 0)


@pytest.mark.parametrize(
    ("kinds", "device", "point", "value", "by", "expected"),
    [
        ((), CIRCUIT, Point.CONTACTOR, 1.0, None, None),
        (("isolated",), CIRCUIT, Point.CONTACTOR, 1.0, CREW, Reason.ISOLATED),
        (("isolated",), CIRCUIT, Point.CONTACTOR, 0.0, None, None),
        (("locked",), CIRCUIT, Point.CONTACTOR, 0.0, None, Reason.LOCKED),
        (("locked",), CIRCUIT, Point.CONTACTOR, 0.0, OPENS, None),
        (("locked",), CIRCUIT, Point.CONTACTOR, 1.0, OPENS, Reason.LOCKED),
        (("locked",), CIRCUIT, Point.CONTACTOR, 1.0, CREW, None),
        (("locked",), "lamp-1", Point.LEVEL, 50.0, None, Reason.LOCKED),
        (("locked",), "lamp-1", Point.LEVEL, 50.0, CREW, None),
        (("locked",), "lamp-9", Point.LEVEL, 50.0, None, None),
        (("isolated", "locked"), CIRCUIT, Point.CONTACTOR, 1.0, CREW, Reason.ISOLATED),
    ],
)
def test_who_may_write_what(kinds, device, point, value, by, expected):
    holds = Holds(hold(HoldKind(kind)) for kind in kinds)
    holds.lamps_on = lambda circuit: ("lamp-1",) if circuit == CIRCUIT else ()
    assert holds.forbids(device, point, value, by) is expected
    assert holds.without_power() == ({"lamp-1"} if "isolated" in kinds else set())
