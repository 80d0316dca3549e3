"""Registers, tariffs and bills, and the split of a saving."""

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_controller.lighting.proof.power.energy import CabinetNight, split, sums
from lamplighter_controller.lighting.proof.power.metering import by_band, flow, gap_ms, undated, within
from lamplighter_controller.lighting.proof.power.tariff import Hours, Tariff, Used, charge, faults, in_force, pieces
from tests.controller.lighting.proof.city import END_MS, HOUR_MS, NOON_MS, at

JINAN = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
TWO_BANDS = Tariff(
    "street",
    "2025-01-01",
    "CNY",
    {"day": 0.6, "valley": 0.3},
    (Hours("valley", "00:00", "07:00"), Hours("day", "07:00", "23:00"), Hours("valley", "23:00", "24:00")),
)


def counted(*points):
    """A register: (hour, kWh)."""
    times, kwh = zip(*points, strict=True)
    return flow(np.array([at(hour) for hour in times], np.int64), np.array(kwh, float))


@pytest.mark.parametrize(
    ("points", "kwh", "gap_h"),
    [
        pytest.param([(-1, 100), (12, 113), (25, 126)], 24, 0, id="readings around the night: it flows evenly"),
        pytest.param([(0, 100), (6, 101), (18, 113), (24, 114)], 14, 0, id="reading after reading"),
        pytest.param(
            [(0, 100), (6, 101), (12, 0), (24, 12)], 13, 0, id="set back to zero: what it shows was counted since"
        ),
        pytest.param([(0, 99_999.5), (12, 0.5), (24, 2)], 2.49, 0, id="rolled over"),
        pytest.param([(0, 50_000), (12, 3), (24, 5)], 5, 0, id="another meter"),
        pytest.param([(0, 100), (6, float("nan")), (12, 112), (24, 124)], 24, 0, id="a value not read is skipped"),
        pytest.param([(6, 100), (18, 112)], 12, 12, id="nothing before dusk, nothing after dawn"),
        pytest.param([(-13, 100), (12, 112), (24, 124)], 12, 12, id="too long a gap is of no night"),
        pytest.param([(3, 100)], 0, 24, id="one reading"),
    ],
)
def test_a_register_through_a_night(points, kwh, gap_h):
    found = counted(*points)
    assert within(found, NOON_MS, END_MS) == pytest.approx(kwh)
    assert gap_ms(found, NOON_MS, END_MS) == gap_h * HOUR_MS


@given(st.lists(st.tuples(st.floats(-23, 47), st.floats(0, 5)), min_size=2, max_size=30, unique_by=lambda one: one[0]))
def test_nights_add_up_to_what_the_register_counted(steps):
    steps = sorted(steps)
    times = np.unique(np.array([at(hour) for hour, _ in steps], np.int64))
    register = np.cumsum([kwh for _, kwh in steps])[: len(times)] + 10_000
    found = flow(times, register)
    day = 24 * HOUR_MS
    three = sum(within(found, NOON_MS + number * day, NOON_MS + (number + 1) * day) for number in (-1, 0, 1))
    late = sum(undated(found, NOON_MS + number * day, NOON_MS + (number + 1) * day) for number in (-1, 0, 1))
    assert three + late == pytest.approx(register[-1] - register[0], abs=1e-6)


@given(edges=st.lists(st.integers(1, 1439), max_size=8, unique=True), zone=st.sampled_from([JINAN, BERLIN]))
def test_bands_part_a_night_without_loss(edges, zone):
    clocks = ["00:00", *(f"{minute // 60:02}:{minute % 60:02}" for minute in sorted(edges)), "24:00"]
    hours = tuple(Hours(f"b{n % 2}", begin, end) for n, (begin, end) in enumerate(pairwise(clocks)))
    tariff = Tariff("street", "2025-01-01", "CNY", {one.band: 1.0 for one in hours}, hours)
    assert faults(tariff) == ()
    for start_ms in (NOON_MS, 1_774_695_600_000, 1_792_836_000_000):  # the two nights on which Berlin changes its clock
        found = pieces([tariff], "street", start_ms, start_ms + 25 * HOUR_MS, zone)
        assert found[0].start_ms == start_ms
        assert found[-1].end_ms == start_ms + 25 * HOUR_MS
        assert all(one.end_ms == two.start_ms for one, two in pairwise(found))


