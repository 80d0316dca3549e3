"""Stories of signals: what is said through the API, what gateways are told, and what becomes of their lamps."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.signing import Signer, verify
from lamplighter_contract.light.signals import SignalsDocument, read_signals
from lamplighter_controller.lighting.adaptive import store
from lamplighter_controller.lighting.adaptive.engine import SignalKeeper
from lamplighter_controller.lighting.adaptive.rules import Count
from lamplighter_controller.lighting.adaptive.station import Station
from lamplighter_controller.link.memory import MemoryLink
from tests.controller.api.world import LAMPS, RATE, World, entry, open_world

WHY = {"reason": "storms"}
SENSORS = ["lux-east", "lux-west", "lux-north"]
SHELVES: dict[str, dict[str, Any]] = {
    "signals/lux": {"of": "lux", "sensors": SENSORS},
    "signals/fog": {"of": "fog"},
    "signals/flow": {
        "of": "traffic",
        "counters": ["counter-1"],
        "classes": [{"name": "low", "at_least": 0}, {"name": "high", "at_least": 100}],
    },
    "adaptive/dusk": {
        "by": "lux",
        "signal": "lux",
        "levels": {"level_percent": 80},
        "cloud_lux": 60,
        "storm_lux": 20,
        "city": True,
    },
    "adaptive/fog": {"by": "fog", "signal": "fog", "levels": {"level_percent": 100}, "city": True},
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two gateways whose plan listens to lux and fog, at 22:46 of a November night."""
    served = {"gw-1": list(map(entry, LAMPS[:5])), "gw-2": list(map(entry, LAMPS[5:]))}
    async with open_world(tmp_path, ManualClock(rate=RATE), served, tmp_path / "web") as world:
        for path, body in SHELVES.items():
            put = await world.send("PUT", f"/{path}", {"reason": "x", "body": body}, "operator")
            assert put.status_code == 200, put.text
        await world.post("/presets", WHY)
        number = (await world.post("/plans", WHY)).json()["number"]
        checked = await world.post(f"/plans/{number}/validate", WHY)
        assert checked.json()["state"] == "validated", checked.text
        assert (await world.post(f"/plans/{number}/publish", WHY)).status_code == 200
        yield world


def told(world: World) -> list[SignalsDocument]:
    link = world.services.signals.link
    assert isinstance(link, MemoryLink)
    found = []
    for topic, payload, retained in link.sent:
        document = orjson.loads(payload)
        assert verify(document, Signer("commands-1", bytes(32)).public) is None
        read = read_signals(document)
        assert isinstance(read, SignalsDocument)
        assert (topic, retained) == (f"lamplighter/1/down/{read.gateway}/signal", True)
        found.append(read)
    return found


async def say(world: World, signal: str, *inputs: dict[str, Any]) -> Any:
    answer = await world.post(f"/signals/{signal}/inputs", {"inputs": list(inputs)})
    assert answer.status_code == 202, answer.text
    await world.services.signals.look()
    return answer.json()


async def say_lux(world: World, *values: float) -> Any:
    pairs = zip(SENSORS, values, strict=True)
    return await say(world, "lux", *({"sensor": name, "value": value} for name, value in pairs))


async def test_fog_ends_dimming_is_told_signed_and_why_says_so(world: World):
    assert (await world.get(f"/lamps/{LAMPS[0]}/why")).json()["level_percent"] == 50
    shown = await say(world, "fog", {"value": 1})
    assert (shown["value"], shown["silent"]) == (1, "")
    documents = told(world)
    assert [one.gateway for one in documents] == ["gw-1", "gw-2"]
    assert [(one.name, one.value) for one in documents[0].signals] == [("fog", 1)]
    why = (await world.get(f"/lamps/{LAMPS[0]}/why")).json()
    assert (why["level_percent"], why["why"]["winner"], why["why"]["source"]) == (100, "adaptive", "fog")
    night = (await world.get(f"/lamps/{LAMPS[0]}/tonight")).json()
    assert "adaptive" in {change["why"]["winner"] for change in night["changes"]}


async def test_an_expired_signal_falls_back_and_why_says_so(world: World):
    await say(world, "fog", {"value": 1, "for_s": 600})
    world.clock.advance(601 / RATE)
    why = (await world.get(f"/lamps/{LAMPS[0]}/why")).json()
    assert (why["level_percent"], why["why"]["winner"]) == (50, "program")
    assert why["why"]["unused"] == ["fog: no signal fog", "dusk: no signal lux"]
    await world.services.signals.look()
    assert told(world)[-1].signals == ()


async def test_light_is_told_as_a_median_with_the_broken_sensor_named(world: World):
    shown = await say_lux(world, 30, 0, 32)
    assert (shown["value"], shown["broken"]) == (30, {"lux-west": "says 0 lux, the median is 30"})
    assert world.services.alarms.is_raised("sensor:lux")
    assert {signal.value for one in told(world) for signal in one.signals} == {30}
    await say_lux(world, 30, 31, 32)
    assert not world.services.alarms.is_raised("sensor:lux")


