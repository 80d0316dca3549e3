import pytest

from lamplighter_gateway.uplink.traffic import Traffic
from lamplighter_gateway.watch.daily import Daily

HOUR_S, DAY_S = 3600.0, 86_400.0


def test_a_short_while_is_stretched_to_a_day():
    amount = Daily()
    amount.add(0, 100.0)
    amount.add(500, 400.0)
    assert amount.per_day(100.0 + HOUR_S) == pytest.approx(500 * 24)


@pytest.mark.parametrize("begun_s", [0.0, 1800.0])
def test_after_days_the_last_one_counts(begun_s):
    amount = Daily()
    for minute in range(3 * 24 * 60):
        amount.add(10 if minute < 24 * 60 else 1, begun_s + 60 * minute)
    assert amount.per_day(begun_s + 3 * DAY_S) == pytest.approx(24 * 60, rel=0.01)


def test_nothing_counted_is_nothing():
    assert Daily().per_day(5.0) == 0


def test_a_rising_counter_is_counted_from_its_first_look():
    amount = Daily()
    amount.reaches(1_000_000, 0.0)
    amount.reaches(1_000_600, HOUR_S)
    amount.reaches(100, 1.5 * HOUR_S)  # it began anew
    assert amount.per_day(2 * HOUR_S) == pytest.approx(600 * 12)


def test_a_message_costs_more_than_its_payload_in_both_directions():
    traffic = Traffic()
    traffic.up.add(0, 0.0)
    traffic.down.add(0, 0.0)
    traffic.published(26, 1000, 1.0)
    up, down = traffic.up.per_day(DAY_S - 1), traffic.down.per_day(DAY_S - 1)
    assert 1100 < up < 1150
    assert 100 < down < 150