def test_energy_by_day_and_band_makes_the_whole():
    found = counted((0, 0), (6, 0), (18, 120), (24, 120))  # 10 kW from 18:00 to 06:00
    used = by_band(found, pieces([TWO_BANDS], "street", NOON_MS, END_MS, JINAN))
    assert {(one.day, one.band): round(one.kwh, 6) for one in used} == {
        ("2025-11-20", "day"): 50,
        ("2025-11-20", "valley"): 10,
        ("2025-11-21", "valley"): 60,
        ("2025-11-21", "day"): 0,
    }


def test_a_price_counts_from_its_day_on():
    dearer = Tariff("street", "2025-11-21", "CNY", {"day": 0.8, "valley": 0.4}, TWO_BANDS.hours)
    both = [TWO_BANDS, dearer]
    assert charge(both, "street", Used("2025-11-20", "valley", 10)).cost == 3
    assert charge(both, "street", Used("2025-11-21", "valley", 10)).cost == 4
    assert charge(both, "other", Used("2025-11-21", "valley", 10)).cost is None
    assert in_force(both, "street", date(2024, 12, 31)) is None


def test_all_that_is_wrong_with_a_tariff_is_told():
    wrong = Tariff(
        "street",
        "2025-02-30",
        "CNY",
        {"day": 1.0, "spare": 1.0},
        (Hours("day", "00:00", "12:00"), Hours("peak", "11:00", "24:00", (1,))),
    )
    found = "\n".join(faults(wrong))
    for part in (
        "no price for 'peak'",
        "'spare' has no hours",
        "2025-02-30 is no day",
        "month 1: 11:00 to 12:00 is in 2",
    ):
        assert part in found
    assert "month 2: 12:00 to 24:00 is in no band" in found
    assert faults(Tariff("street", "2025-01-01", "CNY", {"day": 1.0}, (Hours("day", "23:00", "07:00"),)))


def night(cabinet, account, metered, **more):
    values = {"base": 0.0, "full": 0.0, "hours": 0.0, "planned": 0.0, "dark": 0.0, "standby": 0.0} | more
    used = () if metered is None else (Used("2025-11-20", "day", metered),)
    return CabinetNight(cabinet, account, "street", 1, 0, metered, 0, used, **values)


def test_the_split_of_a_saving_by_hand():
    one = night("c", "a", 50.0, base=200.0, full=100.0, hours=90.0, planned=60.0, dark=12.0, standby=1.0)
    found = split([one, night("d", "a", None, base=1e6)])
    assert (found.led, found.hours, found.dimming, found.dark, found.standby) == (100, 10, 30, 12, 1)
    assert found.unexplained == 1
    assert (found.saved, found.claimed, found.claimed_percent) == (150, 138, 69)


KWH = st.floats(0, 1e6)
NIGHTS = st.lists(
    st.builds(
        lambda cabinet, account, metered, parts: night(f"c-{cabinet}", account, metered, **parts),
        st.integers(0, 5),
        st.sampled_from(["a", "b", ""]),
        st.none() | KWH,
        st.fixed_dictionaries(dict.fromkeys(("base", "full", "hours", "planned", "dark", "standby"), KWH)),
    ),
    max_size=20,
)


@given(NIGHTS)
def test_the_bill_reconciles_and_the_parts_make_the_saving(nights):
    total = sum(one.metered or 0.0 for one in nights)
    for by in ("account", "cabinet", "city"):
        found = sums(nights, by)
        assert sum(one.metered for one in found) == pytest.approx(total)
        for one in found:
            assert sum(one.charged.values()) == pytest.approx(one.metered)
            if (parts := one.split()) is not None:
                whole = parts.led + parts.hours + parts.dimming + parts.dark - parts.standby - parts.unexplained
                assert whole == pytest.approx(parts.saved, abs=1e-3)
