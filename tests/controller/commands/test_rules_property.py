"""Whatever is lost, doubled, reordered or late: a command goes forward, ends once, and is never said not to have
happened when it was.
"""

from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.results import DeviceResult, Result
from lamplighter_contract.commands.states import FINAL, may_follow, summary
from lamplighter_contract.commands.states import CommandState as S
from lamplighter_controller.commands import rules
from lamplighter_controller.commands.model import Order, Part, Request

NOW_MS = 1_763_650_000_000
DEVICES = ("lamp-1", "lamp-2", "lamp-3")
TOLD = (S.ACCEPTED, S.APPLIED, S.VERIFIED, S.REJECTED, S.FAILED, S.EXPIRED, S.SUPERSEDED, S.UNCONFIRMED)

whole = st.builds(lambda state: Result("c", 1, NOW_MS, state), st.sampled_from(TOLD))
by_device = st.builds(
    lambda states: Result(
        "c",
        2,
        NOW_MS,
        summary(frozenset(states.values())),
        devices=tuple(DeviceResult(d, s) for d, s in states.items()),
    ),
    st.dictionaries(st.sampled_from((*DEVICES, "stranger")), st.sampled_from(TOLD), min_size=1),
)
moments = st.builds(lambda seconds: NOW_MS + seconds * 1000, st.integers(0, 300))
happenings = st.lists(st.one_of(whole, by_device, moments, st.just("sent")), max_size=20)


def fresh(devices):
    request = Request("r", Operation.LIGHT_SET, {}, "", (), "user:li", None, "", NOW_MS, NOW_MS + 60_000)
    return Order("c", request, "gw-1", 7, S.CREATED, parts={d: Part(d, S.CREATED) for d in devices})


def happen(order, what):
    if what == "sent":
        return rules.sent(order)
    return rules.advance(order, what) if isinstance(what, Result) else rules.time_out(order, what)


def all_states(order):
    return {part.device: part.state for part in order.parts.values()} or {"": order.state}


@given(st.sampled_from([(), DEVICES[:1], DEVICES]), happenings)
def test_every_command_goes_forward_and_ends_once(devices, sequence):
    order = fresh(devices)
    for what in sequence:
        change = happen(order, what)
        if change is None:
            continue
        before, after = all_states(order), all_states(change.order)
        for device, state in after.items():
            assert state is before[device] or may_follow(before[device], state)
            assert state is before[device] or before[device] not in FINAL - {S.UNCONFIRMED}
        assert change.order.accepted or not order.accepted
        assert change.order.state is summary(frozenset(after.values()))
        assert {part.device for part in change.changed} == {d for d in order.parts if after[d] is not before[d]}
        order = change.order
    ended = rules.time_out(order, NOW_MS + 10**9)
    order = ended.order if ended else order
    assert order.state in FINAL
    assert rules.overdue_ms(order) is None
    assert not rules.wants_sending(order)


@given(st.sampled_from([(), DEVICES]), happenings)
def test_what_was_accepted_is_never_called_expired_by_the_clock_or_by_a_late_copy(devices, sequence):
    order = fresh(devices)
    for what in sequence:
        if isinstance(what, Result) and what.devices:
            continue
        change = happen(order, what)
        if change is not None:
            if order.accepted:
                assert not {part.state for part in change.changed} & {S.EXPIRED, S.REJECTED}
            order = change.order


@given(happenings)
def test_repeats_tell_nothing_new(sequence):
    order = fresh(DEVICES)
    for what in sequence:
        change = happen(order, what)
        order = change.order if change else order
        assert happen(order, what) is None
