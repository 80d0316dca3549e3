"""What a plan is told before it is published: the rule, the date, and all of it."""

from datetime import date, time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.light.adaptive import Traffic
from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.calendars import Calendar, Rule
from lamplighter_contract.light.plans.plan import Assignment, Group, PlanOverride
from lamplighter_contract.light.plans.problems import Severity
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass, Step
from lamplighter_contract.light.plans.validation import acceptable, validate
from lamplighter_contract.light.sky.moments import ClockMoment, SunEvent, SunMoment
from lamplighter_contract.light.view import View
from tests.contract.light.samples import FEW, NOW_MS, SAMPLE, plans

FIRST = date(2026, 1, 1)
FULL = Levels(100)
DUSK, DAWN = SunMoment(SunEvent.DUSK), SunMoment(SunEvent.DAWN, -4.5)


def at(text: str) -> ClockMoment:
    return ClockMoment(time.fromisoformat(text))


def plan_of(*programs: Program, rules: tuple[Rule, ...] = (), **values):
    calendar = Calendar("c", programs[0].id, rules)
    return msgspec.structs.replace(
        SAMPLE,
        **{
            "programs": programs,
            "calendars": (calendar,),
            "circuits": (),
            "groups": (Group("g", ("lamp-1",)),),
            "scenes": (),
            "adaptive": (),
            "outputs": (),
            "overrides": (),
            "assignments": (Assignment("c", RoadClass.MAIN, groups=("g",)),),
        }
        | values,
    )


def test_the_presets_have_nothing_wrong_with_them_all_year():
    found = validate(SAMPLE, FIRST)
    # the traffic rule of the sample goes under the floor of main roads, on purpose
    assert {problem.where.split(",")[0] for problem in found} == {"adaptive rule traffic"}
    for calendar in ("seasons", "all-night-loop"):
        made = plan_of(
            *presets.PROGRAMS, calendars=presets.CALENDARS, assignments=(Assignment(calendar, groups=("g",)),)
        )
        assert validate(made, FIRST) == ()


CLOCKED = Program("clocked", FULL, at("19:00"), at("05:00"))

