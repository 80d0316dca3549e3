"""The series store hangs: commands do not notice, memory stays bounded, and it catches up."""

import os
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle

import pytest

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.documents import DeviceEntry, DevicesDocument, GatewayState
from lamplighter_contract.wire.frame import Envelope, readings_body, seal
from lamplighter_contract.wire.topics import Up, up
from tests.system.servers import Influxd
from tests.system.world import World
from tests.system.world_api import eventually
from tests.system.world_checks import nothing_lost, stored_in_influx
from tests.system.world_programs import Gateway
from tests.system.world_rogue import Rogue

pytestmark = [pytest.mark.fault, pytest.mark.system, pytest.mark.timeout(900)]

DATABASE = "hung"
HUNG_S = float(os.environ.get("LAMPLIGHTER_HUNG_S", "12"))  # a long campaign gives minutes
COMMAND_S = 5.0
GROWTH_BYTES = 160 * 1_048_576  # two rooms of 16 MiB and a batch, as numpy arrays and Python objects
CATCH_UP_S = 40.0
FLOOD = "gw-9"
QUANTITIES = ("level_percent", "power_w", "voltage_v", "current_a", "temperature_c", "energy_kwh", "burning_h")


def _storing(world: World) -> bool:
    """What the gateway knows of the centre's store."""
    return bool(world.gateway().ask("status")["controller"]["storing"])


def _drained(gateway: Gateway) -> bool:
    waiting: int = gateway.ask("status")["spool"]["waiting"]
    return waiting < 5


def _flood(world: World, rogue: Rogue, frames: int) -> None:
    """A gateway that sends without waiting for acks, 250 lamps to a frame."""
    lamps = [f"flood-{number:03}" for number in range(250)]
    entries = tuple(DeviceEntry(lamp, Kind.LAMP, "lamp-single", "bus/1") for lamp in lamps)
    rogue.say(up(FLOOD, Up.STATE), documents.encode(GatewayState("flood", online=True)))
    rogue.say(up(FLOOD, Up.DEVICES), documents.encode(DevicesDocument(entries)))
    begun_ms = world.clock.civil_ms() - 3_600_000
    for seq in range(frames):
        columns = {name: [float(seq % 97 + row) / 10 for row in range(250)] for name in QUANTITIES}
        body = readings_body(Kind.LAMP, lamps, [begun_ms + seq] * 250, columns, [0] * 250)
        rogue.say(up(FLOOD, Up.BACKLOG), seal(body, Envelope(seq, "flood", world.clock.wall_ms())))


def test_a_hung_store_costs_neither_commands_nor_memory_nor_readings(make_influxd: Callable[[], Influxd]) -> None:
    store = make_influxd()
    with World(series=f"influx+v1://127.0.0.1:{store.port}/{DATABASE}") as world, Rogue(world.broker.port) as rogue:
        world.api.ask("PUT", f"/gateways/{FLOOD}", json={"reason": "a test"})
        before_bytes = world.controller.rss_bytes
        store.pause()
        hung_s = time.monotonic()
        _flood(world, rogue, 1_000)
        slowest_s = 0.0
        for number, lamp in enumerate(cycle(world.lamps)):
            begun, level = time.monotonic(), 20 + number % 61  # of two numbers without a common divisor: never the last
            done = world.api.ended(world.api.set_level(level, lamp))
            slowest_s = max(slowest_s, time.monotonic() - begun)
            assert done["state"] == CommandState.VERIFIED
            assert world.city.lamp(lamp).level_percent == level
            if time.monotonic() - hung_s > HUNG_S:
                break
        assert slowest_s < COMMAND_S
        eventually(lambda: "series" in world.api.alarms(), 15, "the alarm about the store")
        eventually(lambda: not _storing(world), 15, "the gateways are told that nothing is stored")
        assert world.controller.rss_bytes - before_bytes < GROWTH_BYTES
        store.resume()
        eventually(lambda: "series" not in world.api.alarms(), CATCH_UP_S, "the alarm is over")
        for gateway in world.gateways.values():
            eventually(partial(_drained, gateway), CATCH_UP_S, "the spool drains")
        world.wait_for_news(within_s=CATCH_UP_S)
        world.stop_programs()
        assert nothing_lost(world, stored_in_influx(store, DATABASE)).acknowledged > 100
