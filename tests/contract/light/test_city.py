"""All lamps at once say what one lamp says; many nights at once are those computed one by one."""

import ast
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lamplighter_contract.light
from lamplighter_contract.light.city.columns import columns_of
from lamplighter_contract.light.city.levels import levels_at, prepare_nights
from lamplighter_contract.light.city.switch_times import middles_ms, switch_times, switch_times_by_grid
from lamplighter_contract.light.level import level
from lamplighter_contract.light.signals import Signal
from lamplighter_contract.light.sky.nights import Place, night
from lamplighter_contract.light.view import View
from tests.contract.light.samples import FEW, HOUR_MS, MINUTE_MS, NOW_MS, SAMPLE, SHOW_MS, plans, signals


def assert_same(views, now_ms, given_signals):
    columns = columns_of(views)
    together = levels_at(columns, now_ms, given_signals)
    row = 0
    for view in views:
        for device in view.members:
            if device in view.circuits:
                continue
            assert columns.devices[row] == device
            alone = level(View(view.plan), device, now_ms, given_signals)
            assert together.level_percent[row] == pytest.approx(alone.level_percent, abs=1e-3)
            assert together.winner(row) == alone.why.winner
            assert together.beat(row) == alone.why.beat
            assert together.until_ms[row] == pytest.approx(alone.why.until_ms or 0, abs=2)
            assert together.sources[together.source[row]] == alone.why.source
            row += 1
    assert row == len(columns.devices) == sum(together.count().values())


@FEW
@given(st.data(), st.integers(-400 * 24 * 60, 400 * 24 * 60))
def test_all_lamps_at_once_are_as_each_alone(data, minutes):
    now_ms = NOW_MS + minutes * MINUTE_MS
    views = [View(plan) for plan in data.draw(st.lists(plans(now_ms), min_size=1, max_size=2))]
    assert_same(views, now_ms, data.draw(signals(now_ms)))


@pytest.mark.parametrize("hours", range(-8, 17, 3))
def test_the_sample_plan_hour_by_hour(hours):
    offered = {name: Signal(name, 1, SHOW_MS + 30 * HOUR_MS) for name in ("fog-north", "lux-north")}
    assert_same([View(SAMPLE)], SHOW_MS + hours * HOUR_MS + 1, {})
    assert_same([View(SAMPLE)], SHOW_MS + hours * HOUR_MS + 1, offered)


def test_no_lamps_at_all():
    empty = View(msgspec.structs.replace(SAMPLE, assignments=(), adaptive=(), scenes=(), outputs=(), overrides=()))
    assert len(levels_at(columns_of([empty]), NOW_MS, {}).level_percent) == 0


@pytest.mark.parametrize(
    ("zone", "latitude", "longitude"), [("Asia/Shanghai", 36.67, 117.0), ("Europe/Berlin", 52.5, 13.4)]
)
def test_a_year_of_many_places_is_that_of_single_nights(zone, latitude, longitude):
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(365)]
    middles = middles_ms(days, ZoneInfo(zone))
    found = switch_times(np.array([10.0, latitude]), np.array([longitude, longitude]), middles, -3.0, -4.5)
    for index in range(0, 365, 30):
        alone = night(days[index], Place(latitude, longitude, ZoneInfo(zone)))
        dusk_ms, dawn_ms = alone.darkness(-3.0).dusk_ms, alone.darkness(-4.5).dawn_ms
        assert middles[index] + found.dusk_s[1, index] * 1000 == pytest.approx(dusk_ms, abs=10)
        assert middles[index] + found.dawn_s[1, index] * 1000 == pytest.approx(dawn_ms, abs=10)


def test_a_grid_over_a_city_is_good_to_a_fraction_of_a_second():
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(0, 365, 10)]
    middles = middles_ms(days, ZoneInfo("Asia/Shanghai"))
    random = np.random.default_rng(1)
    latitudes, longitudes = random.uniform(36.0, 37.1, 200), random.uniform(116.2, 117.9, 200)
    exact = switch_times(latitudes, longitudes, middles, -3.0, -4.5)
    grid = switch_times_by_grid(latitudes, longitudes, middles, -3.0, -4.5)
    assert np.abs(exact.dusk_s - grid.dusk_s).max() < 0.2
    assert np.abs(exact.dawn_s - grid.dawn_s).max() < 0.2


def test_one_place_and_a_polar_summer_can_be_asked_by_grid_too():
    middles = middles_ms([date(2025, 6, 21), date(2025, 12, 21)], ZoneInfo("Europe/Oslo"))
    found = switch_times_by_grid(np.array([69.65]), np.array([18.96]), middles, -3.0, -3.0)
    assert np.isnan(found.dusk_s[0, 0])
    assert (found.dusk_s[0, 1], found.dawn_s[0, 1]) == (-np.inf, np.inf)


def test_nights_computed_together_are_those_each_computes_alone():
    far = msgspec.structs.replace(SAMPLE, latitude=69.65, longitude=18.96, zone="Europe/Oslo")
    views = [View(SAMPLE), View(SAMPLE), View(far)]
    days = [date(2025, 3, 29) + timedelta(days=n) for n in range(0, 200, 7)]
    prepare_nights(views, days, (6.0,))
    for view in views:
        for day in days:
            known = view.night(day).known
            assert {6.0, -0.833, -3.0, -4.5} <= known.keys()
            for below_deg, together in known.items():
                alone = night(day, view.place).darkness(below_deg)
                assert (together.dusk_ms, together.dawn_ms) == pytest.approx((alone.dusk_ms, alone.dawn_ms), abs=10)


def test_only_what_is_done_for_a_whole_city_needs_numpy():
    package = Path(lamplighter_contract.light.__file__).parent.parent
    for path in package.rglob("*.py"):
        imported = {
            name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        if path.parent.name not in {"city", "geo"}:  # rooms of the centre; gateways import none of them
            names = ("numpy", "lamplighter_contract.light.city", "lamplighter_contract.geo")
            assert not any(name.startswith(names) for name in imported), path
