import html
import json
import re

import pytest

from lamplighter_controller.api.envelope import MAX_BODY_BYTES
from lamplighter_controller.api.resources.fleet.register import EXAMPLES
from tests.controller.api.world import LAMPS, World


async def registered(world: World) -> None:
    """What the reference's examples name stands in the register."""
    objects = [EXAMPLES["objects"], EXAMPLES["objects"] | {"id": "ground-2", "kind": "ground", "name": "二号消纳场"}]
    things = [("companies", EXAMPLES["companies"]), ("trucks", EXAMPLES["trucks"])]
    for shelf, thing in [*things, *(("objects", one) for one in objects)]:
        path = f"/api/v1/fleet/{shelf}?reason=tests"
        answer = await world.client.request("PUT", path, json=thing, headers=world.bearer("admin"))
        assert answer.status_code == 200, answer.text


class TestEnvelope:
    async def test_every_answer_is_dressed(self, world: World):
        for path in ("/", "/api/v1/health", "/api/v1/clock", "/nothing"):
            headers = (await world.client.get(path)).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert "unsafe" not in headers["content-security-policy"]
        assert (await world.get("/clock")).headers["cache-control"] == "no-store"

    async def test_without_a_built_console_there_is_a_plain_page(self, world: World):
        page = await world.client.get("/")
        assert page.status_code == 200
        assert "openapi.json" in page.text

    async def test_what_does_not_exist_is_a_problem_document(self, world: World):
        for method, path, status in (("GET", "/api/v1/nothing", 404), ("PATCH", "/api/v1/clock", 405)):
            answer = await world.client.request(method, path)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status

    async def test_a_body_beyond_the_bound_is_refused_announced_or_not(self, world: World):
        headers = world.bearer("operator") | {"Content-Type": "application/json"}
        big = b'{"op":"' + b"x" * MAX_BODY_BYTES + b'"}'

        async def pieces():
            for start in range(0, len(big), 65_536):
                yield big[start : start + 65_536]

        for content in (big, pieces()):
            answer = await world.client.post("/api/v1/commands", content=content, headers=headers)
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"\xff\xfe", b'{"a":' * 5000, b"1e999", b'"x"'])
    async def test_what_is_no_request_is_refused(self, world: World, content: bytes):
        headers = world.bearer("operator") | {"Content-Type": "application/json"}
        answer = await world.client.post("/api/v1/commands", content=content, headers=headers)
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_the_reference_shows_every_operation_and_takes_nothing_from_elsewhere(self, world: World):
        page = (await world.client.get("/docs")).text
        for path, methods in world.app.openapi()["paths"].items():
            for method in methods:
                assert f"{method.upper()} {path}" in page
        assert "light.resume" in page or "light.set" in page
        assert "<script" not in page
        assert "style=" not in page
        assert (await world.client.get("/docs.css")).headers["content-type"].startswith("text/css")

    async def test_every_example_of_the_reference_can_be_pasted(self, world: World):
        await registered(world)
        page = html.unescape((await world.client.get("/docs")).text).replace("lamp-01-017", LAMPS[0])
        assert "{" not in "".join(re.findall(r"'http[^']*'", page))
        wrong = []
        for command in re.findall(r"<pre tabindex=0>(.*?)</pre>", page, re.DOTALL):
            method = found[1] if (found := re.search(r"-X (\w+)", command)) else "GET"
            body = json.loads(found[1]) if (found := re.search(r"-d '(.*)'", command)) else None
            address = re.findall(r"'(http[^']*)'", command)[-1]
            if re.search(r"/(live|events)$", address):  # they do not end
                continue
            answer = await world.client.request(method, address, json=body, headers=world.bearer("operator"))
            if answer.status_code in {400, 405, 422} or answer.status_code >= 500:
                wrong.append((command, answer.text))
        assert wrong == []

    async def test_the_usual_place_of_the_description_leads_to_it(self, world: World):
        moved = await world.client.get("/openapi.json")
        assert (moved.status_code, moved.headers["location"]) == (307, "/api/v1/openapi.json")

    async def test_a_rule_is_told_to_its_end(self, world: World):
        told = (await world.post("/commands", {"op": "x", "devices": LAMPS[:1], "reason": "r"})).json()
        assert told["errors"][0]["detail"].endswith("'gateway.restart'")

    async def test_the_description_is_complete(self, world: World):
        document = (await world.client.get("/api/v1/openapi.json")).json()
        known = {tag["name"] for tag in document["tags"]}
        ids = set()
        for path, methods in document["paths"].items():
            assert path.startswith("/api/v1/")
            for operation in methods.values():
                assert operation["summary"]
                assert set(operation["tags"]) <= known
                ids.add(operation["operationId"])
        assert len(ids) == sum(map(len, document["paths"].values()))
