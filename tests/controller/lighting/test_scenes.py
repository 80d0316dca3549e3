"""Stories of shows: kept in the library, rehearsed, refused by a wire, started, told with the plan, stopped, over."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lamplighter_contract.light.level import level
from lamplighter_contract.light.plans.plan import Plan, decode_plan
from lamplighter_contract.light.view import View
from lamplighter_contract.wire.documents import BusEntry, GatewayState
from lamplighter_controller.lighting import records
from lamplighter_controller.lighting.upkeep import LightUpkeep
from tests.controller.lighting.lit import LAMPS, LitWorld, open_lit

WHY = {"reason": "New Year"}
CUES = [
    {"after_s": 0, "level_percent": 50, "groups": ["mains"]},
    {"after_s": 60, "level_percent": 100, "ramp_s": 20, "groups": ["mains"]},
    {"after_s": 60, "level_percent": 20, "devices": [LAMPS[30]]},
]
SHOW = {"cues": CUES, "length_s": 600}
FAST = {
    "cues": [{"after_s": second, "level_percent": 50 + second, "city": True} for second in range(0, 20, 1)],
    "length_s": 60,
}


@pytest.fixture
async def lit(tmp_path: Path) -> AsyncIterator[LitWorld]:
    """Gateways that run the presets, on buses that nobody declared."""
    async with open_lit(tmp_path) as world:
        await world.post("/presets", WHY)
        number = (await world.post("/plans", WHY)).json()["number"]
        await world.post(f"/plans/{number}/validate", WHY)
        assert (await world.post(f"/plans/{number}/publish", WHY)).status_code == 200
        yield world


def upkeep(lit: LitWorld, quiet_s: float = 60.0) -> LightUpkeep:
    services = lit.world.services
    return LightUpkeep(
        services.ledger,
        services.twin,
        services.gateways,
        services.overrides,
        services.events,
        services.clock,
        lit.world.actions.held,
        lambda: None,
        quiet_s,
    )


async def keep(lit: LitWorld, name: str, body: dict[str, Any]) -> None:
    put = await lit.send("PUT", f"/scenes/{name}", {**WHY, "body": body})
    assert put.status_code == 200, put.text


async def plans(lit: LitWorld) -> dict[str, Plan]:
    found = await lit.world.ledger.read(records.documents)
    read = {gateway: decode_plan(document) for gateway, document in found.items()}
    return {gateway: plan for gateway, plan in read.items() if isinstance(plan, Plan)}


async def test_a_show_goes_ahead_with_the_plans_of_those_who_play_it(lit: LitWorld):
    await keep(lit, "new-year", SHOW)
    starts_ms = lit.clock.civil_ms() + 3_600_000
    started = await lit.post("/scenes/new-year/start", {**WHY, "starts_ms": starts_ms})
    assert started.status_code == 202, started.text
    light = upkeep(lit)
    await light.look()
    told = await plans(lit)
    assert {name: plan.version for name, plan in told.items()} == {"gw-1": 2, "gw-2": 2}
    west, east = View(told["gw-1"]), View(told["gw-2"])

    def levels(view: View, lamp: str) -> list[float | None]:
        return [level(view, lamp, starts_ms + s * 1000, {}).level_percent for s in (-1, 0, 59, 70, 90, 599, 600)]

    assert levels(west, LAMPS[0]) == [60, 50, 50, 75, 100, 100, 60]
    assert levels(east, LAMPS[30]) == [50, 50, 50, 20, 20, 20, 50]
    assert levels(east, LAMPS[31]) == [50] * 7
    (shown,) = (await lit.get("/showings")).json()["items"]
    assert (shown["scene"], shown["playing"], shown["by"]) == ("new-year", False, "token:operator")


async def test_stopped_its_lamps_go_back_to_plan_and_what_is_over_needs_no_word(lit: LitWorld):
    await keep(lit, "new-year", SHOW)
    showing = (await lit.post("/scenes/new-year/start", WHY)).json()["id"]
    light = upkeep(lit)
    await light.look()
    assert [scene.id for scene in (await plans(lit))["gw-1"].scenes] == [showing]
    stopped = await lit.post(f"/showings/{showing}/stop", WHY)
    assert stopped.status_code == 202
    light.wake()
    await light.look()
    told = (await plans(lit))["gw-1"]
    assert (told.scenes, told.version) == ((), 3)
    assert not any(group.id.startswith("scene-") for group in told.groups)
    assert (await lit.post(f"/showings/{showing}/stop", WHY)).status_code == 409
    await lit.post("/scenes/new-year/start", WHY)
    light.wake()
    await light.look()
    lit.clock.advance(601)
    light.wake()
    await light.look()
    assert (await plans(lit))["gw-1"].version == 4


DARK = {"cues": [{"after_s": 0, "level_percent": 0, "groups": ["mains"]}], "length_s": 600}


class TestTheSecondPerson:
    async def test_a_show_that_makes_much_of_the_city_dark_waits_for_a_second_person(self, lit: LitWorld):
        await keep(lit, "blackout", DARK)
        rehearsed = (await lit.post("/scenes/blackout/rehearse", {}, name="reader")).json()
        asked = (await lit.post("/scenes/blackout/start", WHY)).json()
        assert asked["needs_approval"] == rehearsed["needs_approval"]
        assert "30 of 60 lamps (50.0 %)" in asked["needs_approval"][0]
        assert (asked["waits"], asked["playing"]) == (True, False)
        light = upkeep(lit)
        await light.look()
        assert (await plans(lit))["gw-1"].scenes == ()
        own = await lit.post(f"/showings/{asked['id']}/approve", WHY)
        assert (own.status_code, "cannot approve" in own.text) == (409, True)
        lit.clock.advance(300)
        given = await lit.post(f"/showings/{asked['id']}/approve", WHY, name="nobody")
        assert given.status_code == 202, given.text
        assert (given.json()["waits"], given.json()["approvals"]) == (False, ["token:nobody"])
        assert given.json()["starts_ms"] == lit.clock.civil_ms()
        assert given.json()["ends_ms"] == lit.clock.civil_ms() + 600_000
        light.wake()
        await light.look()
        (scene,) = (await plans(lit))["gw-1"].scenes
        assert (scene.id, scene.starts) == (asked["id"], given.json()["starts_ms"])
        assert (await lit.post(f"/showings/{asked['id']}/approve", WHY, name="nobody")).status_code == 409

    @pytest.mark.parametrize(("ahead_s", "waits_s"), [(None, 901), (3_600, 3_600)])
    async def test_nobody_approves_in_time_and_it_never_plays(self, lit: LitWorld, ahead_s: int | None, waits_s: int):
        await keep(lit, "blackout", {**DARK, "length_s": 7_200})
        start = {} if ahead_s is None else {"starts_ms": lit.clock.civil_ms() + ahead_s * 1000}
        asked = (await lit.post("/scenes/blackout/start", {**WHY, **start})).json()
        lit.clock.advance(waits_s)
        late = await lit.post(f"/showings/{asked['id']}/approve", WHY, name="nobody")
        assert (late.status_code, "in time" in late.text) == (409, True)
        assert (await lit.get("/showings")).json()["items"][0]["playing"] is False

    async def test_overrides_in_force_and_other_shows_count_with_it(self, lit: LitWorld):
        for name, lamps in (("few", LAMPS[:2]), ("more", LAMPS[30:32])):
            cue = {"after_s": 0, "level_percent": 0, "devices": lamps}
            await keep(lit, name, {"cues": [cue], "length_s": 600})
        assert (await lit.post("/scenes/few/start", WHY)).json()["waits"] is False
        assert (await lit.post("/scenes/more/start", WHY)).json()["waits"] is True
        dark = {"level_percent": 0, "reason": "WO-7", "lamps": LAMPS[2:3]}
        first = (await lit.post("/overrides", dark)).json()
        assert first["state"] == "given"
        await lit.settle(first["id"])
        assert (await lit.post("/overrides", {**dark, "lamps": LAMPS[3:4]})).json()["state"] == "pending"
        later = lit.clock.civil_ms() + 86_400_000
        assert (await lit.post("/scenes/more/start", {**WHY, "starts_ms": later})).json()["waits"] is False


async def test_what_the_wire_cannot_carry_is_refused_with_bus_and_lamp(lit: LitWorld):
    await keep(lit, "flicker", FAST)
    refused = await lit.post("/scenes/flicker/start", WHY)
    assert refused.status_code == 409
    first = refused.json()["errors"][0]["detail"]
    assert "bus gw-1/line: the cue at 0 s needs 30 writes of 1.1 s" in first
    assert "lamp-1-28 is the first that is too late" in first
    assert (await lit.get("/showings")).json()["items"] == []


async def test_a_rehearsal_moves_nothing_and_tells_everything(lit: LitWorld):
    await keep(lit, "new-year", SHOW)
    made = await lit.post("/scenes/new-year/rehearse", {"lamps": [LAMPS[0]]}, name="reader")
    assert made.status_code == 200, made.text
    found = made.json()
    assert (found["playable"], found["gateways"]) == (True, ["gw-1", "gw-2"])
    assert [cue["lamps"] for cue in found["cues"]] == [30, 30, 1]
    winners = [change["why"]["winner"] for change in found["nights"][LAMPS[0]]]
    assert "scene" in winners
    assert winners[-1] == "program"
    assert (await lit.get("/showings")).json()["items"] == []
    assert (await lit.post("/scenes/none/rehearse", {}, name="reader")).status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"cues": [{"after_s": 700, "level_percent": 50, "city": True}], "length_s": 600},
            ["expected at most length_s"],
        ),
        (
            {
                "cues": [
                    {"after_s": 60, "level_percent": 50, "groups": ["none"]},
                    {"after_s": 0, "level_percent": 50, "devices": ["lamp-9-99"]},
                ],
                "length_s": 600,
            },
            ["no group none", "expected at least 60", "no device lamp-9-99"],
        ),
    ],
)
async def test_a_scene_that_cannot_be_played_lists_everything(lit: LitWorld, body: dict[str, Any], words: list[str]):
    await keep(lit, "odd", body)
    refused = await lit.post("/scenes/odd/start", WHY)
    assert refused.status_code == 409
    details = [fault["detail"] for fault in refused.json()["errors"]]
    assert all(any(word in detail for detail in details) for word in words), details


async def test_a_start_in_the_past_or_too_far_ahead_is_refused(lit: LitWorld):
    await keep(lit, "new-year", SHOW)
    for starts_ms in (lit.clock.civil_ms() - 700_000, lit.clock.civil_ms() + 8 * 86_400_000):
        assert (await lit.post("/scenes/new-year/start", {**WHY, "starts_ms": starts_ms})).status_code == 409


async def test_overrides_are_listed_once_they_have_settled(lit: LitWorld):
    light = upkeep(lit)
    body = {"lamps": [LAMPS[0], LAMPS[30]], "level_percent": 60, "reason": "WO-7"}
    override = (await lit.post("/overrides", body)).json()["id"]
    await lit.settle(override)
    light.wake()
    await light.look()
    assert (await plans(lit))["gw-1"].overrides == ()
    lit.clock.advance(61)
    await light.look()
    told = (await plans(lit))["gw-1"]
    (one,) = told.overrides
    assert (one.devices, one.level_percent, told.as_of_seq) == ((LAMPS[0],), 60, lit.boxes["gw-1"].highest)
    assert told.version == 2
    ended = await lit.send("DELETE", f"/overrides/{override}", WHY)
    await lit.settle(ended.json()["request"], "commands")
    light.wake()
    await light.look()
    lit.clock.advance(61)
    await light.look()
    told = (await plans(lit))["gw-1"]
    assert (told.overrides, told.version, told.as_of_seq) == ((), 3, lit.boxes["gw-1"].highest)


async def test_a_gateway_that_runs_no_plan_is_told_at_once_what_is_in_force(lit: LitWorld):
    light = upkeep(lit)
    override = (await lit.post("/overrides", {"lamps": [LAMPS[0]], "level_percent": 60, "reason": "x"})).json()["id"]
    await lit.settle(override)
    lit.world.services.gateways.state("gw-1", GatewayState("boot-2", online=True, plan_version=0))
    await light.look()
    told = await plans(lit)
    assert (told["gw-1"].version, [one.devices for one in told["gw-1"].overrides]) == (2, [(LAMPS[0],)])
    assert told["gw-2"].version == 1


async def test_a_new_plan_lists_what_is_in_force(lit: LitWorld):
    override = (await lit.post("/overrides", {"lamps": LAMPS[:2], "level_percent": 60, "reason": "x"})).json()["id"]
    await lit.settle(override)
    number = (await lit.post("/plans", WHY)).json()["number"]
    await lit.post(f"/plans/{number}/validate", WHY)
    await lit.post(f"/plans/{number}/publish", WHY)
    (one,) = (await plans(lit))["gw-1"].overrides
    assert one.devices == tuple(LAMPS[:2])


async def test_old_versions_are_forgotten_but_never_the_one_to_step_back_to(lit: LitWorld):
    await lit.post("/plans/1/publish", WHY)
    number = (await lit.post("/plans", WHY)).json()["number"]
    await lit.post(f"/plans/{number}/validate", WHY)
    for _ in range(3):
        await lit.post(f"/plans/{number}/publish", WHY)
    light = upkeep(lit)
    light.kept_versions = 2
    await light.look()
    kept = (await lit.get("/plans/versions/gw-1?limit=200")).json()["items"]
    assert [one["plan"] for one in kept] == [number, number, 1]
    back = await lit.post("/plans/back", WHY)
    assert back.status_code == 200, back.text


async def test_a_gateway_that_declares_a_fast_bus_may_play_faster(lit: LitWorld):
    await keep(lit, "flicker", FAST)
    for gateway in ("gw-1", "gw-2"):
        lit.world.services.gateways.declares(gateway, (BusEntry("line", "modbus-rtu", 115_200),))
    assert (await lit.post("/scenes/flicker/start", WHY)).status_code == 202
