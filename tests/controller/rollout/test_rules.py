import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.rollout.rules import ENDS, Rollout, Sent, State, due, heard, stopped, waves

NAMES = tuple(f"gw-{number:02}" for number in range(1, 21))


def rollout(count=20, **changes):
    usual = Rollout("r-1", "x:1", NAMES[:count], 1, 20, 5, "user:li", "why", 1)
    return msgspec.structs.replace(usual, **changes)


def answers(its, state, names=None, why=""):
    names = due(its) if names is None else names
    return heard(its, {name: Sent(f"request-{name}", CommandState(state), why) for name in names})


def test_one_then_a_share_then_all():
    assert [len(wave) for wave in waves(rollout())] == [1, 3, 16]
    its = rollout()
    seen = []
    while due(its):
        seen.append(len(due(its)))
        its = answers(its, "verified")
    assert seen == [1, 3, 16]
    assert its.state is State.DONE


def test_nobody_is_asked_while_a_wave_is_underway():
    its = answers(rollout(), "sent")
    assert due(its) == ()
    assert answers(its, "accepted", NAMES[:1]).state is State.RUNNING


@pytest.mark.parametrize("state", ["failed", "rejected", "expired", "unconfirmed"])
def test_a_canary_that_does_not_fare_well_stops_everything(state):
    its = answers(rollout(tolerated_percent=50), state, why="taken back: it was not healthy")
    assert its.state is State.STOPPED
    assert "gw-01" in its.why
    assert "not healthy" in its.why
    assert due(its) == ()


def test_after_the_canaries_a_share_of_failures_is_tolerated_and_no_more():
    its = answers(answers(rollout(tolerated_percent=30), "verified"), "verified")
    wave = due(its)
    its = answers(its, "failed", wave[:1])
    assert its.state is State.RUNNING
    its = answers(its, "failed", wave[1:4])
    assert its.state is State.STOPPED


def test_a_late_good_word_is_counted_and_a_stop_by_hand_stands():
    its = stopped(answers(rollout(), "sent"), "user:li: enough")
    assert (its.state, its.why) == (State.STOPPED, "user:li: enough")
    assert answers(its, "verified", NAMES[:1]).state is State.STOPPED


@given(
    st.integers(1, 20),
    st.integers(1, 5),
    st.floats(0, 100),
    st.floats(0, 50),
    st.lists(st.sampled_from(sorted(ENDS)), min_size=20, max_size=20),
)
def test_every_gateway_is_asked_once_at_most_and_none_after_a_stop(count, canaries, share, tolerated, fates):
    its = rollout(count, canaries=canaries, share_percent=share, tolerated_percent=tolerated)
    asked: list[str] = []
    for _ in range(10):
        wave = due(its)
        assert not (wave and its.state is not State.RUNNING)
        if not wave:
            break
        asked += wave
        fate = dict(zip(NAMES, fates, strict=True))
        its = heard(its, {name: Sent("r", fate[name]) for name in wave})
    assert len(asked) == len(set(asked))
    assert its.state in {State.DONE, State.STOPPED}
    assert its.state is State.STOPPED or set(asked) == set(its.gateways)
