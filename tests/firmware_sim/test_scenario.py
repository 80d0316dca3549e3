import pytest

from lamplighter_firmware_sim.errors import Problem
from lamplighter_firmware_sim.faults.kinds import CivilSpan, DailySpan, RealSpan
from lamplighter_firmware_sim.scenario import Physics, Scenario, Wire, load_scenario, read_scenario
from tests.firmware_sim.conftest import CONFIG, SMALL, civil_ms, scenario_of


def problems_of(text: str) -> dict[str, Problem]:
    found = read_scenario(text, "city.yaml")
    assert isinstance(found, tuple)
    return {problem.key: problem for problem in found}


@pytest.mark.parametrize("name", ["city", "bench"])
def test_scenarios_that_come_with_the_project_are_sound(name: str) -> None:
    scenario = load_scenario(CONFIG / "sim" / f"{name}.yaml")
    assert isinstance(scenario, Scenario)
    assert scenario.name == name


def test_defaults(small: Scenario) -> None:
    assert small.physics is Physics.LIVE
    assert small.zone == "Asia/Shanghai"
    assert [group.wire for group in small.groups] == [Wire.MODBUS_TCP, Wire.MODBUS_RTU, Wire.MQTT]


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ("seed: 7", "seed: -1", "seed", "whole number"),
        ("seed: 7", "seed: true", "seed", "whole number"),
        ("seed: 7", "seeds: 7", "seeds", "one of cabinets"),
        ("latitude: 36.65", "latitude: 120", "place.latitude", "-66 to 66"),
        ("wire: mqtt", "wire: zigbee", "cabinets[2].wire", "one of modbus-tcp"),
        ("lamps_each: 12}\n  - {wire: mqtt", "lamps_each: 240}\n  - {wire: mqtt", "cabinets[1].lamps_each", "1 to 239"),
        ("share: 0.2", "share: 0.3", "lamps", "add up to 1"),
        ("gateways: 1", "gateways: one", "gateways", "whole number"),
        ("zh: 云杉路, ", "", "roads[0].zh", "text"),
        ("baud: 115200", "baud: fast", "serial.baud", "whole number"),
        ("scenario: small", "scenario: small\nzone: Mars/Olympus", "zone", "time zone"),
        ("scenario: small", "scenario: small\nfaults: [{kind: rust, target: lamp-01-001}]", "faults[0].kind", "silent"),
        (
            "scenario: small",
            'scenario: small\nfaults: [{kind: silent, target: lamp-01-001, at: "25:00"}]',
            "faults[0].at",
            "HH:MM",
        ),
        ("seed: 7", "seed: 7\nseed: 8", "line 4", "valid YAML"),
        ("roads:", "roads: [", "line 15", "valid YAML"),
    ],
)
def test_a_mistake_is_named_with_its_key_value_and_what_was_expected(
    old: str, new: str, key: str, expected: str
) -> None:
    assert old in SMALL
    problem = problems_of(SMALL.replace(old, new))[key]
    assert problem.file == "city.yaml"
    assert expected in problem.expected


def test_all_mistakes_are_listed_at_once() -> None:
    text = SMALL.replace("seed: 7", "seed: x").replace("wire: mqtt", "wire: m").replace("rated_w: 100", "rated_w: 0")
    assert set(problems_of(text)) == {"seed", "cabinets[2].wire", "lamps[0].rated_w"}


def test_what_would_stand_in_a_missing_mapping_is_not_missed_one_by_one() -> None:
    assert set(problems_of(SMALL.replace("place: {latitude: 36.65, longitude: 117.12}", ""))) == {"place"}
    assert set(problems_of("")) == {"document"}


def test_a_missing_file_is_a_problem_not_a_crash(tmp_path) -> None:
    found = load_scenario(tmp_path / "none.yaml")
    assert isinstance(found, tuple)
    assert "none.yaml" in str(found[0])


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("after_s: 5, for_s: 10", RealSpan(5, 15)),
        ('at: "22:40", for_s: 600', DailySpan("Asia/Shanghai", (22 * 60 + 40) * 60_000, 600_000)),
        (
            'at: "2025-11-20 22:40", for_s: 60',
            CivilSpan(civil_ms("2025-11-20 22:40"), civil_ms("2025-11-20 22:41")),
        ),
    ],
)
def test_a_fault_begins_in_real_or_in_civil_time(written: str, span: object) -> None:
    scenario = scenario_of(SMALL + f"faults: [{{kind: silent, target: lamp-01-001, {written}}}]\n")
    assert scenario.faults[0].span == span


@pytest.mark.parametrize(
    ("at", "holds"), [("22:39", False), ("22:40", True), ("23:59", True), ("00:10", True), ("00:40", False)]
)
def test_a_daily_fault_may_last_over_midnight(at: str, holds: bool) -> None:
    span = DailySpan("Asia/Shanghai", (22 * 60 + 40) * 60_000, 2 * 3_600_000)
    assert span.holds(civil_ms(f"2025-11-20 {at}"), 0) is holds
