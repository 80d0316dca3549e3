"""Shows that switch relays."""

import pytest

from lamplighter_contract.light.relays import REST_S, too_often
from lamplighter_contract.light.scenes import Cue

GROUPS = {"all": ("lamp-1", "lamp-2")}


def show(*levels: tuple[float, float], ramp_s: float = 0.0) -> list[Cue]:
    return [Cue(after_s, level, ramp_s, groups=("all",)) for after_s, level in levels]


@pytest.mark.parametrize(
    ("cues", "found"),
    [
        (show((0, 100), (5, 0), (10, 100)), 2),
        (show((0, 100), (5, 1), (10, 100)), 0),
        (show((0, 100), (60, 0), (120, 100)), 0),
        (show((0, 0), (59, 100)), 1),
        (show((0, 0), (59, 0), (61, 100)), 0),
        (show((0, 100), (30, 0), ramp_s=30), 0),
        (show((0, 100), (30, 0), (100, 100), ramp_s=30), 1),
        ([Cue(0, 100, devices=("lamp-1",)), Cue(5, 0, devices=("lamp-2",))], 0),
        ([], 0),
    ],
)
def test_who_is_switched_too_soon(cues: list[Cue], found: int):
    assert len(list(too_often(cues, GROUPS))) == found


def test_it_says_who_and_how_soon():
    (told,) = too_often(show((0, 100), (5, 0)), GROUPS)
    assert (told.lamp, told.lamps, told.after_s, told.rested_s) == ("lamp-1", 2, 5, 5)
    assert f"at least {REST_S:g} s; lamp-1" in str(told)
