import pytest

from lamplighter_gateway.drivers.modbus.breaker import FIRST_DELAY_S, LONGEST_DELAY_S, OPENS_AFTER, Breakers
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


def test_dead_units_together_cost_about_one_percent():
    breakers, cost_s = Breakers(UNITS), 0.5
    dead = [3, 50, 99, 200, 250]
    for unit in dead:
        opened(breakers, unit)
    spent_s, now_s = 0.0, 0.0
    while now_s < 3600:
        for unit in dead:
            if breakers.allows(unit, now_s):
                breakers.failed(unit, now_s, cost_s)
                spent_s += cost_s
        now_s += 1.0
    assert 0 < spent_s <= 0.01 * 3600


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
