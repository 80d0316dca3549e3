"""Which positions lie in an area that was drawn on a map. Positions are WGS-84, longitude first as in GeoJSON."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ring = Sequence[tuple[float, float]]
Polygon = Sequence[Ring]  # the outline, then its holes (RFC 7946, 3.1.6)

MOST_CORNERS: Final = 2_000
FEWEST_CORNERS: Final = 4  # of a closed ring: its first is its last


def wrong_with(polygon: Polygon) -> Iterator[str]:
    """Everything that makes a polygon unusable."""
    if not polygon:
        yield "has no ring"
    if sum(map(len, polygon)) > MOST_CORNERS:
        yield f"has {sum(map(len, polygon))} corners, at most {MOST_CORNERS} are taken"
    for number, ring in enumerate(polygon, start=1):
        if len(ring) < FEWEST_CORNERS:
            yield f"ring {number} has {len(ring)} corners, expected at least {FEWEST_CORNERS} with the first again last"
        elif tuple(ring[0]) != tuple(ring[-1]):
            yield f"ring {number} is not closed: its last corner is not its first"
        wild = next((corner for corner in ring if not (abs(corner[0]) <= 180 and abs(corner[1]) <= 90)), None)
        if wild is not None:
            yield f"ring {number} has a corner at {wild[0]:g}, {wild[1]:g}, expected longitude, latitude in WGS-84"


def inside(polygon: Polygon, longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True for positions within the outline and in no hole: a ray to the east meets rings an odd number of times."""
    odd = np.zeros(len(longitude), np.bool_)
    for ring in polygon:
        corners = np.asarray(ring, np.float64)
        for (x0, y0), (x1, y1) in pairwise(corners):
            if y0 != y1:
                between = (latitude < y0) != (latitude < y1)
                odd ^= between & (longitude < x0 + (latitude - y0) / (y1 - y0) * (x1 - x0))
    return odd
