"""What every rule sees of one step: the reports, and what was worked out from them before any rule."""

from dataclasses import dataclass

import numpy as np

from lamplighter_controller.fleet.judging.fixes import Codes, Fixes, Flags, Floats, Rows, Times
from lamplighter_controller.fleet.judging.places import PlaceKind, Places


@dataclass(frozen=True, slots=True)
class View:
    """k reports. `sane`: position and speed are believed. `inside` (k, places). `minute` of the local day.

    `lift`, `cover` and `load` are what the sensors say as far as they are trusted; `loaded` is what is believed of the
    load, by the sensor or by what the truck did. `standing_s` is how long it has stood within a few metres. A cover is
    `cover_doubted` that opened at speed.
    """

    fixes: Fixes
    sane: Flags
    inside: Flags
    places: Places
    minute: Times
    lift: Codes
    cover: Codes
    load: Codes
    loaded: Codes
    standing_s: Floats
    cover_doubted: Flags

    @property
    def truck(self) -> Rows:
        """Rows in the fleet."""
        return self.fixes.truck

    @property
    def time_ms(self) -> Times:
        """When each was measured."""
        return self.fixes.time_ms

    def within(self, *kinds: PlaceKind) -> Flags:
        """Which trucks are in any place of these kinds."""
        found: Flags = np.any(self.inside[:, self.places.of(*kinds)], axis=1)
        return found

    def place_of(self, row: int, *kinds: PlaceKind) -> str | None:
        """The first place of these kinds that the report in this row of the step lies in."""
        for number in np.flatnonzero(self.inside[row]).tolist():
            place = self.places.places[number]
            if place.kind in kinds:
                return place.id
        return None
