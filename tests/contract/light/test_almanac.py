"""The sun against a local table: Jinan's, by an ephemeris of others."""

from datetime import time
from zoneinfo import ZoneInfo

import ephem  # type: ignore[import-untyped]  # it has no types of its own
import msgspec
import pytest

from lamplighter_contract.light.sky.almanac import Almanac, Row, strays
from lamplighter_contract.light.sky.nights import Place

ZONE = ZoneInfo("Asia/Shanghai")
JINAN = Place(36.65, 117.12, ZONE)
DAYS = [f"--{month:02}-{day:02}" for month in range(1, 13) for day in (1, 15)]


def table(latitude: float = 36.65, longitude: float = 117.12) -> Almanac:
    seen = ephem.Observer()
    seen.lat, seen.lon, seen.pressure, seen.horizon = str(latitude), str(longitude), 0, "-0:50"
    rows = []
    for day in DAYS:
        seen.date = f"2026/{day[2:4]}/{day[5:7]} 04:00"
        risen, set_ = seen.previous_rising(ephem.Sun()), seen.next_setting(ephem.Sun())
        rows.append(Row(day, _local(risen), _local(set_)))
    return Almanac("jinan", tuple(rows))


def _local(moment: ephem.Date) -> time:
    utc = moment.datetime()
    return time((utc.hour + 8) % 24, utc.minute, utc.second)


def test_the_sun_of_a_city_stands_within_the_band_of_its_table():
    assert not list(strays(table(), JINAN, 2026))
    assert not list(strays(table(), Place(36.3, 116.4, ZONE), 2027))


@pytest.mark.parametrize(
    "place",
    [Place(36.65, 107.12, ZONE), Place(46.65, 117.12, ZONE), Place(36.65, 117.12, ZoneInfo("Asia/Tokyo"))],
)
def test_a_wrong_longitude_latitude_or_zone_shows_on_its_days(place: Place):
    found = list(strays(table(), place, 2026))
    assert found
    assert "by the local table: more than 10 min apart" in str(found[0])


def test_a_day_that_is_none_is_refused_and_29_february_waits_for_its_year():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "x", "rows": [{"day": "--02-30", "sunrise": "06:00", "sunset": "18:00"}]}, Almanac)
    leap = Almanac("x", (Row("--02-29", time(12), time(12)),))
    assert not list(strays(leap, JINAN, 2026))
    assert len(list(strays(leap, JINAN, 2028))) == 2
