"""From library and inventory to plans: who gets which calendar, what it changes, and what the gate asks."""

from dataclasses import replace
from datetime import date, time, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.calendars import Calendar
from lamplighter_contract.light.plans.plan import Plan, decode_plan, encode_plan
from lamplighter_contract.light.plans.problems import Problem, Severity
from lamplighter_contract.light.plans.programs import Levels, RoadClass
from lamplighter_contract.light.plans.validation import acceptable
from lamplighter_contract.light.sky.almanac import Almanac, Row
from lamplighter_contract.light.view import View
from lamplighter_controller.lighting import checks, gate
from lamplighter_controller.lighting.compiling import Site, astray, compiled, dangling, middle, problems_of
from lamplighter_controller.lighting.effect import Effect, effect
from lamplighter_controller.lighting.gate import Case, PlanState
from lamplighter_controller.lighting.inventory import (
    Circuit,
    Group,
    Inventory,
    Luminaire,
    Model,
    Road,
    Structure,
)
from lamplighter_controller.lighting.library import PRESETS, Assignment, Library
from lamplighter_controller.lighting.versions import behind, next_version

ZONE = "Asia/Shanghai"
DAY = date(2025, 11, 20)
LAMPS = tuple(f"lamp-01-{number:03}" for number in range(1, 7))
SITE = Site("gw-1", LAMPS, frozenset({"circuit-01-a"}), 36.65, 117.12)

INVENTORY = Inventory(
    roads={
        "spruce": Road("spruce", RoadClass.MAIN, district="east"),
        "elm": Road("elm", RoadClass.BRANCH, district="east"),
    },
    circuits={"circuit-01-a": Circuit("circuit-01-a", "cab-01"), "circuit-02-a": Circuit("circuit-02-a", "cab-02")},
    models={"led-120": Model("led-120", 120)},
    groups={"school": Group("school", luminaires=("l-3",)), "mains": Group("mains", road_classes=(RoadClass.MAIN,))},
    luminaires={
        f"l-{number}": Luminaire(
            f"l-{number}",
            36.65,
            117.12,
            f"lamp-01-{number:03}",
            "spruce" if number <= 2 else "elm",
            circuit="circuit-01-a" if number == 1 else None,
            model="led-120",
        )
        for number in range(1, 6)
    },
)


def library(*assignments: Assignment) -> Library:
    return Library(presets.PROGRAMS, presets.CALENDARS, assignments)


def made(wanted: Library, site: Site = SITE, version: int = 1) -> Plan:
    plan = compiled(wanted, INVENTORY, site, ZONE, version)
    assert isinstance(plan, Plan), plan
    return plan


def calendars(plan: Plan) -> dict[str, tuple[str, RoadClass | None] | None]:
    view = View(plan)
    found = {}
    for lamp in LAMPS:
        its = view.member(lamp).assignment
        found[lamp] = (its.calendar, its.road_class) if its else None
    return found


def test_a_device_goes_before_its_group_its_road_its_district_and_the_city():
    plan = made(
        library(
            Assignment("a", "all-night-loop", city=True),
            Assignment("b", "half-night-loop", districts=("east",)),
            Assignment("c", "seasons", roads=("spruce",)),
            Assignment("d", "all-night-loop", groups=("school",)),
            Assignment("e", "all-night-loop", devices=("lamp-01-002",)),
        )
    )
    assert calendars(plan) == {
        "lamp-01-001": ("seasons", RoadClass.MAIN),
        "lamp-01-002": ("all-night-loop", RoadClass.MAIN),
        "lamp-01-003": ("all-night-loop", RoadClass.BRANCH),
        "lamp-01-004": ("half-night-loop", RoadClass.BRANCH),
        "lamp-01-005": ("half-night-loop", RoadClass.BRANCH),
        "lamp-01-006": ("all-night-loop", None),  # it stands in no inventory
    }


def test_a_group_by_rule_and_lamps_that_nobody_assigned():
    plan = made(library(Assignment("a", "seasons", groups=("mains",))))
    assert [lamp for lamp, its in calendars(plan).items() if its] == ["lamp-01-001", "lamp-01-002"]
    problems = problems_of([plan], DAY)
    assert acceptable(problems)
    (problem,) = problems
    assert problem.severity is Severity.WARNING
    assert problem.where == "gw-1, assignments"
    assert "lamp-01-003" in problem.what


def test_contactors_of_the_inventory_are_planned_with_their_lamps_and_others_are_left_alone():
    (circuit,) = made(PRESETS).circuits
    assert (circuit.id, circuit.lamps) == ("circuit-01-a", ("lamp-01-001",))
    assert made(PRESETS, replace(SITE, contactors=frozenset())).circuits == ()


