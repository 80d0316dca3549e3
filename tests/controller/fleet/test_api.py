"""The fleet over HTTP: import with coordinate systems, limits by people, policies, tracks, figures, rights."""

import json

import numpy as np
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.quantities import Kind
from lamplighter_controller.events import ReadingsStored
from lamplighter_controller.series.port import Readings
from tests.controller.api.world import RATE, open_world
from tests.controller.fleet.town import entry

TRUCKS = "id,plate,company,device\n" + "".join(f"truck-{n},鲁A{n:05},red,t-{n}\n" for n in range(1, 8))
RING = [[117.10, 36.60], [117.11, 36.60], [117.11, 36.61], [117.10, 36.61], [117.10, 36.60]]
PLACES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [RING]},
            "properties": {"id": "east", "kind": "ground", "basis": "decree 12"},
        }
    ],
}


@pytest.fixture
async def world(tmp_path):
    clock = ManualClock(rate=RATE)
    served = {"gw": [entry(f"t-{number}") for number in range(1, 8)]}
    async with open_world(tmp_path, clock, served, tmp_path) as opened:
        await opened.services.fleet._begin()
        yield opened


async def bring(world, shelf, content, query="", name="admin"):
    path = f"/api/v1/fleet/{shelf}/import?reason=test&dry_run=false{query}"
    return await world.client.post(path, content=content, headers=world.bearer(name))


async def stocked(world):
    await bring(world, "companies", "id,name\nred,红运\n")
    assert (await bring(world, "trucks", TRUCKS)).json()["added"] == 7
    await world.services.fleet.step()


async def report(world, device, **values):
    shown = {"latitude": 36.6, "longitude": 117.1, "speed_kmh": 20.0, "fix": 1.0, "speed_limited": 0.0} | values
    clock = world.clock
    readings = Readings(
        Kind.TRUCK,
        [device],
        np.array([clock.civil_ms()], np.int64),
        {name: np.array([value]) for name, value in shown.items()},
        np.zeros(1, np.uint8),
    )
    world.services.fleet._take(ReadingsStored("gw", readings, live=True))
    await world.services.fleet.step()


async def test_every_mistake_of_a_file_is_told_by_line_and_nothing_is_taken(world):
    await bring(world, "companies", "id,name\nred,红运\n")
    wrong = "id,plate,company,device\ntruck-1,鲁A1,blue,t-1\ntruck-2,鲁A1,red,t-1\nTRUCK,鲁A3,red,t-3\n"
    answer = await bring(world, "trucks", wrong)
    assert answer.status_code == 422
    told = [(one["field"], one["detail"]) for one in answer.json()["errors"]]
    assert [field for field, _ in told] == ["line 2, company", "line 3, plate", "line 3, device", "line 4, id"]
    assert (await world.get("/fleet/trucks")).json()["total"] == 0


@pytest.mark.parametrize(
    ("crs", "shift", "expected"),
    [("", 0.0, "declared with every file"), ("&crs=wgs84", 60.0, "a place in the city"), ("&crs=mars", 0.0, "gcj02")],
)
async def test_positions_that_cannot_be_are_refused_by_line(world, crs, shift, expected):
    moved = json.loads(json.dumps(PLACES))
    moved["features"][0]["geometry"]["coordinates"] = [[[east, north - shift] for east, north in RING]]
    answer = await bring(world, "places", json.dumps(moved), f"&form=geojson{crs}")
    assert answer.status_code == 422
    assert expected in answer.json()["errors"][0]["detail"]


async def test_exchanged_coordinates_are_refused_with_how_they_were_probably_meant(world):
    swapped = json.loads(json.dumps(PLACES))
    swapped["features"][0]["geometry"]["coordinates"] = [[[north, east] for east, north in RING]]
    answer = await bring(world, "places", json.dumps(swapped), "&form=geojson&crs=wgs84")
    assert "latitude and longitude exchanged" in answer.json()["errors"][0]["detail"]


async def test_a_place_is_kept_in_wgs84_with_every_version_and_the_system_it_came_in(world):
    for crs in ("gcj02", "wgs84"):
        assert (await bring(world, "places", json.dumps(PLACES), f"&form=geojson&crs={crs}")).status_code == 200
    first = (await world.get("/fleet/places/east?version=1")).json()
    now = (await world.get("/fleet/places/east")).json()
    assert (first["thing"]["crs"], first["version"], now["thing"]["crs"], now["version"]) == ("gcj02", 1, "wgs84", 2)
    corner = json.loads(first["thing"]["outline"])["coordinates"][0][0]
    assert 0.003 < abs(corner[0] - RING[0][0]) < 0.01


