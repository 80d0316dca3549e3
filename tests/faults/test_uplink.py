"""The uplink is cut, or swallows every byte: the gateway goes on by itself, and nothing is lost when it is back."""

import itertools
import time
from collections.abc import Iterator

import pytest

from lamplighter_contract.wire.topics import Up, up
from tests.system.world import World
from tests.system.world_api import eventually
from tests.system.world_checks import nothing_lost
from tests.system.world_programs import Gateway
from tests.system.world_rogue import Rogue

pytestmark = [pytest.mark.fault, pytest.mark.system, pytest.mark.timeout(180)]

AWAY_S = 8.0
BACK_S = 45.0  # the pause before a new try is random and doubles
DRAINED_S = 60.0
LATE_MS = 5_000
LIVE, BACKLOG = up("gw-1", Up.LIVE), up("gw-1", Up.BACKLOG)


@pytest.fixture
def world() -> Iterator[World]:
    """Two gateways, each behind a link of its own."""
    with World(linked=True) as running:
        yield running


def _frames_waiting(gateway: Gateway) -> int:
    waiting: int = gateway.ask("status")["spool"]["waiting"]
    return waiting


def _works_alone(world: World) -> None:
    """Polling goes on, and so does the command line beside the gateway."""
    gateway, lamp = world.gateway(), world.city.lamps("gw-1")[0]
    before = _frames_waiting(gateway)
    begun = time.monotonic()
    eventually(lambda: not gateway.ask("status")["uplink"], 25, "the gateway notices that it is alone")
    status = gateway.tool("status", "--data", str(gateway.data))
    assert status.returncode == 0
    assert "uplink NOT connected" in status.stdout
    read = gateway.tool("read", lamp, "--data", str(gateway.data))
    assert read.returncode == 0, read.stderr
    written = gateway.tool("write", lamp, "35", "--minutes", "5", "--data", str(gateway.data))
    assert written.returncode == 0, written.stdout
    assert world.city.lamp(lamp).level_percent == 35
    eventually(lambda: _frames_waiting(gateway) >= before + 5, 20, "readings go on into the spool")
    time.sleep(max(0.0, AWAY_S - (time.monotonic() - begun)))  # the outage has its length
    eventually(
        lambda: world.api.latest()[lamp]["time_ms"] < world.clock.civil_ms() - LATE_MS, 5, "the centre hears nothing"
    )
    world.wait_for_news(["gw-2"], within_s=10)


def _comes_back(world: World, rogue: Rogue, cut_ms: int) -> None:
    """Live readings do not wait for those of the outage, those come by their own lane, and in the end nothing waits."""
    gateway, lamp = world.gateway(), world.city.lamps("gw-1")[0]
    world.wait_for_news(["gw-1"], within_s=BACK_S)
    assert world.api.latest()[lamp]["level_percent"] == 35
    eventually(lambda: gateway.ask("status")["spool"]["waiting"] < 5, DRAINED_S, "the spool drains")
    lanes = [message for message in list(rogue.heard) if message.topic in (LIVE, BACKLOG)]
    live = [message.document() for message in lanes if message.topic == LIVE]
    assert all(world.clock.scale.civil_ms(frame["sent"]) - min(frame["time"]) < LATE_MS for frame in live)
    assert live, "nothing came live"
    assert len(live) < len(lanes), "the outage did not come as backlog"
    end_ms = world.clock.civil_ms()
    past = world.api.get(f"/devices/{lamp}/history", start=cut_ms, end=end_ms, quantities="level_percent")
    longest_ms = max(later - earlier for earlier, later in itertools.pairwise(past["time_ms"]))
    assert longest_ms < LATE_MS, "the outage is no gap in the history"


@pytest.mark.parametrize("half_open", [False, True], ids=["cut", "half-open"])
def test_the_gateway_goes_on_without_its_uplink(world: World, *, half_open: bool) -> None:
    link, cut_ms = world.links["gw-1"], world.clock.civil_ms()
    if half_open:
        link.swallow()
    else:
        link.cut()
    _works_alone(world)
    with Rogue(world.broker.port) as rogue:
        if half_open:
            link.heal()
        else:
            link.restore()
        _comes_back(world, rogue, cut_ms)
    assert nothing_lost(world).acknowledged > 100
