"""What may follow what: every state with every act."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.errors import Refusal
from lamplighter_controller.fleet.cases import life
from lamplighter_controller.fleet.cases.life import RULES, Act, Wish
from lamplighter_controller.fleet.violations.violation import State, Step

DETAIL: dict[Act, dict[str, Any]] = {
    Act.FIND_VALID: {},
    Act.FIND_INVALID: {},
    Act.NOTIFY: {"to": "dispatcher", "way": "letter"},
    Act.APPEAL: {"by": "driver", "text": "the ground was open"},
    Act.HAND_OVER: {"to": "bureau"},
    Act.NUMBER: {"case_number": "2026-0017"},
    Act.CONCLUDE: {"outcome": "penalty", "amount_yuan": 2000},
}
C, V, I, N, A, H, K, O = State  # noqa: E741 - one letter a state keeps the table readable
FOLLOWS = {
    Act.FIND_VALID: {C: V, I: V},
    Act.FIND_INVALID: {C: I, V: I, N: I, A: I},
    Act.NOTIFY: {V: N},
    Act.APPEAL: {N: A},
    Act.HAND_OVER: {N: H, A: H},
    Act.NUMBER: {H: K},
    Act.CONCLUDE: {K: O},
}


def step(state, **detail):
    return Step(state, 1, "token:li", "seen", detail)


def wish(act, **changes):
    return Wish(act, "token:li", "seen", DETAIL[act] | changes)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("act", Act)
def test_every_act_in_every_state(state, act):
    taken = life.taken([step(C), step(state, before=True)], wish(act), 5)
    if state in FOLLOWS[act]:
        assert isinstance(taken, Step)
        assert (taken.state, taken.time_ms, taken.detail) == (FOLLOWS[act][state], 5, DETAIL[act])
    else:
        assert isinstance(taken, Refusal)


@pytest.mark.parametrize("act", Act)
def test_the_same_step_twice_is_one(act):
    assert life.taken([step(C), step(RULES[act].to, **DETAIL[act])], wish(act), 5) is None


@pytest.mark.parametrize(
    ("act", "detail", "told"),
    [
        (Act.NOTIFY, {}, "needs to"),
        (Act.NOTIFY, {"to": ""}, "needs to"),
        (Act.NOTIFY, {"to": 5}, "text"),
        (Act.NOTIFY, {"to": "x", "case_number": "7"}, "not told with this step"),
        (Act.NUMBER, {"case_number": "7" * 501}, "at most 500"),
        (Act.CONCLUDE, {"outcome": "jail"}, "penalty"),
        (Act.CONCLUDE, {"outcome": "penalty", "amount_yuan": -1}, "0 to"),
        (Act.CONCLUDE, {"outcome": "penalty", "amount_yuan": True}, "0 to"),
        (Act.CONCLUDE, {"outcome": "penalty", "amount_yuan": float("nan")}, "0 to"),
    ],
)
def test_what_is_told_of_a_step_is_checked(act, detail, told):
    [before] = [state for state in FOLLOWS[act] if state is not A]
    refused = life.taken([step(before)], Wish(act, "token:li", "seen", detail), 5)
    assert isinstance(refused, Refusal)
    assert told in refused.detail


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_every_step_has_a_reason(reason):
    assert isinstance(life.taken([step(C)], Wish(Act.FIND_VALID, "token:li", reason), 5), Refusal)


@given(st.lists(st.sampled_from(Act), max_size=30))
def test_nothing_is_handed_over_that_was_not_found_valid_and_told(acts):
    steps = [step(C)]
    for act in acts:
        taken = life.taken(steps, wish(act), len(steps))
        if isinstance(taken, Step):
            steps.append(taken)
    states = [one.state for one in steps]
    for at, state in enumerate(states):
        if state is H:
            since = max(n for n in range(at) if states[n] is V)
            assert N in states[since:at]
            assert I not in states[since:at]
        if state in (K, O):
            assert H in states[:at]
            assert I not in states[states.index(H) :]


def test_what_was_told_before_an_appeal_was_upheld_no_longer_counts():
    steps = [step(C), step(V), step(N, to="first"), step(A, by="d", text="t"), step(I), step(V)]
    assert life.last_detail(steps, N) is None
    assert life.last_detail([*steps, step(N, to="second")], N) == {"to": "second"}
