"""A company's dispatcher sees its own trucks, and of the others not even that they are there."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.quantities import Kind
from lamplighter_controller.api.hub import Hub
from lamplighter_controller.api.live import _next
from lamplighter_controller.api.sight import sight_of
from lamplighter_controller.events import AlarmChanged, FleetChanged, IncidentChanged
from lamplighter_controller.fleet.limits import records as limit_records
from lamplighter_controller.fleet.limits.limit import Limit, LimitState, What
from lamplighter_controller.fleet.trips import records as trip_records
from lamplighter_controller.fleet.trips.follow import Trip
from lamplighter_controller.fleet.violations import records as violation_records
from lamplighter_controller.fleet.violations.violation import Violation
from lamplighter_controller.security import tokens
from lamplighter_controller.security.accounts import records
from lamplighter_controller.security.callers import Caller, of_token
from lamplighter_controller.security.rights import Right, Role, Scope
from tests.controller.api.people import Person, person
from tests.controller.api.world import RATE, World, open_world, readings
from tests.controller.fleet.town import entry

RED = Scope(companies=frozenset({"red"}))
TRUCKS = "id,plate,company,device\ntruck-1,鲁A1,red,t-1\ntruck-2,鲁A2,blue,t-2\n"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """One truck of each of two companies, each with a violation, a limit and a trip; and a lamp."""
    clock = ManualClock(rate=RATE)
    served = {"gw": [entry("t-2"), entry("t-1")]}
    async with open_world(tmp_path, clock, served, tmp_path) as opened:
        await opened.services.fleet._begin()
        for shelf, content in (("companies", "id,name\nred,Red\nblue,Blue\n"), ("trucks", TRUCKS)):
            path = f"/api/v1/fleet/{shelf}/import?reason=test&dry_run=false"
            answer = await opened.client.post(path, content=content, headers=opened.bearer("admin"))
            assert answer.status_code == 200, answer.text
        await opened.services.fleet.step()
        await opened.ledger.write(lambda connection: stock(connection, clock.civil_ms()))
        yield opened


def stock(connection, now_ms):
    for number, company in ((1, "red"), (2, "blue")):
        truck, hour = f"truck-{number}", now_ms - 3_600_000
        found = Violation(f"v-{number}", truck, company, "overspeed", 0.9, hour, hour + 1, hour, hour)
        violation_records.add(connection, [found], "test")
        limit = Limit(f"l-{number}", truck, f"t-{number}", What.SPEED, LimitState.RELEASED, hour)
        limit_records.add_limits(connection, [limit])
        trip_records.put_trip(connection, Trip(truck, hour))


@pytest.fixture
async def dispatcher(world: World) -> Person:
    return await person(world, Role.DISPATCHER, RED)


async def test_lists_hold_the_own_trucks_only(world: World, dispatcher: Person):
    now_ms = world.clock.civil_ms()
    span = f"start={now_ms - 7_200_000}&end={now_ms}"
    for path, names in {
        "/fleet/positions": lambda found: [one["truck"] for one in found["items"]],
        "/fleet/violations": lambda found: [one["truck"] for one in found["items"]],
        "/fleet/violations?company=blue": lambda found: ["truck-1"] * (1 + found["total"]),
        "/fleet/limits": lambda found: [one["truck"] for one in found["items"]],
        f"/fleet/trips?{span}": lambda found: [one["truck"] for one in found],
        f"/fleet/replay?{span}": lambda found: found["trucks"],
        f"/fleet/figures?{span}": lambda found: ["truck-1" for one in found if one["company"] == "red"] or found,
        "/devices": lambda found: ["truck-1" for one in found["items"] if one["id"] == "t-1"] * found["total"],
        "/latest?kind=truck": lambda found: ["truck-1" if one == "t-1" else one for one in found["ids"]],
    }.items():
        answer = await dispatcher.get(path)
        assert (answer.status_code, names(answer.json())) == (200, ["truck-1"]), path
        assert "blue" not in answer.text, path
    assert (await dispatcher.get("/latest?kind=lamp")).json()["ids"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/fleet/trucks/truck-{n}/now",
        "/fleet/trucks/t-{n}/now",
        "/fleet/trucks/truck-{n}/track",
        "/fleet/violations/v-{n}",
        "/fleet/violations/v-{n}/evidence",
        "/fleet/limits/l-{n}",
        "/devices/t-{n}",
        "/devices/t-{n}/latest",
        "/devices/t-{n}/history?start=1763000000000&end=1763000060000&quantities=speed_kmh",
    ],
)
async def test_of_others_not_even_that_they_are_there(dispatcher: Person, path: str):
    assert (await dispatcher.get(path.format(n=1))).status_code == 200
    foreign, none = [await dispatcher.get(path.format(n=n)) for n in (2, 7)]
    assert foreign.status_code == none.status_code == 404
    assert foreign.text.replace("-2", "-7") == none.text


async def test_a_package_of_another_company_is_not_there(dispatcher: Person):
    assert (await dispatcher.get("/fleet/violations/v-2/packages/1")).json()["errors"][0]["field"] == "path.violation"


async def caller_of(world: World, who: Person) -> Caller:
    found = await world.ledger.read(lambda connection: records.caller(connection, who.name))
    assert found is not None
    return found


async def test_live_values_are_of_the_own_trucks_and_numbered_as_in_latest(world: World, dispatcher: Person):
    hub: Hub = world.app.state.hub
    sight = sight_of(world.services, await caller_of(world, dispatcher))
    trucks = frozenset({Kind.TRUCK})
    with hub.watch(trucks, sight) as own, hub.watch(trucks) as all_of_them:
        hub.tick()
        for watcher in (own, all_of_them):
            while not watcher.frames.empty():
                watcher.frames.get_nowait()
        now_s = world.clock.monotonic_s()
        for device in ("t-1", "t-2"):
            told = readings(Kind.TRUCK, [device], world.clock.civil_ms(), {"speed_kmh": 30.0})
            world.twin.apply(told, now_s)
        hub.tick()
        mine = [json.loads(own.frames.get_nowait()) for _ in range(own.frames.qsize())]
        theirs = [json.loads(all_of_them.frames.get_nowait()) for _ in range(all_of_them.frames.qsize())]
    assert [frame["row"] for frame in mine if frame["type"] == "delta"] == [[0]]
    assert [frame["row"] for frame in theirs if frame["type"] == "delta"] == [[0, 1]]


async def test_what_happens_is_told_of_the_own_trucks_only(world: World, dispatcher: Person):
    sight = sight_of(world.services, await caller_of(world, dispatcher))
    with world.events.subscribe(FleetChanged, IncidentChanged, AlarmChanged) as subscription:
        world.events.publish(FleetChanged("violation", "v-2", "truck-2", "candidate", 0))
        world.events.publish(FleetChanged("switch", "kill", "", "thrown", 0))
        world.events.publish(AlarmChanged("disk", raised=True, text="full", time_ms=0))
        world.events.publish(FleetChanged("violation", "v-1", "truck-1", "candidate", 0))
        told = await _next(subscription, sight)
    assert b'"v-1"' in told


async def test_a_token_of_a_company_is_confined_the_same_way(world: World):
    made = await world.ledger.write(
        lambda c: tokens.create(c, "depot", [Right.READ], who="x", reason="x", time_ms=1, random=os.urandom, scope=RED)
    )
    assert isinstance(made, str)
    headers = {"Authorization": f"Bearer {made}"}
    found = (await world.client.get("/api/v1/fleet/positions", headers=headers)).json()
    assert [one["truck"] for one in found["items"]] == ["truck-1"]
    for path in ("/plans", "/incidents", "/fleet/drivers", "/fleet/switches"):
        assert (await world.client.get(f"/api/v1{path}", headers=headers)).status_code == 403, path
    token = await world.ledger.read(lambda c: tokens.check(c, made, 1))
    assert token is not None
    assert sight_of(world.services, of_token(token)).trucks == RED
