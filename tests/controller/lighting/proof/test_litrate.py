"""Lit, dark and unknown time of nights worked out by hand, and what holds of every night."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.quality import Quality
from lamplighter_controller.lighting.proof.light.evidence import (
    DARK,
    LIT,
    PATROL_HOLD_MS,
    UNKNOWN,
    Sighting,
    from_power,
    with_patrols,
)
from lamplighter_controller.lighting.proof.light.litrate import NEVER, burned, lit_time
from tests.controller.lighting.proof.city import END_MS, HOLD_MS, HOUR_MS, at, every, evidence, hours, required

ONE = np.zeros(1, np.int64)
NIGHT = required([(6, 18)])  # on from 18:00 to 06:00


@pytest.mark.parametrize(
    ("said", "expected", "since"),
    [
        pytest.param([], (12, 0, 0, 12), 6, id="nothing was read: all of it is unknown"),
        pytest.param(every(5, 19, 0, LIT), (12, 12, 0, 0), None, id="lit before, all night and after"),
        pytest.param(every(5, 19, 0, DARK), (12, 0, 12, 0), 6, id="dark all night, since it was due"),
        pytest.param([*every(5, 9, 0, LIT), *every(9, 19, 0, DARK)], (12, 3, 9, 0), 9, id="failed at 21:00"),
        pytest.param([*every(5, 9, 0, DARK), *every(9, 19, 0, LIT)], (12, 9, 3, 0), 6, id="repaired at 21:00"),
        pytest.param(
            [*every(5, 8, 0, LIT), *every(8, 9, 0, DARK), *every(9, 11, 0, LIT), *every(11, 12, 0, DARK), (0, 12, LIT)],
            (12, 4.5, 2, 5.5),
            11,
            id="the last dark stretch counts, and a reading holds for half an hour only",
        ),
        pytest.param([*every(5, 10, 0, LIT), (0, 10, UNKNOWN)], (12, 4, 0, 8), 10, id="fell silent and said so"),
        pytest.param(every(5, 10, 0, LIT), (12, 4.25, 0, 7.75), 10.25, id="fell silent: half an hour is believed"),
        pytest.param(
            [*every(1, 5, 0, DARK), *every(18, 20, 0, DARK)], (12, 0, 0, 12), 6, id="dark by day is no matter"
        ),
    ],
)
def test_a_night_worked_out_by_hand(said, expected, since):
    judged, _ = lit_time(ONE, NIGHT, evidence(said), END_MS)
    assert hours(judged) == expected
    assert judged.since_ms[0] == (NEVER if since is None else at(since))


def test_a_half_night_loop_is_off_by_plan_not_dark():
    loop = required([(6, 11.5), (17, 18)])
    said = [*every(5, 11.5, 0, LIT), *every(11.5, 17, 0, DARK), *every(17, 19, 0, LIT)]
    judged, _ = lit_time(ONE, loop, evidence(said), END_MS)
    assert hours(judged) == (6.5, 6.5, 0, 0)


def test_a_night_that_is_not_over_ends_now():
    judged, _ = lit_time(ONE, NIGHT, evidence(every(5, 19, 0, LIT)), at(8))
    assert hours(judged) == (2, 2, 0, 0)


def test_every_lamp_has_its_own_schedule():
    both = required([(6, 18)], [(7, 10)])
    said = [*every(5, 19, 0, LIT), *every(5, 19, 1, LIT), *every(5, 19, 2, DARK)]
    judged, _ = lit_time(np.array([0, 1, 1]), both, evidence(said), END_MS)
    assert [hours(judged, row) for row in range(3)] == [(12, 12, 0, 0), (3, 3, 0, 0), (3, 0, 3, 0)]


def test_power_proves_and_doubt_does_not():
    power = np.array([57.0, 3.0, 8.0, np.nan, 57.0, 57.0, 57.0])
    quality = np.array([0, 0, 0, 0, Quality.STALE, Quality.FROZEN, Quality.PERIOD_MISSED], np.uint8)
    found = from_power(np.arange(7), np.full(7, at(7)), power, quality, np.full(7, 8.0), HOLD_MS)
    assert found.state.tolist() == [LIT, DARK, LIT, UNKNOWN, UNKNOWN, UNKNOWN, LIT]


def test_a_patrol_counts_where_the_lamp_is_silent_and_until_it_speaks():
    seen = [Sighting("l-0", at(8), lit=True), Sighting("l-0", at(10), lit=False), Sighting("strange", at(8), lit=True)]
    found = with_patrols(evidence([(0, 8.25, LIT)]), seen, {"l-0": 0})
    judged, _ = lit_time(ONE, NIGHT, found, END_MS)
    half = PATROL_HOLD_MS / HOUR_MS
    assert hours(judged) == (12, 0.25 + 0.5, half, 12 - 0.75 - half)
    assert judged.patrol_ms[0] == (0.25 + half) * HOUR_MS


def test_hours_burned_and_times_it_went_on():
    said = [
        *every(1, 2, 0, LIT),
        *every(2, 7, 0, DARK),
        *every(7, 9, 0, LIT),
        (0, 9, DARK),
        (0, 9.5, LIT),
        (0, 10, DARK),
    ]
    _, stretches = lit_time(ONE, NIGHT, evidence(said), END_MS)
    burnt_h, starts = burned(stretches, 2)
    assert (burnt_h.tolist(), starts.tolist()) == ([3.5, 0.0], [2, 0])


SAID = st.lists(
    st.tuples(st.integers(0, 2), st.floats(0, 24, exclude_max=True), st.sampled_from([LIT, DARK, UNKNOWN])), max_size=40
)
WINDOWS = st.lists(st.floats(0, 24), min_size=2, max_size=6, unique=True).map(
    lambda edges: [(a, b) for a, b in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)]
)


@given(said=SAID, windows=st.tuples(WINDOWS, WINDOWS), now=st.floats(0, 24))
def test_lit_dark_and_unknown_make_what_was_required(said, windows, now):
    curves = required(*windows)
    until_ms = at(now)
    judged, _ = lit_time(np.array([0, 1, 1]), curves, evidence(said), until_ms)
    total = judged.lit_ms + judged.dark_ms + judged.unknown_ms
    assert total == pytest.approx(judged.required_ms, abs=1)
    for row, window in enumerate((windows[0], windows[1], windows[1])):
        due = sum(max(min(at(b), until_ms) - at(a), 0) for a, b in window)
        assert judged.required_ms[row] == pytest.approx(due, abs=1)
        assert judged.lit_ms[row] == pytest.approx(by_minutes(said, row, window, now, LIT), abs=1)
        lost = judged.dark_ms[row] + judged.unknown_ms[row]
        assert (judged.since_ms[row] == NEVER) == (lost < 1)


def by_minutes(said, row, window, now, state):
    """The same, reading after reading."""
    mine = sorted((at(hour), each) for lamp, hour, each in said if lamp == row)
    total = 0
    for number, (from_ms, each) in enumerate(mine):
        until_ms = min(from_ms + HOLD_MS, at(now), mine[number + 1][0] if number + 1 < len(mine) else END_MS)
        if each == state:
            total += sum(max(min(at(b), until_ms) - max(at(a), from_ms), 0) for a, b in window)
    return total
