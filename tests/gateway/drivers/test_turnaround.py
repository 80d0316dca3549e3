import pytest

from lamplighter_gateway.drivers.modbus.turnaround import MARGIN_S, Turnarounds

MOST_S = 0.5


@pytest.fixture
def learned():
    turnarounds: Turnarounds[int] = Turnarounds()
    turnarounds.answered(1, 0.02)
    return turnarounds


def test_an_unknown_unit_has_all_the_time(learned):
    assert learned.patience_s(2, MOST_S) == MOST_S


def test_a_known_unit_has_twice_what_it_took_and_a_margin(learned):
    assert learned.patience_s(1, MOST_S) == pytest.approx(0.04 + MARGIN_S)


def test_one_that_said_nothing_has_all_the_time_until_it_answers(learned):
    learned.silent(1)
    assert learned.patience_s(1, MOST_S) == MOST_S
    learned.answered(1, 0.02)
    assert learned.patience_s(1, MOST_S) < MOST_S


def test_a_late_answer_teaches_more_patience_never_more_than_configured(learned):
    learned.answered(1, 0.15)
    assert learned.patience_s(1, MOST_S) == pytest.approx(0.3 + MARGIN_S)
    learned.answered(1, 0.4)
    assert learned.patience_s(1, MOST_S) == MOST_S
    assert learned.slowest_s == 0.4


def test_a_slow_spell_is_forgotten_after_some_dozen_answers(learned):
    learned.answered(1, 0.4)
    for _ in range(100):
        learned.answered(1, 0.02)
    assert learned.patience_s(1, MOST_S) == pytest.approx(0.04 + MARGIN_S)
