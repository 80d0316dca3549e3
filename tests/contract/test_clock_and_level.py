"""Civil and real time, and the level function as far as overrides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.clock import CivilScale, ManualClock, SystemClock, decode_scale, encode_scale
from lamplighter_contract.level import OWN_SCHEDULE, Override, Winner, level


def test_civil_time_runs_by_its_rate_from_its_origin():
    scale = CivilScale(60, 1_000_000, 500_000)
    assert scale.civil_ms(500_000) == 1_000_000
    assert scale.civil_ms(501_000) == 1_060_000
    assert scale.real_s(60_000) == 1


def test_at_rate_one_both_times_are_equal():
    clock = SystemClock()
    assert abs(clock.civil_ms() - clock.wall_ms()) < 1000
    assert clock.monotonic_s() <= clock.monotonic_s()


def test_a_manual_clock_moves_both_times():
    clock = ManualClock(now_ms=1000, rate=60)
    clock.advance(2)
    assert (clock.civil_ms(), clock.wall_ms(), clock.monotonic_s()) == (121_000, 3_000, 2)


def test_the_clock_file_is_read_as_written():
    scale = CivilScale(60, 1, 2)
    assert decode_scale(encode_scale(scale)) == scale


@pytest.mark.parametrize(
    "payload", [b"", b"{", b'{"rate":0}', b'{"rate":-1}', b'{"rate":"x"}', b'{"speed":1}', b'{"rate":1e9}']
)
def test_a_wrong_clock_file_is_named(payload):
    with pytest.raises(ValueError):
        decode_scale(payload)


def record(n: int, issued: int, percent: float, until: int, device: str = "lamp-1") -> Override:
    return Override(f"c-{n}", n, issued, device, percent, until)


@pytest.mark.parametrize(
    ("records", "now", "percent", "source"),
    [
        ([], 0, None, ""),
        ([record(1, 10, 60, 100)], 50, 60, "c-1"),
        ([record(1, 10, 60, 100)], 100, None, ""),
        ([record(1, 10, 60, 100), record(2, 20, 30, 90)], 50, 30, "c-2"),
        ([record(2, 20, 30, 90), record(1, 10, 60, 100)], 95, 60, "c-1"),
        ([record(1, 10, 60, 100), record(2, 10, 30, 100)], 50, 30, "c-2"),
        ([record(1, 10, 60, 100, "lamp-2")], 50, None, ""),
    ],
)
def test_the_newest_override_in_force_wins(records, now, percent, source):
    decided = level(records, "lamp-1", now)
    assert decided.level_percent == percent
    assert decided.why.source == source
    if percent is None:
        assert decided == OWN_SCHEDULE
    else:
        assert decided.why.winner is Winner.OVERRIDE


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 100), st.integers(0, 99))), st.randoms())
def test_the_order_in_which_overrides_arrive_changes_nothing(rows, random):
    records = [record(n, issued, percent, until) for n, (_, issued, percent, until) in enumerate(rows)]
    shuffled = records.copy()
    random.shuffle(shuffled)
    assert level(records, "lamp-1", 50) == level(shuffled, "lamp-1", 50)
