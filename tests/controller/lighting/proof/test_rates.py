"""Three figures by group, the kinds of proof, the road rule, and what a meter can say of silent lamps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_controller.lighting.proof.light.bounds import Bound, Supply, Tolerances, bound
from lamplighter_controller.lighting.proof.light.evidence import DARK, LIT
from lamplighter_controller.lighting.proof.light.litrate import lit_time
from lamplighter_controller.lighting.proof.light.rates import metered, nothing_metered, tallies
from lamplighter_controller.lighting.proof.light.tally import By, Proof, Tally, Verdict, road_rule
from tests.controller.lighting.proof.city import END_MS, HOUR_MS, every, evidence, required

NIGHT = required([(6, 18)])
EXACT = Tolerances(0, 0, 0, 0)


def judged(*said):
    """Lamps by what is said of them all night: "L", "D" or "?"."""
    states = {"L": LIT, "D": DARK}
    rows = [each for row, one in enumerate(said) if one in states for each in every(5, 19, row, states[one])]
    return lit_time(np.zeros(len(said), np.int64), NIGHT, evidence(rows), END_MS)[0]


def test_three_figures_by_road_and_city():
    night = judged("L", "L", "D", "?", "L")
    keys = {By.CITY: ["city"] * 5, By.ROAD: ["oak", "oak", "oak", "elm", "elm"]}
    found = tallies(keys, night, nothing_metered(5))
    (city,) = found[By.CITY]
    assert (city.lamps, city.dark_lamps, city.unknown_lamps) == (5, 1, 1)
    assert (city.reported_percent, city.worst_percent, city.best_percent) == (75, 60, 80)
    elm, oak = found[By.ROAD]
    assert (elm.key, elm.reported_percent, elm.worst_percent, elm.best_percent) == ("elm", 100, 50, 100)
    assert oak.worst_percent == oak.best_percent == pytest.approx(200 / 3)
    assert [round(city.covered_percent(proof) or 0) for proof in Proof] == [80, 0, 0, 20]


def test_where_no_light_is_due_there_is_no_rate():
    found = lit_time(np.zeros(1, np.int64), required([]), evidence(every(5, 19, 0, LIT)), END_MS)[0]
    (city,) = tallies({By.CITY: ["city"]}, found, nothing_metered(1))[By.CITY]
    assert (city.reported_percent, city.worst_percent, city.best_percent) == (None, None, None)
    assert road_rule(city) is None


@pytest.mark.parametrize(
    ("lamps", "dark", "unknown", "verdict", "limit"),
    [
        (40, 2, 0, Verdict.MET, 2),
        (40, 3, 0, Verdict.MISSED, 2),
        (99, 1, 2, Verdict.UNPROVABLE, 2),
        (100, 3, 0, Verdict.MET, 3),
        (149, 4, 0, Verdict.MISSED, 3),
        (150, 4, 0, Verdict.MET, 4),
        (199, 0, 5, Verdict.UNPROVABLE, 4),
        (200, 6, 0, Verdict.MET, 97),
        (200, 7, 0, Verdict.MISSED, 97),
        (200, 5, 3, Verdict.UNPROVABLE, 97),
    ],
)
def test_the_rule_of_changsha(lamps, dark, unknown, verdict, limit):
    lit = lamps - dark - unknown
    road = Tally("oak", lamps, lamps, lit, dark, unknown, lamps, 0, 0, dark, unknown)
    rule = road_rule(road)
    assert rule is not None
    assert (rule.verdict, rule.limit, rule.in_percent) == (verdict, limit, lamps >= 200)


def supply(metered_w, silent, spoken_w=0.0, watts=100.0, stray_w=0.0):
    """One instant."""
    flags = np.ones((silent, 1), np.bool_)
    power = np.full(silent, watts) if np.isscalar(watts) else np.array(watts, float)
    return Supply(
        np.array([metered_w], float),
        np.array([spoken_w], float),
        silent,
        flags,
        power,
        power,
        np.array([stray_w], float),
    )


@pytest.mark.parametrize(
    ("given_supply", "lit", "dark"),
    [
        pytest.param(supply(300, 3), 3, 0, id="all lit"),
        pytest.param(supply(0, 3), 0, 3, id="all dark"),
        pytest.param(supply(200, 3), 2, 1, id="one of three is dark, nobody knows which"),
        pytest.param(supply(500, 3, spoken_w=300), 2, 1, id="what others draw by their own word is taken off"),
        pytest.param(supply(400, 3), 0, 0, id="more than all of them could draw: something else hangs on it"),
        pytest.param(supply(float("nan"), 3), 0, 0, id="the meter is silent, too"),
        pytest.param(supply(200, 3, stray_w=100), 1, 1, id="what may be on by mistake weakens the proof"),
        pytest.param(supply(100, 3, watts=[50, 50, 100]), 1, 1, id="one strong lamp or two weak ones"),
    ],
)
def test_the_meter_bounds_how_many_are_lit(given_supply, lit, dark):
    found = bound(given_supply, EXACT)
    assert found.all_lit.sum() + found.some_lit == lit
    assert found.all_dark.sum() + found.some_dark == dark


@given(
    watts=st.lists(st.floats(20, 400), min_size=1, max_size=12),
    states=st.lists(st.booleans(), min_size=12, max_size=12),
    error=st.floats(-0.019, 0.019),
    spoken=st.floats(0, 500),
)
def test_the_bounds_hold_whatever_is_lit(watts, states, error, spoken):
    lit = states[: len(watts)]
    power = sum(each for each, on in zip(watts, lit, strict=True) if on) + spoken
    found = bound(supply(power / (1 + error), len(watts), spoken_w=spoken, watts=watts), Tolerances(0.02, 0.05, 1, 0))
    assert found.all_lit.sum() + found.some_lit <= sum(lit)
    assert found.all_dark.sum() + found.some_dark <= len(lit) - sum(lit)


def test_a_bound_counts_for_who_holds_all_silent_lamps_of_the_supply_point():
    night = judged("?", "?", "?", "?")
    some = Bound(np.zeros(4), np.zeros(4), 36.0, 12.0, np.full(4, 12.0))  # at 12 instants 3 of 4 were lit
    keys = {By.CITY: ["city"] * 4, By.ROAD: ["oak", "oak", "oak", "elm"]}
    found = tallies(keys, night, metered(night, [(np.arange(4), some)]))
    (city,) = found[By.CITY]
    assert (city.reported_percent, city.worst_percent, city.best_percent) == (75, 75, 75)
    assert city.meter_ms == city.required_ms == 48 * HOUR_MS
    assert all(road.unknown_ms == road.required_ms for road in found[By.ROAD])


def test_where_all_are_lit_each_lamp_is_proven():
    night = judged("?", "L")
    every_one = Bound(np.array([6.0]), np.zeros(1), 0.0, 0.0, np.array([12.0]))  # half of the instants
    found = tallies({By.ROAD: ["oak", "elm"]}, night, metered(night, [(np.array([0]), every_one)]))
    elm, oak = found[By.ROAD]
    assert (oak.lit_ms, oak.unknown_ms, oak.meter_ms) == (6 * HOUR_MS, 6 * HOUR_MS, 6 * HOUR_MS)
    assert (elm.lit_ms, elm.own_ms) == (12 * HOUR_MS, 12 * HOUR_MS)


@given(
    said=st.lists(st.sampled_from("LD?"), min_size=1, max_size=12),
    lit=st.floats(0, 1),
    dark=st.floats(0, 1),
    roads=st.lists(st.sampled_from(["oak", "elm", ""]), min_size=12, max_size=12),
)
def test_figures_are_ordered_and_sums_are_whole(said, lit, dark, roads):
    night = judged(*said)
    silent = np.array([row for row, one in enumerate(said) if one == "?"], np.int64)
    instants, nothing = np.full(len(silent), 12.0), np.zeros(len(silent))
    checks = float(instants.sum())
    some = Bound(nothing, nothing, lit * checks, dark * (1 - lit) * checks, instants)
    keys = {By.CITY: ["city"] * len(said), By.ROAD: roads[: len(said)]}
    found = tallies(keys, night, metered(night, [(silent, some)]))
    for one in (*found[By.CITY], *found[By.ROAD]):
        assert one.lit_ms + one.dark_ms + one.unknown_ms == pytest.approx(one.required_ms, rel=1e-9)
        assert one.own_ms + one.patrol_ms + one.meter_ms == pytest.approx(one.lit_ms + one.dark_ms, rel=1e-9, abs=1)
        assert one.worst_percent is not None
        assert one.best_percent is not None
        assert one.worst_percent <= one.best_percent
        if one.reported_percent is not None:
            assert one.worst_percent - 1e-9 <= one.reported_percent <= one.best_percent + 1e-9
    assert sum(road.lamps for road in found[By.ROAD]) == found[By.CITY][0].lamps
