"""Burning hours: by counters that wrap and are replaced, and summed up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_controller.lighting.proof.burning import STARTS_WRAP, Counted, Source, counted, integrated, replaced


def run(*readings, before=None):
    return counted("l-1", "lamp-1", [Counted(*each) for each in readings], before)


@pytest.mark.parametrize(
    ("readings", "hours", "starts"),
    [
        pytest.param([(1, 1200.0, 100)], 1200, 100, id="the first reading stands for all before it"),
        pytest.param([(1, 1200.0, 100), (2, 1210.5, 101)], 1210.5, 101, id="counts on"),
        pytest.param([(1, 1200.0, 100), (2, 3.0, 1), (3, 5.0, 2)], 1205, 102, id="a new controller begins at zero"),
        pytest.param([(1, 9.0, STARTS_WRAP - 1), (2, 10.0, 1)], 10, STARTS_WRAP + 1, id="starts wrap at 16 bits"),
        pytest.param([(1, 9.0, None), (2, None, 7), (3, 11.0, 8)], 11, 8, id="what was not read is left out"),
    ],
)
def test_a_lamps_own_counters(readings, hours, starts):
    found = run(*readings)
    assert (found.shown_h, found.shown_starts, found.source) == (hours, starts, Source.COUNTER)


def test_nothing_read_is_nothing_known():
    assert run() is None
    assert run((1, None, 4)) is None


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=20),
    st.integers(0, 20),
)
def test_the_same_readings_again_change_nothing(steps, overlap):
    total, readings = 1000.0, []
    for number, step in enumerate(steps):
        total += step
        readings.append((number, total, 10 + number))
    once = run(*readings)
    part = run(*readings[:overlap])
    assert run(*readings, before=part) == once
    assert run(*readings, before=once) == once
    assert once.shown_h == pytest.approx(total)


def test_a_night_worked_out_again_adds_only_the_difference():
    first = integrated("l-1", None, 100, (10.0, 1), None)
    again = integrated("l-1", None, 100, (11.5 - 10.0, 1 - 1), first)
    assert (again.shown_h, again.shown_starts, again.source) == (11.5, 1, Source.INTEGRATED)


def test_a_replaced_element_counts_anew_and_a_counter_goes_on():
    worn = run((1, 1200.0, 100))
    fresh = replaced(worn, 5)
    assert (fresh.shown_h, fresh.shown_starts, fresh.since_ms) == (0, 0, 5)
    later = run((6, 1203.0, 101), before=fresh)
    assert (later.shown_h, later.shown_starts) == (3, 1)


def test_a_lamp_that_gets_a_counter_loses_no_hours():
    summed = integrated("l-1", "lamp-1", 100, (500.0, 40), None)
    found = run((200, 2.0, 1), before=summed)
    assert (found.source, found.shown_h) == (Source.COUNTER, 500)
    assert run((300, 4.0, 2), before=found).shown_h == 502