async def test_a_signal_is_told_again_when_it_changed_or_when_its_end_is_near_and_not_before(world: World):
    await say_lux(world, 30, 31, 32)
    assert len(told(world)) == 2
    world.clock.advance(60 / RATE)
    await say_lux(world, 30, 31, 32)
    assert len(told(world)) == 2
    await say_lux(world, 10, 11, 12)
    assert len(told(world)) == 4
    world.clock.advance(500 / RATE)
    await say_lux(world, 10, 11, 12)
    versions = [one.version for one in told(world) if one.gateway == "gw-1"]
    assert len(versions) == 3
    assert versions == sorted(set(versions))
    await world.services.signals.connected()
    await world.services.signals.look()
    assert len(told(world)) == 8


async def test_nobody_listens_to_traffic_so_nobody_is_told(world: World):
    shown = await say(world, "flow", {"sensor": "counter-1", "value": 120})
    assert shown["value"] == "high"
    assert [one.signals for one in told(world)] == []
    values = (await world.get("/signal-values")).json()["items"]
    assert {one["id"]: one["value"] for one in values} == {"flow": "high", "fog": None, "lux": None}


async def test_nothing_is_told_while_held(world: World):
    world.actions.is_held = True
    await say(world, "fog", {"value": 1})
    assert told(world) == []


@pytest.mark.parametrize(
    ("signal", "inputs", "fields"),
    [
        (
            "lux",
            [{"sensor": "lux-south", "value": 1}, {"sensor": "lux-east", "value": 1, "for_s": 60}],
            ["0.sensor", "1.for_s"],
        ),
        ("flow", [{"sensor": "counter-1", "value": 1.5}], ["0.value"]),
        ("fog", [{"value": 2, "sensor": "x"}], ["0.sensor", "0.value"]),
        ("lux", [{"sensor": "lux-east", "value": 1, "time_ms": 1893456000000}], ["0.time_ms"]),
    ],
)
async def test_what_is_wrong_is_refused_whole_with_every_error(
    world: World, signal: str, inputs: list[dict[str, Any]], fields: list[str]
):
    refused = await world.post(f"/signals/{signal}/inputs", {"inputs": inputs})
    assert refused.status_code == 422
    assert [fault["field"] for fault in refused.json()["errors"]] == [f"body.inputs.{field}" for field in fields]
    assert (await world.post("/signals/none/inputs", {"inputs": [{"value": 1}]})).status_code == 404


def restarted(world: World) -> SignalKeeper:
    """A keeper that knows nothing but what the ledger holds."""
    return replace(world.services.signals, station=Station(), _told={}, _kept=None, _taken_up=False, _rules={})


async def test_sensors_counters_and_flags_go_on_after_a_restart(world: World):
    await say_lux(world, 31, 30, 29)
    await say(world, "fog", {"value": 1})
    await say(world, "flow", {"sensor": "counter-1", "value": 120})
    before = await world.services.signals.standings()
    assert all(one.signal is not None for one in before)
    assert await restarted(world).standings() == before


async def test_a_run_of_calm_quarters_goes_on_after_a_restart(world: World):
    """A calmer class counts after four whole quarters, two before the restart and two after it."""
    clock = world.services.clock
    assert isinstance(clock, ManualClock)
    await say(world, "flow", {"sensor": "counter-1", "value": 120})
    for quarter in range(6):
        clock.advance(900 / RATE)
        world.services.signals.station.passed_by(await flow(world), 3, clock.civil_ms())
        await world.services.signals.look()
        standing = next(one for one in await world.services.signals.standings() if one.source.id == "flow")
        assert standing.signal is not None
        assert standing.signal.value == ("high" if quarter < 4 else "low")
        if quarter == 2:
            fresh = restarted(world)
            await fresh.sources()
            world.services.signals.station = fresh.station


async def flow(world: World) -> Count:
    return next(one for one in await world.services.signals.sources() if isinstance(one, Count))


async def test_what_a_signal_heard_is_forgotten_with_it(world: World):
    await say(world, "fog", {"value": 1})
    assert "fog" in await world.ledger.read(store.heard)
    gone = await world.send("DELETE", "/signals/fog", {"reason": "x"}, "operator")
    assert gone.status_code in {200, 204}, gone.text
    await world.services.signals.look()
    assert "fog" not in await world.ledger.read(store.heard)


async def test_what_was_told_is_remembered_over_a_restart(world: World):
    await say(world, "fog", {"value": 1})
    signals = restarted(world)
    await signals.look()
    assert [one.name for one in told(world)[-1].signals] == ["fog"]
