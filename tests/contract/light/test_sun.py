"""The sun against an independent ephemeris, and the nights it makes."""

import math
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import ephem  # type: ignore[import-untyped]  # it has no types of its own
import numpy as np
import pytest

from lamplighter_contract.light.sky.nights import Place, night
from lamplighter_contract.light.sky.sun import DAY_MS, elevation_deg, falls

LATITUDES = (0.0, 10.0, -20.0, 30.0, 36.67, -45.0, 50.0, 55.0, 60.0, 66.0)
EPHEM_EPOCH_MS = -2_209_032_000_000  # ephem counts days from 1899-12-31 12:00 UTC
JINAN = Place(36.67, 117.0, ZoneInfo("Asia/Shanghai"))


def by_ephem(time_ms: float, latitude: float, longitude: float) -> float:
    observer = ephem.Observer()
    observer.lat, observer.lon = math.radians(latitude), math.radians(longitude)
    observer.pressure = 0
    observer.date = (time_ms - EPHEM_EPOCH_MS) / DAY_MS
    return math.degrees(ephem.Sun(observer).alt)


@pytest.mark.parametrize("latitude", LATITUDES)
def test_elevation_at_crossings_agrees_with_an_ephemeris_over_twenty_years(latitude):
    """Within 30 s of crossing time where the sun moves 3 degrees an hour or more, within 0.02 degrees elsewhere."""
    seen = 0
    for index, day in enumerate(range(0, 20 * 365, 61)):
        middle_ms = 1_136_116_800_000 + day * DAY_MS  # from 2006-01-01 12:00 UTC
        longitude, below = -170 + index * 2.8, (-0.833, -3.0, -4.5, -6.0)[index % 4]
        found = falls(middle_ms, latitude, longitude, below)
        for exists, time_ms in ((found.sets, found.dusk_ms), (found.rises, found.dawn_ms)):
            if not (exists and found.dark):
                continue
            off = abs(by_ephem(time_ms, latitude, longitude) - below)
            rate = abs(by_ephem(time_ms + 1e5, latitude, longitude) - by_ephem(time_ms - 1e5, latitude, longitude)) * 18
            assert off <= (rate * 30 / 3600 if rate >= 3 else 0.02)
            assert off <= 0.012
            seen += 1
    assert seen > 150


BERLIN = Place(52.52, 13.4, ZoneInfo("Europe/Berlin"))
OSLO = Place(66.0, 18.0, ZoneInfo("Europe/Oslo"))


@pytest.mark.parametrize("place", [JINAN, BERLIN, OSLO], ids=["Jinan", "Berlin", "66 degrees"])
@pytest.mark.parametrize(
    "day",
    [
        *(date(year, 2, 29) for year in (2008, 2012, 2016, 2020, 2024)),
        *(date(year, 12, 31) for year in (2006, 2016, 2025)),  # 2016 ended with a leap second
        *(date(2025, 3, number) for number in (29, 30)),  # Berlin's clock is put forward in the night between
        *(date(2025, 10, number) for number in (25, 26)),
    ],
    ids=str,
)
def test_awkward_dates_are_as_good_as_all_others(place, day):
    for below in (-0.833, -4.5):
        found = night(day, place).darkness(below)
        assert not found.never
        for time_ms in (found.dusk_ms, found.dawn_ms):
            here = place.latitude, place.longitude
            off = abs(by_ephem(time_ms, *here) - below)
            rate = abs(by_ephem(time_ms + 1e5, *here) - by_ephem(time_ms - 1e5, *here)) * 18
            assert off <= (rate * 30 / 3600 if rate >= 3 else 0.02)


def test_one_formula_serves_numbers_and_arrays():
    times = np.linspace(1.1e12, 2.1e12, 500)
    latitudes, longitudes = np.linspace(-66, 66, 500), np.linspace(-180, 180, 500)
    together = elevation_deg(times, latitudes, longitudes, np)
    single = [
        elevation_deg(*each) for each in zip(times.tolist(), latitudes.tolist(), longitudes.tolist(), strict=True)
    ]
    np.testing.assert_allclose(together, single, atol=1e-9)
    found = falls(times, latitudes, longitudes, -3.0, np)
    for index in range(0, 500, 25):
        alone = falls(float(times[index]), float(latitudes[index]), float(longitudes[index]), -3.0)
        assert bool(found.dark[index]) == alone.dark
        assert found.dusk_ms[index] == pytest.approx(alone.dusk_ms, abs=0.5)
        assert found.dawn_ms[index] == pytest.approx(alone.dawn_ms, abs=0.5)


@pytest.mark.parametrize(
    ("day", "below", "dusk", "dawn"),
    [
        (date(2025, 3, 20), -3.0, "18:34", "06:06"),
        (date(2025, 6, 21), -0.833, "19:34", "04:54"),
        (date(2025, 9, 23), -6.0, "18:34", "05:35"),
        (date(2025, 12, 21), -4.0, "17:18", "07:03"),
    ],
)
def test_jinan_stands_within_the_local_table(day, below, dusk, dawn):
    evening, morning = night(day, JINAN), night(day - timedelta(days=1), JINAN)
    for time_ms, clock in ((evening.darkness(below).dusk_ms, dusk), (morning.darkness(below).dawn_ms, dawn)):
        minutes = (time_ms // 60_000 + 8 * 60) % 1440
        hours, rest = clock.split(":")
        assert abs(minutes - int(hours) * 60 - int(rest)) <= 2


def test_polar_day_and_night_and_the_days_between_are_defined():
    tromso = Place(69.65, 18.96, ZoneInfo("Europe/Oslo"))
    summer, winter = night(date(2025, 6, 21), tromso), night(date(2025, 12, 21), tromso)
    assert summer.darkness(-3.0).never
    below = winter.darkness(-0.833)
    assert (below.dusk_ms, below.dawn_ms) == (winter.start_ms, winter.end_ms)
    day, lengths = date(2025, 1, 1), []
    while day.year == 2025:
        found = night(day, tromso).darkness(-0.833)
        lengths.append(0 if found.never else found.dawn_ms - found.dusk_ms)
        day += timedelta(days=1)
    assert max(map(abs, np.diff(lengths[10:340]))) < 3 * 3_600_000  # darkness comes and goes, it does not jump


@pytest.mark.parametrize(("latitude", "below"), [(66.0, -0.5), (66.5, -0.833), (-80.0, -6.0), (89.0, -3.0)])
def test_grazing_suns_give_an_instant_at_which_the_sun_stands_there(latitude, below):
    seen = 0
    for day in range(0, 365, 5):
        middle_ms = 1_735_732_800_000 + day * DAY_MS
        found = falls(middle_ms, latitude, 20.0, below)
        if found.dark and found.sets:
            assert elevation_deg(found.dusk_ms, latitude, 20.0) == pytest.approx(below, abs=0.02)
        seen += bool(found.dark and found.sets)
        if found.dark and found.rises:
            assert elevation_deg(found.dawn_ms, latitude, 20.0) == pytest.approx(below, abs=0.02)
    assert seen > 0
