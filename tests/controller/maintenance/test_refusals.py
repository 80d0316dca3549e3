"""Bad input: every refusal is a problem document that names the field and the rule, and nothing is half-written."""

from typing import Any

import pytest

from tests.controller.api.world import LAMPS
from tests.controller.maintenance.yard import JPEG, Yard

ELEMENT = {"kind": "lamp", "id": LAMPS[0]}


async def opened(yard: Yard) -> str:
    answer = await yard.ask("/orders", {"reason": "seen", "element": ELEMENT, "class_id": "lamp_dead"})
    return str(answer.json()["id"])


@pytest.mark.parametrize(
    ("action", "body", "field", "rule"),
    [
        ("take", {}, "body.crew", "needed"),
        ("take", {"crew": "nobody"}, "body.crew", "known"),
        ("take", {"crew": "east-1", "done": "x"}, "body.done", "unknown"),
        ("wait-parts", {}, "body.reason", "needed"),
        ("not-ours", {"reason": "x", "whose": ""}, "body.whose", "out-of-bounds"),
        ("duplicate", {"reason": "x"}, "body.of", "needed"),
        ("duplicate", {"reason": "x", "of": "WO-000999"}, "body.of", "another-order"),
        ("take", {"crew": "east-1", "at_ms": 2**52}, "body.at_ms", "not-in-the-future"),
        ("take", {"crew": "east-1", "at_ms": 1_000}, "body.at_ms", "too-long-ago"),
        ("take", {"crew": 7}, "body.crew", "string_type"),
        ("finish", {"done": "x"}, "body", "not-now"),
        ("fly", {}, "path.action", "enum"),
    ],
)
async def test_steps(yard: Yard, action: str, body: dict[str, Any], field: str, rule: str) -> None:
    name = await opened(yard)
    before = await yard.order(name)
    answer = await yard.step(name, action, **body)
    assert answer.status_code in {409, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["rule"]) == (field, rule)
    assert await yard.order(name) == before


@pytest.mark.parametrize(
    ("content", "rule"),
    [(b"GIF89a" + bytes(200), "media-type"), (b"\xff\xd8\xff", "too-small"), (b"<svg>" + bytes(200), "media-type")],
)
async def test_an_upload_is_checked_by_its_own_bytes(yard: Yard, content: bytes, rule: str) -> None:
    name = await opened(yard)
    headers = yard.world.bearer("operator") | {"content-type": "image/jpeg"}
    answer = await yard.world.client.post(f"/api/v1/orders/{name}/photos", content=content, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (422, rule)
    assert (await yard.order(name))["photos"] == []


async def test_an_upload_beyond_the_bound_is_refused(yard: Yard) -> None:
    name = await opened(yard)
    headers = yard.world.bearer("operator") | {"content-type": "image/jpeg"}
    answer = await yard.world.client.post(
        f"/api/v1/orders/{name}/photos", content=JPEG + bytes(16_777_216), headers=headers
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/orders", {"reason": "x"}, "body.element"),
        ("/orders", {"reason": "x", "element": ELEMENT}, "body.class_id"),
        ("/orders", {"reason": "x", "incident": "none"}, "path.incident"),
        ("/trips", {"reason": "x", "road": "road-01", "crew": "east-1", "orders": ["WO-000999"]}, "body.orders"),
        ("/parts/moves", {"reason": "x", "part": "none", "quantity": 1}, "body.part"),
        ("/parts/moves", {"reason": "x", "part": "none", "quantity": 0}, "body.quantity"),
        ("/reports/2026-13", {"reason": "x"}, "path.month"),
    ],
)
async def test_what_is_asked_for(yard: Yard, path: str, body: dict[str, Any], field: str) -> None:
    answer = await yard.ask(path, body)
    assert answer.status_code in {404, 409, 422}, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_a_part_that_is_not_in_store_is_put_in_nowhere(yard: Yard) -> None:
    name = await opened(yard)
    await yard.world.send("PUT", "/parts", {"reason": "r", "part": {"id": "led-150", "kind": "lamp"}}, "operator")
    answer = await yard.ask(f"/orders/{name}/parts", {"reason": "r", "element": ELEMENT, "part": "led-150"})
    assert (answer.status_code, answer.json()["errors"][0]["rule"]) == (409, "not-now")
    assert (await yard.order(name))["parts"] == []
    assert (await yard.world.get("/parts/moves")).json()["items"] == []


async def test_one_element_has_one_open_order_and_what_is_worse_makes_it_more_urgent(yard: Yard) -> None:
    name = await opened(yard)
    before = await yard.order(name)
    worse = await yard.ask("/orders", {"reason": "sparks", "element": ELEMENT, "class_id": "leak", "severity": 5})
    assert worse.json()["id"] == name
    assert worse.json()["priority"] == 5
    assert worse.json()["due_ms"] < before["due_ms"]
    await yard.did(name, "not-ours", reason="the park's")
    again = await yard.ask("/orders", {"reason": "seen", "element": ELEMENT, "class_id": "lamp_dead"})
    assert again.json()["id"] != name
