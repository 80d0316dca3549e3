"""Every role at every route, with every kind of scope: exactly what the table of rights says."""

import re
from collections.abc import Iterator

import pytest

from lamplighter_controller.security.rights import EVERYTHING, NEEDS_CODE, OPERATIONS, By, Operation, Right, Role, Scope
from lamplighter_controller.security.routes import OPEN, ROUTES
from tests.controller.api.people import person
from tests.controller.api.world import World

COMPANY, AREA = Scope(companies=frozenset({"red"})), Scope(areas=frozenset({"gw-1"}))
FITS = {
    EVERYTHING: set(By),
    COMPANY: {By.ANYTHING, By.COMPANY},
    AREA: {By.ANYTHING, By.AREA},
}
STREAMS = {"GET /events", "GET /live"}  # an answer without an end, or no HTTP at all


def asked(role: Role, scope: Scope) -> Iterator[tuple[str, bool]]:
    for route, declared in ROUTES.items():
        if route in STREAMS:
            continue
        own = declared.operation is Operation.SELF
        yield route, own or (role in OPERATIONS[declared.operation].roles and declared.by in FITS[scope])


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        *((role, EVERYTHING) for role in Role),
        (Role.DISPATCHER, COMPANY),
        (Role.LIGHTING, AREA),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else "company" if value.companies else "area" if value.areas else ""
    ),
)
async def test_a_role_may_what_is_declared_and_nothing_else(world: World, role: Role, scope: Scope):
    somebody = await person(world, role, scope)
    wrong = []
    for route, may in asked(role, scope):
        method, path = route.split(" ")
        answer = await somebody.asks(method, re.sub(r"\{\w+\}", "x-1", path))
        kind = answer.json().get("type", "") if answer.status_code == 403 else ""
        if (not kind.endswith(":forbidden")) != may or answer.status_code in {401, 500}:
            wrong.append((route, may, answer.status_code, answer.text[:100]))
    assert wrong == []


def test_every_operation_has_roles_and_every_role_operations():
    assert set(OPERATIONS) == set(Operation)
    assert all(rule.roles for rule in OPERATIONS.values())
    for role in Role:
        assert sum(role in rule.roles for rule in OPERATIONS.values()) >= 3, role


def test_whoever_can_switch_or_limit_needs_a_code():
    assert set(Role) - {Role.VIEWER, Role.DISPATCHER} == NEEDS_CODE


def test_nothing_that_changes_is_for_everybody_or_needs_only_reading():
    harmless = {"POST /scenes/{scene}/rehearse"}
    for route, declared in ROUTES.items():
        if not route.startswith("GET ") and declared.operation is not Operation.SELF and route not in harmless:
            assert OPERATIONS[declared.operation].right is not Right.READ, route


def test_what_answers_everybody_is_this_and_no_more():
    assert {"GET /health", "GET /session", "DELETE /session", "POST /session/login", "POST /enrolment"} == OPEN
    assert not OPEN & set(ROUTES)


async def test_a_route_without_a_line_is_refused_to_everybody(world: World, monkeypatch):
    rest = {route: declared for route, declared in ROUTES.items() if route != "GET /clock"}
    monkeypatch.setattr("lamplighter_controller.security.callers.ROUTES", rest)
    monkeypatch.setattr("lamplighter_controller.api.guard.ROUTES", rest)
    answer = await world.get("/clock", name="admin")
    assert (answer.status_code, answer.json()["detail"]) == (403, "No right is declared for this.")


async def test_an_operator_of_an_area_moves_its_lamps_only(world: World):
    somebody = await person(world, Role.LIGHTING, AREA)
    why = {"reason": "test"}
    for lamp, status in (("lamp-01-001", 202), ("lamp-02-001", 403)):
        answer = await somebody.asks("POST", "/commands", {"op": "light.resume", "devices": [lamp], **why})
        assert answer.status_code == status, answer.text
        answer = await somebody.asks("POST", f"/devices/{lamp}/level", {"level_percent": 50, "for_s": 60, **why})
        assert answer.status_code == status, answer.text
    everything = await somebody.asks("POST", "/commands", {"op": "light.resume", "where": {"kind": "lamp"}, **why})
    assert (everything.status_code, everything.json()["type"]) == (403, "urn:lamplighter:problem:outside")
    both = {"lamps": ["lamp-01-001", "lamp-02-001"], "level_percent": 50, "for_s": 60, **why}
    refused = await somebody.asks("POST", "/overrides", both)
    assert (refused.status_code, "outside the areas" in refused.text) == (422, True)
    assert (await somebody.asks("POST", "/overrides", both | {"lamps": ["lamp-01-001"]})).status_code == 202
    other = await person(world, Role.LIGHTING)
    theirs = (await other.asks("POST", "/overrides", both | {"lamps": ["lamp-02-002"]})).json()["id"]
    assert (await somebody.asks("DELETE", f"/overrides/{theirs}", why)).status_code == 403
    assert (await other.asks("DELETE", f"/overrides/{theirs}", why)).status_code != 403
