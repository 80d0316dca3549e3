"""A truck that offends, from its load to its release; limits through the death of a gateway. All parts are real."""

import itertools
from collections.abc import Iterator

import pytest

from lamplighter_firmware_sim.scenario.model import Wire
from lamplighter_firmware_sim.trucks.offences import Offence
from tests.system.world import EVENING, World
from tests.system.world_api import eventually
from tests.system.world_fleet import GATEWAY, FleetWorld, fleet_of, until_loaded_s

pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

RATE = 20.0  # a trip of a quarter of an hour takes 45 s
PATIENCE_S = 60.0
JOURNEY_S = 180.0  # a limited truck takes its time to the field where it dumps
OFFENDER, OTHER = "truck-001", "truck-002"
POLICY = {
    "id": "open-cover",
    "classes": ["cover_open"],
    "limit_kmh": 30,
    "text": "请盖好密闭盖",
    "least_score": 0.8,
    "patience_s": 30,
    "for_s": 36_000,
}


@pytest.fixture(scope="module")
def fleet() -> Iterator[FleetWorld]:
    trucks = fleet_of(2)
    begun_ms = round(EVENING.timestamp() * 1000)
    controller = {"enrolled": ["gw-1", GATEWAY]}
    with (
        World(gateways=1, cabinets=((Wire.MODBUS_TCP, 1),), rate=RATE, controller=controller) as world,
        FleetWorld(world, trucks, until_loaded_s(trucks, begun_ms)) as found,
    ):
        yield found


def switch_on(fleet: FleetWorld) -> None:
    fleet.world.api.ask("PUT", "/fleet/policies", params={"reason": "test"}, json=POLICY)
    fleet.world.api.ask("POST", f"/fleet/policies/{POLICY['id']}/trial")
    made = fleet.world.api.ask("POST", "/tokens", json={"name": "second", "rights": ["command"], "reason": "test"})
    second = {"authorization": f"Bearer {made['token']}"}
    fleet.world.api.ask("POST", f"/fleet/policies/{POLICY['id']}/on", json={"reason": "test"}, headers=second)


def test_a_truck_that_opens_its_cover_is_warned_limited_by_steps_and_released_and_its_dump_is_recorded(
    fleet: FleetWorld,
) -> None:
    switch_on(fleet)
    assert fleet.seen(OFFENDER)["load"] > 0.9
    fleet.offend(OFFENDER, Offence.COVER_OPEN, spell_s=100_000.0)
    eventually(lambda: "cover_open" in fleet.violations(OFFENDER), PATIENCE_S, "the open cover is on record")
    eventually(lambda: fleet.seen(OFFENDER)["spoken"], PATIENCE_S, "the driver is told")
    bounds: list[float] = []
    speeds: list[float] = []

    def limited() -> bool:
        seen = fleet.seen(OFFENDER)
        bound = seen["limit_kmh"]
        if bound and (not bounds or bounds[-1] != bound):
            bounds.append(bound)
            speeds.append(seen["speed_kmh"])
        return bool(bound == POLICY["limit_kmh"])

    eventually(limited, PATIENCE_S, "the limit is in force at the truck")
    assert bounds == sorted(bounds, reverse=True)
    # Down by steps, or at once where the truck already drives hardly faster than what it is limited to.
    steps = zip(itertools.pairwise(bounds), speeds[1:], strict=True)
    assert all(a - b <= 10 or speed <= b + 6 for (a, b), speed in steps), (bounds, speeds)
    eventually(
        lambda: [one for one in fleet.limits(OFFENDER, in_force=True) if one["state"] == "in_effect"],
        PATIENCE_S,
        "the centre has seen the truck's own status bit",
    )
    fleet.offend(OFFENDER, Offence.DUMP_OUTSIDE)
    eventually(lambda: "dump_outside" in fleet.violations(OFFENDER), JOURNEY_S, "the dump is on record")
    dump = fleet.violations(OFFENDER)["dump_outside"]
    assert dump["score"] >= 0.9
    fleet.close_cover(OFFENDER)
    eventually(lambda: fleet.seen(OFFENDER)["limit_kmh"] == 0, PATIENCE_S, "it is released at the truck")
    eventually(lambda: not fleet.limits(OFFENDER, in_force=True), PATIENCE_S, "the centre shows the release")


def test_a_gateway_that_dies_changes_nothing_at_the_truck_and_sends_what_is_due_first_when_it_is_back(
    fleet: FleetWorld,
) -> None:
    wanted = {"trucks": [OTHER], "limit_kmh": 40, "for_s": 45 * RATE, "reason": "test"}
    fleet.world.api.ask("POST", "/fleet/limits", json=wanted)
    eventually(lambda: fleet.seen(OTHER)["limit_kmh"] == 40, PATIENCE_S, "the limit is in force at the truck")
    [limit] = fleet.limits(OTHER, in_force=True)
    fleet.gateway.kill()
    eventually(lambda: fleet.world.clock.civil_ms() > limit["until_ms"], PATIENCE_S, "the limit's end")
    assert fleet.seen(OTHER)["limit_kmh"] == 40
    fleet.gateway.start()
    eventually(lambda: fleet.seen(OTHER)["limit_kmh"] == 0, PATIENCE_S, "what was due was sent")
    eventually(lambda: not fleet.limits(OTHER, in_force=True), PATIENCE_S, "the centre shows the release")
