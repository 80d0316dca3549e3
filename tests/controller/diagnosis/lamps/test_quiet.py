"""What must raise nothing, and what must not be lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_controller.diagnosis.suspicions import Suspicions
from tests.controller.diagnosis.lamps.night import LAMPS, RATED_W, Street, Values, told

ODD = 4


def test_nights_of_correct_dimming_raise_nothing():
    street = Street()
    for _ in range(4):
        for level, readings in ((100.0, 16), (60.0, 12), (35.0, 12), (90.0, 6), (0.0, 50)):
            assert told(street.steps(readings, level)) == {}


def test_an_override_of_some_lamps_raises_nothing():
    street = Street()
    street.steps(40)
    street.steps(20, 50.0)

    def override(said: Values) -> None:
        said["desired_percent"][:5] = 50.0
        said["power_w"][:5] *= 0.525
        said["current_a"][:5] *= 0.525

    for _ in range(12):
        assert told(street.step(100.0, override)) == {}


def test_a_sag_of_the_whole_feeder_raises_nothing():
    street = Street(source="hps")
    street.steps(60)

    def sag(said: Values) -> None:
        said["voltage_v"] *= 0.92
        said["power_w"] *= 0.92**1.6
        said["current_a"] *= 0.92**0.6

    for _ in range(6):
        assert told(street.step(100.0, sag)) == {}


@pytest.mark.parametrize(("source", "exponent"), [("led", 1.6), ("hps", 0.0)])
def test_a_sag_in_the_first_night_says_nothing_of_a_lamp_of_another_kind_than_booked(source: str, exponent: float):
    street = Street(source=source)

    def booked_wrongly(said: Values) -> None:
        if source == "hps":
            said["power_w"] *= (said["voltage_v"] / 230) ** 1.6
        said["power_w"][ODD] = RATED_W * (said["voltage_v"][ODD] / 230) ** exponent
        said["current_a"] = said["power_w"] / said["voltage_v"] / said["power_factor"]

    def sag(said: Values) -> None:
        said["voltage_v"] *= 0.875
        booked_wrongly(said)

    street.steps(8, spoil=booked_wrongly)
    for spoil in (sag,) * 5 + (booked_wrongly,) * 40:
        assert told(street.step(100.0, spoil)) == {}


def test_other_times_are_kept_for_a_while_and_forgotten_when_commands_are_taken_in_time():
    street = Street()

    def says(level_percent: float) -> Suspicions:
        return street.step(100.0, lambda said: said.update(level_percent=np.full(LAMPS, level_percent)))

    street.steps(8, 0.0)
    assert [bool(says(level).astray.all()) for level in (0.0, 0.0, 0.0, 100.0, 100.0, 100.0)] == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]


def test_a_command_that_comes_late_raises_nothing():
    street = Street()
    street.steps(40)

    def late(said: Values) -> None:
        said["power_w"][ODD], said["current_a"][ODD], said["power_factor"][ODD] = 100.0, 0.457, 0.95

    street.steps(2, 0.0, late)
    assert told(street.steps(6, 0.0)) == {}


def test_discharge_lamps_warm_up_in_peace():
    street = Street(source="hps")
    street.steps(20)
    street.steps(20, 0.0)

    def cold(said: Values) -> None:
        said["power_w"] *= 0.55
        said["current_a"] *= 0.55

    street.step(100.0, cold)
    assert told(street.steps(6)) == {}


def test_silence_is_counted_and_accuses_no_lamp():
    street = Street()
    street.steps(10)
    for _ in range(3):
        said = street.step(silent=(ODD,))
    assert told(said) == {}
    assert said.silence[ODD] == 3
    assert said.silent_since_ms[ODD] > 0
    assert said.expected_w[ODD] == pytest.approx(100, rel=0.02)
    assert street.step().silence[ODD] == 0


def test_what_most_of_a_feeder_shows_is_left_to_the_supply_tree():
    street = Street()
    street.steps(30)
    street.steps(4, 0.0)

    def lit(said: Values) -> None:
        said["power_w"][:], said["power_factor"][:] = 100.0, 0.95
        said["current_a"][:] = 100.0 / said["voltage_v"] / 0.95

    said = street.steps(6, 0.0, lit)
    assert told(said) == {}
    assert said.lit.all()


def test_work_on_a_lamp_raises_nothing():
    street = Street()
    street.steps(30)

    def dead(said: Values) -> None:
        said["power_w"][ODD] = 1.5
        said["current_a"][ODD] = 0.02

    excused = np.arange(LAMPS) == ODD
    for _ in range(6):
        said = street.step(100.0, dead, excused=excused)
    assert told(said) == {}


def test_a_replaced_luminaire_begins_anew():
    street = Street()
    street.steps(40)

    def stronger(said: Values) -> None:
        said["power_w"][ODD] *= 0.8
        said["current_a"][ODD] *= 0.8

    street.step(100.0, stronger, replaced=np.array([ODD]))
    for _ in range(20):
        assert told(street.step(100.0, stronger)) == {}


def test_a_restart_loses_no_case_and_raises_none_twice():
    street = Street()
    street.steps(30)

    def dead(said: Values) -> None:
        said["power_w"][ODD], said["power_factor"][ODD] = 2.0, 0.35
        said["current_a"][ODD] = 2.0 / said["voltage_v"][ODD] / 0.35

    before = street.steps(5, 100.0, dead).lamps
    kept = street.diagnoser.export()
    street.diagnoser = street.new()
    street.diagnoser.restore(kept)
    after = street.step(100.0, dead).lamps
    assert after.row.tolist() == [ODD]
    assert not after.raised.any()
    assert after.onset_ms.tolist() == before.onset_ms.tolist()


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["power_w", "voltage_v", "current_a", "power_factor", "temperature_c", "desired_percent"]),
        st.lists(
            st.one_of(st.just(float("nan")), st.just(float("inf")), st.floats(-1e6, 1e6, width=32)),
            min_size=LAMPS,
            max_size=LAMPS,
        ),
    )
)
def test_no_reading_however_absurd_stops_the_step(values):
    street = Street()
    street.steps(3)
    with np.errstate(all="ignore"):
        said = street.steps(3, 100.0, lambda said: said.update({k: np.array(v) for k, v in values.items()}))
    assert np.isfinite(said.lamps.probability).all()
