"""What the interlock is told of a truck: inside which outlines it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from lamplighter_gateway.trucks.limits import within

SQUARE = ((36.0, 117.0), (36.0, 118.0), (37.0, 118.0), (37.0, 117.0))
NOTCHED = ((0.0, 0.0), (0.0, 10.0), (10.0, 10.0), (5.0, 5.0), (10.0, 0.0))


@pytest.mark.parametrize(("place", "inside"), [((36.5, 117.5), True), ((36.5, 116.9), False), ((37.1, 117.5), False)])
def test_a_truck_is_within_an_outline_or_not(place, inside):
    assert within(SQUARE, *place) is inside
    assert within(SQUARE[::-1], *place) is inside


@given(st.floats(-2, 12), st.floats(-2, 12))
def test_any_place_is_where_a_library_of_geometry_has_it(north, east):
    outline = Polygon([(longitude, latitude) for latitude, longitude in NOTCHED])
    place = Point(east, north)
    if outline.boundary.distance(place) > 1e-9:
        assert within(NOTCHED, north, east) is outline.contains(place)
