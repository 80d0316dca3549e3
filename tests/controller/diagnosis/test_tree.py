"""Stories of the supply tree: one cause is one finding, and single lamps speak when nothing larger explains them."""

import re
from pathlib import Path

import numpy as np
import pytest

from lamplighter_controller.diagnosis import leakage, tree, trials
from lamplighter_controller.diagnosis.catalogue.faults import catalogue, wording
from lamplighter_controller.diagnosis.findings import ElementKind, Finding
from lamplighter_controller.diagnosis.samples import Columns
from tests.controller.diagnosis.street import Street, of, street


def told(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(one.class_id, one.element.kind.value, one.element.id) for one in findings if one.open]


def over(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.class_id, one.element.id) for one in findings if not one.open]


@pytest.fixture
def scene() -> Street:
    made = Street(street())
    assert made.look(20) == []
    return made


def test_a_circuit_without_power_is_one_trip_within_two_looks_and_ends_by_itself(scene: Street) -> None:
    scene.unpowered = of(scene.topology, "cab-2", "b")
    found = scene.look(2)
    assert told(found) == [("feeder_trip", "circuit", "cab-2-b")]
    assert {one.id for one in found[0].members} == scene.unpowered
    assert found[0].confidence > 0.9
    scene.unpowered = set()
    assert over(scene.look(10)) == [("feeder_trip", "cab-2-b")]


def test_the_same_silence_with_the_power_still_drawn_is_the_radio(scene: Street) -> None:
    scene.silent = of(scene.topology, "cab-2", "b")
    (only,) = told(scene.look(8))
    assert only == ("gw_down", "circuit", "cab-2-b")


def test_a_cut_is_found_at_its_pole(scene: Street) -> None:
    scene.unpowered = of(scene.topology, "cab-1", "a", first=6)
    assert told(scene.look(2)) == [("cable_cut", "pole", "pole-cab-1-a-6")]


def test_a_cut_is_found_although_one_lamp_behind_it_is_in_the_wrong_place(scene: Street) -> None:
    scene.unpowered = of(scene.topology, "cab-1", "a", first=2) - {"cab-1-a-7"}
    assert told(scene.look(2)) == [("cable_cut", "pole", "pole-cab-1-a-2")]


def test_a_dead_phase_at_the_meter_is_a_phase_loss(scene: Street) -> None:
    scene.unpowered = of(scene.topology, "cab-3", "c")
    scene.volts["cab-3"] = (230.0, 230.0, 3.0)
    assert told(scene.look(3)) == [("phase_loss", "phase", "cab-3/c")]


def test_a_cabinet_without_voltage_on_a_gateway_that_lives_on_is_one_supply_loss(scene: Street) -> None:
    scene.unpowered = of(scene.topology, "cab-3")
    scene.volts["cab-3"] = (0.0, 0.0, 0.0)
    assert told(scene.look(3)) == [("cabinet_off", "cabinet", "cab-3")]


def test_three_cabinets_of_one_transformer_are_the_utility() -> None:
    scene = Street(street(transformer="t-9"))
    scene.look(5)
    for name in ("cab-1", "cab-2", "cab-4"):
        scene.unpowered |= of(scene.topology, name)
        scene.volts[name] = (0.0, 0.0, 0.0)
    assert told(scene.look(3)) == [("utility_loss", "transformer", "t-9")]


def test_everything_of_a_gateway_silent_is_the_gateway() -> None:
    scene = Street(street(gateways=2))
    scene.look(5)
    for name in ("cab-1", "cab-3"):
        scene.silent |= of(scene.topology, name)
        scene.meterless.add(name)
    assert told(scene.look(8)) == [("gw_down", "gateway", "gw-1")]


def test_a_gateway_that_stutters_is_nobodys_business(scene: Street) -> None:
    for _ in range(5):
        scene.silent, scene.meterless = of(scene.topology, "cab-1"), {"cab-1"}
        scene.look(2)
        scene.silent, scene.meterless = set(), set()
        scene.look(1)
    assert scene.findings == []


def test_one_silent_lamp_is_a_node_without_radio_after_a_dozen_reports(scene: Street) -> None:
    scene.silent = {"cab-2-a-4"}
    assert scene.look(10) == []
    assert told(scene.look(3)) == [("node_comm", "lamp", "cab-2-a-4")]
    scene.silent = set()
    assert over(scene.look(1)) == [("node_comm", "cab-2-a-4")]


