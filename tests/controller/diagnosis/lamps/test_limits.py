"""Limits follow from the false alarms that may be spent."""

import numpy as np
import pytest

from lamplighter_controller.diagnosis.lamps.sequences.limits import STEP_REFERENCE, limit_for, limits, run_length


@pytest.mark.parametrize(
    ("limit", "reference", "readings"), [(5.0, 0.5, 931), (4.0, 1.0, 1.5e4), (4.0, 1.5, 1.2e6)], ids=str
)
def test_run_lengths_are_the_published_ones(limit, reference, readings):
    assert run_length(limit, reference) == pytest.approx(readings, rel=0.3)


@pytest.mark.parametrize("readings", [1e3, 1e5, 1e7])
def test_a_limit_has_the_run_length_it_is_made_for(readings):
    assert run_length(limit_for(readings, STEP_REFERENCE), STEP_REFERENCE) == pytest.approx(readings, rel=1e-3)


def test_a_smaller_budget_means_a_higher_limit_and_faster_reports_none():
    assert limits(0.01, 900).step > limits(1.0, 900).step
    assert limits(0.02, 60) == limits(0.02, 900)


def test_normal_residuals_keep_the_budget():
    limit = limit_for(2_000, STEP_REFERENCE)
    z = np.random.default_rng(3).standard_normal((4_000, 500))
    total, alarms = np.zeros(500), 0
    for row in z:
        total = np.maximum(total + row - STEP_REFERENCE, 0)
        alarms += (total > limit).sum()
        total[total > limit] = 0
    assert alarms == pytest.approx(4_000 * 500 / 2_000, rel=0.35)
