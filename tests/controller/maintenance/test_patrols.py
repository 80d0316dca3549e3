"""Inspection: rounds that are due, their route and list, and what comes of what was found."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from lamplighter_controller.diagnosis.findings import ElementKind
from lamplighter_controller.maintenance.patrols.patrol import Check, Target, routed, sampled
from tests.controller.maintenance.yard import Yard

DAY_MIN = 24 * 60


async def plan(yard: Yard, **told: Any) -> dict[str, Any]:
    """Keep a plan; its first round."""
    body = {"id": "east", "kind": "equipment", "roads": ["road-01"], "every_days": 30, "crew": "east-1", **told}
    answer = await yard.world.send("PUT", "/patrols/plans", {"reason": "r", "plan": body}, "operator")
    assert answer.status_code == 200, answer.text
    [walk] = (await yard.world.get("/patrols")).json()["items"]
    return dict((await yard.world.get(f"/patrols/{walk['id']}")).json())


def all_passed(walk: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"element_kind": one["element_kind"], "element": one["element"], "check": check, "passed": True}
        for one in walk["left"]
        for check in one["checks"]
    ]


async def test_a_round_is_walked_by_its_list_and_the_next_is_due_a_month_later(yard: Yard) -> None:
    walk = await plan(yard)
    kinds = [(one["element_kind"], one["checks"]) for one in walk["route"]]
    assert kinds.count(("pole", ["leakage", "grounding", "door", "tilt"])) == 10
    assert [one for one in kinds if one[0] == "cabinet"] == [("cabinet", ["leakage", "protector", "grounding", "door"])]
    early = await yard.ask(f"/patrols/{walk['id']}/finish", {})
    assert (early.status_code, early.json()["errors"][0]["rule"]) == (409, "not-now")
    told = await yard.ask(f"/patrols/{walk['id']}/results", {"results": all_passed(walk)}, "k")
    assert told.json()["orders"] == []
    for _ in range(3):
        done = await yard.ask(f"/patrols/{walk['id']}/finish", {}, "f")
        assert done.status_code == 200, done.text
    yard.pass_civil(28 * DAY_MIN)
    await yard.look()
    assert (await yard.world.get("/patrols")).json()["total"] == 0
    yard.pass_civil(3 * DAY_MIN)
    await yard.look()
    assert (await yard.world.get("/patrols?overdue=true")).json()["total"] == 1
    alarms = {one["key"]: one["text"] for one in (await yard.world.get("/alarms")).json()["items"]}
    assert "east" in alarms["patrols-overdue"]


async def test_what_fails_becomes_an_incident_and_one_order(yard: Yard) -> None:
    walk = await plan(yard)
    bad = {"element_kind": "cabinet", "element": "cab-01", "check": "leakage", "passed": False, "value": 180}
    for _ in range(3):
        told = await yard.ask(f"/patrols/{walk['id']}/results", {"results": [bad]}, "k")
        assert told.status_code == 200, told.text
        [name] = told.json()["orders"]
    await yard.look()
    order = await yard.order(name)
    assert (order["class_id"], order["priority"], order["element"]["id"]) == ("leak", 5, "cab-01")
    assert {one["kind"] for one in order["sources"]} == {"inspection", "incident"}
    incidents = (await yard.world.get("/incidents?class=leak")).json()["items"]
    assert [one["element"]["id"] for one in incidents] == ["cab-01"]
    assert len(await yard.orders()) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"element": "cab-99"}, "body.results.0.element"),
        ({"check": "lit"}, "body.results.0.check"),
        ({"value": 400, "passed": True}, "body.results.0.passed"),
        ({"value": -1}, "body.results.0.value"),
    ],
)
async def test_results_that_do_not_belong_are_refused_and_none_is_kept(
    yard: Yard, change: dict[str, Any], field: str
) -> None:
    walk = await plan(yard)
    good = {"element_kind": "cabinet", "element": "cab-01", "check": "leakage", "passed": True, "value": 3}
    answer = await yard.ask(f"/patrols/{walk['id']}/results", {"results": [{**good, **change}, good]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert json.loads((await yard.world.get(f"/patrols/{walk['id']}")).text)["results"] == []


async def test_a_night_patrol_sees_a_sample_and_proves_it(yard: Yard) -> None:
    walk = await plan(yard, kind="night", sample=4)
    assert [one["checks"] for one in walk["route"]] == [["lit"]] * 4
    results = all_passed(walk)
    results[0]["passed"] = False
    told = await yard.ask(f"/patrols/{walk['id']}/results", {"results": results})
    [name] = told.json()["orders"]
    assert (await yard.order(name))["element"]["id"] == results[0]["element"]
    audit = (await yard.world.get("/audit?limit=20", "admin")).json()["items"]
    assert "proof.patrol" in {one["action"] for one in audit}


def test_a_route_goes_on_to_the_nearest_and_a_sample_can_be_drawn_again() -> None:
    def at(*places: float) -> Sequence[Target]:
        return [Target(ElementKind.POLE, f"p-{one}", (Check.TILT,), "", 36.0, 117 + one) for one in places]

    assert [one.element for one in routed(at(0, 3, 1, 2))] == ["p-0", "p-1", "p-2", "p-3"]
    names = [f"lamp-{number}" for number in range(100)]
    assert sampled(names, 10, "a") == sampled(reversed(names), 10, "a")
    assert sampled(names, 10, "a") != sampled(names, 10, "b")
