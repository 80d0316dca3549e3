"""Which lamps lie in an area drawn on a map."""

import numpy as np
import pytest

from lamplighter_controller.lighting.overrides.area import inside, wrong_with

SQUARE = ((117.0, 36.0), (118.0, 36.0), (118.0, 37.0), (117.0, 37.0), (117.0, 36.0))
HOLE = ((117.4, 36.4), (117.6, 36.4), (117.6, 36.6), (117.4, 36.6), (117.4, 36.4))
HORSESHOE = ((0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (2.0, 3.0), (2.0, 1.0), (1.0, 1.0), (1.0, 3.0), (0.0, 3.0), (0.0, 0.0))


@pytest.mark.parametrize(
    ("polygon", "longitude", "latitude", "expected"),
    [
        ((SQUARE,), 117.5, 36.5, True),
        ((SQUARE, HOLE), 117.5, 36.5, False),
        ((SQUARE, HOLE), 117.3, 36.5, True),
        ((SQUARE,), 116.9, 36.5, False),
        ((SQUARE,), 117.5, 37.1, False),
        ((HORSESHOE,), 1.5, 2.0, False),
        ((HORSESHOE,), 0.5, 2.0, True),
        ((HORSESHOE,), 2.5, 2.0, True),
        ((HORSESHOE,), 1.5, 0.5, True),
        ((HORSESHOE,), -1.0, 0.0, False),
    ],
)
def test_inside_the_outline_and_outside_its_holes(
    polygon: tuple[tuple[tuple[float, float], ...], ...], longitude: float, latitude: float, expected: bool
):
    assert inside(polygon, np.array([longitude]), np.array([latitude])).tolist() == [expected]
    backwards = [tuple(reversed(ring)) for ring in polygon]
    assert inside(backwards, np.array([longitude]), np.array([latitude])).tolist() == [expected]


def test_neighbouring_areas_share_no_lamp_and_leave_none_out():
    random = np.random.default_rng(7)
    longitude, latitude = random.uniform(117, 119, 2_000), random.uniform(36, 37, 2_000)
    east = tuple((x + 1, y) for x, y in SQUARE)
    assert (inside((SQUARE,), longitude, latitude) ^ inside((east,), longitude, latitude)).all()


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        ((SQUARE, HOLE), []),
        ((), ["has no ring"]),
        ((SQUARE[:3],), ["has 3 corners"]),
        ((SQUARE[:4],), ["is not closed"]),
        ((tuple((y, x) for x, y in SQUARE),), ["expected longitude, latitude"]),
        ((SQUARE[:4], HOLE[:2]), ["ring 1 is not closed", "ring 2 has 2 corners"]),
        ((tuple((float(x % 2), float(x % 3)) for x in range(2_001)),), ["at most 2000", "not closed"]),
    ],
)
def test_everything_wrong_with_a_polygon_is_told(
    polygon: tuple[tuple[tuple[float, float], ...], ...], words: list[str]
):
    found = list(wrong_with(polygon))
    assert len(found) == len(words)
    assert all(word in said for word, said in zip(words, found, strict=True))
