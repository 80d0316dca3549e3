"""What one lamp of a street shows, and what is said of it."""

import numpy as np
import pytest

from tests.controller.diagnosis.lamps.night import LAMPS, Street, Values, told

ODD = 4


def _set(**values: float):
    def spoil(said: Values) -> None:
        for name, value in values.items():
            said[name][ODD] = value
        if not {"current_a", "voltage_v"} & values.keys():
            said["current_a"][ODD] = said["power_w"][ODD] / said["voltage_v"][ODD] / abs(said["power_factor"][ODD])

    return spoil


def _scaled(share: float):
    def spoil(said: Values) -> None:
        said["power_w"][ODD] *= share
        said["current_a"][ODD] *= share

    return spoil


@pytest.mark.parametrize(
    ("level", "spoil", "within", "class_id"),
    [
        (100.0, _set(power_w=2.0, power_factor=0.35), 5, "lamp_dead"),
        (100.0, _set(power_w=0.5, power_factor=0.35), 5, "driver_dead"),
        (100.0, _set(power_w=0.0, current_a=0.0, power_factor=np.nan), 5, "relay_open"),
        (0.0, _set(power_w=98.0, power_factor=0.95), 6, "relay_stuck_on"),
        (100.0, _scaled(0.7), 5, "led_partial"),
        (100.0, _scaled(0.94), 6, "led_short"),
        (100.0, _set(power_w=0.0, current_a=0.0, voltage_v=0.0, power_factor=0.0), 5, "meter_bad"),
        (100.0, _set(power_w=100.0, power_factor=0.5, current_a=0.46), 5, "meter_bad"),
        (100.0, _set(voltage_v=700.0, current_a=0.15), 4, "meter_bad"),
        (100.0, _set(temperature_c=82.0), 8, "overtemp"),
    ],
    ids=["dead", "driver", "open", "welded", "strings", "short", "blind meter", "contradiction", "absurd", "hot"],
)
def test_one_odd_lamp_is_told_by_its_class(level, spoil, within, class_id):
    street = Street()
    street.steps(30)
    street.steps(6, level)
    assert told(street.steps(within, level, spoil)) == {ODD: class_id}


def test_a_capacitor_of_a_discharge_lamp_is_told_by_its_power_factor():
    street = Street(source="hps")
    street.steps(30)
    assert told(street.steps(6, 100.0, _set(power_factor=0.48))) == {ODD: "pf_cap"}


def test_a_meter_that_freezes_after_the_street_was_dimmed_late_is_a_meter_and_no_stuck_level():
    street = Street()
    street.steps(30)
    street.steps(20, 60.0)
    street.steps(10)

    def full(said: Values) -> None:
        _scaled(1 / 0.62)(said)

    street.steps(2, 60.0, full)  # it took the command late, and froze before it did
    frozen = _set(power_w=100.2, voltage_v=230.1, current_a=0.459)
    said = [told(street.step(60.0, frozen)) for _ in range(12)]
    assert {name for one in said for name in one.values()} == {"meter_bad"}


def test_a_lamp_that_stays_at_full_power_when_dimmed_is_stuck_and_one_that_lost_strings_is_not():
    street = Street()
    street.steps(30)
    street.steps(20, 60.0)
    street.steps(10)

    def spoil(said: Values) -> None:
        said["power_w"][ODD] = 100.0
        said["current_a"][ODD] = 100.0 / said["voltage_v"][ODD] / 0.95
        said["power_w"][ODD + 1] *= 0.6
        said["current_a"][ODD + 1] *= 0.6

    assert told(street.steps(8, 60.0, spoil)) == {ODD: "dim_fail", ODD + 1: "led_partial"}


def test_a_discharge_lamp_that_goes_out_and_comes_back_is_cycling():
    street = Street(source="hps")
    street.steps(30)
    dark = _set(power_w=6.0, power_factor=0.3)
    for _ in range(3):
        street.steps(3, 100.0, dark)
        said = street.steps(3)
    assert told(said) == {ODD: "cycling"}


def test_drift_of_two_percent_a_day_is_found_within_a_day_and_told_from_a_step():
    street = Street()
    street.steps(96)
    for step in range(96):
        said = street.step(100.0, _scaled(1 - 0.02 * step / 96))
        if len(said.lamps.row):
            break
    assert step < 96
    for more in range(step, step + 60):
        said = street.step(100.0, _scaled(1 - 0.02 * more / 96))
    assert told(said) == {ODD: "driver_drift"}


def test_values_that_never_change_while_the_neighbours_do_were_not_measured():
    street = Street()
    street.steps(20)
    assert told(street.steps(10, 100.0, _set(power_w=99.0, voltage_v=229.0, current_a=0.455))) == {ODD: "meter_bad"}


def test_readings_from_the_future_speak_against_the_clock_and_are_not_believed():
    street = Street()
    street.steps(20)

    def spoil(said: Values) -> None:
        said["ahead_ms"] = np.where(np.arange(LAMPS) == ODD, 3_600_000, 0)
        said["power_w"][ODD] = 1.0

    assert told(street.steps(4, 100.0, spoil)) == {ODD: "clock_bad"}


def test_suspicion_tells_onset_evidence_and_probabilities():
    street = Street()
    street.steps(30)
    began_ms = street.now_ms
    said = street.steps(4, 100.0, _set(power_w=2.0, power_factor=0.35)).lamps
    assert began_ms < said.first_observable_ms[0] <= began_ms + 900_000
    assert said.onset_ms[0] <= said.first_observable_ms[0]
    power = said.evidence["power"]
    assert power.value[0] == pytest.approx(2.0)
    assert power.expected[0] == pytest.approx(100, rel=0.02)
    assert power.unit == "W"
    np.testing.assert_allclose(said.probability.sum(axis=1), 1, rtol=1e-5)


def test_what_is_mended_is_cleared_and_said_once():
    street = Street()
    street.steps(30)
    raised = [street.step(100.0, _set(power_w=2.0, power_factor=0.35)).lamps.raised.sum() for _ in range(6)]
    assert sum(raised) == 1
    cleared = [row for _ in range(12) for row in street.step().lamps.cleared.tolist()]
    assert cleared == [ODD]
    assert told(street.step()) == {}
