"""Permit by permit: what a load that left, and one that arrived, has against it."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from shapely.geometry import mapping

from lamplighter_controller.fleet.judging.violations import Class
from lamplighter_controller.fleet.live.city import Register, city_of
from lamplighter_controller.fleet.register.things import ObjectKind, Permit, Place, Truck, WatchedObject, Weekday
from lamplighter_controller.fleet.trips.follow import Moved, Trip
from lamplighter_controller.fleet.trips.permits import judged
from tests.controller.fleet.days import PLACES, square

NOON = datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Friday
LEFT_MS = round(NOON.timestamp() * 1000)
OTHER_GROUND = Place("far", PLACES[1].kind, json.dumps(mapping(square(20_000, 0))))


def permit(**more):
    return Permit(
        "p", "truck-1", "seven", "east", more.pop("issued", "2026-11-01"), more.pop("expires", "2026-11-30"), **more
    )


def town(*permits, objects=(), trucks=("truck-1",)):
    places = [Place(one.id, one.kind, json.dumps(mapping(one.outline))) for one in PLACES] + [OTHER_GROUND]
    known = [
        WatchedObject("seven", ObjectKind.SITE, "Seven", "site"),
        WatchedObject("east", ObjectKind.GROUND, "East", "ground"),
        WatchedObject("west", ObjectKind.GROUND, "West", "far"),
        *objects,
    ]
    register = Register(
        trucks={name: Truck(name, "鲁A00001", "red", f"t-{name}") for name in trucks},
        places={one.id: one for one in places},
        objects={one.id: one for one in known},
        permits={one.id: one for one in permits},
    )
    return city_of(register, ["t-stranger"], None)


def left(truck="truck-1", site="site", **more):
    return Moved(Trip(truck, LEFT_MS - 60_000, site, LEFT_MS), 36.65, 117.12, **more)


def arrived(ground):
    return Moved(Trip("truck-1", LEFT_MS - 60_000, "site", LEFT_MS, LEFT_MS + 1_200_000, ground), 36.65, 117.12)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, None),
        ({"expires": "2026-11-19"}, Class.PERMIT_EXPIRED),
        ({"issued": "2026-11-21"}, Class.NO_PERMIT),
        ({"suspended": True}, Class.PERMIT_SUSPENDED),
        ({"start": "22:00", "end": "05:00"}, Class.OUTSIDE_HOURS),
        ({"days": (Weekday.SAT,)}, Class.OUTSIDE_HOURS),
        ({"site": "elsewhere"}, Class.NO_PERMIT),
    ],
)
def test_a_load_that_leaves_its_site(more, expected):
    site = more.pop("site", None)
    one = permit(**more)
    if site is not None:
        one = Permit("p", "truck-1", site, "east", one.issued, one.expires)
    yard = WatchedObject("elsewhere", ObjectKind.SITE, "Elsewhere", "wash")
    found = judged(left(), town(one, objects=[yard]), NOON, suspended=False)
    assert (found.kind if found else None) == expected
    if found is not None:
        assert (found.place, found.first_ms, found.last_ms, found.score) == ("site", LEFT_MS, LEFT_MS, 0.95)


def test_on_a_red_alert_day_every_load_is_under_a_suspended_permit():
    found = judged(left(), town(permit()), NOON, suspended=True)
    assert found is not None
    assert (found.kind, found.evidence["permit"]) == (Class.PERMIT_SUSPENDED, "p")


@pytest.mark.parametrize(("ground", "expected"), [("ground", None), ("far", Class.WRONG_GROUND), (None, None)])
def test_a_load_that_arrives(ground, expected):
    found = judged(arrived(ground), town(permit()), NOON, suspended=False)
    assert (found.kind if found else None) == expected


def test_one_permit_in_force_is_enough():
    spent = Permit("old", "truck-1", "seven", "west", "2025-01-01", "2025-12-31")
    assert judged(left(), town(spent, permit()), NOON, suspended=False) is None


def test_nobody_is_held_to_a_register_that_knows_nothing_of_it():
    assert judged(left(), town(), NOON, suspended=False) is None
    assert judged(left("t-stranger"), town(permit()), NOON, suspended=False) is None
    undrawn = Permit("p", "truck-1", "seven", "nowhere", "2026-11-01", "2026-11-30")
    grounds = [WatchedObject("nowhere", ObjectKind.GROUND, "Nowhere")]
    assert judged(arrived("far"), town(undrawn, objects=grounds), NOON, suspended=False) is None


def test_a_load_that_no_sensor_told_of_limits_nobody():
    untold = judged(left(told=False), town(permit(expires="2026-11-19")), NOON, suspended=False)
    nowhere = judged(left(site=None), town(permit(expires="2026-11-19")), NOON, suspended=False)
    assert untold is not None
    assert nowhere is not None
    assert untold.score < 0.9
    assert nowhere.score < 0.7


def test_a_terminal_that_another_platform_forwards_can_only_be_watched():
    register = Register(trucks={"truck-1": Truck("truck-1", "鲁A00001", "red", "t-1")})
    city = city_of(register, ["t-1", "t-2", "t-3"], None, {"t-1", "t-2"})
    assert [(row.truck, row.view_only, row.registered) for row in city.rows] == [
        ("truck-1", True, True),
        ("t-2", True, False),
        ("t-3", False, False),
    ]
