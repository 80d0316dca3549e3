"""What proves a write."""

import pytest

from lamplighter_gateway.drivers.proof import doubt
from lamplighter_gateway.profiles.model import ReadBack

LEVEL = ReadBack("level_percent", tolerance=1, settle_s=2, dark_below_w=8)


@pytest.mark.parametrize(
    ("values", "wanted", "words"),
    [
        ({"level_percent": 60}, 60, None),
        ({"level_percent": 61}, 60, None),
        ({"level_percent": 62}, 60, "read back 62, expected 60"),
        ({"level_percent": None}, 60, "level_percent could not be read back"),
        ({}, 60, "level_percent could not be read back"),
        ({"level_percent": "60"}, 60, "read back 60, expected 60"),
        ({"level_percent": 0, "power_w": 0.6}, 0, None),
        ({"level_percent": 0, "power_w": None}, 0, None),
        ({"level_percent": 0, "power_w": 99.6}, 0, "says it is off and draws 99.6 W"),  # a relay that is stuck
        ({"level_percent": 60, "power_w": 0.6}, 60, None),  # dead: a fault of the lamp, not of the command
    ],
)
def test_a_level_is_proven_by_what_the_lamp_says_and_draws(values, wanted, words):
    assert doubt(LEVEL, values, wanted) == words


def test_without_a_bound_for_darkness_the_word_of_the_device_counts():
    assert doubt(ReadBack("level_percent", 1, 2), {"level_percent": 0, "power_w": 99.6}, 0) is None
