"""An item of each shelf of the library, as the reference shows it."""

from collections.abc import Mapping
from datetime import time
from typing import Any, Final

import msgspec

from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.programs import Levels, RoadClass
from lamplighter_contract.light.sky.almanac import Almanac, Row
from lamplighter_controller.lighting.adaptive.rules import Fog, Lux
from lamplighter_controller.lighting.library import Assignment, Item
from lamplighter_controller.lighting.scenes.scene import Cue, Scene

ITEMS: Final[Mapping[str, Item]] = {
    "programs": presets.WINTER,
    "calendars": presets.SEASONS,
    "assignments": Assignment("whole-city", presets.SEASONS.id, city=True),
    "adaptive": Fog("no-dimming-in-fog", "fog", Levels(100, {RoadClass.ALLEY: 80}), city=True),
    "almanacs": Almanac(
        "jinan", (Row("--06-15", time(4, 51), time(19, 33)), Row("--12-15", time(7, 15), time(16, 58)))
    ),
    "signals": Lux("lux", ("lux-east", "lux-west", "lux-north")),
    "scenes": Scene(
        "new-year",
        (
            Cue(city=True, after_s=0, level_percent=40),
            Cue(city=True, after_s=60, level_percent=100, ramp_s=20),
        ),
        length_s=1800,
        name="New Year's Eve",
    ),
}


def named(shelf: str) -> str:
    """The id of the example."""
    return ITEMS[shelf].id


def body(shelf: str) -> dict[str, Any]:
    """The example without its id."""
    plain: dict[str, Any] = msgspec.to_builtins(ITEMS[shelf])
    return {name: value for name, value in plain.items() if name != "id"}
