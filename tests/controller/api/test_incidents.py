"""Incidents over HTTP: lists, one with its reasons, what people do with them, windows and trip tests."""

import math

import orjson
import pytest

from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace, ProtectorPlace
from lamplighter_controller.diagnosis.store import put_protectors
from lamplighter_controller.events import ElementReplaced
from tests.controller.api.world import LAMPS, World

HOUR_MS = 3_600_000
LAMP = Element(ElementKind.LAMP, LAMPS[0])
CIRCUIT = Element(ElementKind.CIRCUIT, "circuit-01-a")


def finding(element: Element, class_id: str, share: float = 0.8, *, is_open: bool = True) -> Finding:
    line = EvidenceLine("power", 1.0, 100.0, math.nan, 2, "W")
    members = (LAMP,) if element == CIRCUIT else ()
    alternatives = ((class_id, share), ("meter_bad", 1 - share))
    return Finding(element, alternatives, 0, 0, (line,), members, "level_sequence", is_open)


async def happened(world: World, *findings: Finding) -> list[Incident]:
    desk = world.services.diagnosis.desk
    desk.topology = assemble(
        Places(
            [LampPlace(name, name, "cab-01", "circuit-01-a", order=n) for n, name in enumerate(LAMPS[:5])],
            [CabinetPlace("cab-01", "cab-01")],
            [CircuitPlace("circuit-01-a", "cab-01", "a")],
        )
    )
    return await desk.take(list(findings), world.clock.civil_ms())


async def test_a_list_by_newest_by_urgency_and_filtered(world: World) -> None:
    await happened(world, finding(LAMP, "lamp_dead"))
    world.clock.advance(1)
    await happened(world, finding(CIRCUIT, "feeder_trip"), finding(Element(ElementKind.MODEL, "m"), "driver_drift"))
    every = (await world.get("/incidents?order=severity")).json()
    assert (every["total"], every["items"][0]["class"]) == (3, "feeder_trip")
    for query, expected in (
        ("class=lamp_dead", ["lamp_dead"]),
        (f"element={LAMPS[0]}", ["lamp_dead"]),
        ("cabinet=cab-01&order=severity", ["feeder_trip", "lamp_dead"]),
        ("severity=4", ["feeder_trip"]),
        ("state=closed", []),
        ("state=raised&state=cleared&severity=3&cabinet=cab-01&class=lamp_dead", ["lamp_dead"]),
    ):
        found = (await world.get(f"/incidents?{query}")).json()["items"]
        assert [one["class"] for one in found] == expected, query


async def test_one_incident_has_its_reasons_and_unknown_is_null(world: World) -> None:
    trip, *_ = await happened(world, finding(CIRCUIT, "feeder_trip"))
    found = (await world.get(f"/incidents/{trip.id}")).json()
    assert found["evidence"][0] | {"words": None} == {
        "name": "power",
        "words": None,
        "value": 1.0,
        "expected": 100.0,
        "sigma": None,
        "samples": 2,
        "unit": "W",
    }
    assert found["evidence"][0]["words"] == {"zh": "功率", "en": "power"}
    assert found["folded"] == [{"kind": "lamp", "id": LAMPS[0]}]
    assert [one["class"] for one in found["alternatives"]] == ["feeder_trip", "meter_bad"]
    assert (found["talq"], found["closed_ms"], found["overdue"]) == ("circuitBreakerTripped", None, False)
    assert found["action"]["zh"]
    world.clock.advance(25 * 3600 / 60)
    assert (await world.get(f"/incidents/{trip.id}")).json()["overdue"]
    assert (await world.get("/incidents/none")).status_code == 404


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_reasoning_is_told_in_words(world: World, language: str) -> None:
    (dead,) = await happened(world, finding(LAMP, "lamp_dead"))
    told = (await world.get(f"/incidents/{dead.id}/explanation?language={language}")).json()
    assert told["language"] == language
    assert LAMPS[0] in " ".join(told["lines"])


async def test_people_take_it_in_hand_and_the_trail_says_who(world: World) -> None:
    (dead,) = await happened(world, finding(LAMP, "lamp_dead"))
    path = f"/incidents/{dead.id}"
    assert (await world.post(f"{path}/acknowledge", {"reason": "seen"}, "reader")).status_code == 403
    seen = (await world.post(f"{path}/acknowledge", {"reason": "seen"})).json()
    assert (seen["state"], seen["acknowledged_by"]) == ("acknowledged", "token:operator")
    assert (await world.post(f"{path}/acknowledge", {"reason": "again"})).status_code == 409
    until_ms = world.clock.civil_ms() + HOUR_MS
    shelved = (await world.post(f"{path}/shelve", {"reason": "road works", "until_ms": until_ms})).json()
    assert shelved["shelved_until_ms"] == until_ms
    working = (await world.post(f"{path}/work", {"reason": "crew 2", "order": "WO-0007"})).json()
    assert (working["state"], working["order"]) == ("in_work", "WO-0007")
    closed = (await world.post(f"{path}/close", {"reason": "driver replaced"})).json()
    assert (closed["state"], closed["note"]) == ("closed", "driver replaced")
    assert (await world.get("/incidents")).json()["total"] == 0
    trail = (await world.get(f"/audit?subject={LAMPS[0]}", "admin")).json()["items"]
    assert [one["action"] for one in trail][:2] == ["incident.closed", "incident.in-work"]
    assert (await world.post("/incidents/none/close", {"reason": "x"})).status_code == 404


