"""The rules of commanding, as tables."""

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.results import DeviceResult, Result
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.commands.states import FINAL
from lamplighter_contract.commands.states import CommandState as S
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.limits import MAX_COMMAND_BYTES, MAX_COMMAND_DEVICES, MAX_OVERRIDE_MS
from lamplighter_controller.commands import rules
from lamplighter_controller.commands.model import Change, CommandRequest, Order, Part, Request

NOW_MS = 1_763_650_000_000
LIGHT = ("light.set", "light.resume", "light.identify")


class City:
    """Two lamps on one gateway, one on another, a meter, and a lamp nobody serves any more."""

    def __init__(self):
        self.entries = {
            "lamp-1": ("gw-1", Kind.LAMP, LIGHT),
            "lamp-2": ("gw-1", Kind.LAMP, LIGHT),
            "lamp-3": ("gw-2", Kind.LAMP, LIGHT),
            "switch-only": ("gw-2", Kind.LAMP, ()),
            "cab-1": ("gw-1", Kind.CABINET, ()),
            "orphan": (None, Kind.LAMP, LIGHT),
        }

    def entry(self, device):
        if device not in self.entries:
            return None
        _, kind, capabilities = self.entries[device]
        return DeviceEntry(device, kind, "profile", "bus/1", capabilities)

    def gateway_of(self, device):
        return self.entries[device][0]


SET = {"level_percent": 60, "until": NOW_MS + 3_600_000}


def wanted(op=Operation.LIGHT_SET, devices=("lamp-1",), args=SET, **rest):
    return CommandRequest(op, devices, args, **rest)


@pytest.mark.parametrize(
    "request_",
    [
        wanted(),
        wanted(args=SET | {"until": NOW_MS + MAX_OVERRIDE_MS}),
        wanted(devices=("lamp-1", "lamp-2", "lamp-3")),
        wanted(Operation.LIGHT_RESUME, args={}),
        wanted(Operation.LIGHT_IDENTIFY, args={"seconds": 10}),
        wanted(Operation.DEVICE_READ, ("cab-1", "switch-only"), {}),
        CommandRequest(Operation.GATEWAY_RESEND, gateways=("gw-1",), args={"from": 1, "to": 9}),
        CommandRequest(Operation.GATEWAY_RESTART, gateways=("gw-1",)),
    ],
)
def test_what_makes_sense_is_taken(request_):
    assert rules.size_refusal(request_) is None
    assert rules.refusal_of(request_, City(), NOW_MS) is None


