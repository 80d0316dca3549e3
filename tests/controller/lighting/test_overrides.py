"""Stories of levels by hand, from the API to gateways that keep the contract."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from lamplighter_contract.level import Override
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_controller.hold import begin
from lamplighter_controller.lighting import store
from lamplighter_controller.lighting.inventory import Luminaire, Road, Structure
from lamplighter_controller.lighting.overrides.desk import WAITS_MS
from lamplighter_controller.lighting.overrides.in_force import standings
from lamplighter_controller.lighting.overrides.standing import Standing
from lamplighter_controller.security import audit
from tests.controller.lighting.lit import LAMPS, LitWorld, open_lit

HOUR_MS = 3_600_000
SQUARE = [[117.0005, 36.6], [117.0035, 36.6], [117.0035, 36.7], [117.0005, 36.7], [117.0005, 36.6]]


@pytest.fixture
async def lit(tmp_path: Path) -> AsyncIterator[LitWorld]:
    async with open_lit(tmp_path) as world:
        yield world


def wanted(level_percent: float = 60, **more: Any) -> dict[str, Any]:
    return {"level_percent": level_percent, "reason": "WO-7", **more}


async def trail(lit: LitWorld) -> list[str]:
    found = await lit.world.ledger.read(lambda connection: audit.newest(connection, limit=200))
    return [one.entry.action for one in reversed(found) if one.entry.action.startswith("override.")]


class TestWhomItIsFor:
    @pytest.mark.parametrize(
        ("target", "lamps"),
        [
            ({"lamps": LAMPS[:2]}, 2),
            ({"groups": ["mains"]}, 30),
            ({"groups": ["few"], "lamps": ["lamp-1-01", "lamp-1-02"]}, 3),
            ({"roads": ["linden"]}, 30),
            ({"districts": ["west", "east"]}, 60),
            ({"area": {"type": "Polygon", "coordinates": [SQUARE]}}, 6),
        ],
    )
    async def test_lamps_groups_roads_districts_and_an_area_on_the_map(
        self, lit: LitWorld, target: dict[str, Any], lamps: int
    ):
        answer = await lit.post("/overrides", wanted(**target))
        assert answer.status_code == 202, answer.text
        assert (answer.json()["lamps"], answer.json()["state"]) == (lamps, "given")
        found = await lit.settle(answer.json()["id"])
        assert (found["verified"], found["not_verified"], found["in_force"]) == (lamps, 0, True)
        assert sum(box.levels.get(name) == 60 for box in lit.boxes.values() for name in LAMPS) == lamps

    async def test_everything_wrong_is_told_at_once_and_nothing_is_taken(self, lit: LitWorld):
        now_ms = lit.clock.civil_ms()
        body = wanted(
            lamps=["lamp-9-99", "lamp-1-01"],
            roads=["nowhere"],
            groups=["none"],
            area={"type": "Polygon", "coordinates": [[[36.6, 117.0], [36.7, 117.1], [36.6, 117.0]]]},
            until=now_ms + 13 * HOUR_MS,
        )
        refused = await lit.post("/overrides", body)
        assert refused.status_code == 422
        fields = [fault["field"] for fault in refused.json()["errors"]]
        assert fields == ["body.lamps", "body.groups", "body.roads", "body.area", "body.area", "body.until"]
        assert (await lit.get("/overrides")).json()["items"] == []

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            ({"level_percent": 60, "reason": "x"}, "name somebody"),
            ({"lamps": ["lamp-1-01"], "reason": "x"}, "level_percent is needed"),
            ({"lamps": ["lamp-1-01"], "level_percent": 60, "for_s": 60, "until": 1763650000000, "reason": "x"}, "both"),
            ({"lamps": ["lamp-1-01"], "emergency": True, "reason": "x"}, "names its end"),
            ({"lamps": ["lamp-1-01"], "emergency": True, "for_s": 60, "level_percent": 50, "reason": "x"}, "full"),
            ({"lamps": ["lamp-1-01"], "level_percent": 60, "until": 1763000000000, "reason": "x"}, "has passed"),
        ],
    )
    async def test_what_has_no_clear_meaning_is_refused(self, lit: LitWorld, body: dict[str, object], word: str):
        refused = await lit.post("/overrides", body)
        assert refused.status_code == 422
        assert word in refused.text

    async def test_level_end_and_names_are_judged_together(self, lit: LitWorld):
        body = {"lamps": ["nobody"], "roads": ["no-road"], "level_percent": 160, "for_s": 46_800, "reason": "x"}
        refused = await lit.post("/overrides", body)
        assert refused.status_code == 422
        told = {error["field"]: error["detail"] for error in refused.json()["errors"]}
        assert len(told) == 4, told
        assert "expected 0 to 100" in told["body.level_percent"]
        assert "more than 12 h" in told["body.until"]


class TestItsLife:
    async def test_it_ends_after_two_hours_unless_somebody_says_otherwise(self, lit: LitWorld):
        now_ms = lit.clock.civil_ms()
        plain = (await lit.post("/overrides", wanted(lamps=LAMPS[:1]))).json()
        lit.clock.advance(1)
        timed = (await lit.post("/overrides", wanted(lamps=LAMPS[1:2], for_s=600))).json()
        assert (plain["until_ms"], timed["until_ms"]) == (now_ms + 2 * HOUR_MS, now_ms + 601_000)
        assert (plain["by"], plain["reason"]) == ("token:operator", "WO-7")
        await lit.settle(plain["id"])
        await lit.settle(timed["id"])
        assert [one["id"] for one in (await lit.get("/overrides")).json()["items"]] == [timed["id"], plain["id"]]
        lit.clock.advance(601)
        assert [one["id"] for one in (await lit.get("/overrides")).json()["items"]] == [plain["id"]]
        assert [one["id"] for one in (await lit.get("/overrides/past")).json()["items"]] == [timed["id"], plain["id"]]

    async def test_the_same_key_is_the_same_override(self, lit: LitWorld):
        key = {"Idempotency-Key": "once"}
        first = (await lit.post("/overrides", wanted(lamps=LAMPS[:1]), **key)).json()
        again = (await lit.post("/overrides", wanted(lamps=LAMPS[:1]), **key)).json()
        assert (first["id"], first["request"]) == (again["id"], again["request"])
        other = await lit.post("/overrides", wanted(70, lamps=LAMPS[:1]), **key)
        assert other.status_code == 409

    async def test_resumed_it_ends_for_lamps_without_a_newer_level(self, lit: LitWorld):
        old = (await lit.post("/overrides", wanted(60, lamps=LAMPS[:3]))).json()["id"]
        await lit.settle(old)
        new = (await lit.post("/overrides", wanted(80, lamps=LAMPS[:1]))).json()["id"]
        await lit.settle(new)
        ended = await lit.send("DELETE", f"/overrides/{old}", {"reason": "done"})
        assert ended.status_code == 202, ended.text
        request = ended.json()["request"]
        resumed = (await lit.get(f"/commands/{request}")).json()
        assert sorted(part["device"] for part in resumed["devices"]) == LAMPS[1:3]
        items = (await lit.get("/overrides")).json()["items"]
        assert {one["id"]: one["lamps_in_force"] for one in items} == {new: 1}
        assert (await lit.get(f"/overrides/{old}")).json()["state"] == "ended"
        assert (await lit.send("DELETE", "/overrides/nothing", {"reason": "x"})).status_code == 404

    async def test_a_level_set_by_a_command_stands_in_the_list_too(self, lit: LitWorld):
        taken = await lit.post(f"/devices/{LAMPS[0]}/level", {"level_percent": 80, "reason": "test"})
        request = taken.json()["request"]
        await lit.settle(request)
        (item,) = (await lit.get("/overrides")).json()["items"]
        assert (item["id"], item["level_percent"], item["by"]) == (request, 80, "token:operator")
        assert (await lit.send("DELETE", f"/overrides/{request}", {"reason": "done"})).status_code == 202


class TestTheSecondPerson:
    async def test_a_dark_road_waits_for_a_second_person_and_then_goes_out(self, lit: LitWorld):
        asked = (await lit.post("/overrides", wanted(0, roads=["spruce"]))).json()
        assert (asked["state"], asked["request"], asked["in_force"]) == ("pending", None, False)
        assert "30 of 60 lamps (50.0 %)" in asked["needs_approval"][0]
        assert (await lit.get("/overrides")).json()["items"][0]["id"] == asked["id"]
        own = await lit.post(f"/overrides/{asked['id']}/approve", {"reason": "it is fine"})
        assert own.status_code == 409
        assert "cannot approve" in own.text
        given = await lit.post(f"/overrides/{asked['id']}/approve", {"reason": "seen"}, name="nobody")
        assert given.status_code == 202, given.text
        assert (given.json()["state"], given.json()["approvals"]) == ("given", ["token:nobody"])
        found = await lit.settle(asked["id"])
        assert found["verified"] == 30
        command = await lit.world.services.commands.request(given.json()["request"])
        assert command is not None
        assert command.request.approvals == ("token:nobody",)
        assert await trail(lit) == ["override.ask", "override.approve"]

    async def test_nobody_approves_and_it_expires(self, lit: LitWorld):
        asked = (await lit.post("/overrides", wanted(0, roads=["spruce"]))).json()["id"]
        lit.clock.advance(WAITS_MS / 1000 + 1)
        late = await lit.post(f"/overrides/{asked}/approve", {"reason": "seen"}, name="nobody")
        assert late.status_code == 409
        await lit.world.services.overrides.expire()
        assert (await lit.get(f"/overrides/{asked}")).json()["state"] == "expired"
        assert await trail(lit) == ["override.ask", "override.expire"]
        assert lit.boxes["gw-1"].levels == {}

    async def test_it_can_be_withdrawn_before(self, lit: LitWorld):
        asked = (await lit.post("/overrides", wanted(0, roads=["spruce"]))).json()["id"]
        gone = await lit.send("DELETE", f"/overrides/{asked}", {"reason": "mistake"})
        assert (gone.status_code, gone.json()["state"]) == (202, "withdrawn")
        assert (await lit.post(f"/overrides/{asked}/approve", {"reason": "x"}, name="nobody")).status_code == 409

    async def test_shares_add_up_over_overrides_and_commands(self, lit: LitWorld):
        first = (await lit.post("/overrides", wanted(0, lamps=LAMPS[:3]))).json()
        assert first["state"] == "given"
        await lit.settle(first["id"])
        more = (await lit.post("/overrides", wanted(0, lamps=LAMPS[3:4]))).json()
        assert more["state"] == "pending"
        args = {"level_percent": 0, "until": lit.clock.civil_ms() + HOUR_MS}
        body = {"op": "light.set", "devices": LAMPS[3:5], "args": args, "reason": "round the gate"}
        assert (await lit.post("/commands", body)).status_code == 409
        one = await lit.post(f"/devices/{LAMPS[5]}/level", {"level_percent": 0, "reason": "round the gate"})
        assert one.status_code == 409
        assert (await lit.post("/overrides", wanted(60, lamps=LAMPS))).json()["state"] == "given"

    async def test_under_the_floor_of_its_road_counts_as_dark(self, lit: LitWorld):
        assert (await lit.post("/presets", {"reason": "x"})).status_code == 200
        dim = wanted(40, roads=["spruce"])
        assert (await lit.post("/overrides", dim)).json()["state"] == "pending"
        assert (await lit.post("/overrides", wanted(40, roads=["linden"]))).json()["state"] == "given"

    async def test_a_lamp_has_the_floor_of_its_road_in_the_plan_in_force(self, lit: LitWorld):
        """The library may have stricter programs that nobody is lit by."""
        why = {"reason": "x"}
        await lit.post("/presets", why)
        number = (await lit.post("/plans", why)).json()["number"]
        await lit.post(f"/plans/{number}/validate", why)
        assert (await lit.post(f"/plans/{number}/publish", why)).status_code == 200
        shelf = (await lit.get("/programs")).json()["items"]
        body = {
            **shelf[0]["body"],
            "id": "strict",
            "floors": {"level_percent": 60},
            "levels": {"level_percent": 100},
            "steps": [],
        }
        put = await lit.send("PUT", "/programs/strict", {**why, "body": body})
        assert put.status_code == 200, put.text
        assert (await lit.post("/overrides", wanted(55, roads=["spruce"]))).json()["state"] == "given"
        assert (await lit.post("/overrides", wanted(45, roads=["spruce"]))).json()["state"] == "pending"

    @pytest.mark.parametrize("structure", list(Structure))
    async def test_a_whole_tunnel_or_junction_needs_a_second_person_however_small(
        self, lit: LitWorld, structure: Structure
    ):
        def work(connection: Connection) -> None:
            store.put(connection, [Road("under", RoadClass.MAIN, structure=structure)])
            store.put(connection, [Luminaire(f"l-{name}", 36.65, 117, name, "under") for name in LAMPS[:2]])

        await lit.world.ledger.write(work)
        first = (await lit.post("/overrides", wanted(0, lamps=LAMPS[:1]))).json()
        assert first["state"] == "given"
        await lit.settle(first["id"])
        second = (await lit.post("/overrides", wanted(0, lamps=LAMPS[1:2]))).json()
        guarded = structure in {Structure.TUNNEL, Structure.JUNCTION}
        assert second["needs_approval"] == ([f"{structure} under would be dark as a whole"] if guarded else [])


class TestEmergency:
    async def test_one_person_lights_an_area_and_sees_who_is_lit(self, lit: LitWorld):
        lit.gone.add("gw-2")
        body = {
            "area": {"type": "Polygon", "coordinates": [SQUARE]},
            "emergency": True,
            "for_s": 3600,
            "reason": "accident",
        }
        asked = await lit.post("/overrides", body)
        assert asked.status_code == 202, asked.text
        assert (asked.json()["state"], asked.json()["level_percent"]) == ("given", 100)
        await lit.settle((await lit.post("/overrides", wanted(50, lamps=LAMPS[:1]))).json()["id"])
        found = (await lit.get(f"/overrides/{asked.json()['id']}")).json()
        assert (found["verified"], found["not_verified"]) == (3, 3)
        assert [one["gateway"] for one in found["read_back"][:3]] == ["gw-2"] * 3
        assert [one["verified"] for one in found["read_back"]] == [False] * 3 + [True] * 3

    async def test_what_is_ended_under_an_emergency_does_not_come_back_after_it(self, lit: LitWorld):
        under = (await lit.post("/overrides", wanted(40, lamps=LAMPS[:1]))).json()["id"]
        await lit.settle(under)
        light = {"lamps": LAMPS[:1], "emergency": True, "for_s": 3600, "reason": "accident"}
        emergency = (await lit.post("/overrides", light)).json()["id"]
        await lit.settle(emergency)
        ended = await lit.send("DELETE", f"/overrides/{under}", {"reason": "done"})
        assert (ended.json()["state"], ended.json()["request"]) == ("ended", None)
        now = lit.clock.civil_ms(), lit.clock.wall_ms()
        found = await lit.world.ledger.read(lambda connection: standings(connection, now[1], now[0]))
        assert [record.emergency for record in found["gw-1"].taken] == [True]
        assert found["gw-1"].as_of_seq == lit.boxes["gw-1"].highest


class TestWhatPlansTell:
    async def test_what_was_taken_is_listed_and_numbers_in_doubt_are_left_alone(self, lit: LitWorld):
        lit.gone.add("gw-2")
        taken = (await lit.post("/overrides", wanted(60, lamps=[LAMPS[0], LAMPS[30]]))).json()["id"]
        await lit.settle((await lit.post("/overrides", wanted(70, lamps=LAMPS[1:2]))).json()["id"])
        now = lit.clock.civil_ms(), lit.clock.wall_ms()
        found = await lit.world.ledger.read(lambda connection: standings(connection, now[1], now[0]))
        assert [record.device for record in found["gw-1"].taken] == LAMPS[:2]
        assert found["gw-1"].as_of_seq == lit.boxes["gw-1"].highest
        assert found["gw-2"].taken == ()
        assert [record.device for record in found["gw-2"].doubtful] == [LAMPS[30]]
        assert found["gw-2"].as_of_seq == found["gw-2"].doubtful[0].seq - 1
        assert isinstance(found["gw-1"].taken[0], Override)
        assert taken
        assert found.get("gw-3", Standing()).as_of_seq == 0

    async def test_after_a_restore_no_plan_ends_what_the_backup_did_not_know(self, lit: LitWorld):
        before = (await lit.post("/overrides", wanted(60, lamps=LAMPS[:1]))).json()["id"]
        await lit.settle(before)
        known = lit.boxes["gw-1"].highest
        lit.clock.advance(60)
        restored_ms = lit.clock.wall_ms()
        await lit.world.ledger.write(lambda connection: begin(connection, time_ms=restored_ms))
        lit.clock.advance(60)
        after = (await lit.post("/overrides", wanted(70, lamps=LAMPS[1:2]))).json()["id"]
        await lit.settle(after)

        async def as_of() -> int:
            now = lit.clock.civil_ms(), lit.clock.wall_ms()
            return (await lit.world.ledger.read(lambda found: standings(found, now[1], now[0])))["gw-1"].as_of_seq

        assert await as_of() == known < lit.boxes["gw-1"].highest
        lit.clock.advance(13 * 3600)
        assert await as_of() == lit.boxes["gw-1"].highest
