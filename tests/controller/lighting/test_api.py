"""Stories of people who light a city by plan, through the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.level import Winner
from lamplighter_contract.light.plans.plan import Plan, decode_plan
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import GatewayState
from lamplighter_controller.lighting import records
from lamplighter_controller.security import audit
from tests.controller.api.world import LAMPS, RATE, World, entry, open_world

WHY = {"reason": "winter hours"}
LUMINAIRES = "id,device,latitude,longitude,road,model\n" + "".join(
    f"l-{number},{lamp},36.65,117.12,spruce,led-120\n" for number, lamp in enumerate(LAMPS)
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two gateways with five lamps each, at 22:46 of a November night."""
    served = {
        "gw-1": [*map(entry, LAMPS[:5]), entry("circuit-01-a", Kind.CIRCUIT)],
        "gw-2": list(map(entry, LAMPS[5:])),
        "gw-3": [entry("cab-03", Kind.CABINET)],
    }
    async with open_world(tmp_path, ManualClock(rate=RATE), served, tmp_path / "web") as world:
        yield world


async def drafted(world: World) -> int:
    answer = await world.post("/plans", WHY)
    assert answer.status_code == 201, answer.text
    number = int(answer.json()["number"])
    checked = await world.post(f"/plans/{number}/validate", WHY)
    assert checked.json()["state"] == "validated", checked.text
    return number


async def lit_by_presets(world: World) -> int:
    assert (await world.post("/presets", WHY)).status_code == 200
    number = await drafted(world)
    published = await world.post(f"/plans/{number}/publish", WHY)
    assert published.json() == {"versions": {"gw-1": 1, "gw-2": 1}}, published.text
    return number


async def imported(world: World, kind: str, text: str, query: str = "crs=wgs84&dry_run=false"):
    return await world.client.post(
        f"/api/v1/{kind}/import?reason=survey&{query}", content=text.encode(), headers=world.bearer("admin")
    )


async def with_inventory(world: World) -> None:
    for kind, text in (
        ("roads", "id,road_class\nspruce,main\n"),
        ("luminaire-models", "id,rated_w\nled-120,120\n"),
        ("luminaires", LUMINAIRES),
    ):
        answer = await imported(world, kind, text)
        assert answer.status_code == 200, answer.text


