from typing import Any

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.commands.handing_over import Carried, Said, also_told, carried

ISOLATE, RESTORE = Operation.SUPPLY_ISOLATE, Operation.SUPPLY_RESTORE
LOCK, UNLOCK = Operation.DEVICE_LOCK, Operation.DEVICE_UNLOCK
LIMIT, RELEASE = Operation.TRUCK_LIMIT_SPEED, Operation.TRUCK_RELEASE
ARGS: dict[Operation, dict[str, Any]] = {
    LOCK: {"holder": "user:crew"},
    LIMIT: {"limit_kmh": 20, "until": 1_763_650_000_000},
}


def said(*steps, device="c-1"):
    return [
        Said(device, op, CommandState(state), f"id-{seq}", seq, "user:wang", 1_000 + seq, 2_000 + seq, ARGS.get(op, {}))
        for seq, (op, state) in enumerate(steps, start=1)
    ]


def kinds(its: Carried):
    return [(held.device, held.kind) for held in its.holds]


def test_a_hold_is_in_force_from_its_acceptance_whatever_was_read_back():
    for state in ("accepted", "applied", "verified", "failed", "unconfirmed"):
        assert kinds(carried(said((ISOLATE, state)))) == [("c-1", "isolated")], state
    for state in ("created", "sent", "rejected", "expired", "superseded"):
        assert kinds(carried(said((ISOLATE, state)))) == [], state


def test_in_doubt_a_circuit_stays_isolated():
    assert kinds(carried(said((ISOLATE, "verified"), (RESTORE, "verified")))) == []
    for state in ("sent", "unconfirmed", "rejected", "expired"):
        assert kinds(carried(said((ISOLATE, "verified"), (RESTORE, state)))) == [("c-1", "isolated")], state
    again = carried(said((ISOLATE, "verified"), (RESTORE, "verified"), (ISOLATE, "verified")))
    assert [held.seq for held in again.holds] == [3]


def test_a_lock_keeps_its_holder_and_its_beginning():
    [held] = carried(said((LOCK, "verified"), (LOCK, "verified"))).holds
    assert (held.kind, held.holder, held.seq, held.since) == ("locked", "user:crew", 1, 1_001)
    assert carried(said((LOCK, "verified"), (UNLOCK, "verified"))).holds == ()


def test_a_limit_is_owed_until_the_truck_has_proven_its_end():
    assert [its.released for its in carried(said((LIMIT, "verified"))).owed] == [False]
    assert [its.released for its in carried(said((LIMIT, "verified"), (RELEASE, "unconfirmed"))).owed] == [True]
    assert carried(said((LIMIT, "verified"), (RELEASE, "verified"))).owed == ()


def test_what_the_box_before_said_of_itself_counts_whoever_had_ordered_it():
    its = also_told(carried(said((ISOLATE, "verified"))), isolated=["c-1", "c-2"], locked=["lamp-1"])
    assert kinds(its) == [("c-1", "isolated"), ("c-2", "isolated"), ("lamp-1", "locked")]
    assert its.holds[1].holder == "unknown"
