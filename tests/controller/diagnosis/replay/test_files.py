import io
import json
from typing import Any

import pytest

from lamplighter_controller.diagnosis.replay import levels
from lamplighter_controller.diagnosis.replay.csv_columns import Table, read_csv
from lamplighter_controller.diagnosis.replay.json_place import line_and_column, path_of
from lamplighter_controller.diagnosis.replay.mistakes import MOST, Mistakes
from lamplighter_controller.diagnosis.replay.places_file import read_places
from lamplighter_controller.diagnosis.replay.stream import KNOWN

HEADER = "time,device,power_w,switched_on\n"


def read(text: str) -> tuple[Table, list[tuple[int, str, str]], Mistakes]:
    mistakes = Mistakes("T.csv")
    table = read_csv(io.StringIO(text, newline=""), KNOWN, mistakes)
    return table, [(one.line, one.column, one.value) for one in mistakes.found], mistakes


def test_blank_is_not_read_and_flags_may_be_words():
    table, wrong, _ = read(HEADER + "2026-01-10T17:15:00Z,a,,true\n2026-01-10T18:15:00+01:00,b,1.5,0\n")
    assert not wrong
    assert table.devices == ("a", "b")
    assert table.time_ms[0] == table.time_ms[1] == 1_768_065_300_000
    assert str(table.values["power_w"].tolist()) == "[nan, 1.5]"
    assert table.values["switched_on"].tolist() == [1, 0]


def test_every_mistake_is_told_with_its_line_and_column():
    rows = [
        "yesterday,a,1,1",
        "2026-01-10T17:15:00Z,,x1,1",
        "2026-01-10T17:15:00Z,a,2",
        "2026-01-10T17:15:00Z,a,2,maybe",
    ]
    _, wrong, _ = read(HEADER + "\n".join(rows) + "\n")
    assert sorted(wrong) == [
        (2, "time", "yesterday"),
        (3, "device", ""),
        (3, "power_w", "x1"),
        (4, "4", "3 cells"),
        (5, "switched_on", "maybe"),
    ]


def test_a_level_that_no_lamp_can_have_is_a_mistake():
    mistakes = Mistakes("L.csv")
    text = "time,device,level_percent\n2026-01-10T17:15:00Z,lamp-1,100\n2026-01-10T23:30:00Z,lamp-1,150\n"
    text += "2026-01-11T00:00:00Z,lamp-1,-1\n2026-01-11T01:00:00Z,lamp-1,\n2026-01-11T02:00:00Z,lamp-1,inf\n"
    read_csv(io.StringIO(text, newline=""), levels.KNOWN, mistakes, levels.BOUNDS)
    assert [(one.line, one.column, one.value) for one in mistakes.found] == [
        (3, "level_percent", "150"),
        (4, "level_percent", "-1"),
        (6, "level_percent", "inf"),
    ]
    assert "a number from 0 to 100" in str(mistakes.found[0])


def test_a_column_nobody_knows_is_told_beside_one_that_is_missing():
    _, wrong, _ = read("time,watts\n")
    assert [(line, column) for line, column, _ in wrong] == [(1, "device"), (1, "watts")]


@pytest.mark.parametrize("text", ["", HEADER, HEADER + '"2026', "\x00"])
def test_what_is_no_table_is_a_mistake(text):
    _, wrong, _ = read(text)
    assert wrong


def test_mistakes_are_bounded():
    _, wrong, mistakes = read(HEADER + "x,a,1,1\n" * (MOST + 50))
    assert len(wrong) == MOST
    assert mistakes.more == 50


def places(document) -> tuple[Any, list[str]]:
    mistakes = Mistakes("T.json")
    place = read_places(document if isinstance(document, str) else json.dumps(document, indent=1), mistakes)
    return place, [str(one) for one in mistakes.found]


def one_lamp(**changes: Any) -> dict[str, Any]:
    poles = [{"id": "p1", "lamps": [{"id": "lamp-1", "model": "led"}]}]
    return {
        "models": [{"id": "led", "rated_w": 100, "source": "led", "curve": [[100, 100], [50, 52]]}],
        "cabinets": [{"id": "cab", "meter": "cab-m", "feeders": [{"id": "f1", "phase": "A", "poles": poles}]}],
        **changes,
    }


def test_a_whole_city_and_one_with_only_a_meter_are_both_taken():
    place, wrong = places(one_lamp())
    assert not wrong
    assert place.topology.lamps == ("lamp-1",)
    assert place.models["led"].curve == ((50, 52), (100, 100))
    place, wrong = places({"models": [], "cabinets": [{"id": "cab", "meter": "m", "feeders": []}]})
    assert not wrong
    assert place.topology.cabinets == ("cab",)


def test_mistakes_of_a_topology_say_line_and_column_all_at_once():
    document = one_lamp()
    document["models"][0]["rated_w"] = "much"
    document["cabinets"].append({"meter": "x", "feeders": [{"id": 3}]})
    _, wrong = places(document)
    assert len(wrong) == 3
    assert wrong[0].startswith("T.json: line 5, column 15 (models[0].rated_w): 'much'")


def test_names_that_do_not_fit_together_are_told():
    document = one_lamp(models=[])
    document["cabinets"][0]["feeders"][0]["phase"] = "d"
    document["cabinets"].append(document["cabinets"][0])
    _, wrong = places(document)
    expected = [
        "an id that no other cabinet has",
        "an id that no other lamp has",
        "one of the models",
        "one of a, b, c",
    ]
    for one in expected:
        assert any(one in line for line in wrong), (one, wrong)


@pytest.mark.parametrize("text", ["", "{", "[1,", "nothing", '{"models": 1}', "[]", "[" * 100_000])
def test_what_is_no_topology_is_a_mistake(text):
    place, wrong = places(text)
    assert place is None
    assert wrong


def test_a_place_in_json_is_found_behind_escapes_and_nesting():
    text = '{"a\\"b": [1, {"c": "}"}],\n  "d": [[], {"e": 5}]}'
    assert line_and_column(text, path_of("$.d[1].e")) == (2, 19)
    assert line_and_column(text, path_of("$.d[7]")) == (2, 8)