async def test_a_leak_is_isolated_by_whoever_asks_and_a_refusal_stands_in_the_incident(world: World) -> None:
    (leak,) = await happened(world, finding(CIRCUIT, "leak"))
    assert (await world.post(f"/incidents/{leak.id}/isolate", {"reason": "children near"})).status_code == 409
    await world.services.diagnosis.acted([finding(CIRCUIT, "leak", 0.9)], world.clock.civil_ms())
    proposed = (await world.get(f"/incidents/{leak.id}")).json()["isolation"]
    assert (proposed["state"], proposed["circuits"]) == ("proposed", ["circuit-01-a"])
    refused = (await world.post(f"/incidents/{leak.id}/isolate", {"reason": "children near"})).json()["isolation"]
    assert refused["state"] == "refused"
    assert "by hand" in refused["text"]
    assert "safe" not in refused["text"]


async def test_a_test_is_approved_once(world: World) -> None:
    (doubtful,) = await happened(world, finding(LAMP, "dim_fail", 0.6))
    assert (await world.get(f"/incidents/{doubtful.id}")).json()["testable"]
    approved = await world.post(f"/incidents/{doubtful.id}/test", {"reason": "before dusk"})
    assert approved.status_code == 202
    assert approved.json()["trials"][0]["state"] == "running"
    assert (await world.post(f"/incidents/{doubtful.id}/test", {"reason": "again"})).status_code == 409
    assert (await world.post("/incidents/none/test", {"reason": "x"})).status_code == 404


async def test_a_part_that_was_replaced_is_told_to_all_and_stands_in_the_audit_trail(world: World) -> None:
    await happened(world, finding(LAMP, "lamp_dead"))
    body = {"elements": [{"kind": "lamp", "id": LAMP.id}], "reason": "WO-7"}
    with world.events.subscribe(ElementReplaced) as news:
        assert (await world.post("/elements/replaced", body)).status_code == 202
        replaced = await anext(aiter(news))
    assert isinstance(replaced, ElementReplaced)
    assert replaced.elements == (("lamp", LAMP.id),)
    nobody = {"elements": [{"kind": "lamp", "id": "nobody"}], "reason": "WO-7"}
    assert (await world.post("/elements/replaced", nobody)).status_code == 404
    (entry,) = (await world.get(f"/audit?subject=lamp:{LAMP.id}", "admin")).json()["items"]
    assert (entry["action"], entry["reason"]) == ("element.replaced", "WO-7")


async def test_a_window_withholds_and_ends(world: World) -> None:
    elements = [{"kind": "cabinet", "id": "cab-01"}]
    end_ms = world.clock.civil_ms() + HOUR_MS
    opened = await world.post("/maintenance-windows", {"elements": elements, "end_ms": end_ms, "reason": "works"})
    assert opened.status_code == 201
    await happened(world, finding(LAMP, "lamp_dead"))
    assert (await world.get("/incidents")).json()["total"] == 0
    assert (await world.get("/incidents?withheld=true")).json()["items"][0]["withheld"]
    assert len((await world.get("/maintenance-windows")).json()["items"]) == 1
    ended = await world.post(f"/maintenance-windows/{opened.json()['id']}/end", {"reason": "done"})
    assert ended.status_code == 200
    world.clock.advance(1)
    await happened(world)
    assert (await world.get("/incidents")).json()["total"] == 1
    assert (await world.get("/maintenance-windows")).json()["items"] == []
    assert (await world.post("/maintenance-windows/none/end", {"reason": "x"})).status_code == 404


@pytest.mark.parametrize("length_ms", [0, -HOUR_MS, 15 * 24 * HOUR_MS])
async def test_a_window_ends_after_it_begins_and_within_two_weeks(world: World, length_ms: int) -> None:
    body = {"elements": [{"kind": "lamp", "id": LAMPS[0]}], "reason": "works"}
    refused = await world.post("/maintenance-windows", body | {"end_ms": world.clock.civil_ms() + length_ms})
    assert refused.status_code == 422


async def test_a_trip_test_is_noted(world: World) -> None:
    place = ProtectorPlace("rcd-01-a", "cab-01", "circuit-01-a")
    await world.ledger.write(lambda connection: put_protectors(connection, [place], world.clock.civil_ms()))
    assert (await world.get("/protectors")).json()["items"][0]["tested_ms"] is None
    assert (await world.post("/protectors/rcd-01-a/tests", {"tripped": True, "reason": "quarterly"})).status_code == 201
    assert (await world.get("/protectors")).json()["items"][0]["tripped"]
    assert (await world.post("/protectors/none/tests", {"tripped": True, "reason": "x"})).status_code == 404


async def test_watchers_are_told_of_incidents(world: World) -> None:
    hub = world.app.state.hub
    with hub.watch(frozenset()) as watcher, world.events.subscribe(*hub.kinds) as news:
        watcher.frames.get_nowait()
        await happened(world, finding(LAMP, "lamp_dead"))
        hub.take(news.queue.get_nowait())
        frame = orjson.loads(watcher.frames.get_nowait())
    assert (frame["type"], frame["class"], frame["state"]) == ("incident", "lamp_dead", "raised")
