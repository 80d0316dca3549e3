"""Every mistake of an item is told, at its place."""

from typing import Any

import msgspec
import pytest

from lamplighter_controller.lighting.library import SHELVES, kind_of
from lamplighter_controller.lighting.mistakes import mistakes

PROGRAM = {
    "id": "p",
    "levels": {"level_percent": 101, "by_class": {"main": 40, "lane": 20}},
    "begins": {"by": "sun", "event": "noon"},
    "ends": {"by": "moon"},
    "steps": [
        {"at": {"by": "clock", "at": "22:30:00"}, "levels": {"level_percent": 50}},
        {"at": {"by": "clock", "at": "half past"}, "levels": {"level_percent": -1}, "colour": "red"},
        {"levels": 40},
    ],
    "dark_allowed": "yes",
}


@pytest.mark.parametrize(
    ("shelf", "item", "places"),
    [
        (
            "programs",
            PROGRAM,
            [
                "levels.level_percent",
                "levels.by_class",
                "begins.event",
                "ends",
                "steps.1.at.at",
                "steps.1.levels.level_percent",
                "steps.1.colour",
                "steps.2.at",
                "steps.2.levels",
                "dark_allowed",
            ],
        ),
        ("calendars", {"id": "c"}, ["default_program"]),
        (
            "calendars",
            {"id": "c", "default_program": "p", "rules": [{"id": "r", "program": "p", "start": "--02-31"}]},
            ["rules.0"],
        ),
        ("signals", {"id": "lux", "of": "lux", "sensors": ["a", "B"]}, ["sensors.1"]),
        ("signals", {"id": "lux", "of": "sound"}, [""]),
        ("adaptive", {"id": "f", "by": "fog", "signal": "fog"}, ["levels"]),
        (
            "scenes",
            {"id": "s", "cues": [{"after_s": -1, "level_percent": 0}], "length_s": 0},
            ["cues.0.after_s", "length_s"],
        ),
    ],
)
def test_everything_is_told_with_its_place(shelf: str, item: dict[str, Any], places: list[str]):
    found = sorted(one.where.removeprefix("x").removeprefix(".") for one in mistakes(item, kind_of(shelf), "x"))
    assert found == sorted(places)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(item, kind_of(shelf))


def test_a_time_is_asked_for_in_plain_words():
    step = {"at": {"by": "clock", "at": "22:30"}, "levels": {"level_percent": 50}}
    item = {"id": "p", "levels": {"level_percent": 100}, "steps": [step]}
    (found,) = mistakes(item, kind_of("programs"), "body")
    assert (found.where, found.what) == ("body.steps.0.at.at", "Expected a time such as 22:30:00")


def test_every_shelf_has_a_kind():
    assert all(kind_of(shelf) is not None for shelf in SHELVES)