def test_the_presets_make_a_plan_that_is_valid_all_year_and_survives_the_wire():
    plan = made(PRESETS, version=7)
    assert problems_of([plan], DAY) == ()
    assert decode_plan(encode_plan(plan)) == plan
    assert plan.as_of_seq == 0


def test_without_a_position_there_is_no_plan():
    found = compiled(PRESETS, INVENTORY, replace(SITE, latitude=None, longitude=None), ZONE, 1)
    assert isinstance(found, Problem)
    assert "position" in found.what
    assert middle([]) == (None, None)
    assert middle([(36.0, 117.0), (37.0, 118.0)]) == (36.5, 117.5)


def test_what_names_nothing_is_told():
    wanted = library(
        Assignment("a", "seasons", ("lamp-x",), ("group-x",), ("road-x",), ("district-x",)), Assignment("b", "seasons")
    )
    told = [str(problem) for problem in dangling(wanted, INVENTORY, frozenset(LAMPS))]
    assert told == [
        "assignment a: no device lamp-x",
        "assignment a: no group group-x",
        "assignment a: no road road-x",
        "assignment a: no road in district district-x",
        "assignment b: names nobody",
    ]
    loose = made(library(Assignment("a", "no-such-calendar", city=True)))
    assert not acceptable(problems_of([loose], DAY))


def test_problems_of_many_gateways_are_told_once():
    bad = replace(SITE, gateway="gw-2")
    wanted = Library(presets.PROGRAMS, (Calendar("c", "half-night"),), (Assignment("a", "c", city=True),))
    alone, both = (problems_of([made(wanted, site) for site in sites], DAY) for sites in ((SITE,), (SITE, bad)))
    assert set(alone) == set(both)


def test_a_sun_that_is_not_that_of_the_local_table_is_told_by_day():
    almanac = Almanac("jinan", (Row("--12-15", time(7, 15), time(16, 58)),))
    wanted = msgspec.structs.replace(PRESETS, almanacs=(almanac,))
    here, there = (made(wanted, replace(SITE, longitude=at)) for at in (117.12, 107.12))
    assert astray(wanted, [here], 2025) == ()
    found = astray(wanted, [here, there, there], 2025)
    assert [str(one.day) for one in found] == ["2025-12-15"] * 2
    assert "sunset is at 17:36 by its position, at 16:58 by the local table" in str(found[1])


class TestEffect:
    def test_the_same_plan_changes_nothing(self):
        plan = made(PRESETS)
        found = effect([plan], [plan], INVENTORY, DAY)
        assert (found.lamps, found.changed, found.dark) == (6, 0, 0)
        assert found.light_before_h == found.light_after_h > 0
        assert gate.grave(found) == ()

    def test_dimming_and_dark_lamps_are_counted_and_their_power(self):
        full = made(library(Assignment("a", "all-night-loop", city=True)))
        half = made(
            library(Assignment("a", "all-night-loop", city=True), Assignment("b", "half-night-loop", roads=("spruce",)))
        )
        found = effect([full], [half], INVENTORY, DAY)
        assert (found.changed, found.dark, found.dark_roads, found.without_model) == (2, 2, ("spruce",), 1)
        assert found.peak_before_kw == pytest.approx(0.6)
        lost_h = (found.light_before_h - found.light_after_h) / 2
        assert 6 < lost_h < 8  # from midnight to dawn in November
        assert found.energy_before_kwh - found.energy_after_kwh == pytest.approx(2 * lost_h * 0.12, abs=0.01)
        back = effect([half], [full], INVENTORY, DAY)
        assert (back.dark, gate.grave(back)) == (0, ())

    @pytest.mark.parametrize(
        ("dark", "placed", "expected"),
        [
            ((1, 2, 3), True, 3),
            ((1, 2, 4, 5), True, 2),
            ((1, 3, 5), True, 1),
            ((1, 3, 5), False, 3),
        ],
    )
    def test_dark_lamps_next_to_each_other_are_counted_along_their_road(
        self, dark: tuple[int, ...], placed: bool, expected: int
    ):
        street = Inventory(
            roads={"spruce": Road("spruce", RoadClass.MAIN)},
            luminaires={
                f"l-{number}": Luminaire(
                    f"l-{number}", 36.65, 117.12, name, "spruce", pole_order=number if placed else None
                )
                for number, name in enumerate(LAMPS, start=1)
            },
        )
        names = tuple(LAMPS[number - 1] for number in dark)
        full = library(Assignment("a", "all-night-loop", city=True))
        half = library(Assignment("a", "all-night-loop", city=True), Assignment("b", "half-night-loop", devices=names))
        plans = [compiled(one, street, SITE, ZONE, 1) for one in (full, half)]
        before, after = (one for one in plans if isinstance(one, Plan))
        found = effect([before], [after], street, DAY)
        assert (found.dark, found.adjacent) == (len(dark), expected)

    def test_a_level_through_the_floor_of_its_road_counts_as_dark(self):
        dim = msgspec.structs.replace(presets.FULL_NIGHT, levels=Levels(40), floors=Levels(0))
        full = Library(presets.PROGRAMS, presets.CALENDARS, (Assignment("a", "all-night-loop", city=True),))
        under = Library((dim, *presets.PROGRAMS[1:]), presets.CALENDARS, full.assignments)
        found = effect([made(full)], [made(under)], INVENTORY, DAY)
        assert (found.dark, found.dark_roads) == (2, ("spruce",))  # a main road's floor is 50, a branch's 30

    def test_a_dark_tunnel_is_called_one(self):
        under = replace(
            INVENTORY, roads={**INVENTORY.roads, "spruce": Road("spruce", RoadClass.MAIN, structure=Structure.TUNNEL)}
        )
        full = made(library(Assignment("a", "all-night-loop", city=True)))
        half = made(
            library(Assignment("a", "all-night-loop", city=True), Assignment("b", "half-night-loop", roads=("spruce",)))
        )
        found = effect([full], [half], under, DAY)
        assert gate.grave(found)[0] == "tunnel spruce goes dark as a whole"

    def test_a_road_that_goes_dark_in_two_steps_is_dark_as_a_whole(self):
        never = msgspec.structs.replace(presets.HALF_NIGHT, id="never", levels=Levels(0), floors=Levels(0))
        dark = Calendar("never", "never")
        nobody = Library((*presets.PROGRAMS, never), (*presets.CALENDARS, dark))
        lit = Assignment("a", "all-night-loop", city=True)
        first = msgspec.structs.replace(nobody, assignments=(lit, Assignment("b", "never", devices=LAMPS[:1])))
        second = msgspec.structs.replace(nobody, assignments=(lit, Assignment("b", "never", devices=LAMPS[:2])))
        found = effect([made(first)], [made(second)], INVENTORY, DAY)
        assert (found.dark, found.dark_roads, found.adjacent) == (1, ("spruce",), 2)

    def test_lamps_that_only_one_side_knows_are_left_out(self):
        assert effect([], [made(PRESETS)], INVENTORY, DAY) == Effect()


