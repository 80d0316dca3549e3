"""Every route declares its right, and keeps it."""

import os
import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from lamplighter_controller.api import create_api
from lamplighter_controller.api.guard import COOKIE, Needs, Open
from lamplighter_controller.security import tokens
from lamplighter_controller.security.accounts import sessions
from lamplighter_controller.security.rights import OPERATIONS, Right
from lamplighter_controller.security.routes import OPEN, ROUTES
from tests.controller.api.world import World


def routes(app: FastAPI) -> Iterator[APIRoute]:
    for route in _flat(app.routes):
        if isinstance(route, APIRoute) and route.include_in_schema:
            yield route


def method_of(route: APIRoute) -> str:
    return next(iter(route.methods or ()))


def _flat(found):
    for route in found:
        inner = getattr(route, "routes", None)
        original = getattr(route, "original_router", None)
        if original is not None:
            yield from _flat(original.routes)
        elif inner is not None and not isinstance(route, APIRoute):
            yield from _flat(inner)
        else:
            yield route


def guards(dependant: Dependant) -> list[Needs | Open]:
    found = [dependant.call] if isinstance(dependant.call, Needs | Open) else []
    return found + [guard for inner in dependant.dependencies for guard in guards(inner)]


def operations(world: World) -> Iterator[tuple[str, str, dict[str, object]]]:
    for path, methods in world.app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


async def test_no_route_is_without_its_right(world: World):
    found = list(routes(world.app))
    assert len(found) >= len(list(operations(world))) >= 25
    names = {f"{method_of(route)} {route.path.removeprefix('/api/v1')}" for route in found}
    assert names - set(ROUTES) - OPEN == set(), "each needs a line in security/routes.py"
    for route in found:
        declared = guards(route.dependant)
        assert len(declared) == 1, f"{route.methods} {route.path} declares {declared}"
        name = f"{method_of(route)} {route.path.removeprefix('/api/v1')}"
        assert isinstance(declared[0], Open) == (name in OPEN), name
        if isinstance(declared[0], Needs):
            assert declared[0].right is OPERATIONS[ROUTES[name].operation].right, name


async def test_every_route_refuses_who_has_no_token(world: World):
    for method, path, _ in operations(world):
        name = f"{method} {path.removeprefix('/api/v1')}"
        answer = await world.client.request(method, re.sub(r"\{\w+\}", "x-1", path))
        assert (answer.status_code == 401) != (name in OPEN), name
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"


async def test_every_route_refuses_a_token_that_lacks_its_right(world: World):
    declared = {
        (method_of(route), route.path.removeprefix("/api/v1")): guards(route.dependant)[0]
        for route in routes(world.app)
    }
    lacking = {"read": "nobody", "lighting": "reader", "command": "reader", "admin": "operator"}
    for (method, path), guard in declared.items():
        if isinstance(guard, Needs):
            answer = await world.send(method, re.sub(r"\{\w+\}", "x-1", path), name=lacking[guard.right])
            assert answer.status_code == 403, (method, path)
            assert guard.right in answer.json()["detail"]


@pytest.mark.parametrize("header", ["Bearer ", "Bearer x", "Bearer x.y", "Basic abc", "bearer", "Bearer " + "a" * 5000])
async def test_what_is_no_token_is_refused(world: World, header: str):
    answer = await world.client.get("/api/v1/clock", headers={"Authorization": header})
    assert answer.status_code == 401


async def test_a_revoked_token_is_refused_at_once(world: World):
    assert (await world.get("/clock")).status_code == 200
    await world.ledger.write(
        lambda ledger: tokens.revoke(ledger, "reader", who="t", reason="t", time_ms=world.clock.wall_ms())
    )
    refused = await world.get("/clock")
    assert (refused.status_code, refused.json()["detail"]) == (401, "The token is unknown or was revoked.")


