"""What may be said of a device, rule by rule."""

from collections.abc import Mapping

import numpy as np
import pytest

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.api.condition import STALE_AFTER_S, Condition, Conditions, conditions
from lamplighter_controller.twin.columns import Twin
from tests.controller.api.world import entry, readings

NOW_MS = 1_763_650_000_000
NAN = float("nan")


def judged(
    twin: Twin, kind: Kind = Kind.LAMP, offline: frozenset[str] = frozenset(), after_s: float = 0.0
) -> Conditions:
    civil_ms = NOW_MS + round(after_s * 60_000)
    return conditions(twin.snapshot(kind), offline, civil_ms=civil_ms, monotonic_s=100.0 + after_s, rate=60.0)


def lamp_with(values: Mapping[str, float], quality: int = 0, received_s: float = 100.0) -> Twin:
    twin = Twin()
    twin.adopt("gw-1", [entry("lamp-1")])
    twin.apply(readings(Kind.LAMP, ["lamp-1"], NOW_MS, values, quality), received_s)
    return twin


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Condition.UNKNOWN),
        ({"level_percent": NAN, "power_w": NAN}, Condition.UNKNOWN),
        ({"level_percent": 60.0}, Condition.ON),
        ({"level_percent": 0.0}, Condition.OFF),
        ({"level_percent": 60.0, "power_w": 90.0}, Condition.ON),
        ({"level_percent": 0.0, "power_w": 0.6}, Condition.OFF),
        ({"level_percent": 100.0, "power_w": 0.6}, Condition.FAULT),  # told to shine, takes nothing
        ({"level_percent": 0.0, "power_w": 90.0}, Condition.ON),  # told to be off, shines
        ({"power_w": 90.0}, Condition.ON),
        ({"level_percent": 60.0, "power_w": 90.0, "fault_bits": 4.0}, Condition.FAULT),
        ({"level_percent": 60.0, "power_w": 90.0, "fault_bits": 0.0}, Condition.ON),
    ],
)
def test_a_lamp_is_what_its_power_and_level_say(values: dict[str, float], expected: Condition):
    assert judged(lamp_with(values)) == [expected]


def test_a_lamp_never_read_is_unknown_and_not_off():
    twin = Twin()
    twin.adopt("gw-1", [entry("lamp-1")])
    assert judged(twin) == [Condition.UNKNOWN]


@pytest.mark.parametrize("bit", set(Quality) - {Quality.STALE})
def test_a_reading_with_a_blemish_still_says_what_the_lamp_does(bit: Quality):
    assert judged(lamp_with({"level_percent": 60.0}, bit)) == [Condition.ON]


def test_a_lamp_that_was_on_and_does_not_answer_is_unknown():
    twin = lamp_with({"level_percent": 60.0})
    twin.apply(readings(Kind.LAMP, ["lamp-1"], NOW_MS + 1, {}, Quality.STALE), 101.0)
    assert judged(twin) == [Condition.UNKNOWN]


def test_a_value_goes_stale_by_real_time():
    twin = lamp_with({"level_percent": 60.0})
    assert judged(twin, after_s=STALE_AFTER_S) == [Condition.ON]
    assert judged(twin, after_s=STALE_AFTER_S + 1) == [Condition.UNKNOWN]


def test_a_value_from_before_the_start_goes_stale_by_its_date():
    twin = lamp_with({"level_percent": 60.0}, received_s=NAN)
    assert judged(twin, after_s=STALE_AFTER_S) == [Condition.ON]
    assert judged(twin, after_s=STALE_AFTER_S + 1) == [Condition.UNKNOWN]


def test_lamps_of_a_gateway_that_is_gone_are_unknown():
    twin = lamp_with({"level_percent": 60.0})
    twin.adopt("gw-2", [entry("lamp-2")])
    twin.apply(readings(Kind.LAMP, ["lamp-2"], NOW_MS, {"level_percent": 60.0}), 100.0)
    assert list(judged(twin, offline=frozenset({"gw-1"}))) == [Condition.UNKNOWN, Condition.ON]


def test_a_lamp_that_nobody_serves_any_more_is_gone():
    twin = lamp_with({"level_percent": 60.0})
    twin.adopt("gw-1", [])
    assert judged(twin) == [Condition.GONE]


def test_a_contactor_and_a_cabinet():
    twin = Twin()
    twin.adopt("gw-1", [entry("circuit-01-a", Kind.CIRCUIT), entry("cab-01", Kind.CABINET)])
    twin.apply(readings(Kind.CIRCUIT, ["circuit-01-a"], NOW_MS, {"contactor_closed": 0.0}), 100.0)
    twin.apply(readings(Kind.CABINET, ["cab-01"], NOW_MS, {"voltage_a_v": 230.0}), 100.0)
    assert judged(twin, Kind.CIRCUIT) == [Condition.OFF]
    assert judged(twin, Kind.CABINET) == [Condition.ON]


def test_no_sensor_is_judged():
    twin = Twin()
    twin.adopt("gw-1", [entry("bin-1", Kind.SENSOR)])
    assert np.all(judged(twin, Kind.SENSOR) == Condition.UNKNOWN)