def test_a_storm_that_swallows_a_third_of_the_reports_raises_nothing(scene: Street) -> None:
    random = np.random.default_rng(7)
    for _ in range(40):
        lost = random.random(len(scene.topology.lamps)) < 0.33
        scene.silent = {name for name, gone in zip(scene.topology.lamps, lost, strict=True) if gone}
        scene.look()
    assert scene.findings == []


def test_a_lamp_waits_one_batch_and_then_speaks(scene: Street) -> None:
    scene.complaints = {"cab-1-b-2": "led_partial"}
    assert scene.look() == []
    assert told(scene.look()) == [("led_partial", "lamp", "cab-1-b-2")]
    scene.complaints = {}
    assert over(scene.look()) == [("led_partial", "cab-1-b-2")]


def test_what_lamps_complain_of_under_a_trip_is_not_told_and_what_is_still_bad_afterwards_is(scene: Street) -> None:
    scene.unpowered = of(scene.topology, "cab-2", "b")
    scene.complaints = {"cab-2-b-3": "lamp_dead", "cab-2-b-4": "lamp_dead"}
    assert told(scene.look(4)) == [("feeder_trip", "circuit", "cab-2-b")]
    scene.unpowered, scene.complaints = set(), {"cab-2-b-3": "lamp_dead"}
    scene.dark = {"cab-2-b-3"}
    assert over(scene.look(3)) == [("feeder_trip", "cab-2-b")]
    assert told(scene.look(8)) == [("lamp_dead", "lamp", "cab-2-b-3")]


def test_a_trip_that_grows_into_a_dark_cabinet_becomes_that(scene: Street) -> None:
    scene.unpowered = of(scene.topology, "cab-2", "b")
    scene.look(2)
    scene.unpowered = of(scene.topology, "cab-2")
    scene.volts["cab-2"] = (0.0, 0.0, 0.0)
    found = scene.look(3)
    assert told(found) == [("cabinet_off", "cabinet", "cab-2")]
    assert over(found) == [("feeder_trip", "cab-2-b")]
    assert (ElementKind.CIRCUIT, "cab-2-b") in {(one.kind, one.id) for one in found[-1].members}


def test_a_floating_neutral_is_seen_by_the_pattern_of_three_phases(scene: Street) -> None:
    scene.volts["cab-4"] = (268.0, 198.0, 225.0)
    assert told(scene.look(2)) == [("neutral_loss", "cabinet", "cab-4")]


def test_a_sag_is_no_fault_and_a_low_supply_for_hours_is(scene: Street) -> None:
    scene.volts["cab-4"] = (200.0, 201.0, 199.0)
    assert scene.look(4) == []
    assert told(scene.look(12)) == [("uv", "cabinet", "cab-4")]


def test_a_cabinet_lit_by_day_is_its_contactor(scene: Street) -> None:
    scene.level = 0.0
    scene.lit = of(scene.topology, "cab-1")
    found = scene.look(8)
    assert told(found)[-1] == ("contactor_stuck_on", "cabinet", "cab-1")


def test_what_a_stuck_contactor_explained_by_day_is_not_told_of_its_lamps_by_night(scene: Street) -> None:
    scene.level, scene.lit = 0.0, of(scene.topology, "cab-1", "a")
    scene.complaints = dict.fromkeys(scene.lit, "relay_stuck_on")
    assert told(scene.look(4)) == [("contactor_stuck_on", "circuit", "cab-1-a")]
    scene.level, scene.lit = 100.0, set()
    assert told(scene.look(20)) == []


def test_one_lit_circuit_alone_is_its_own_contactor(scene: Street) -> None:
    scene.level = 0.0
    scene.lit = of(scene.topology, "cab-1", "c")
    assert told(scene.look(8)) == [("contactor_stuck_on", "circuit", "cab-1-c")]


def test_a_cabinet_that_stays_dark_against_the_command_is_its_schedule(scene: Street) -> None:
    scene.dark = of(scene.topology, "cab-1")
    assert told(scene.look(5)) == [("schedule_dev", "cabinet", "cab-1")]


@pytest.mark.parametrize("level", [0.0, 100.0])
def test_a_cabinet_that_says_itself_that_it_follows_other_times_is_its_schedule(scene: Street, level: float) -> None:
    scene.level = level
    scene.astray = of(scene.topology, "cab-1")
    if level == 0:
        scene.lit = set(scene.astray)  # a contactor that sticks would tell them nothing
    assert told(scene.look(5)) == [("schedule_dev", "cabinet", "cab-1")]
    scene.astray = scene.lit = set()
    assert over(scene.look(5)) == [("schedule_dev", "cab-1")]


