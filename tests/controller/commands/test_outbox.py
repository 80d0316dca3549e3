"""What is due when, without a clock."""

from dataclasses import replace

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState as S
from lamplighter_controller.commands.model import Order, Request
from lamplighter_controller.commands.outbox import FIRST_RESEND_S, LAST_COPY_MS, LONGEST_RESEND_S, Outbox
from lamplighter_controller.commands.rules import GRACE_MS

NOW_MS = 1_763_650_000_000
LIFE_MS = 60_000


def order(name="c", gateway="gw-1", seq=1, state=S.SENT, life_ms=LIFE_MS):
    request = Request("r", Operation.GATEWAY_PROBE, {}, "", (), "user:li", None, "", NOW_MS, NOW_MS + life_ms)
    return Order(name, request, gateway, seq, state)


@pytest.fixture
def outbox():
    return Outbox(lambda: 0.5)


def names(found):
    return [waiting.order.id for waiting in found]


def due(outbox, now_s=0.0, *, ready=True):
    return outbox.due(now_s, NOW_MS + round(now_s * 1000), lambda _gateway: ready)


def test_new_commands_are_due_at_once_in_the_order_of_their_numbers(outbox):
    for name, seq in (("c", 3), ("a", 1), ("b", 2)):
        outbox.put(order(name, seq=seq), 0.0, NOW_MS)
    assert names(due(outbox)) == ["a", "b", "c"]
    assert names(due(outbox)) == []


def test_tries_are_ever_further_apart(outbox):
    outbox.put(order(life_ms=10**9), 0.0, NOW_MS)
    now_s, pauses = 0.0, []
    for _ in range(8):
        (waiting,) = due(outbox, now_s)
        outbox.tried(waiting, now_s)
        pauses.append(outbox.next_s() - now_s)
        now_s = outbox.next_s()
    assert pauses[:3] == [FIRST_RESEND_S, 2 * FIRST_RESEND_S, 4 * FIRST_RESEND_S]
    assert max(pauses) == pytest.approx(LONGEST_RESEND_S)


def test_what_its_gateway_is_not_ready_for_waits_without_a_timer(outbox):
    outbox.put(order(), 0.0, NOW_MS)
    assert due(outbox, ready=False) == []
    assert outbox.parked
    assert outbox.next_s() == (LIFE_MS + GRACE_MS) / 1000
    assert names(due(outbox, 5.0)) == ["c"]
    assert not outbox.parked


def test_a_gateway_that_is_back_gets_everything_it_has_not_taken(outbox):
    outbox.put(order("a", seq=1), 0.0, NOW_MS)
    outbox.put(order("b", seq=2), 0.0, NOW_MS)
    outbox.put(order("other", "gw-2"), 0.0, NOW_MS)
    for waiting in due(outbox):
        outbox.tried(waiting, 0.0)
    outbox.put(replace(order("a", seq=1), accepted=True), 0.5, NOW_MS)
    outbox.back("gw-1", 1.0)
    assert names(due(outbox, 1.0)) == ["b"]


@pytest.mark.parametrize("ended", [S.VERIFIED, S.EXPIRED, S.UNCONFIRMED])
def test_what_has_ended_is_forgotten(outbox, ended):
    outbox.put(order(), 0.0, NOW_MS)
    outbox.put(order(state=ended), 0.0, NOW_MS)
    assert len(outbox) == 0
    assert outbox.gateways() == []
    assert due(outbox, 1000.0) == []
    assert outbox.overdue(1000.0) == []
    assert outbox.next_s() is None


def test_an_accepted_command_only_waits_for_its_end(outbox):
    outbox.put(order(), 0.0, NOW_MS)
    outbox.put(replace(order(state=S.ACCEPTED), accepted=True), 0.0, NOW_MS)
    assert due(outbox, 100.0) == []
    assert outbox.next_s() == (LIFE_MS + GRACE_MS) / 1000
    assert [one.id for one in outbox.overdue(120.0)] == ["c"]


def test_no_copy_is_sent_shortly_before_or_after_the_expiry(outbox):
    outbox.put(order(), 0.0, NOW_MS)
    (waiting,) = due(outbox)
    outbox.tried(waiting, (LIFE_MS - LAST_COPY_MS) / 1000 - FIRST_RESEND_S)
    assert due(outbox, (LIFE_MS - LAST_COPY_MS) / 1000) == []


def test_the_first_copy_may_be_sent_until_the_expiry(outbox):
    outbox.put(order(state=S.CREATED), 0.0, NOW_MS)
    assert due(outbox, 0.0, ready=False) == []
    assert names(due(outbox, LIFE_MS / 1000 - 0.01)) == ["c"]


def test_an_older_view_is_not_taken(outbox):
    accepted = replace(order(state=S.ACCEPTED), accepted=True)
    outbox.put(accepted, 0.0, NOW_MS)
    outbox.put(order(), 0.0, NOW_MS)
    assert due(outbox, 1.0) == []
