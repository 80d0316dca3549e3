"""What sensors and counters come to: tables of medians, broken sensors, classes of traffic."""

import pytest

from lamplighter_controller.lighting.adaptive.judging import WINDOW_MS, Said, Traffic, counted, light, passed
from lamplighter_controller.lighting.adaptive.rules import Class, Count, Lux

NOW = 1_763_650_800_000  # a whole quarter of an hour
SOURCE = Lux("lux", ("east", "west", "north", "south"))
FLOW = Count("flow", ("counter-1",), (Class("low", 0), Class("medium", 100), Class("high", 300)))


def said(**values: float) -> dict[str, Said]:
    return {name: Said(value, NOW) for name, value in values.items()}


@pytest.mark.parametrize(
    ("values", "lux", "broken"),
    [
        (said(east=30, west=32, north=28, south=31), 30.5, set()),
        (said(east=30, west=32, north=0, south=31), 30.5, {"north"}),
        (said(east=30, west=32, north=90_000, south=31), 31.5, {"north"}),
        (said(east=30, west=32, north=28), 30, {"south"}),
        (said(east=30, west=32), None, {"north", "south"}),
        (said(east=0.1, west=0.4, north=0, south=0.9), 0.25, set()),
        (said(east=30, west=32, north=28) | {"south": Said(5, NOW - 901_000)}, 30, {"south"}),
        ({}, None, {"east", "west", "north", "south"}),
    ],
)
def test_the_median_of_three_at_least_and_who_is_broken(values: dict[str, Said], lux: float | None, broken: set[str]):
    found = light(SOURCE, values, NOW)
    assert (found.lux, set(found.broken)) == (lux, broken)


def test_a_broken_sensor_is_named_with_what_it_says():
    assert light(SOURCE, said(east=30, west=32, north=0, south=31), NOW).broken == {
        "north": "says 0 lux, the median is 30.5"
    }


def windows(*counts: int | None) -> Traffic:
    """One report in each quarter of an hour; None: none."""
    state = Traffic()
    for number, count in enumerate(counts):
        if count is not None:
            state = counted(FLOW, state, count, NOW + number * WINDOW_MS + 60_000)
    return passed(FLOW, state, NOW + len(counts) * WINDOW_MS)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((50,), 0),
        ((120,), 1),
        ((50, 320), 2),
        ((320, 50, 50, 50), 2),
        ((320, 50, 50, 50, 50), 0),
        ((320, 50, 120, 50, 50), 1),
        ((320, 50, 50, 310, 50, 50, 50), 2),
        ((320, 50, 50, None, 50, 50), 2),
        ((320, 50, 50, None, 50, 50, 50, 50), 0),
    ],
)
def test_up_at_once_and_down_after_four_quarters_of_an_hour(counts: tuple[int | None, ...], expected: int):
    assert windows(*counts).now == expected


def test_up_counts_within_the_running_window():
    state = counted(FLOW, Traffic(), 90, NOW + 1)
    assert state.now == 0
    assert counted(FLOW, state, 15, NOW + 2).now == 1


def test_what_comes_too_late_for_its_window_is_left_out():
    state = counted(FLOW, Traffic(), 10, NOW + WINDOW_MS)
    assert counted(FLOW, state, 500, NOW).count == 10


def test_classes_have_to_leave_no_count_without_one():
    with pytest.raises(ValueError, match="rise from at_least 0"):
        Count("flow", ("c",), (Class("low", 10), Class("high", 300)))
    with pytest.raises(ValueError, match="rise from at_least 0"):
        Count("flow", ("c",), (Class("low", 0), Class("high", 300), Class("odd", 300)))