GRAVE = Effect(lamps=100, dark=51, adjacent=51)


@pytest.mark.parametrize(
    ("case", "may"),
    [
        (Case(PlanState.DRAFT, "li", (), Effect()), False),
        (Case(PlanState.VALIDATED, "li", (), Effect()), True),
        (Case(PlanState.PUBLISHED, "li", (), Effect()), True),
        (Case(PlanState.VALIDATED, "li", (), GRAVE), False),
        (Case(PlanState.VALIDATED, "li", ("li",), GRAVE), False),
        (Case(PlanState.VALIDATED, "li", ("wang",), GRAVE), True),
        (Case(PlanState.DRAFT, "li", ("wang",), Effect()), False),
        (Case(PlanState.VALIDATED, "li", (), Effect(dark=70, adjacent=50)), True),
        (Case(PlanState.VALIDATED, "li", (), Effect(dark=1, dark_roads=("elm",))), False),
        (Case(PlanState.VALIDATED, "li", (), Effect(energy_before_kwh=100, energy_after_kwh=95)), True),
        (Case(PlanState.VALIDATED, "li", (), Effect(energy_before_kwh=100, energy_after_kwh=94.9)), False),
        (Case(PlanState.VALIDATED, "li", (), Effect(light_before_h=100, light_after_h=90)), False),
    ],
)
def test_the_gate(case: Case, may: bool):
    assert (gate.missing(case) == ()) is may


@given(st.integers(0, 2**50), st.integers(0, 2**50), st.integers(0, 2**50))
def test_versions_rise_above_all_that_a_gateway_may_know(stored: int, told: int, floor: int):
    version = next_version(stored, told, floor)
    assert version > max(stored, told, floor)
    assert not behind(version, told)


def test_what_was_checked_is_known_and_what_has_changed_is_checked_anew(monkeypatch):
    looked = []

    def look(_plans, day):
        looked.append(day)
        return ()

    monkeypatch.setattr(checks, "problems_of", look)
    remembered, plan = checks.Checks(), made(PRESETS)
    for _ in range(2):
        assert remembered.problems_of([plan], DAY) == ()
    assert len(looked) == 1
    remembered.problems_of([plan], DAY + timedelta(days=1))
    remembered.problems_of([msgspec.structs.replace(plan, latitude=plan.latitude + 1)], DAY)
    assert len(looked) == 3