class TestSession:
    async def test_a_token_is_exchanged_for_a_cookie_that_scripts_cannot_see(self, world: World):
        answer = await world.post("/session")
        assert answer.json() == {"name": "operator", "rights": ["command", "read"], "roles": [], "lacks": []}
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert world.secret["operator"].partition(".")[2] not in cookie
        assert (await world.client.get("/api/v1/clock")).status_code == 200
        assert (await world.client.get("/api/v1/session")).json()["name"] == "operator"

    async def test_over_https_the_cookie_is_secure(self, world: World):
        answer = await world.client.post("https://controller/api/v1/session", headers=world.bearer("reader"))
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age" in answer.headers["strict-transport-security"]

    async def test_a_session_changes_nothing_for_other_sites(self, world: World):
        await world.post("/session")
        body = {"op": "light.resume", "devices": ["lamp-01-001"], "reason": "test"}
        for headers in (
            {},
            {"Origin": "http://evil"},
            {"Authorization": "Basic eDp5"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Origin": "null"},
        ):
            answer = await world.client.post("/api/v1/commands", json=body, headers=headers)
            assert answer.status_code == 403, headers
        own = {"Origin": "http://controller"}
        assert (await world.client.post("/api/v1/commands", json=body, headers=own)).status_code == 202

    async def test_a_session_ends_after_its_time(self, world: World):
        await world.post("/session")
        world.clock.advance(sessions.LIFE_S - 1)
        assert (await world.client.get("/api/v1/clock")).status_code == 200
        world.clock.advance(2)
        assert (await world.client.get("/api/v1/clock")).status_code == 401

    async def test_a_session_ends_with_its_token(self, world: World):
        await world.post("/session")
        await world.ledger.write(lambda ledger: tokens.revoke(ledger, "operator", who="t", reason="t", time_ms=1))
        assert (await world.client.get("/api/v1/clock")).status_code == 401

    async def test_a_session_asks_the_ledger_for_one_token_only(self, world: World, monkeypatch):
        monkeypatch.setattr(tokens, "every", lambda _: pytest.fail("every token was loaded"))
        await world.post("/session")
        assert (await world.client.get("/api/v1/clock")).status_code == 200

    async def test_a_session_outlives_a_restart(self, world: World, tmp_path):
        await world.post("/session")
        transport = httpx.ASGITransport(create_api(world.services, tmp_path / "web"))
        async with httpx.AsyncClient(transport=transport, base_url="http://controller") as client:
            client.cookies = world.client.cookies
            assert (await client.get("/api/v1/clock")).status_code == 200

    async def test_nobody_is_told_that_there_is_no_session(self, world: World):
        answer = await world.client.get("/api/v1/session")
        assert (answer.status_code, answer.content) == (204, b"")

    async def test_signing_out(self, world: World):
        await world.post("/session")
        await world.client.delete("/api/v1/session")
        assert (await world.client.get("/api/v1/clock")).status_code == 401

    @pytest.mark.parametrize(
        "change",
        [lambda c: c[:-1], lambda c: "x" + c, lambda _: "", lambda _: "..", lambda c: c + "\x00", lambda c: c * 9],
    )
    async def test_a_forged_cookie_stands_for_nobody(self, world: World, change):
        await world.post("/session")
        reference = world.client.cookies[COOKIE]
        world.client.cookies.clear()
        answer = await world.client.get("/api/v1/clock", headers={"Cookie": f"{COOKIE}={change(reference)}"})
        assert answer.status_code == 401

    async def test_signed_out_is_over_for_whoever_kept_the_cookie(self, world: World):
        await world.post("/session")
        kept = {"Cookie": f"{COOKIE}={world.client.cookies[COOKIE]}"}
        await world.client.delete("/api/v1/session")
        world.client.cookies.clear()
        assert (await world.client.get("/api/v1/clock", headers=kept)).status_code == 401


async def test_lighting_is_a_right_of_its_own_that_command_holds(world: World):
    rights = {Right.READ, Right.LIGHTING}
    made = await world.ledger.write(
        lambda ledger: tokens.create(ledger, "planner", rights, who="x", reason="x", time_ms=1, random=os.urandom)
    )
    planner = {"Authorization": f"Bearer {made}"}
    why = {"reason": "x"}
    for method, path, body, allowed in (
        ("POST", "/presets", why, True),
        ("POST", "/plans", why, True),
        ("POST", "/overrides", {"lamps": ["x-1"], "level_percent": 50, **why}, True),
        ("POST", "/commands", {"op": "light.resume", "devices": ["x-1"], **why}, False),
        ("DELETE", "/gateways/gw-1", why, False),
    ):
        answer = await world.client.request(method, "/api/v1" + path, json=body, headers=planner)
        assert (answer.status_code != 403) == allowed, f"{path}: {answer.text}"