@pytest.mark.parametrize(
    ("request_", "reason", "named"),
    [
        (wanted(devices=()), Reason.ARGUMENT, "devices"),
        (wanted(gateways=("gw-1",)), Reason.ARGUMENT, "devices"),
        (CommandRequest(Operation.GATEWAY_PROBE, ("lamp-1",), {"bus": "b"}), Reason.ARGUMENT, "gateways"),
        (wanted(Operation.TRUCK_RELEASE, args={}), Reason.OPERATION, "truck.release"),
        (wanted(Operation.TRUCK_SPEAK, args={}), Reason.ARGUMENT, "text"),
        (wanted(Operation.DEVICE_UNLOCK, args={}), Reason.ARGUMENT, "confirmation"),
        (wanted(devices=("lamp-9",)), Reason.UNKNOWN_DEVICE, "lamp-9"),
        (wanted(devices=("lamp-1", "orphan")), Reason.UNKNOWN_DEVICE, "orphan"),
        (wanted(devices=("cab-1",)), Reason.OPERATION, "cab-1"),
        (wanted(devices=("switch-only",)), Reason.OPERATION, "switch-only"),
        (wanted(args={"level_percent": 60}), Reason.ARGUMENT, "until"),
        (wanted(args=SET | {"level_percent": 101}), Reason.ARGUMENT, "level_percent"),
        (wanted(args=SET | {"level_percent": float("nan")}), Reason.ARGUMENT, "level_percent"),
        (wanted(args=SET | {"until": NOW_MS}), Reason.ARGUMENT, "until"),
        (wanted(args=SET | {"until": NOW_MS + MAX_OVERRIDE_MS + 1}), Reason.ARGUMENT, "at most 12 h"),
        (wanted(args=SET | {"until": 4_000_000_000_000}), Reason.ARGUMENT, "until"),
        (wanted(args=SET | {"colour": "red"}), Reason.ARGUMENT, "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(request_, reason, named):
    refusal = rules.refusal_of(request_, City(), NOW_MS)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason
    assert named in refusal.detail


@pytest.mark.parametrize(
    "request_",
    [
        wanted(devices=("lamp-1",) * (rules.MAX_REQUEST_DEVICES + 1)),
        wanted(reason="x" * 501),
        wanted(approvals=("x" * 501,)),
        wanted(approvals=("x",) * 17),
        wanted(key=""),
        wanted(key="a\0b"),
        wanted(key="x" * 129),
        wanted(expires_s=0),
        wanted(expires_s=-1),
        wanted(expires_s=86_401),
        wanted(expires_s=float("nan")),
    ],
)
def test_what_is_too_large_is_refused(request_):
    assert isinstance(rules.size_refusal(request_), Refusal)


def test_a_request_is_split_by_gateway_and_names_a_device_once():
    devices = ("lamp-3", "lamp-1", "lamp-2", "lamp-1")
    assert list(rules.split(devices, City().gateway_of)) == [("gw-2", ("lamp-3",)), ("gw-1", ("lamp-1", "lamp-2"))]


@pytest.mark.parametrize("length", [8, 64])
def test_no_command_carries_more_than_the_contract_allows(length):
    devices = [f"{n:0{length}}" for n in range(4_500)]
    commands = list(rules.split(devices, lambda _: "gw-1"))
    assert [device for _, chunk in commands for device in chunk] == devices
    assert max(len(chunk) for _, chunk in commands) <= MAX_COMMAND_DEVICES
    for _, chunk in commands:
        longest = order(devices=chunk, reason="灯" * 500, who="x" * 500, approvals=("灯" * 500,) * 4)
        assert len(Signer("commands-1", bytes(32)).sign(longest.command().as_json())) <= MAX_COMMAND_BYTES


@pytest.mark.parametrize(
    ("stored", "told", "expected"),
    [
        (0, 0, NOW_MS),  # a new ledger
        (NOW_MS + 5, 0, NOW_MS + 6),
        (NOW_MS + 5, NOW_MS + 5, NOW_MS + 6),
        (NOW_MS - 900, NOW_MS - 5, NOW_MS),  # a ledger restored from a backup
        (NOW_MS - 900, NOW_MS + 7, NOW_MS + 8),  # the same, while our clock is behind
        (0, NOW_MS + 7, NOW_MS + 8),
        (0, 2**52, NOW_MS),  # no gateway can have seen such a number
        (NOW_MS + 5, 2**63, NOW_MS + 6),
    ],
)
def test_numbers_never_come_twice(stored, told, expected):
    assert rules.next_seq(stored, told, NOW_MS) == expected


def order(*, devices=("lamp-1", "lamp-2"), state=S.SENT, accepted=False, reason="WO-7", who="user:li", approvals=()):
    request = Request("r", Operation.LIGHT_SET, SET, reason, approvals, who, None, "", NOW_MS, NOW_MS + 60_000)
    parts = {device: Part(device, state) for device in devices}
    return Order("c", request, "gw-1", 7, state, accepted=accepted, parts=parts)


def result(state, *devices, n=1, reason=""):
    told = tuple(DeviceResult(device, its, reason) for device, its in devices)
    return Result("c", n, NOW_MS, state, reason, devices=told)


def states(change):
    return change.order.state, [part.state for part in change.order.parts.values()]


def advanced(of, by) -> Change:
    change = rules.advance(of, by)
    assert change is not None
    return change


def test_a_whole_result_is_every_devices():
    change = advanced(order(), result(S.ACCEPTED))
    assert states(change) == (S.ACCEPTED, [S.ACCEPTED, S.ACCEPTED])
    assert change.order.accepted
    assert len(change.changed) == 2


def test_devices_end_one_by_one():
    first = advanced(order(), result(S.APPLIED, ("lamp-1", S.VERIFIED)))
    assert states(first) == (S.APPLIED, [S.VERIFIED, S.APPLIED])
    second = advanced(first.order, result(S.FAILED, ("lamp-2", S.FAILED), n=2, reason="silent"))
    assert states(second) == (S.FAILED, [S.VERIFIED, S.FAILED])
    assert [(part.device, part.reason) for part in second.changed] == [("lamp-2", "silent")]


def test_a_final_word_about_some_says_nothing_of_the_others():
    change = advanced(order(), result(S.VERIFIED, ("lamp-1", S.VERIFIED)))
    assert states(change) == (S.SENT, [S.VERIFIED, S.SENT])
    assert not rules.wants_sending(change.order)  # whoever reports a device has taken the command


def test_a_device_that_was_not_commanded_is_not_taken_in():
    change = advanced(order(devices=("lamp-1",)), result(S.VERIFIED, ("lamp-1", S.VERIFIED), ("lamp-9", S.FAILED)))
    assert list(change.order.parts) == ["lamp-1"]


@pytest.mark.parametrize("late", [S.CREATED, S.SENT, S.ACCEPTED, S.APPLIED])
@pytest.mark.parametrize("state", [S.APPLIED, S.VERIFIED, S.EXPIRED, S.UNCONFIRMED])
def test_no_step_back(state, late):
    change = rules.advance(order(state=state, accepted=True), result(late))
    assert change is None


def test_a_late_result_corrects_only_what_was_unconfirmed():
    assert states(advanced(order(state=S.UNCONFIRMED), result(S.VERIFIED)))[0] is S.VERIFIED
    for state in FINAL - {S.UNCONFIRMED}:
        assert rules.advance(order(state=state, accepted=True), result(S.FAILED)) is None


@pytest.mark.parametrize("state", [S.SENT, S.ACCEPTED, S.APPLIED, S.UNCONFIRMED])
@pytest.mark.parametrize("answer", [S.EXPIRED, S.REJECTED])
def test_the_refusal_of_a_late_copy_does_not_undo_the_acceptance(state, answer):
    assert rules.advance(order(state=state, accepted=True), result(answer)) is None


def test_a_command_for_the_gateway_itself_has_its_own_state():
    change = advanced(order(devices=()), result(S.ACCEPTED))
    assert change.order.state is S.ACCEPTED
    change = advanced(change.order, result(S.FAILED, n=2, reason="no such bus"))
    assert (change.order.state, change.order.reason) == (S.FAILED, "no such bus")
    assert rules.advance(change.order, result(S.ACCEPTED)) is None


@pytest.mark.parametrize(
    ("state", "after_ms", "expected"),
    [
        (S.CREATED, 59_999, None),
        (S.CREATED, 60_000, S.EXPIRED),
        (S.SENT, 60_000, None),
        (S.SENT, 119_999, None),
        (S.SENT, 120_000, S.UNCONFIRMED),
        (S.ACCEPTED, 120_000, S.UNCONFIRMED),
        (S.APPLIED, 120_000, S.UNCONFIRMED),
        (S.VERIFIED, 10**9, None),
        (S.UNCONFIRMED, 10**9, None),
    ],
)
def test_time_ends_what_never_left_as_expired_and_the_rest_as_unconfirmed(state, after_ms, expected):
    change = rules.time_out(order(state=state), NOW_MS + after_ms)
    assert (change.order.state if change else None) is expected


def test_time_leaves_what_has_ended_alone():
    half = advanced(order(), result(S.ACCEPTED, ("lamp-1", S.VERIFIED))).order
    change = rules.time_out(half, NOW_MS + 120_000)
    assert change is not None
    assert states(change) == (S.UNCONFIRMED, [S.VERIFIED, S.UNCONFIRMED])


def test_equal_requests_have_equal_content_whatever_the_order():
    one = wanted(devices=("lamp-1", "lamp-2"), args={"until": 1, "level_percent": 2})
    other = wanted(devices=("lamp-2", "lamp-1"), args={"level_percent": 2, "until": 3})
    assert rules.content_of(one) == rules.content_of(other)
    assert rules.content_of(one) != rules.content_of(wanted(devices=("lamp-1",), args=one.args))
    assert rules.content_of(one) != rules.content_of(wanted(devices=one.devices, args={"until": 1, "level_percent": 3}))
    near = wanted(devices=one.devices, args=dict(one.args) | {"closed": [[[36.6, 117.0]] * 3]})
    assert rules.content_of(one) == rules.content_of(near)