class TestFromPresetsToLamps:
    async def test_until_somebody_publishes_every_lamp_follows_its_own_schedule(self, world: World):
        await world.post("/presets", WHY)
        await drafted(world)
        why = (await world.get(f"/lamps/{LAMPS[0]}/why")).json()
        assert (why["level_percent"], why["why"]["winner"], why["plan_version"]) == (None, "own", None)
        assert (await world.get(f"/lamps/{LAMPS[0]}/tonight")).status_code == 409
        assert (await world.get("/plans/versions")).json() == {"items": []}
        assert await world.ledger.read(records.documents) == {}

    async def test_a_published_plan_says_of_each_lamp_what_it_does_and_why(self, world: World):
        await lit_by_presets(world)
        world.light([LAMPS[0]], 50, 44, desired_percent=50, desired_by=tuple(Winner).index(Winner.PROGRAM))
        world.light([LAMPS[1]], 100, 88, desired_percent=100)
        why = (await world.get(f"/lamps/{LAMPS[0]}/why")).json()
        assert (why["level_percent"], why["agrees"], why["plan_version"], why["told_version"]) == (50, True, 1, 0)
        assert (why["why"]["winner"], why["why"]["program"], why["why"]["source"]) == (
            "program",
            "saving-winter",
            "step 1",
        )
        assert why["reported_by"] == "program"
        assert (await world.get(f"/lamps/{LAMPS[1]}/why")).json()["agrees"] is False
        assert (await world.get(f"/lamps/{LAMPS[2]}/why")).json()["agrees"] is None

        night = (await world.get(f"/lamps/{LAMPS[0]}/tonight")).json()
        assert night["day"] == "2025-11-20"
        sources = [change["why"]["source"] for change in night["changes"]]
        assert sources == ["before", "begin", "step 1", "step 1", "step 2", "step 2", "after"]
        assert [change["start_ms"] for change in night["changes"]] == sorted(
            change["start_ms"] for change in night["changes"]
        )
        summer = (await world.get(f"/lamps/{LAMPS[0]}/tonight?day=2026-06-21")).json()
        assert summer["changes"][1]["why"]["program"] == "saving-summer"
        for day in ("9999-12-31", "0001-01-01", "tomorrow"):
            assert (await world.get(f"/lamps/{LAMPS[0]}/tonight?day={day}")).status_code == 422

    async def test_a_lamp_on_a_circuit_that_is_open_by_plan_is_off_and_not_silent(self, world: World):
        await with_inventory(world)
        rows = "".join(f"l-{number},{lamp},36.65,117.12,circuit-01-a\n" for number, lamp in enumerate(LAMPS[:2]))
        for kind, text in (
            ("cabinets", "id\ncab-01\n"),
            ("circuits", "id,cabinet\ncircuit-01-a,cab-01\n"),
            ("luminaires", "id,device,latitude,longitude,circuit\n" + rows),
        ):
            assert (await imported(world, kind, text)).status_code == 200
        await lit_by_presets(world)

        async def open_circuit(lamp: str) -> str | None:
            found: str | None = (await world.get(f"/lamps/{lamp}/why")).json()["open_circuit"]
            return found

        assert await open_circuit(LAMPS[0]) is None
        world.clock.advance(13 * 3600 / RATE)
        assert [await open_circuit(lamp) for lamp in LAMPS[:3]] == ["circuit-01-a", "circuit-01-a", None]

    async def test_a_manual_level_in_force_wins_and_says_what_it_beat(self, world: World):
        await lit_by_presets(world)
        until = world.clock.civil_ms() + 3_600_000
        args = {"level_percent": 80, "until": until}
        body = {"op": "light.set", "devices": [LAMPS[0]], "args": args, "reason": "test"}
        taken = await world.post("/commands", body)
        world.commands.move(taken.json()["request"], CommandState.VERIFIED)
        why = (await world.get(f"/lamps/{LAMPS[0]}/why")).json()
        assert (why["level_percent"], why["why"]["winner"], why["why"]["beat"]) == (80, "override", ["program"])
        assert why["why"]["until_ms"] == until

    async def test_a_draft_can_be_looked_at_before_it_is_published(self, world: World):
        await world.post("/presets", WHY)
        number = await drafted(world)
        night = (await world.get(f"/lamps/{LAMPS[0]}/tonight?plan={number}")).json()
        assert night["plan_version"] is None
        assert len(night["changes"]) == 7
        assert (await world.get(f"/lamps/{LAMPS[0]}/tonight?plan=99")).status_code == 404

    @pytest.mark.parametrize("what", ["why", "tonight"])
    async def test_what_is_no_lamp_has_no_level(self, world: World, what: str):
        for device in ("circuit-01-a", "lamp-99-999"):
            assert (await world.get(f"/lamps/{device}/{what}")).status_code == 404


