"""What the API says while the broker is out of reach, or a store takes nothing."""

import pytest

from lamplighter_contract.wire.documents import GatewayState
from lamplighter_controller.api.resources.system import TROUBLES
from lamplighter_controller.intake.outage import ALARM
from lamplighter_controller.intake.presence import OUT_OF_SIGHT_S
from tests.controller.api.world import LAMPS, World


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_health_is_degraded_while_a_part_is_out_of_work(world: World, trouble: str):
    world.services.alarms.raised(trouble, "made up")
    assert (await world.client.get("/api/v1/health")).json() == {"status": "degraded", "detail": None}
    assert (await world.get("/health")).json()["detail"]["troubles"] == [trouble]
    world.services.alarms.cleared(trouble)
    health = (await world.get("/health")).json()
    assert (health["status"], health["detail"]["troubles"]) == ("ok", [])


async def test_any_other_alarm_leaves_it_well(world: World):
    world.services.alarms.raised("gateway-offline:gw-1", "gw-1 is offline")
    assert (await world.get("/health")).json()["status"] == "ok"


async def test_without_a_broker_gateways_are_unknown_and_soon_their_lamps(world: World):
    world.services.gateways.state("gw-1", GatewayState("boot-a", online=True))
    world.light(LAMPS[:5], 60.0, 90.0)
    assert await _lamp(world) == "on"
    world.services.alarms.raised(ALARM, "made up")
    world.services.gateways.out_of_sight(world.clock.monotonic_s())
    gateway = (await world.get("/gateways/gw-1")).json()
    assert (gateway["status"], gateway["online"]) == ("unknown", None)
    assert (await world.get("/health")).json()["detail"]["gateways_online"] == 0
    assert await _lamp(world) == "on"
    world.clock.advance(OUT_OF_SIGHT_S + 1)
    assert await _lamp(world) == "unknown"
    world.services.gateways.state("gw-1", GatewayState("boot-a", online=True))
    assert await _lamp(world) == "on"


async def _lamp(world: World) -> str:
    columns = (await world.get("/latest?kind=lamp")).json()
    return str(columns["states"][columns["state"][columns["ids"].index(LAMPS[0])]])
