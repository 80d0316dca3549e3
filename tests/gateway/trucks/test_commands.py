"""Commands to trucks through a whole gateway: accepted, kept on disk, carried out, told of."""

import asyncio
from dataclasses import replace

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.quantities import Kind
from lamplighter_contract.truck.interlock import DEFAULT
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_gateway.app import Gateway
from lamplighter_gateway.faults import no_fault
from lamplighter_gateway.settings import Settings
from tests.gateway.fakes import until
from tests.gateway.rig import FAST, GATEWAY, ROOT, Rig
from tests.gateway.trucks.trucks import MemoryTrackers, truck_entry

TRUCKS = ("truck-1", "truck-2")
QUICK = replace(DEFAULT, warning_s=0.05)


class TruckRig(Rig):
    """A gateway with two trucks and no lamps."""

    def __init__(self, folder):
        super().__init__(folder)
        self.trackers = MemoryTrackers(self.clock, *TRUCKS)
        self.trackers.trucks["truck-1"].speed_kmh = 44.0

    def build(self, fault=no_fault):
        settings = Settings(GATEWAY, self.folder, ROOT.public, timing=FAST)
        seen = DeviceEntry("truck-3", Kind.TRUCK, "truck-relay", "relay/x", view_only=True)
        entries = [*(truck_entry(truck) for truck in TRUCKS), seen]
        buses = dict.fromkeys((*TRUCKS, "truck-3"), "trackers")
        drivers = {"trackers": self.trackers}
        self.gateway = Gateway(
            settings, entries, buses, lambda _sink: drivers, self.link, self.clock, self.reports, fault
        )
        self.gateway._trucks._limits._bounds = QUICK
        return self.gateway

    def limit(self, target=40.0, last_s=3600.0, devices=("truck-1",), **changes):
        until_ms = self.clock.civil_ms() + round(last_s * 1000)
        args = {"limit_kmh": target, "until": until_ms}
        return self.centre.send(self.centre.command(Operation.TRUCK_LIMIT_SPEED, args, devices, **changes))


@pytest.fixture
def rig(tmp_path):
    return TruckRig(tmp_path)


async def test_a_truck_speaks_and_is_located(rig):
    async with rig.running():
        said = rig.centre.send(rig.centre.command(Operation.TRUCK_SPEAK, {"text": "请盖好密闭盖"}, ("truck-1",)))
        assert (await rig.centre.final(said))["state"] == "verified"
        where = rig.centre.send(rig.centre.command(Operation.TRUCK_LOCATE, {}, ("truck-2",)))
        final = await rig.centre.final(where)
    assert rig.trackers.trucks["truck-1"].said == ["请盖好密闭盖"]
    assert final["devices"][0]["reading"]["latitude"] == 36.65


async def test_a_terminal_is_instructed_and_what_it_answers_is_told(rig):
    async with rig.running():
        asked = rig.centre.send(rig.centre.command(Operation.TRUCK_PARAMETERS, {"ids": [0x55]}, ("truck-1",)))
        final = await rig.centre.final(asked)
        assert (final["state"], final["devices"][0]["reading"]) == ("verified", {"0x0055": 60})
        fence = {"fence": 1, "shape": "circle", "points": [[36.65, 117.12]], "radius_m": 200}
        set_up = rig.centre.send(rig.centre.command(Operation.TRUCK_FENCE, fence, ("truck-1",)))
        assert (await rig.centre.final(set_up))["state"] == "verified"
    assert [operation for _, operation, _ in rig.trackers.instructed] == ["truck.parameters", "truck.fence"]


@pytest.mark.parametrize(("speed_kmh", "state"), [(0.0, "verified"), (44.0, "failed"), (None, "failed")])
async def test_a_terminal_is_reset_only_at_a_standstill_that_is_known(rig, speed_kmh, state):
    rig.trackers.trucks["truck-1"].speed_kmh = speed_kmh
    async with rig.running():
        reset = rig.centre.send(rig.centre.command(Operation.TRUCK_CONTROL, {"action": "reset"}, ("truck-1",)))
        assert (await rig.centre.final(reset))["state"] == state
    assert bool(rig.trackers.instructed) is (state == "verified")


@pytest.mark.parametrize("operation", [Operation.DEVICE_READ, Operation.TRUCK_LOCATE, Operation.TRUCK_SPEAK])
async def test_who_can_only_be_looked_at_is_not_commanded(rig, operation):
    args = {"text": "x"} if operation is Operation.TRUCK_SPEAK else {}
    async with rig.running():
        final = await rig.centre.final(rig.centre.send(rig.centre.command(operation, args, ("truck-3",))))
    assert (final["state"], final["reason"]) == ("rejected", "view-only")


async def in_force(rig):
    """Wait until the limit asked for is proved; the driver was told ten seconds before."""
    await until(lambda: [limit.confirmed for limit in rig.gateway.journal.limits.values()] == [40.0])


async def test_a_limit_is_kept_over_a_kill_and_its_release_is_verified(rig):
    truck = rig.trackers.trucks["truck-1"]
    rig.trackers.report("truck-1")
    async with rig.running():
        rig.limit()
        await in_force(rig)
    bounds = list(truck.bounds)
    async with rig.running():
        assert [limit.confirmed for limit in rig.gateway.journal.limits.values()] == [40.0]
        rig.trackers.log_in("truck-1")
        await asyncio.sleep(0.2)
        assert (truck.bounds, truck.limit) == (bounds, 40.0)
        released = rig.centre.send(rig.centre.command(Operation.TRUCK_RELEASE, {}, ("truck-1",)))
        assert (await rig.centre.final(released))["state"] == "verified"
    assert truck.limit == 0
    assert not rig.gateway.journal.limits


async def test_a_release_that_cannot_reach_its_truck_stays_owed(rig):
    rig.trackers.report("truck-1")
    async with rig.running():
        rig.limit()
        await in_force(rig)
        rig.trackers.trucks["truck-1"].online = False
        now_ms = rig.clock.wall_ms()
        command = rig.centre.command(Operation.TRUCK_RELEASE, {"what": "speed"}, ("truck-1",), expires=now_ms + 1_500)
        rig.centre.send(command)
        assert (await rig.centre.final(command))["state"] == "unconfirmed"
        assert [limit.released for limit in rig.gateway.journal.limits.values()] == [True]
        rig.trackers.log_in("truck-1")
        await until(lambda: not rig.gateway.journal.limits)


async def test_places_where_nothing_is_tightened_are_kept_with_the_limit_over_a_restart(rig):
    here = [[36.6, 117.0], [36.7, 117.0], [36.7, 117.2], [36.6, 117.2]]
    rig.trackers.report("truck-1")
    async with rig.running():
        args = {"limit_kmh": 40, "until": rig.clock.civil_ms() + 3_600_000, "closed": [here]}
        rig.centre.send(rig.centre.command(Operation.TRUCK_LIMIT_SPEED, args, ("truck-1",)))
        await until(lambda: bool(rig.gateway.journal.limits))
    async with rig.running():
        [limit] = rig.gateway.journal.limits.values()
        assert limit.closed == (tuple(map(tuple, here)),)
        await asyncio.sleep(0.3)
    assert rig.trackers.trucks["truck-1"].bounds == []


async def test_an_end_too_far_away_is_refused(rig):
    async with rig.running():
        await asyncio.sleep(0)
        final = await rig.centre.final(rig.limit(last_s=73 * 3600))
    assert (final["state"], final["reason"]) == ("rejected", "argument")