class TestTheGate:
    async def test_a_plan_with_errors_stays_a_draft_and_lists_them_all(self, world: World):
        body = {"calendar": "no-such", "city": True, "roads": ["no-road"]}
        await world.send("PUT", "/assignments/a", {"reason": "x", "body": body}, "operator")
        number = (await world.post("/plans", WHY)).json()["number"]
        checked = (await world.post(f"/plans/{number}/validate", WHY)).json()
        assert checked["state"] == "draft"
        assert {"no road no-road", "assignment 1: no calendar no-such"} <= {one["what"] for one in checked["problems"]}
        refused = await world.post(f"/plans/{number}/publish", WHY)
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
        assert "not validated" in refused.json()["detail"]
        looked_at = await world.get(f"/lamps/{LAMPS[0]}/tonight?plan={number}")
        assert (looked_at.status_code, looked_at.json()["detail"]) == (
            409,
            f"plan {number}: assignment 1: no calendar no-such",
        )
        assert (await world.get(f"/plans/{number}/diff")).status_code == 200

    async def test_taking_light_away_needs_a_second_person(self, world: World):
        first = await lit_by_presets(world)
        await with_inventory(world)
        body = {"calendar": "half-night-loop", "roads": ["spruce"]}
        put = await world.send("PUT", "/assignments/spruce", {"reason": "save", "body": body}, "operator")
        assert put.json()["version"] == 1, put.text
        second = await drafted(world)
        diff = (await world.get(f"/plans/{second}/diff")).json()
        assert (diff["lamps"], diff["changed"], diff["dark"], diff["dark_roads"]) == (10, 10, 10, ["spruce"])
        assert diff["peak_before_kw"] == pytest.approx(1.2)
        assert diff["energy_after_kwh"] < diff["energy_before_kwh"]
        assert "road spruce goes dark" in diff["needs_approval"][0]

        assert (await world.post(f"/plans/{second}/publish", WHY)).status_code == 409
        assert (await world.post(f"/plans/{second}/approve", WHY)).status_code == 409  # by its author
        approved = await world.post(f"/plans/{second}/approve", WHY, name="nobody")
        assert approved.json()["approvals"] == ["token:nobody"], approved.text
        canary = await world.post(f"/plans/{second}/publish", WHY | {"gateways": ["gw-2"]})
        assert canary.json() == {"versions": {"gw-2": 2}}, canary.text
        untried = await world.post(f"/plans/{second}/publish", WHY)
        assert (untried.status_code, "a few gateways first" in untried.json()["detail"]) == (409, True)
        world.services.gateways.state("gw-2", GatewayState("b-1", online=True, plan_version=2, rate=RATE))
        assert (await world.post(f"/plans/{second}/publish", WHY)).json() == {"versions": {"gw-1": 2, "gw-2": 3}}

        back = await world.post("/plans/back", WHY)
        assert back.json() == {"versions": {"gw-1": 3, "gw-2": 4}}
        items = (await world.get("/plans/versions")).json()["items"]
        assert [one["plan"] for one in items] == [first, first]
        history = (await world.get("/plans/versions/gw-2")).json()["items"]
        assert [one["plan"] for one in history] == [first, second, second, first]

    async def test_a_held_controller_publishes_nothing(self, world: World):
        number = await lit_by_presets(world)
        world.actions.is_held = True
        for path in (f"/plans/{number}/publish", "/plans/back"):
            refused = await world.post(path, WHY)
            assert refused.status_code == 409
            assert "held" in refused.json()["detail"]

    async def test_other_steps_that_cannot_be_taken(self, world: World):
        number = await lit_by_presets(world)
        assert (await world.post(f"/plans/{number}/validate", WHY)).status_code == 409
        assert (await world.post(f"/plans/{number}/approve", WHY, name="nobody")).status_code == 409
        assert (await world.post("/plans/back", WHY)).status_code == 409
        strange = await world.post(f"/plans/{number}/publish", WHY | {"gateways": ["gw-9"]})
        assert "gw-9 is not enrolled" in strange.json()["detail"]
        assert (await world.post("/plans/99/publish", WHY)).status_code == 404

    async def test_a_version_is_above_what_the_gateway_runs_and_what_a_restore_set(self, world: World):
        number = await lit_by_presets(world)
        world.services.gateways.state("gw-1", GatewayState("b-1", online=True, plan_version=1, rate=RATE))
        running = {one["gateway"]: one["running"] for one in (await world.get("/plans/versions")).json()["items"]}
        assert running == {"gw-1": True, "gw-2": False}
        world.services.gateways.state("gw-1", GatewayState("b-2", online=True, plan_version=41, rate=RATE))
        again = await world.post(f"/plans/{number}/publish", WHY)
        assert again.json() == {"versions": {"gw-1": 42, "gw-2": 2}}
        await world.ledger.write(lambda connection: records.raise_floor(connection, 1000))
        again = await world.post(f"/plans/{number}/publish", WHY)
        assert again.json() == {"versions": {"gw-1": 1001, "gw-2": 1001}}
        stored = await world.ledger.read(records.documents)
        plan = decode_plan(stored["gw-1"])
        assert isinstance(plan, Plan)
        assert (plan.gateway, plan.version) == ("gw-1", 1001)

    async def test_every_step_is_in_the_audit_trail(self, world: World):
        number = await lit_by_presets(world)
        trail = await world.ledger.read(lambda connection: audit.newest(connection, subject=f"plan:{number}"))
        assert [recorded.entry.action for recorded in trail] == ["plan.publish", "plan.validate", "plan.draft"]
        assert trail[0].entry.detail == {"versions": {"gw-1": 1, "gw-2": 1}}
        assert (trail[0].entry.who, trail[0].entry.reason) == ("token:operator", "winter hours")


