import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from lamplighter_controller.cli.fault import fault
from lamplighter_controller.diagnosis.catalogue.faults import catalogue
from lamplighter_controller.diagnosis.explain import LANGUAGES, explain
from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.incidents.incident import Incident, State

LAMPS = 40
NIGHT_MS = 1_768_046_400_000  # 2026-01-10T12:00:00Z
COLUMNS = "time,device,power_w,voltage_v,current_a,power_factor,level_percent,energy_kwh,burning_h"


def topology(directory: Path, **changes: Any) -> Path:
    poles = [{"id": f"p{n}", "lamps": [{"id": f"l{n}", "model": "led"}]} for n in range(LAMPS)]
    document = {
        "models": [{"id": "led", "rated_w": 100, "source": "led", "curve": [[100, 100], [50, 52], [10, 14]]}],
        "cabinets": [{"id": "cab", "meter": "m", "feeders": [{"id": "f", "phase": "a", "poles": poles}]}],
        **changes,
    }
    path = directory / "T.json"
    path.write_text(json.dumps(document))
    return path


def row(
    lamp: str, time_s: int, power_w: float, level: str = "100", *, energy: float = 500.0, factor: float = 0.95
) -> str:
    moment = np.datetime64(NIGHT_MS + time_s * 1000, "ms").astype(str)
    volts = 230 + (time_s // 7 % 21 - 10) / 10
    current = power_w / volts / factor
    return f"{moment}Z,{lamp},{power_w:.1f},{volts:.1f},{current:.3f},{factor},{level},{energy},9000"


def telemetry(directory: Path, rows: list[str]) -> Path:
    path = directory / "T.csv"
    path.write_text("\n".join([COLUMNS, *rows]) + "\n")
    return path


def replayed(*arguments: Path | str) -> Result:
    return CliRunner().invoke(fault, ["replay", *map(str, arguments)], catch_exceptions=False)


def incidents(*arguments: Path | str) -> list[dict[str, Any]]:
    result = replayed(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def nights(dead_from: int) -> list[str]:
    """Two nights of 15-minute readings; lamp l7 is dead from a step on."""
    random = np.random.default_rng(4)
    rows = []
    for step in range(2 * 48):
        for lamp in range(LAMPS):
            dead = lamp == 7 and step >= dead_from
            watts = 1.4 + 0.1 * random.integers(3) if dead else 100 * (1 + random.normal(0, 0.003))
            rows.append(row(f"l{lamp}", step * 900 + 5 * lamp, watts, factor=0.35 if dead else 0.95))
    return rows


def test_a_dead_lamp_is_one_line_with_everything_a_crew_needs(tmp_path):
    found = incidents("--telemetry", telemetry(tmp_path, nights(70)), "--topology", topology(tmp_path))
    (only,) = [one for one in found if one["state"] == "raised"]
    assert only["class"] == "lamp_dead"
    assert only["element"] == {"kind": "lamp", "id": "l7"}
    assert only["confidence"] == only["alternatives"][0]["probability"] > 0.5
    assert only["onset"] <= only["first_observable"] <= only["raised"]
    assert only["evidence"]
    assert only["evidence"][0].keys() == {"name", "value", "expected", "sigma", "samples", "unit"}
    assert only["action"].keys() == only["part"].keys() == {"en", "zh"}
    assert only["due"]


@pytest.mark.parametrize(("language", "word"), [("en", "To do:"), ("zh", "处理：")])
def test_without_json_it_is_told_as_a_person_would(tmp_path, language, word):
    files = ("--telemetry", telemetry(tmp_path, nights(70)), "--topology", topology(tmp_path))
    told = replayed(*files, "--language", language).stdout
    assert word in told
    assert "l7" in told


def test_healthy_nights_say_nothing(tmp_path):
    assert incidents("--telemetry", telemetry(tmp_path, nights(999)), "--topology", topology(tmp_path)) == []


def test_a_single_snapshot_of_a_fleet_is_judged_by_peers_and_counters(tmp_path):
    random = np.random.default_rng(5)
    rows = []
    for lamp in range(LAMPS):
        weak = lamp == 7
        watts = (64 if weak else 100) * (1 + random.normal(0, 0.003))
        rows.append(row(f"l{lamp}", lamp, watts, energy=(576 if weak else 900) * (1 + random.normal(0, 0.003))))
    found = incidents("--telemetry", telemetry(tmp_path, rows), "--topology", topology(tmp_path))
    assert {one["element"]["id"] for one in found} == {"l7"}
    assert {line["name"] for line in found[0]["evidence"]} & {"energy_per_hour", "power", "unit_gain", "power_share"}


def test_a_cabinet_with_only_a_meter_and_lamps_with_none_are_both_valid(tmp_path):
    rows = [row("m", step * 900, 4000) for step in range(8)]
    bare = topology(tmp_path, models=[], cabinets=[{"id": "cab", "meter": "m", "feeders": []}])
    assert incidents("--telemetry", telemetry(tmp_path, rows), "--topology", bare) == []
    assert incidents("--telemetry", telemetry(tmp_path, rows), "--topology", topology(tmp_path)) == []


def test_a_snapshot_that_tells_no_level_is_judged_as_most_lamps_burn(tmp_path):
    random = np.random.default_rng(6)
    watts = [1.3 if lamp == 7 else 74 * (1 + random.normal(0, 0.003)) for lamp in range(LAMPS)]
    rows = [row(f"l{lamp}", lamp, drawn, "", factor=0.4) for lamp, drawn in enumerate(watts)]
    (dead,) = incidents("--telemetry", telemetry(tmp_path, rows), "--topology", topology(tmp_path))
    assert (dead["class"], dead["element"]["id"]) == ("lamp_dead", "l7")


def test_by_day_a_snapshot_has_the_counters_of_whole_lives(tmp_path):
    random = np.random.default_rng(7)
    rows = [
        row(f"l{lamp}", lamp, 0.4, "0", energy=(500 if lamp == 7 else 900) * (1 + random.normal(0, 0.003)))
        for lamp in range(LAMPS)
    ]
    (weak,) = incidents("--telemetry", telemetry(tmp_path, rows), "--topology", topology(tmp_path))
    assert (weak["class"], weak["element"]["id"]) == ("led_partial", "l7")


def test_where_only_the_meter_speaks_a_trip_is_told_of_its_phase(tmp_path):
    """Four evenings of five hours and the days between; in the third evening nothing burns any more."""
    random = np.random.default_rng(8)
    moments = [day * 86_400 + step * 900 for day in range(4) for step in range(-20, 20)]
    rows = []
    for second in moments:
        burns = 0 <= second % 86_400 < 20 * 900
        watts = 4100 * (1 + random.normal(0, 0.002)) if burns and second < 2 * 86_400 + 4 * 900 else 3.0
        moment = np.datetime64(NIGHT_MS + second * 1000, "ms").astype(str)
        rows.append(f"{moment}Z,m,230,{watts:.1f}")
    path = tmp_path / "T.csv"
    path.write_text("\n".join(["time,device,voltage_a_v,power_a_w", *rows]) + "\n")
    told = [f"{np.datetime64(NIGHT_MS + s * 1000, 'ms')}Z,l{n},{v}" for s, v in levels_of(4) for n in range(LAMPS)]
    levels = tmp_path / "L.csv"
    levels.write_text("\n".join(["time,device,level_percent", *told]) + "\n")
    found = incidents("--telemetry", path, "--topology", topology(tmp_path), "--levels", levels)
    assert [(one["class"], one["element"]["id"]) for one in found] == [("feeder_trip", "cab/a")]


def levels_of(days: int) -> list[tuple[int, int]]:
    """(second, level) of switching on and off."""
    return [(day * 86_400 + second, level) for day in range(-1, days) for second, level in ((0, 100), (18_000, 0))]


def test_malformed_files_are_told_together_and_end_with_two(tmp_path):
    place = topology(tmp_path, models=[{"id": "led", "rated_w": "much"}])
    bad = telemetry(tmp_path, [row("l1", 0, 100), "yesterday,l2,x,,,,,,"])
    levels = tmp_path / "L.csv"
    levels.write_text("time,device,level\n")
    result = replayed("--telemetry", bad, "--topology", place, "--levels", levels, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    for told in (
        "T.json: line 1, column",
        "T.csv: line 3, column time",
        "line 3, column power_w",
        "column level_percent",
        "L.csv",
    ):
        assert told in result.stderr or told == "column level_percent"


def test_telemetry_of_another_city_is_told(tmp_path):
    result = replayed("--telemetry", telemetry(tmp_path, [row("x", 0, 1)]), "--topology", topology(tmp_path))
    assert result.exit_code == 2
    assert "at least one device of the topology" in result.stderr


def test_devices_nobody_placed_are_named_and_left_out(tmp_path):
    rows = [*nights(999), row("stranger", 90_000, 5)]
    result = replayed("--telemetry", telemetry(tmp_path, rows), "--topology", topology(tmp_path), "--json")
    assert result.exit_code == 0
    assert "1 devices are not in the topology and are left out: stranger" in result.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_class_can_be_explained(language):
    for class_id in catalogue():
        evidence = (
            EvidenceLine("power", 1.5, 98.25, 0.5, 3, "W"),
            EvidenceLine("edges", 4.0, float("nan"), float("nan"), 1, ""),
        )
        incident = Incident(
            "one",
            Element(ElementKind.LAMP, "l7"),
            ((class_id, 0.8), ("node_comm", 0.2)),
            State.RAISED,
            3,
            NIGHT_MS,
            NIGHT_MS + 60_000,
            NIGHT_MS + 120_000,
            NIGHT_MS,
            evidence,
            (Element(ElementKind.LAMP, "l8"),),
            "load_side",
            NIGHT_MS + 86_400_000,
        )
        lines = explain(incident, language, "Asia/Shanghai")
        assert catalogue()[class_id].name.in_language(language) in lines[0]
        assert any("1.5 W" in line and "98.2 W" in line and "0.5 W" in line for line in lines)
        assert "2026-01-10 20:00" in lines[1]
