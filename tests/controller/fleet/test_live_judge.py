"""The judge over a city that changes: places and trucks come and go, and what was seen of each truck goes on."""

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

from shapely.geometry import mapping

from lamplighter_controller.checkpoints import Checkpoints
from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.judge import Judge
from lamplighter_controller.fleet.judging.places import PlaceKind, Places
from lamplighter_controller.fleet.judging.violations import Class
from lamplighter_controller.fleet.live.city import Register, city_of
from lamplighter_controller.fleet.live.judge import LiveJudge
from lamplighter_controller.fleet.register.things import Place, Truck
from tests.controller.fleet.days import PLACES, PLANE, Day, fixes, judge, square
from tests.controller.fleet.town import things

ZONE = ZoneInfo("Asia/Shanghai")


async def test_a_place_that_is_new_moves_no_truck(tmp_path):
    """Metres are measured from the middle of all places: it moves with them."""
    row = (Truck("truck-0", "鲁A00000", "red", "t-0"),)
    register = Register(trucks={one.id: one for one in row}, places={one.id: one for one in things()["places"]})
    live = LiveJudge(Checkpoints(tmp_path, "fleet"), ZONE, Bounds(), city_of(register, (), None))
    day = Day().drive(2_000, 0)
    await live.step(fixes(day))
    far = Place("far", PlaceKind.SITE, json.dumps(mapping(square(90_000, 90_000, 30_000))))
    live.moved(city_of(replace(register, places={**register.places, "far": far}), (), None))
    assert live.city.places.plane != city_of(register, (), None).places.plane
    assert not (await live.step(fixes(Day(east_m=2_000, time_ms=day.time_ms).drive(4_000, 0)))).findings
    await live.keep(day.time_ms)
    again = LiveJudge(Checkpoints(tmp_path, "fleet"), ZONE, Bounds(), city_of(register, (), None))
    assert await again.begin() == day.time_ms
    later = Day(east_m=4_000, time_ms=day.time_ms + 900_000).drive(4_200, 0)
    assert not (await again.step(fixes(later))).findings


def test_where_no_ground_is_known_nothing_lies_outside_of_one():
    nowhere = Judge(1, Places([one for one in PLACES if one.id != "ground"], PLANE), ZONE)
    day = Day().stand(300, load=2).drive(3_000, 5_000).stand(60, lift=1).stand(60, lift=1, load=0).stand(60, lift=0)
    found = [one.kind for one in judge().judge(fixes(day))]
    assert Class.DUMP_OUTSIDE in found
    assert Class.DUMP_OUTSIDE not in [one.kind for one in nowhere.judge(fixes(day))]
