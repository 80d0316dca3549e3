"""kill -9 of every part, under load: what was acknowledged is stored, once; commands act at most once; work goes on."""

import random
from collections.abc import Callable

import pytest

from lamplighter_contract.commands.states import CommandState
from tests.system.process import Server
from tests.system.servers import Influxd
from tests.system.world import World
from tests.system.world_api import eventually
from tests.system.world_checks import all_ended, identified_once, nothing_lost, stored_in_influx
from tests.system.world_load import Commander

pytestmark = [pytest.mark.fault, pytest.mark.system, pytest.mark.timeout(240)]

GOES_ON_S = 15.0  # three times what was seen: two polls, and a reconnection after a random pause
ENDS_S = 90.0
SLOW_MS = 300.0
DATABASE = "kills"


def _kill(world: World, victim: Server) -> None:
    """Kill and start again; readings of every lamp and a command's effect must be seen soon after."""
    victim.kill()
    victim.start()
    world.wait_for_news(within_s=GOES_ON_S)


def _judge(world: World, load: Commander, stored: Influxd | None = None) -> None:
    load.settle(GOES_ON_S)
    states = all_ended(world.api, load.taken, ENDS_S)
    seen = identified_once(world, load.asked)
    for request, state in states.items():
        acted = seen[load.taken[request]]
        if state is CommandState.VERIFIED:
            assert acted == 1, f"{request} is verified and the lamp never saw it"
        if state in {CommandState.REJECTED, CommandState.EXPIRED}:
            assert acted == 0, f"{request} is {state} and the lamp saw it"
    verified = sum(state is CommandState.VERIFIED for state in states.values())
    assert verified > len(states) / 2, states
    world.stop_programs()
    audited = nothing_lost(world, stored_in_influx(stored, DATABASE) if stored else None)
    assert audited.acknowledged > 100


def test_every_part_in_turn() -> None:
    with World() as world, Commander(world.api, world.lamps) as load:
        for victim in (world.gateway(1), world.controller, world.broker, world.gateway(2), world.controller):
            _kill(world, victim)
        load.stop()
        _judge(world, load)


@pytest.mark.parametrize("seed", [1])
def test_parts_and_the_store_in_any_order(seed: int, make_influxd: Callable[[], Influxd]) -> None:
    store = make_influxd()
    chance = random.Random(seed)
    with World(series=f"influx+v1://127.0.0.1:{store.port}/{DATABASE}") as world:
        victims: list[Server] = [*world.gateways.values(), world.controller, world.broker, store]
        with Commander(world.api, world.lamps, seed=seed) as load:
            for victim in chance.sample(victims, len(victims)):
                _kill(world, victim)
            load.stop()
            _judge(world, load, store)


def test_a_gateway_killed_in_the_middle_of_a_command() -> None:
    """Twenty lamps that answer late: some have acted, some have not, and after the restart none acts a second time."""
    with World(gateways=1) as world:
        world.city.fault("slow", "lamp-*", SLOW_MS)
        asked = world.api.command("light.identify", *world.lamps, args={"seconds": 9})["request"]
        eventually(lambda: len(world.city.writes()) >= 3, GOES_ON_S, "some lamps have acted")
        world.gateway().kill()
        acted = {write.device for write in world.city.writes()}
        assert acted < set(world.lamps), "the kill came too late"
        world.city.mend()
        world.gateway().start()
        done = world.api.ended(asked, ENDS_S)
        states = {part["device"]: (part["state"], part["reason"]) for part in done["devices"]}
        assert {device for device, (state, _) in states.items() if state == CommandState.VERIFIED} <= acted
        assert {why for state, why in states.values() if state != CommandState.VERIFIED} == {"interrupted"}
        assert {write.device for write in world.city.writes()} == acted, "acted after the restart"
        identified_once(world, ((lamp, 9) for lamp in world.lamps))
        all_ended(world.api, [asked], ENDS_S)