def test_what_a_wrong_schedule_explained_its_lamps_have_to_show_again_themselves(scene: Street) -> None:
    first, second, *_ = sorted(of(scene.topology, "cab-1"))
    scene.astray = of(scene.topology, "cab-1")
    scene.complaints = dict.fromkeys((first, second), "dim_fail")
    assert told(scene.look(4)) == [("schedule_dev", "cabinet", "cab-1")]
    scene.astray, scene.well = set(), {first, second}
    assert told(scene.look(20)) == []
    scene.well = {first}
    assert told(scene.look(4)) == [("dim_fail", "lamp", second)]


def test_a_few_lamps_at_a_level_of_their_own_are_no_schedule(scene: Street) -> None:
    scene.astray = of(scene.topology, "cab-1", "a")
    assert scene.look(6) == []


def test_a_sag_over_a_phase_long_too_high_is_no_lost_neutral(scene: Street) -> None:
    scene.volts["cab-4"] = (258.0, 230.0, 230.0)
    assert told(scene.look(14)) == [("ov", "cabinet", "cab-4")]
    scene.volts["cab-4"] = (243.0, 214.0, 214.0)
    assert told(scene.look(4)) == []
    scene.volts["cab-4"] = (258.0, 230.0, 230.0)
    assert scene.look(4) == []


def test_a_lamp_that_spoke_before_its_model_is_folded_into_it() -> None:
    scene = Street(street())
    scene.look(3)
    first, *rest = [name for name in scene.topology.lamps if name[-1] in "13579"]
    scene.complaints = {first: "driver_drift"}
    assert told(scene.look(3)) == [("driver_drift", "lamp", first)]
    scene.complaints |= dict.fromkeys(rest, "driver_drift")
    found = scene.look(5)
    assert told(found) == [("driver_drift", "model", "new")]
    assert over(found) == [("driver_drift", first)]


def test_the_same_complaint_of_a_whole_model_is_the_models() -> None:
    scene = Street(street())
    scene.look(3)
    scene.complaints = dict.fromkeys([name for name in scene.topology.lamps if name[-1] in "13579"], "driver_drift")
    assert told(scene.look(5)) == [("driver_drift", "model", "new")]


def test_lamps_under_a_work_order_say_nothing(scene: Street) -> None:
    scene.excused = of(scene.topology, "cab-2", "b")
    scene.unpowered, scene.complaints = set(scene.excused), {"cab-2-b-3": "lamp_dead"}
    assert scene.look(10) == []


def test_what_stands_survives_a_restart_and_is_not_told_again(scene: Street) -> None:
    scene.unpowered = of(scene.topology, "cab-2", "b")
    scene.complaints = {"cab-1-b-2": "led_partial"}
    scene.silent = {"cab-3-a-4"}
    assert len(scene.look(14)) == 3
    kept = scene.tree.export()
    again = Street(scene.topology)
    again.tree.restore(kept)
    again.unpowered, again.complaints, again.silent = scene.unpowered, scene.complaints, scene.silent
    assert again.look(8) == []
    again.unpowered, again.complaints, again.silent = set(), {}, set()
    assert sorted(over(again.look(3))) == [
        ("feeder_trip", "cab-2-b"),
        ("led_partial", "cab-1-b-2"),
        ("node_comm", "cab-3-a-4"),
    ]


def test_columns_without_a_quantity_read_as_unknown() -> None:
    columns = Columns(np.ones(2, np.bool_), np.ones(2, np.bool_), np.zeros(2, np.int64))
    assert np.isnan(columns.column("power_w")).all()


def test_whatever_the_tree_says_the_catalogue_and_its_wording_know() -> None:
    found = re.compile(r'"([a-z_]+)": (?:0\.|1 - |radio|stuck|supply|lost)')
    lines = re.compile(r'(?:EvidenceLine|_count)\(\s*"([a-z_]+)"')
    rooms = [Path(str(room.__file__)).parent for room in (tree, leakage, trials)]
    texts = [file.read_text() for room in rooms for file in room.glob("*.py")]
    assert {name for text in texts for name in found.findall(text)} <= catalogue().keys()
    assert {name for text in texts for name in lines.findall(text)} <= wording().evidence.keys()
