import itertools

import pytest

from lamplighter_gateway.drivers.modbus.breaker import FIRST_DELAY_S, LONGEST_DELAY_S, MOST_SHARE, OPENS_AFTER, Breakers
from lamplighter_gateway.drivers.modbus.late import FORGOTTEN_AFTER_S, LateAnswers

UNITS = range(1, 251)


def opened(breakers, unit, now_s=0.0, cost_s=0.5):
    for _ in range(OPENS_AFTER):
        breakers.failed(unit, now_s, cost_s)


def test_opens_after_failures_in_a_row():
    breakers = Breakers(UNITS)
    assert [breakers.failed(7, 0.0, 0.5) for _ in range(4)] == [False, False, True, False]
    assert breakers.silent == {7}
    assert not breakers.allows(7, 1.0)
    assert breakers.allows(8, 1.0)


def test_an_answer_between_failures_keeps_it_closed():
    breakers = Breakers(UNITS)
    for _ in range(10):
        breakers.failed(7, 0.0, 0.5)
        breakers.failed(7, 0.0, 0.5)
        assert not breakers.succeeded(7)
    assert breakers.silent == frozenset()


def probed(dead, cost_s, until_s=3600):
    """Probes of silent units among 250 that would answer: when each was made, by unit; and the share of time spent."""
    breakers = Breakers(UNITS)
    for unit in dead:
        opened(breakers, unit)
    times = {unit: [0.0] for unit in dead}
    now_s = 0.0
    while now_s < until_s:
        for unit in sorted(dead, key=lambda unit: times[unit][-1]):
            if breakers.allows(unit, now_s):
                breakers.failed(unit, now_s, cost_s)
                times[unit].append(now_s)
        now_s += 1.0
    return times, sum(len(made) - 1 for made in times.values()) * cost_s / until_s


def longest_wait_s(times):
    return max(later - earlier for made in times.values() for earlier, later in itertools.pairwise(made))


def test_one_dead_unit_costs_less_than_one_percent_and_is_probed_every_minute():
    times, share = probed([3], cost_s=0.5)
    assert share <= 0.01
    assert longest_wait_s(times) <= LONGEST_DELAY_S + 1


@pytest.mark.parametrize(("many", "cost_s"), [(1, 2.0), (5, 0.5), (10, 0.5), (60, 0.02)])
def test_every_dead_unit_is_probed_once_a_minute(many, cost_s):
    times, share = probed(range(1, many + 1), cost_s)
    assert longest_wait_s(times) <= 1.2 * LONGEST_DELAY_S  # each step of the test is a second
    assert share <= MOST_SHARE


def test_many_dead_units_wait_longer_and_leave_the_bus_to_the_others():
    times, share = probed(range(1, 101), cost_s=0.5)
    assert share <= MOST_SHARE
    assert longest_wait_s(times) <= 100 * 0.5 / MOST_SHARE * 1.2


def test_the_delay_of_one_unit_grows_to_its_bound():
    breakers = Breakers([1])
    opened(breakers, 1, 0.0, 0.001)
    now_s, delays = 0.0, []
    for _ in range(9):
        probe_s = next(now_s + step for step in range(1, 1000) if breakers.allows(1, now_s + step))
        delays.append(probe_s - now_s)
        now_s = probe_s
        breakers.failed(1, now_s, 0.001)
    assert delays[0] == FIRST_DELAY_S
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY_S


def test_a_branch_that_comes_back_is_found_at_once():
    breakers = Breakers(UNITS)
    for unit in range(1, 31):
        opened(breakers, unit)
        for _ in range(6):
            breakers.failed(unit, 0.0, 0.5)
    assert breakers.succeeded(1)
    assert all(breakers.allows(unit, 1.0) for unit in range(2, 31))


def test_no_guard_without_a_late_answer():
    assert LateAnswers().guard(1, 0.0) is None


@pytest.mark.parametrize("count", range(1, 20))
def test_a_guard_has_a_length_that_no_late_answer_can_have(count):
    late = LateAnswers()
    late.owes(1, count, 0.0)
    owed = [count]
    for turn in range(6):
        guard = late.guard(1, turn)
        assert guard is not None
        assert guard not in owed
        owed.append(guard)
        late.owes(1, guard, turn)


def test_a_settled_unit_needs_no_guard():
    late = LateAnswers()
    late.owes(1, 16, 0.0)
    late.settled(1)
    assert late.guard(1, 0.1) is None


def test_old_debts_are_forgotten_and_units_kept_apart():
    late = LateAnswers()
    late.owes(1, 16, 0.0)
    assert late.guard(2, 0.1) is None
    assert late.guard(1, FORGOTTEN_AFTER_S + 0.1) is None


def test_a_unit_that_left_every_guard_unanswered_is_left_alone_until_the_oldest_is_forgotten():
    late = LateAnswers()
    late.owes(1, 16, 0.0)
    asked: list[object] = []
    while not late.spent(1, 1.0):
        guard = late.guard(1, 1.0)
        assert guard is not None
        late.owes(1, guard, 1.0 + 0.1 * len(asked))
        asked.append(guard)
    assert len(set(asked)) == len(asked) == 8
    assert late.guard(1, 1.9) is None
    assert not late.spent(2, 1.0)
    assert late.guard(1, 1.05 + FORGOTTEN_AFTER_S) == asked[0]
