"""The ledger of the fleet over HTTP: waybills declared and imported, strangers adopted."""

import json

from lamplighter_contract.wire.events import Event
from lamplighter_controller.intake.store import put_events
from tests.controller.fleet.test_api import PLACES, bring, report, stocked, world

__all__ = ["world"]
SPAN = "start=1790000000000&end=1800000000000"
HEADER = "id,truck,site,ground,loaded,unloaded,volume_m3\n"
PAPERS = (
    "LD-1,truck-1,seven,east,2026-11-20T09:30:00+08:00,2026-11-20T10:10:00+08:00,10\n"
    "LD-2,truck-2,seven,east,2026-11-20T09:40:00+08:00,,12\n"
)


async def prepared(world):
    await stocked(world)
    await bring(world, "objects", "id,kind,name\nseven,site,Seven\neast,ground,East\n")
    await world.services.fleet.step()


async def get(world, path):
    answer = await world.client.get(f"/api/v1/fleet/{path}", headers=world.bearer("admin"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_waybills_of_a_file_are_taken_whole_and_counted(world):
    await prepared(world)
    path = "/api/v1/fleet/waybills/import?reason=test"
    dry = await world.client.post(path, content=HEADER + PAPERS, headers=world.bearer("operator"))
    assert (dry.json()["dry_run"], dry.json()["rows"]) == (True, 2)
    assert (await bring(world, "waybills", HEADER + PAPERS, name="operator")).json()["added"] == 2
    assert (await bring(world, "waybills", HEADER + PAPERS, name="operator")).json()["replaced"] == 2
    page = await get(world, f"waybills?{SPAN}&closed=true")
    assert [(one["id"], one["company"], one["source"]) for one in page["items"]] == [("LD-1", "red", "declared")]
    [closed] = await get(world, f"waybills/closure?{SPAN}&by=ground")
    assert closed == {
        "name": "east",
        "waybills": 2,
        "closed": 1,
        "closure_rate": 0.5,
        "seen": 0,
        "elsewhere": 0,
        "open": 1,
    }


async def test_every_mistake_of_a_file_of_waybills_is_told(world):
    await prepared(world)
    wrong = (
        "LD-1,truck-99,seven,east,2026-11-20T09:30:00+08:00,2026-11-20T09:00:00+08:00,10\n"
        "LD-2,truck-2,seven,east,yesterday,,12\n"
        "LD-2,truck-2,seven,east,2026-11-20T09:30:00,,12\n"
    )
    answer = await bring(world, "waybills", HEADER + wrong, name="operator")
    assert answer.status_code == 422
    fields = [one["field"] for one in answer.json()["errors"]]
    assert fields == [
        "line 2, truck",
        "line 2, unloaded",
        "line 3, loaded",
        "line 4, loaded",
        "line 4, id",
    ]
    assert (await get(world, f"waybills?{SPAN}"))["total"] == 0


async def test_a_waybill_by_hand(world):
    await prepared(world)
    paper = {"id": "LD-9", "truck": "truck-3", "site": "seven", "ground": "east", "loaded": "2026-11-20T09:30:00+08:00"}
    path = "/api/v1/fleet/waybills?reason=by+telephone"
    answer = await world.client.put(path, json=paper, headers=world.bearer("operator"))
    assert answer.status_code == 200, answer.text
    assert (await get(world, "waybills/LD-9"))["loaded_ms"] == 1795138200000
    missing = await world.client.get("/api/v1/fleet/waybills/LD-8", headers=world.bearer("admin"))
    assert missing.status_code == 404


async def test_a_terminal_that_its_gateway_refused_becomes_a_truck(world):
    await prepared(world)
    detail: dict[str, str | float | int | bool | None] = {
        "bus": "trackers",
        "wire": "jt808",
        "phone": "013900000042",
        "plate": "鲁A00042",
    }
    told = [("gw", Event(f"e-{number}", 1_795_138_200_000, "truck.stranger", None, detail)) for number in (1, 2)]
    await world.services.ledger.write(lambda ledger: put_events(ledger, told))
    [stranger] = await get(world, "strangers")
    assert (stranger["name"], stranger["standing"], stranger["told"]["plate"]) == (
        "013900000042",
        "refused",
        "鲁A00042",
    )
    wanted = {"id": "truck-42", "plate": "鲁A00042", "company": "red", "reason": "delivered on Monday"}
    path = "/api/v1/fleet/strangers/013900000042/adopt"
    answer = await world.client.post(path, json=wanted, headers=world.bearer("admin"))
    assert answer.status_code == 201, answer.text
    line = {"id": "truck-42", "bus": "trackers", "profile": "jt808-std", "address": "013900000042"}
    assert answer.json()["device_line"] == line
    assert (await world.client.post(path, json=wanted, headers=world.bearer("admin"))).status_code == 409


async def test_what_is_wrong_with_an_adoption_is_told(world):
    await prepared(world)
    told = [("gw", Event("e", 1_795_138_200_000, "truck.stranger", None, {"phone": "139"}))]
    await world.services.ledger.write(lambda ledger: put_events(ledger, told))
    for change in ({"company": "nobody"}, {"plate": "鲁A00002"}, {"capacity_m3": -1}):
        wanted = {"id": "truck-9", "plate": "鲁A00009", "company": "red", "reason": "r"} | change
        path = "/api/v1/fleet/strangers/139/adopt"
        answer = await world.client.post(path, json=wanted, headers=world.bearer("admin"))
        assert (answer.status_code, next(iter(change)) in answer.text) == (422, True)


async def test_a_terminal_that_is_served_and_in_no_truck_is_a_stranger_until_it_is_adopted(world):
    await bring(world, "companies", "id,name\nred,红运\n")
    await world.services.fleet.step()
    await report(world, "t-1")
    assert {one["standing"] for one in await get(world, "strangers")} == {"served"}
    wanted = {"id": "truck-1", "plate": "鲁A00001", "company": "red", "reason": "r"}
    path = "/api/v1/fleet/strangers/t-1/adopt"
    answer = await world.client.post(path, json=wanted, headers=world.bearer("admin"))
    assert (answer.json()["truck"]["thing"]["device"], answer.json()["device_line"]) == ("t-1", None)
    await world.services.fleet.step()
    assert "t-1" not in {one["name"] for one in await get(world, "strangers")}


async def test_a_ground_now_has_its_hours_its_trucks_and_what_it_took(world):
    await prepared(world)
    await bring(world, "places", json.dumps(PLACES), "&form=geojson&crs=wgs84")
    grounds = (
        "id,kind,name,place,start,end,intake_m3,sensors\nwest,ground,West,east,00:00,12:00,100,dust-1\n"
        "other,ground,Other,,,,,\n"
    )
    await bring(world, "objects", grounds)
    papers = PAPERS.replace("east", "west")
    await bring(world, "waybills", HEADER + papers, name="operator")
    await world.services.fleet.step()
    await report(world, "t-1", latitude=36.605, longitude=117.105)
    now = await get(world, "objects/west/now")
    assert (now["trucks"], now["volume_m3"], now["used"], now["sensors"]) == (["truck-1"], 10.0, 0.1, {"dust-1": None})
    assert now["open"] is not None
    assert (await get(world, "objects/other/now"))["open"] is None
    missing = await world.client.get("/api/v1/fleet/objects/nowhere/now", headers=world.bearer("admin"))
    assert missing.status_code == 404