class TestInventory:
    async def test_a_dry_run_lists_every_mistake_and_an_import_with_one_takes_nothing(self, world: World):
        text = "id,latitude,longitude\nl-1,36.65,117.12\nl-2,96,117.12\nl-3,36,x\n"
        tried = (await imported(world, "luminaires", text, "crs=wgs84")).json()
        assert tried["dry_run"] is True
        assert [(one["line"], one["key"]) for one in tried["mistakes"]] == [(3, "latitude"), (4, "longitude")]
        refused = await imported(world, "luminaires", text)
        assert refused.status_code == 422
        assert [one["field"] for one in refused.json()["errors"]] == ["line 3, latitude", "line 4, longitude"]
        assert (await world.get("/luminaires")).json()["total"] == 0

    @pytest.mark.parametrize("crs", ["", "crs=epsg:4490&"])
    async def test_positions_in_an_unknown_system_or_none_are_refused(self, world: World, crs: str):
        refused = await imported(world, "luminaires", LUMINAIRES, f"{crs}dry_run=false")
        assert refused.status_code == 422
        assert "one of wgs84, cgcs2000, gcj02, bd09" in refused.text

    async def test_positions_outside_the_city_are_refused_by_line(self, world: World):
        text = "id,latitude,longitude\ncab-01,36.65,117.12\ncab-02,39.9,116.4\n"
        (mistake,) = (await imported(world, "cabinets", text, "crs=wgs84")).json()["mistakes"]
        assert (mistake["line"], mistake["key"], mistake["value"]) == (3, "position", "39.9, 116.4")
        assert "a place in the city (36 to 37 north, 116 to 118 east)" in mistake["expected"]

    async def test_positions_of_a_base_map_are_kept_in_wgs84(self, world: World):
        await imported(
            world, "cabinets", "id,latitude,longitude\ncab-01,36.65043,117.12613\n", "crs=gcj02&dry_run=false"
        )
        (kept,) = (await world.get("/cabinets")).json()["items"]
        assert (kept["latitude"], kept["longitude"]) == (
            pytest.approx(36.65, abs=1e-5),
            pytest.approx(117.12, abs=1e-5),
        )

    async def test_what_was_imported_is_listed_and_goes_out_again(self, world: World):
        await with_inventory(world)
        listed = (await world.get("/luminaires?limit=1")).json()
        assert (listed["total"], listed["items"][0]["device"]) == (10, LAMPS[0])
        exported = await world.get("/luminaires/export")
        again = await imported(world, "luminaires", exported.text)
        assert again.json() == {"dry_run": False, "rows": 10, "added": 0, "replaced": 10, "mistakes": []}
        placed = await world.get("/luminaires/export?form=geojson")
        assert len(placed.json()["features"]) == 10
        tried = await imported(world, "luminaires", placed.text, "crs=wgs84&form=geojson")
        assert tried.json()["mistakes"] == []
        trail = await world.ledger.read(lambda connection: audit.newest(connection, subject="inventory:luminaires"))
        assert [recorded.entry.detail for recorded in trail] == [
            {"added": 0, "replaced": 10},
            {"added": 10, "replaced": 0},
        ]

    async def test_what_is_no_text_and_what_has_no_position(self, world: World):
        headers = world.bearer("admin")
        answer = await world.client.post(
            "/api/v1/roads/import?reason=x", content=b"id,road_class\nr,\xff\n", headers=headers
        )
        assert answer.json()["mistakes"] == [{"line": 2, "key": "", "value": "b'\\xff'", "expected": "UTF-8"}]
        assert (await world.get("/roads/export?form=geojson")).status_code == 422

    async def test_the_class_of_the_road_decides_the_level(self, world: World):
        await with_inventory(world)
        await lit_by_presets(world)
        assert (await world.get(f"/lamps/{LAMPS[0]}/why")).json()["level_percent"] == 60


class TestLibrary:
    @pytest.mark.parametrize(
        ("path", "body", "word"),
        [
            ("/programs/p", {"levels": {"level_percent": 101}}, "101"),
            ("/programs/p", {}, "levels"),
            ("/programs/p", {"id": "q", "levels": {"level_percent": 50}}, "address"),
            ("/programs/p", {"levels": {"level_percent": 50}, "colour": "red"}, "Expected some of"),
            (
                "/calendars/c",
                {"default_program": "p", "rules": [{"id": "r", "program": "p", "start": "--01-01"}]},
                "end",
            ),
            ("/assignments/A", {"calendar": "c"}, "id"),
        ],
    )
    async def test_what_is_wrong_is_refused_with_its_place(self, world: World, path: str, body: object, word: str):
        refused = await world.send("PUT", path, {"reason": "x", "body": body}, "operator")
        assert refused.status_code == 422
        if word != "101":
            assert word in refused.json()["detail"]
        assert (await world.get(path.rpartition("/")[0])).json() == {"items": []}

    async def test_an_item_is_put_read_and_removed(self, world: World):
        body = {"levels": {"level_percent": 50.0}}
        put = await world.send("PUT", "/programs/dim", {"reason": "x", "body": body}, "operator")
        assert (put.json()["version"], put.json()["body"]["id"]) == (1, "dim")
        assert (await world.get("/programs/dim")).json() == put.json()
        removed = await world.send("DELETE", "/programs/dim", WHY, "operator")
        assert removed.status_code == 204
        assert (await world.get("/programs/dim")).status_code == 404
        assert (await world.send("DELETE", "/programs/dim", WHY, "operator")).status_code == 404
