"""Positions of four systems, there and back, and which one a file was meant in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.geo.box import SWAPPED, Box, likely
from lamplighter_contract.geo.shift import Degrees
from lamplighter_contract.geo.systems import System, from_wgs84, to_wgs84

JINAN = np.array([36.65]), np.array([117.12])
CITY = Box(36.6, 117.0, 36.7, 117.2)
METRES_PER_DEGREE = 111_320.0


def metres(one: tuple[Degrees, Degrees], other: tuple[Degrees, Degrees]) -> Degrees:
    """Distance on a plane, good for a few kilometres."""
    north = (one[0] - other[0]) * METRES_PER_DEGREE
    east = (one[1] - other[1]) * METRES_PER_DEGREE * np.cos(np.radians(one[0]))
    distance: Degrees = np.hypot(north, east)
    return distance


@pytest.mark.parametrize(
    ("system", "shift_m"), [(System.GCJ02, 549), (System.BD09, 1_330), (System.CGCS2000, 0), (System.WGS84, 0)]
)
def test_the_shift_at_jinan_is_more_than_a_road_is_wide(system: System, shift_m: float):
    assert metres(JINAN, from_wgs84(system, *JINAN))[0] == pytest.approx(shift_m, abs=25)


def test_a_known_point_of_beijing():
    """Between published readings of one place in both systems: 39.9087, 116.3975 is 39.9101, 116.4037 in GCJ-02."""
    latitude, longitude = from_wgs84(System.GCJ02, np.array([39.9087]), np.array([116.3975]))
    assert (latitude[0], longitude[0]) == (pytest.approx(39.9101, abs=1e-4), pytest.approx(116.4037, abs=1e-4))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(18.2, 53.5), st.floats(73.6, 135.0)), min_size=1, max_size=20), st.sampled_from(System)
)
def test_there_and_back_is_within_a_centimetre(points: list[tuple[float, float]], system: System):
    here = np.array([north for north, _ in points]), np.array([east for _, east in points])
    back = to_wgs84(system, *from_wgs84(system, *here))
    assert np.max(metres(here, back)) < 0.01


def test_outside_china_nothing_is_shifted_and_nothing_is_no_trouble():
    for system in System:
        latitude, longitude = from_wgs84(system, np.array([51.5]), np.array([-0.12]))
        assert (latitude[0], longitude[0]) == (51.5, -0.12)
        assert to_wgs84(system, np.array([]), np.array([]))[0].size == 0


def spread(number: int = 400) -> tuple[Degrees, Degrees]:
    random = np.random.default_rng(5)
    return random.uniform(CITY.south, CITY.north, number), random.uniform(CITY.west, CITY.east, number)


@pytest.mark.parametrize("meant", [System.GCJ02, System.BD09])
def test_a_file_in_another_system_than_it_says_is_named(meant: System):
    written = from_wgs84(meant, *spread())
    assert not CITY.holds(*written).all()
    assert likely(CITY, *written, System.WGS84) == meant
    assert CITY.holds(*to_wgs84(meant, *written)).all()


def test_exchanged_columns_are_named_and_what_fits_is_left_alone():
    latitude, longitude = spread()
    assert likely(CITY, longitude, latitude, System.WGS84) == SWAPPED
    assert likely(CITY, latitude, longitude, System.WGS84) is None
    assert likely(CITY, latitude + 20, longitude, System.WGS84) is None
    assert str(CITY) == "36.6 to 36.7 north, 117 to 117.2 east"
