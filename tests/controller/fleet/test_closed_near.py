"""The places where no limit is tightened, as a command carries them to the gateway."""

from shapely.geometry import Point, box

from lamplighter_contract.truck.orders import MOST_CLOSED, closed
from lamplighter_controller.fleet.judging.places import Place, PlaceKind, Places, Plane
from lamplighter_controller.fleet.live.city import City, Register

NORTH, EAST = 36.65, 117.12


def city(*outlines, kind=PlaceKind.NO_LIMIT):
    places = [Place(f"p-{n}", kind, outline) for n, outline in enumerate(outlines)]
    return City((), Register(), Places(places, Plane(NORTH, EAST)))


def test_the_nearest_come_first_and_those_far_away_not_at_all():
    near, nearer = box(EAST + 0.02, NORTH, EAST + 0.03, NORTH + 0.01), box(EAST, NORTH, EAST + 0.01, NORTH + 0.01)
    far = box(EAST + 1, NORTH, EAST + 1.1, NORTH + 0.1)
    found = city(near, far, nearer).closed_near(NORTH, EAST)
    assert [len(one) for one in found] == [4, 4]
    assert [NORTH, EAST] in found[0]
    assert closed(found) is None


def test_what_has_more_corners_than_are_taken_is_told_larger_and_other_places_are_not_told():
    [round_one] = city(Point(EAST, NORTH).buffer(0.01)).closed_near(NORTH, EAST)
    assert len(round_one) == 4
    assert city(box(EAST, NORTH, EAST + 0.01, NORTH + 0.01), kind=PlaceKind.NO_GO).closed_near(NORTH, EAST) == []
    many = [box(EAST, NORTH, EAST + 0.001 * n, NORTH + 0.001) for n in range(1, MOST_CLOSED + 9)]
    assert len(city(*many).closed_near(NORTH, EAST)) == MOST_CLOSED
