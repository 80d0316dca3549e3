"""What gathers reading by reading: alike among peers, and the lamp's own way with voltage."""

import numpy as np
import pytest

from lamplighter_controller.diagnosis.lamps.columns import blank
from lamplighter_controller.diagnosis.lamps.sequences.limits import Limits
from lamplighter_controller.diagnosis.lamps.sequences.sequential import Steady, follow_voltage, leave_to_peers

LIMIT = Limits(step=9.0, drift=19.0)


def steady(residual: list[float]) -> Steady:
    values = np.array(residual, np.float32)
    every = np.ones(len(values), np.bool_)
    return Steady(every, values, np.full_like(values, 0.01), np.ones_like(values), ~every)


@pytest.mark.parametrize(
    ("others", "kept"), [(-0.02, False), (-0.012, False), (-0.004, True), (0.0, True), (0.02, True)]
)
def test_what_lamps_of_a_model_show_alike_raises_none_of_them(others: float, *, kept: bool) -> None:
    held = blank(6)
    held.slow[0] = held.low[0] = 20.0
    leave_to_peers(held, steady([-0.02] + [others] * 5), np.zeros(6, np.int32), LIMIT)
    assert held.low[0] == held.slow[0]
    assert held.slow[0] == (20.0 if kept else 10.0)


def test_lamps_of_other_models_are_no_peers() -> None:
    held = blank(6)
    held.slow[0] = 20.0
    leave_to_peers(held, steady([-0.02] * 6), np.arange(6, dtype=np.int32), LIMIT)
    assert held.slow[0] == 20.0


@pytest.mark.parametrize(("seen", "learns"), [(0, False), (7, False), (8, True), (99, True), (100, False)])
def test_own_exponent_waits_for_the_gain_and_stands_later(seen: int, *, learns: bool) -> None:
    held = blank(1)
    held.gain_count[0, 2] = seen
    follow_voltage(held, steady([-0.05]), np.zeros(1, np.bool_), held.most_seen(), np.array([-0.1], np.float32))
    assert (held.swing[0] > 0) == learns
