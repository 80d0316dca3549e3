"""The cabinet's meter against what its lamps draw, and against itself."""

import numpy as np
import pytest

from lamplighter_controller.diagnosis.meters.blocks import BlockGatherer
from lamplighter_controller.diagnosis.meters.watch import MeterWatch, PhaseSums
from lamplighter_controller.diagnosis.samples import Columns

PERIOD_MS = 900_000
START_MS = 1_760_000_400_000
FULL_W = 2_000.0


class Cabinet:
    """One cabinet with its load on phase a; its meter reads 2 % more than its lamps, and 30 W beside them."""

    def __init__(self, *, told: bool = True) -> None:
        self.told = told
        self.random = np.random.default_rng(5)
        self.watch = MeterWatch(np.array([[FULL_W, 0, 0, FULL_W]]), 900.0)
        self.time_ms = START_MS

    def read(self, lamps_w: float, missing_w: float = 0.0):
        """One reading while lamps are said to draw `lamps_w`."""
        self.time_ms += PERIOD_MS
        metered = (lamps_w - missing_w) * 1.02 * (1 + 0.003 * self.random.standard_normal()) + 30
        values = {"power_a_w": np.array([metered], np.float32), "voltage_a_v": np.array([231.0], np.float32)}
        one = np.ones(1, np.bool_)
        columns = Columns(one, one, np.array([self.time_ms]), values)
        expected = lamps_w if self.told else np.nan
        return self.watch.step(columns, np.array([[expected, np.nan, np.nan, expected]], np.float32))

    def day(self, missing_w: float = 0.0):
        """Half a day lit, half a day dark."""
        said = [self.read(FULL_W, missing_w) for _ in range(48)] + [self.read(0.0) for _ in range(48)]
        return [one.raised_low[0, 0] or one.raised_high[0, 0] for one in said]


def test_quiet_days_raise_nothing():
    cabinet = Cabinet()
    assert not any(alarm for _ in range(5) for alarm in cabinet.day())


@pytest.mark.parametrize("missing_w", [100.0, 250.0, 2_000.0])
def test_a_lamp_that_stays_away_is_seen_within_two_hours_and_weighed(missing_w):
    cabinet = Cabinet()
    cabinet.day()
    for _ in range(4):
        cabinet.read(FULL_W)
    for _ in range(6):
        said = cabinet.read(FULL_W, missing_w)
        if said.raised_low[0, 0]:
            break
    assert said.raised_low[0, 0]
    assert said.missing_w[0, 0] == pytest.approx(1.02 * missing_w, rel=0.25)
    assert START_MS < said.onset_ms[0, 0] <= cabinet.time_ms


def test_a_load_that_is_not_ours_is_seen_by_day():
    cabinet = Cabinet()
    cabinet.day()
    assert any(cabinet.read(0.0, -300.0).raised_high[0, 0] for _ in range(8))


def test_a_meter_without_lamps_is_held_against_the_days_before():
    cabinet = Cabinet(told=False)
    for _ in range(4):
        assert not any(cabinet.day())
    assert any(cabinet.day(missing_w=400.0))


def test_phases_are_summed_and_what_is_unknown_stays_unknown():
    sums = PhaseSums(np.array([0, 0, 0, 1, -1]), np.array([0, 0, 1, -1, 2]), 2)
    np.testing.assert_allclose(
        sums(np.array([10, 20, 30, 40, 50], np.float32)), [[30, 30, np.nan, 60], [np.nan, np.nan, np.nan, 40]]
    )
    assert np.isnan(sums(np.array([np.nan, 20, 30, 40, 50]))[0, [0, 3]]).all()


def test_blocks_of_minutes_are_medians_and_come_when_they_are_over():
    gatherer = BlockGatherer(1, 60.0)
    said = []
    for minute in range(31):
        power = np.full((1, 4), 5_000.0 if minute == 7 else 100.0 + minute % 3, np.float32)
        time_ms = np.array([START_MS // PERIOD_MS * PERIOD_MS + minute * 60_000])
        said += gatherer.take(np.ones(1, np.bool_), time_ms, power, np.full((1, 4), 100.0, np.float32))
    assert len(said) == 2
    assert said[0].power_w[0, 0] == pytest.approx(101, abs=1)
