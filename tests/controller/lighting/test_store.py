"""The inventory, the library and the plans in both databases."""

from datetime import date

from lamplighter_contract.light.plans.problems import Problem, Severity
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_controller.lighting import records, store
from lamplighter_controller.lighting.gate import PlanState
from lamplighter_controller.lighting.inventory import (
    Cabinet,
    Circuit,
    District,
    Group,
    Luminaire,
    Model,
    Phase,
    Road,
    Source,
    Thing,
)
from lamplighter_controller.lighting.library import PRESETS, Assignment, items

THINGS: list[Thing] = [
    District("east", "历下"),
    Road("spruce", RoadClass.MAIN, "云杉路", "east"),
    Cabinet("cab-01", "no. 1", "3701-0001", "street-lighting", "0201", "g-17", 36.65, 117.12),
    Circuit("circuit-01-a", "cab-01", Phase.A, "seasons", 10.0, 5.0),
    Model("led-120", 120.0, Source.LED, ("50:45", "100:118"), ("0:80", "20000:100"), 95.0),
    Luminaire(
        "l-1", 36.65, 117.12, "lamp-01-001", "spruce", "cab-01", "circuit-01-a", Phase.A, "f1", "p1", 1, "led-120"
    ),
    Group("school", "schools", ("l-1",), (RoadClass.MAIN,), ("east",), ("spruce",)),
]


def fill(connection):
    return [store.put(connection, [thing]) for thing in THINGS]


async def test_things_are_kept_as_they_came_and_replaced_by_id(ledger):
    assert await ledger.write(fill) == [(1, 0)] * len(THINGS)
    kept = await ledger.read(lambda connection: [store.every(connection, type(thing)) for thing in THINGS])
    assert kept == [[thing] for thing in THINGS]
    changed = Luminaire("l-1", 36.0, 117.0, pole="p\0")
    added = Luminaire("l-0", 36.0, 117.0)
    assert await ledger.write(lambda connection: store.put(connection, [changed, added])) == (1, 1)
    page, total = await ledger.read(lambda connection: store.some(connection, Luminaire, 1, 10))
    assert ([thing.id for thing in page], total) == (["l-1"], 2)
    assert page[0].device is None
    assert "\0" not in page[0].pole


async def test_the_inventory_and_what_may_be_referred_to(ledger):
    await ledger.write(fill)
    inventory = await ledger.read(store.inventory)
    assert inventory.by_device.keys() == {"lamp-01-001"}
    assert inventory.road_of(inventory.luminaires["l-1"]) == inventory.roads["spruce"]
    known = await ledger.read(lambda connection: store.known_to(connection, Luminaire))
    assert known.ids["roads"] == {"spruce"}
    assert known.holders == {"lamp-01-001": "l-1"}


async def test_a_plan_keeps_its_copy_of_the_library(ledger):
    def put(connection, who):
        for shelf, item in items(PRESETS):
            records.put_items(connection, shelf, [item], who=who, time_ms=1)

    await ledger.write(lambda connection: put(connection, "li"))
    await ledger.write(lambda connection: put(connection, "wang"))
    (shelved, *_) = await ledger.read(lambda connection: records.shelved(connection, "programs"))
    assert (shelved.version, shelved.changed_by) == (2, "wang")
    made = await ledger.write(lambda connection: records.draft(connection, who="li", reason="why", time_ms=5))
    assert made.library.programs == tuple(sorted(PRESETS.programs, key=lambda one: one.id))
    assert await ledger.write(lambda connection: records.remove_item(connection, "programs", "half-night"))
    assert not await ledger.write(lambda connection: records.remove_item(connection, "programs", "half-night"))
    again = await ledger.read(lambda connection: records.plan(connection, made.number))
    assert again == made

    problem = Problem(Severity.WARNING, "there", "that", date(2025, 1, 2), 3)
    await ledger.write(lambda c: records.set_checked(c, made.number, PlanState.VALIDATED, [problem]))
    await ledger.write(lambda c: records.set_approvals(c, made.number, ["wang"]))
    (listed,) = await ledger.read(lambda connection: records.plans(connection, None, 10))
    assert (listed.state, listed.problems, listed.approvals) == (PlanState.VALIDATED, (problem,), ("wang",))
    assert await ledger.read(lambda connection: records.plans(connection, made.number, 10)) == []


async def test_the_newest_version_is_in_force_and_the_plan_before_is_known(ledger):
    def work(connection):
        first, second = (records.draft(connection, who="li", reason="", time_ms=1).number for _ in range(2))
        records.published(connection, first, {"gw-1": (1, b"a"), "gw-2": (9, b"b")}, "li", 2)
        records.published(connection, second, {"gw-1": (2, b"c")}, "li", 3)
        records.published(connection, second, {"gw-1": (3, b"d")}, "li", 4)
        return first, second

    first, second = await ledger.write(work)
    in_force = await ledger.read(records.in_force)
    assert [(one.gateway, one.version, one.plan) for one in in_force] == [("gw-1", 3, second), ("gw-2", 9, first)]
    assert await ledger.read(records.documents) == {"gw-1": b"d", "gw-2": b"b"}
    assert await ledger.read(lambda c: records.documents(c, ["gw-2"])) == {"gw-2": b"b"}
    assert await ledger.read(lambda c: [records.before(c, one) for one in in_force]) == [first, None]
    assert [one.version for one in await ledger.read(lambda c: records.history(c, "gw-1", 2))] == [3, 2]


async def test_the_floor_only_rises(ledger):
    for wanted, floor in ((5, 5), (3, 5), (9, 9)):
        await ledger.write(lambda connection, version=wanted: records.raise_floor(connection, version))
        assert await ledger.read(records.floor) == floor


async def test_shelves_hold_assignments_as_they_were(ledger):
    one = Assignment("a", "seasons", ("lamp-1",), ("g",), ("r",), ("d",), city=True)
    await ledger.write(lambda c: records.put_items(c, "assignments", [one], who="li", time_ms=1))
    assert (await ledger.read(records.library)).assignments == (one,)
