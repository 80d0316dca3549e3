"""How the loop may move lamps: dwell, one after the other, ramps in steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.level import Level, Why, Winner
from lamplighter_gateway.light.reconcile import Shown
from lamplighter_gateway.light.switching import STEP_PERCENT, Relays, Steps, Switching

ON = Level(100, Why(Winner.PROGRAM, "begin"))
OFF = Level(0, Why(Winner.PROGRAM, "after"))
MANUAL_OFF = Level(0, Why(Winner.OVERRIDE, "b"))
MANUAL_ON = Level(100, Why(Winner.OVERRIDE, "a"))
DARK, LIT = Shown(0, 0), Shown(60, 0)
ROWS = [
    ("never switched", ON, DARK, None, True),
    ("switched just now", ON, DARK, 90.0, False),
    ("off again just now", OFF, LIT, 90.0, False),
    ("rested", ON, DARK, 40.0, True),
    ("a person may", MANUAL_ON, DARK, 90.0, True),
    ("an emergency may", Level(100, Why(Winner.EMERGENCY, "e")), DARK, 90.0, True),
    ("dimming moves no relay", ON, LIT, 90.0, True),
    ("level not told", ON, Shown(None, 0), 90.0, True),
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_relay_rests(row):
    _, wanted, shown, switched_s, may = row
    past = () if switched_s is None else (switched_s,)
    assert Relays(Switching(60)).may("bus-1", wanted, shown, past, 100.0) is may


def test_a_relay_that_switched_too_often_in_a_day_stays_lit_until_the_oldest_is_a_day_ago():
    relays, past = Relays(Switching(60, most_a_day=3, day_s=1_000)), (0.0, 100.0, 200.0)
    assert relays.may("bus-1", OFF, LIT, past[:2], 900.0)
    assert not relays.may("bus-1", OFF, LIT, past, 900.0)
    assert relays.may("bus-1", ON, DARK, past, 900.0), "light is never kept from anybody"
    assert relays.may("bus-1", MANUAL_OFF, LIT, past, 900.0)
    assert relays.may("bus-1", OFF, LIT, past, 1_000.0)


def test_lamps_of_a_bus_come_on_one_after_the_other_and_go_off_together():
    relays = Relays(Switching(60, ons_per_s=5))
    assert [relays.may("bus-1", ON, DARK, (), 0.0) for _ in range(8)] == [True] * 5 + [False] * 3
    assert relays.may("bus-2", ON, DARK, (), 0.0)
    assert [relays.may("bus-1", ON, DARK, (), 1.0) for _ in range(6)] == [True] * 5 + [False]
    assert all(relays.may("bus-1", OFF, LIT, (), 1.0) for _ in range(50))


def courses(*percents):
    steps = Steps()
    return [steps.step("lamp-1", Level(percent, Why(Winner.PROGRAM, "step 1"))).level_percent for percent in percents]


def test_a_ramp_goes_in_steps_and_ends_exactly():
    assert courses(60, 59, 58, 57, 56.5, 56.5) == [60, 60, 58, 58, 58, 56.5]
    assert courses(1, 0) == [1, 0], "off is off at once"


def test_another_wish_is_followed_at_once_however_near():
    steps = Steps()
    assert steps.step("lamp-1", Level(50, Why(Winner.PROGRAM, "begin"))).level_percent == 50
    assert steps.step("lamp-1", Level(51, Why(Winner.OVERRIDE, "a"))).level_percent == 51


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_what_is_kept_to_is_never_a_step_away_from_what_is_asked(percents):
    kept = courses(*percents, percents[-1])
    assert all(abs(k - p) < STEP_PERCENT for k, p in zip(kept, percents, strict=False))
    assert kept[-1] == percents[-1]
