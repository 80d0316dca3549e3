"""Backlog: it tells when something began, what is over, and what nobody saw; and it moves nothing of the present."""

import numpy as np
import pytest

from lamplighter_controller.diagnosis.suspicions import Suspicions
from tests.controller.diagnosis.lamps.night import LAMPS, PERIOD_MS, Street, Values, told

ODD = 4
NIGHT = 24


def dark(said: Values) -> None:
    said["power_w"][ODD], said["current_a"][ODD], said["power_factor"][ODD] = 1.5, 0.016, 0.4


def burning(said: Values) -> None:
    said["power_w"][ODD], said["current_a"][ODD], said["power_factor"][ODD] = 100.0, 0.457, 0.95


class Away:
    """A street whose gateway was away for a night; it is morning again, and the night comes in late."""

    def __init__(self, before: int = 40) -> None:
        self.street = Street()
        self.street.steps(before)
        self.left_ms = self.street.now_ms
        self.street.now_ms += NIGHT * PERIOD_MS

    def late(
        self, readings: range, level_percent: float = 100.0, spoil: object = None, only: int = LAMPS
    ) -> Suspicions:
        """These readings of the night, in order, of the first `only` lamps."""
        now_ms = self.street.now_ms
        for number in readings:
            self.street.now_ms = self.left_ms + number * PERIOD_MS
            said = self.street.step(level_percent, spoil, silent=tuple(range(only, LAMPS)), late=True)  # type: ignore[arg-type]
        self.street.now_ms = now_ms
        return said

    def onset_ms(self) -> int:
        return int(self.street.diagnoser._lamps.cases.onset[0]) * 1000


def test_a_lamp_that_was_dark_all_night_is_opened_by_what_came_late() -> None:
    away = Away()
    away.street.steps(2, 0.0)
    said = away.late(range(1, 6), spoil=dark)
    assert told(said) == {ODD: "lamp_dead"}
    assert away.onset_ms() == away.left_ms + 2 * PERIOD_MS - 5_000
    assert told(away.street.steps(10, 0.0)) == {ODD: "lamp_dead"}, "by day nothing refutes it"


@pytest.mark.parametrize("readings", [1, 2])
def test_one_or_two_late_readings_open_nothing(readings: int) -> None:
    away = Away()
    away.street.steps(2, 0.0)
    assert told(away.late(range(1, 1 + readings), spoil=dark)) == {}


def test_a_lamp_that_has_burnt_since_is_not_opened_any_more() -> None:
    away = Away()
    away.street.steps(3)
    assert told(away.late(range(1, 8), spoil=dark)) == {}


def test_healthy_late_readings_between_odd_ones_begin_the_row_anew() -> None:
    away = Away()
    away.street.steps(2, 0.0)
    for first in (1, 4, 7):
        away.late(range(first, first + 2), spoil=dark)
        assert told(away.late(range(first + 2, first + 3))) == {}


def test_a_lamp_that_burnt_all_day_against_the_command_is_opened() -> None:
    away = Away()
    away.street.steps(2)
    assert told(away.late(range(1, 6), 0.0, burning)) == {ODD: "relay_stuck_on"}


def test_many_lamps_of_a_cabinet_dark_alike_are_not_lamps() -> None:
    away = Away()
    away.street.steps(2, 0.0)

    def supply(said: Values) -> None:
        said["power_w"][:6] = 0.5

    assert told(away.late(range(1, 10), spoil=supply)) == {}


def test_health_since_the_last_oddness_closes_what_stood() -> None:
    away = Away()
    away.street.now_ms = away.left_ms
    away.street.steps(4, spoil=dark)
    away.left_ms = away.street.now_ms
    away.street.now_ms += NIGHT * PERIOD_MS
    assert told(away.street.steps(2, 0.0)) == {ODD: "lamp_dead"}
    assert told(away.late(range(1, 4))) == {ODD: "lamp_dead"}
    assert told(away.late(range(4, 7))) == {}, "it burnt for more than an hour after it had been dark"


def test_health_before_the_last_oddness_closes_nothing_and_moves_the_onset() -> None:
    away = Away()
    away.street.steps(4, spoil=dark)
    assert told(away.late(range(1, 12))) == {ODD: "lamp_dead"}


def test_odd_late_readings_before_the_first_known_one_move_the_onset_back() -> None:
    away = Away()
    said = away.street.steps(4, spoil=dark)
    onset_ms = away.onset_ms()
    away.late(range(20, NIGHT), spoil=dark)
    assert away.onset_ms() < onset_ms
    assert away.onset_ms() == away.left_ms + 21 * PERIOD_MS - 5_000
    assert told(said) == {ODD: "lamp_dead"}


def test_what_is_late_moves_nothing_that_is_held_of_the_present() -> None:
    away = Away()
    away.street.steps(6)
    before = {name: array.copy() for name, array in away.street.diagnoser._lamps.watch.held.export().items()}

    def lower(said: Values) -> None:
        said["power_w"] *= 0.9

    away.late(range(1, NIGHT), spoil=lower)
    after = away.street.diagnoser._lamps.watch.held.export()
    changed = {name for name in before if not np.array_equal(before[name], after[name], equal_nan=True)}
    assert changed == set()


def test_late_readings_under_a_maintenance_window_open_nothing() -> None:
    away = Away()
    away.street.steps(2, 0.0)
    now_ms = away.street.now_ms
    for number in range(1, 8):
        away.street.now_ms = away.left_ms + number * PERIOD_MS
        said = away.street.step(100.0, dark, late=True, excused=np.ones(LAMPS, np.bool_))
    away.street.now_ms = now_ms
    assert told(said) == {}
