"""The catalogue is whole, and knows every word that diagnosis uses."""

import pytest

from lamplighter_controller.diagnosis.catalogue.faults import Trip, catalogue, wording
from lamplighter_controller.diagnosis.findings import ElementKind
from lamplighter_controller.diagnosis.lamps.suspects.posterior import CLASSES

ROWS = (
    "lamp_dead",
    "led_partial",
    "led_short",
    "driver_drift",
    "lumen_depreciation",
    "driver_dead",
    "relay_stuck_on",
    "relay_open",
    "contactor_stuck_on",
    "schedule_dev",
    "dim_fail",
    "pf_cap",
    "cycling",
    "hid_warm_up",
    "gear_fault",
    "spd_dead",
    "ov",
    "neutral_loss",
    "uv",
    "hi_res",
    "phase_loss",
    "feeder_trip",
    "cable_cut",
    "cabinet_off",
    "gw_down",
    "node_comm",
    "meter_bad",
    "energy_theft",
    "leak",
    "overtemp",
    "tilt",
    "door",
    "flicker",
)


@pytest.mark.parametrize("fault", ROWS)
def test_every_known_fault_has_its_entry(fault):
    assert catalogue()[fault].id == fault


def test_every_class_that_can_be_said_of_a_lamp_is_in_the_catalogue():
    assert set(CLASSES) <= catalogue().keys()


def test_what_is_dangerous_is_worth_a_trip_at_once():
    urgent = {fault.id for fault in catalogue().values() if fault.severity == 5}
    assert urgent == {"leak", "cable_cut", "neutral_loss", "tilt"}
    assert {catalogue()[fault].trip for fault in urgent} == {Trip.AT_ONCE}


@pytest.mark.parametrize("fault", list(catalogue().values()), ids=list(catalogue()))
def test_words_are_there_in_both_languages(fault):
    for words in (fault.name, fault.action, fault.part):
        assert words.in_language("zh") != words.in_language("en")
        assert any("\u4e00" <= sign <= "\u9fff" for sign in words.zh)
    assert fault.element in ElementKind


@pytest.mark.parametrize(
    "words", [*wording().evidence.values(), *wording().settle.values()], ids=lambda one: one.en[:20]
)
def test_evidence_and_doubts_can_be_told(words):
    assert any("\u4e00" <= sign <= "\u9fff" for sign in words.zh)