CASES = [
    (plan_of(Program("p", FULL, DUSK)), "program p: has a moment for on but none for off"),
    (plan_of(Program("p", FULL, None, DAWN)), "program p: has a moment for off but none for on"),
    (
        plan_of(Program("p", FULL, DUSK, DAWN, (Step(at("23:00"), FULL), Step(at("23:00"), FULL)))),
        "program p: steps 1 and 2 stand at one moment (23:00)",
    ),
    (
        plan_of(
            Program("p", FULL, DUSK, DAWN, (Step(at("23:00"), Levels(40)),), floors=Levels(0, {RoadClass.MAIN: 50}))
        ),
        "program p, step 1 (23:00): 40 % on main roads is under their floor of 50 %",
    ),
    (
        plan_of(CLOCKED),
        (
            "calendar c, rule default, program clocked, 2026-01-01 (and 253 more nights): "
            "main roads are dark from 17:35 to 19:00, the sun is below -6°"
        ),
    ),
    (
        plan_of(Program("p", FULL, DUSK, DAWN, (Step(at("00:00"), Levels(0)), Step(at("05:00"), FULL)))),
        (
            "calendar c, rule default, program p, 2026-01-01 (and 365 more nights): "
            "main roads are dark from 00:00 to 05:00, the sun is below -6°"
        ),
    ),
    (
        plan_of(Program("p", FULL, at("17:00"), at("08:00"))),
        "lit by day from",
    ),
    (
        plan_of(Program("p", FULL, at("05:00"), at("19:00"))),
        (
            "calendar c, rule default, program p, 2026-01-01 (and 365 more nights): "
            "off at 19:00 before on at 05:00, so it is never on"
        ),
    ),
    (
        plan_of(Program("p", FULL, DUSK, DAWN, (Step(at("05:00"), FULL),))),
        "calendar c, rule default, program p, 2026-04-30 (and 95 more nights): step 1 (05:00) does not come to pass",
    ),
    (
        plan_of(
            presets.FULL_NIGHT,
            CLOCKED,
            rules=(Rule("fair", "clocked", dates=frozenset({"2026-12-01"})), Rule("x", "full-night")),
        ),
        "calendar c, rule fair, program clocked, 2026-12-01: main roads are dark",
    ),
    (
        plan_of(presets.FULL_NIGHT, rules=(Rule("a", "full-night"), Rule("b", "full-night", "--05-01", "--05-02"))),
        "calendar c, rule b: never comes to its turn: rule a stands before it",
    ),
    (
        plan_of(presets.FULL_NIGHT, assignments=(Assignment("c", groups=("g",)),) * 2),
        "assignment 2: lamp-1 is brought by assignment 1 already",
    ),
    (
        plan_of(presets.FULL_NIGHT, assignments=(Assignment("c", devices=("lamp-1",)),) * 2),
        "assignment 2: lamp-1 is named by assignment 1 already",
    ),
    (plan_of(presets.FULL_NIGHT, assignments=()), "assignments: no calendar for lamp-1"),
    (
        plan_of(presets.FULL_NIGHT, adaptive=(Traffic("t", "s", {"low": Levels(20)}, groups=("g",)),)),
        "adaptive rule t, low, over program full-night: 20 % on main roads is under their floor of 50 %",
    ),
    (
        plan_of(
            presets.FULL_NIGHT,
            overrides=(PlanOverride("e", 1, NOW_MS, 60, NOW_MS + 1, emergency=True, groups=("g",)),),
        ),
        "override e: an emergency is full light, not 60 %",
    ),
    (plan_of(presets.FULL_NIGHT, groups=()), "plan: assignment 1: no group g"),
    (
        plan_of(presets.FULL_NIGHT, groups=tuple(Group(f"g{n}" if n else "g", ("lamp",) * 9_000) for n in range(20))),
        "at most 1048576 are taken",
    ),
]


@pytest.mark.parametrize(("plan", "says"), CASES)
def test_everything_wrong_is_named_with_its_rule_and_date(plan, says):
    found = [str(problem) for problem in validate(plan, FIRST)]
    assert any(says in problem for problem in found), found


def test_being_dark_can_be_meant():
    meant = Program("p", FULL, DUSK, at("00:00"), dark_allowed=True)
    assert validate(plan_of(meant), FIRST) == ()


def test_a_polar_summer_is_no_error_and_a_polar_winter_is_not_dark():
    sun = Program("p", FULL, SunMoment(SunEvent.DUSK, -0.833), SunMoment(SunEvent.DAWN, -0.833), minimum_on_min=10)
    assert acceptable(validate(plan_of(sun, latitude=69.65, longitude=18.96, zone="Europe/Oslo"), FIRST))


def test_several_things_wrong_are_all_listed():
    wrong = plan_of(
        Program("p", Levels(10), DUSK, None, floors=Levels(30)), assignments=(Assignment("c", groups=("g",)),) * 2
    )
    found = validate(wrong, FIRST)
    assert len([problem for problem in found if problem.severity is Severity.ERROR]) >= 3
    assert not acceptable(found)


@FEW
@given(st.data())
def test_validation_changes_nothing_and_a_dark_main_road_never_passes(data):
    plan = data.draw(plans(NOW_MS))
    before = plan.as_json()
    found = validate(plan, FIRST, 20)
    assert plan.as_json() == before
    view = View(plan)
    dark = any(
        not tonight.night.darkness(-6.0).never
        and not view.programs[tonight.program].dark_allowed
        and all(stage.levels.of(assignment.road_class) == 0 for stage in tonight.stages)
        for assignment in plan.assignments
        for tonight in [view.on(assignment.calendar, FIRST)]
    )
    assert not (dark and acceptable(found))
