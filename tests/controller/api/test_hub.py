"""Live frames: gathered, versioned, bounded for each watcher."""

from typing import Any

import orjson
import pytest

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import GatewayState
from lamplighter_controller.api.hub import BEAT_S, FRAMES_WAITING, MAX_WATCHERS, REVIEW_S, Hub, TooManyWatchers, Watcher
from lamplighter_controller.api.sight import Sight
from lamplighter_controller.api.steps import REMEMBERED, Steps
from lamplighter_controller.events import CommandChanged, DevicesChanged
from tests.controller.api.world import LAMPS, World, entry


@pytest.fixture
def hub(world: World) -> Hub:
    hub: Hub = world.app.state.hub
    hub.tick()
    return hub


def drain(watcher: Watcher) -> list[Any]:
    return [orjson.loads(watcher.frames.get_nowait()) for _ in range(watcher.frames.qsize())]


def of_type(watcher: Watcher, word: str) -> list[Any]:
    return [frame for frame in drain(watcher) if frame["type"] == word]


LAMP = frozenset({Kind.LAMP})


async def test_the_first_frame_says_where_the_stream_stands(world: World, hub: Hub):
    with hub.watch(LAMP) as watcher:
        (hello,) = drain(watcher)
    assert hello == {
        "type": "hello",
        "version": hub.version,
        "build": "none",
        "rate": 60.0,
        "time_now_ms": world.clock.civil_ms(),
    }


async def test_many_changes_become_one_frame(world: World, hub: Hub):
    with hub.watch(LAMP) as watcher:
        for level in range(10):
            world.light(LAMPS[:2], level, level * 1.5)
        world.light(LAMPS[3:4], 80, 120)
        hub.tick()
        (delta,) = of_type(watcher, "delta")
    assert delta["row"] == [0, 1, 3]
    assert delta["values"] == {"level_percent": [9, 9, 80], "power_w": [13.5, 13.5, 120]}
    assert delta["state"] == [2, 2, 2]


async def test_what_is_not_known_is_null(world: World, hub: Hub):
    with hub.watch(LAMP) as watcher:
        world.light(LAMPS[:1], float("nan"), 120)
        hub.tick()
        (delta,) = of_type(watcher, "delta")
    assert delta["values"].get("level_percent", [None]) == [None]


async def test_a_snapshot_and_the_deltas_after_it_make_the_whole(world: World, hub: Hub):
    with hub.watch(LAMP) as watcher:
        world.light(LAMPS, 30, 45)
        hub.tick()
        snapshot = (await world.get("/latest?kind=lamp")).json()
        world.light(LAMPS[:1], 90, 135)
        hub.tick()
        later = [frame for frame in of_type(watcher, "delta") if frame["version"] > snapshot["version"]]
    assert snapshot["values"]["level_percent"] == [30] * 10
    assert [frame["row"] for frame in later] == [[0]]


async def test_nothing_new_makes_a_beat_and_no_more(world: World, hub: Hub):
    with hub.watch(LAMP) as watcher:
        drain(watcher)
        hub.tick()
        assert drain(watcher) == []
        world.clock.advance(BEAT_S)
        hub.tick()
        assert [frame["type"] for frame in drain(watcher)] == ["beat"]


async def test_a_watcher_gets_only_the_kinds_it_wants(world: World, hub: Hub):
    with hub.watch(frozenset({Kind.CABINET})) as watcher:
        world.light(LAMPS, 30, 45)
        hub.tick()
        assert of_type(watcher, "delta") == []


async def test_time_alone_makes_values_unknown(world: World, hub: Hub):
    world.light(LAMPS, 30, 45)
    hub.tick()
    with hub.watch(LAMP) as watcher:
        world.clock.advance(2_000)
        hub.tick()
        (delta,) = of_type(watcher, "delta")
    assert delta["state"] == [0] * 10


async def test_a_gateway_that_goes_takes_its_lamps_knowledge_along(world: World, hub: Hub):
    world.light(LAMPS, 30, 45)
    world.services.gateways.state("gw-1", GatewayState("b", online=True))
    hub.tick()
    with hub.watch(LAMP) as watcher:
        world.services.gateways.state("gw-1", GatewayState("b", online=False))
        world.clock.advance(REVIEW_S)
        hub.tick()
        (delta,) = of_type(watcher, "delta")
    assert (delta["row"], delta["state"]) == ([0, 1, 2, 3, 4], [0] * 5)


async def test_other_devices_make_everyone_read_afresh(world: World, hub: Hub):
    with hub.watch(LAMP) as watcher:
        world.twin.adopt("gw-1", [entry("lamp-9")])
        hub.take(DevicesChanged("gw-1"))
        assert len(of_type(watcher, "resync")) == 1


async def test_who_does_not_keep_up_is_marked_and_holds_nobody_up(world: World, hub: Hub):
    with hub.watch(LAMP) as slow, hub.watch(LAMP) as quick:
        for level in range(FRAMES_WAITING + 5):
            world.light(LAMPS[:1], level, level)
            hub.tick()
            assert len(drain(quick)) >= 1
        assert slow.slow.is_set()
        assert not quick.slow.is_set()
        assert slow.frames.qsize() == FRAMES_WAITING


async def test_there_is_room_for_so_many_watchers(world: World, hub: Hub):
    hub._watchers.update(Watcher(LAMP, Sight(world.services)) for _ in range(MAX_WATCHERS))
    with pytest.raises(TooManyWatchers), hub.watch(LAMP):
        pass


def test_steps_remember_the_newest_requests(world: World):
    steps = Steps(world.clock)
    for number in range(REMEMBERED + 1):
        steps.take(CommandChanged(f"r{number}", "c", "gw-1", CommandState.SENT, ()))
    world.clock.advance(1)
    steps.take(CommandChanged("r5", "c", "gw-1", CommandState.ACCEPTED, ()))
    assert steps.of("r0") == {}
    assert steps.of("r5")[CommandState.ACCEPTED] == steps.of("r5")[CommandState.SENT] + 1000
