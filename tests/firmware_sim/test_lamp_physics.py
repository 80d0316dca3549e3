import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_firmware_sim.physics import lamps
from lamplighter_firmware_sim.physics.lamps import Array

levels = st.floats(1, 100)
volts = st.floats(150, 265)


def one(value: float) -> Array:
    return np.array([value])


@settings(deadline=None)
@given(rated=st.floats(20, 400), low=levels, high=levels, volt=volts)
def test_led_power_never_falls_with_the_level(rated: float, low: float, high: float, volt: float) -> None:
    low, high = sorted((low, high))
    power = lamps.led_power_w(np.full(2, rated), np.array([low, high]), np.full(2, volt))
    assert 0 < power[0] <= power[1] <= 1.02 * rated


@settings(deadline=None)
@given(level=levels, arc=st.floats(0, 9), low=volts, high=volts)
def test_hps_power_follows_the_voltage_by_the_power_of_1_6(level: float, arc: float, low: float, high: float) -> None:
    power = lamps.hps_power_w(np.full(2, 250.0), np.full(2, level), np.array([low, high]), np.full(2, arc))
    assert power[1] / power[0] == pytest.approx((high / low) ** 1.6)


@pytest.mark.parametrize(("level", "watts"), [(100, 150), (50, 77.1), (10, 21.6), (1, 10.1)])
def test_led_power_table(level: float, watts: float) -> None:
    assert lamps.led_power_w(one(150), one(level), one(230))[0] == pytest.approx(watts, abs=0.2)


@pytest.mark.parametrize(("level", "factor"), [(100, 0.98), (80, 0.90), (40, 0.80), (5, 0.65)])
def test_led_power_factor_falls_with_the_level(level: float, factor: float) -> None:
    assert lamps.led_power_factor(one(level))[0] == pytest.approx(factor)


@pytest.mark.parametrize(("minutes", "share"), [(1, 0.55), (3, 0.80), (5, 0.94), (6.5, 0.98), (9, 1.0), (20, 1.0)])
def test_a_cold_hps_lamp_warms_up_like_real_ones(minutes: float, share: float) -> None:
    arc = lamps.arc_warmth(one(0), np.array([True]), minutes * 60)
    full = lamps.hps_power_w(one(250), one(100), one(230), one(lamps.ARC_FULL_MIN))
    assert lamps.hps_power_w(one(250), one(100), one(230), arc)[0] / full[0] == pytest.approx(share, abs=0.005)


def seconds_until_restrike(arc_min: float) -> int:
    seconds, arc = 0, one(arc_min)
    while not lamps.arc_burns(np.array([False]), np.array([True]), one(230), arc)[0]:
        arc = lamps.arc_warmth(arc, np.array([False]), 1.0)
        seconds += 1
    return seconds


@pytest.mark.parametrize(("arc_min", "low_s", "high_s"), [(0, 0, 0), (1.5, 0, 0), (5, 30, 60), (9, 90, 120)])
def test_a_hot_hps_lamp_restrikes_only_when_it_has_cooled(arc_min: float, low_s: int, high_s: int) -> None:
    assert low_s <= seconds_until_restrike(arc_min) <= high_s


def test_an_arc_drops_out_when_the_voltage_sags_and_stays_out_while_hot() -> None:
    burning, wanted, hot = np.array([True]), np.array([True]), one(9)
    assert lamps.arc_burns(burning, wanted, one(190), hot)[0]
    assert not lamps.arc_burns(burning, wanted, one(170), hot)[0]
    assert not lamps.arc_burns(np.array([False]), wanted, one(230), hot)[0]


@settings(deadline=None)
@given(start=st.floats(-20, 80), goal=st.floats(-20, 80), seconds=st.floats(0.1, 7200), parts=st.integers(1, 20))
def test_the_approach_to_a_temperature_does_not_depend_on_the_steps(
    start: float, goal: float, seconds: float, parts: int
) -> None:
    whole, stepwise = lamps.towards(one(start), one(goal), seconds, 2400), one(start)
    for _ in range(parts):
        stepwise = lamps.towards(stepwise, one(goal), seconds / parts, 2400)
    assert stepwise[0] == pytest.approx(whole[0], abs=1e-6)
