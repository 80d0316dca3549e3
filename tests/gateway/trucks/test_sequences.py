"""No rule of limiting trucks is broken, whatever is asked, told and lost. `make soak NAME=trucks` plays 10,000."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.trucks.sequences import SEQUENCES, play

LIMIT = ("limit", (30.0, 300.0))


@pytest.mark.timeout(300)
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(SEQUENCES, st.booleans(), st.booleans())
def test_no_sequence_of_commands_fixes_and_faults_breaks_a_rule(ops, lift_lock, ends_limits):
    assert play(ops, lift_lock=lift_lock, ends_limits=ends_limits).broken == []


def test_a_bound_that_the_truck_forgot_is_no_step_of_the_next_ramp():
    """The gateway restarts, the terminal forgets its bound, and the answer to the next one is lost."""
    speed_up = [("wanted_kmh", 60.0), ("wait", 12), LIMIT, ("wait", 11)]
    forgets = [("restart", 0), ("lose", ["answer", ""]), ("forget", None), ("wait", 11)]
    assert play([*speed_up, *forgets], lift_lock=False, ends_limits=False).broken == []


def test_a_step_whose_answer_was_lost_is_taken_again_at_once():
    """It is a step from the bound that the truck still shows, and that one has been in force long enough."""
    speed_up = [("wanted_kmh", 60.0), ("wait", 12), LIMIT, ("wait", 11)]
    forgets = [("lose", ["answer"]), ("wait", 5), ("forget", None), ("restart", 0)]
    assert play([*speed_up, *forgets], lift_lock=False, ends_limits=False).broken == []


def test_a_truck_that_behaves_is_limited_and_released_in_such_a_story():
    terminal = play([LIMIT, ("wait", 60)], lift_lock=False, ends_limits=False)
    assert terminal.broken == []
    bounds = [line.split()[1] for line in terminal.written if line.startswith("limit_kmh")]
    assert bounds == ["40", "30", "0"]