async def test_a_limit_by_a_person_is_asked_judged_sent_and_shown(world):
    await stocked(world)
    wanted = {"trucks": ["truck-1"], "limit_kmh": 40, "for_s": 3600, "reason": "cover open"}
    asked = (await world.post("/fleet/limits", wanted)).json()
    assert (asked["state"], asked["by"]) == ("given", "token:operator")
    await report(world, "t-1")
    [shown] = (await world.get("/fleet/limits?in_force=true")).json()["items"]
    assert (shown["state"], shown["detail"], shown["now"]["speed_kmh"]) == ("waiting", "the driver is being told", 20.0)
    gone = await world.send("DELETE", f"/fleet/limits/{shown['id']}", {"reason": "no"}, name="operator")
    assert gone.status_code == 202
    assert (await world.get("/fleet/limits?in_force=true")).json()["total"] == 0


async def test_a_limit_of_a_fleet_waits_for_another_token(world):
    await stocked(world)
    wanted = {"trucks": [f"truck-{n}" for n in range(1, 8)], "limit_kmh": 40, "reason": "storm"}
    asked = (await world.post("/fleet/limits", wanted)).json()
    assert asked["state"] == "pending"
    path = f"/fleet/limit-asks/{asked['id']}/approve"
    assert (await world.post(path, {"reason": "me"})).status_code == 409
    assert (await world.post(path, {"reason": "seen"}, name="nobody")).json()["approvals"] == ["token:nobody"]
    assert (await world.get("/fleet/limits?in_force=true")).json()["total"] == 7


@pytest.mark.parametrize("op", ["truck.limit_speed", "truck.limit_lift", "truck.release"])
async def test_no_limit_goes_past_the_fleet(world, op):
    args = {"truck.limit_speed": {"limit_kmh": 30, "until": world.clock.civil_ms() + 60_000}}.get(op, {})
    answer = await world.post("/commands", {"op": op, "devices": ["t-1"], "args": args, "reason": "try"})
    assert answer.status_code == 422
    assert "/fleet/limits" in answer.json()["detail"]
    assert not world.commands.taken


async def test_a_red_alert_suspends_every_permit_and_ends_in_one_action(world):
    wanted = {"thrown": True, "reason": "heavy air"}
    assert (await world.send("PUT", "/fleet/red-alert", wanted, name="operator")).json()["thrown"]
    assert world.services.fleet.red_alert()
    await world.send("PUT", "/fleet/red-alert", wanted | {"thrown": False}, name="operator")
    assert not world.services.fleet.red_alert()


async def test_a_policy_is_written_tried_and_switched_on_by_another(world):
    policy = {"id": "cover", "classes": ["cover_open"], "limit_kmh": 30, "text": "请关闭密闭盖"}
    assert (await world.send("PUT", "/fleet/policies?reason=x", policy | {"limit_kmh": 3})).status_code == 422
    written = (await world.send("PUT", "/fleet/policies?reason=x", policy)).json()
    assert (written["version"], written["on"], written["trial"]) == (1, False, None)
    assert (await world.post("/fleet/policies/cover/on", {"reason": "go"})).status_code == 409
    tried = (await world.post("/fleet/policies/cover/trial")).json()
    assert (tried["trucks"], tried["times"]) == (0, 0)
    assert (await world.post("/fleet/policies/cover/on", {"reason": "go"})).json()["on"]
    again = (await world.send("PUT", "/fleet/policies?reason=x", policy)).json()
    assert (again["version"], again["on"]) == (2, False)


async def test_where_trucks_are_and_were(world):
    await stocked(world)
    await report(world, "t-1", lift=1.0)
    shown = (await world.get("/fleet/trucks/truck-1/now")).json()
    assert (shown["plate"], shown["values"]["lift"], shown["age_s"]) == ("鲁A00001", "raised", 0.0)
    track = (await world.get("/fleet/trucks/truck-1/track")).json()
    assert len(track["time_ms"]) == len(track["values"]["latitude"]) == 60
    end = world.clock.civil_ms()
    replay = (await world.get(f"/fleet/replay?start={end - 600_000}&end={end}&step=120")).json()
    assert len(replay["trucks"]) == 7
    assert len(replay["truck"]) == 5
    assert (await world.get("/fleet/positions?company=red")).json()["items"][0]["truck"] == "truck-1"


async def test_figures_of_companies(world):
    await stocked(world)
    await report(world, "t-1")
    await world.services.fleet._trips.keep_days()
    end = world.clock.civil_ms()
    [red] = (await world.get(f"/fleet/figures?start={end - 3_600_000}&end={end + 1}")).json()
    assert (red["company"], red["trucks"], red["violations"], red["closure_rate"]) == ("red", 7, 0, None)
    assert red["online_rate"] == pytest.approx(1 / 7, abs=1e-3)


async def test_a_word_to_the_driver(world):
    await stocked(world)
    asked = await world.post("/fleet/trucks/truck-1/speak", {"text": "请减速", "reason": "school"})
    assert asked.status_code == 202
    assert world.commands.taken[asked.json()["request"]].request.args == {"text": "请减速"}
