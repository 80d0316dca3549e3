"""What a gateway without a memory has to be told: isolations, locks and limits that commands began and nobody ended."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.handover import Held, Owed
from lamplighter_controller.commands import store

BEGINS: Final = {
    Operation.SUPPLY_ISOLATE: "isolated",
    Operation.DEVICE_LOCK: "locked",
    Operation.TRUCK_LIMIT_SPEED: "speed",
    Operation.TRUCK_LIMIT_LIFT: "lift",
}
ENDS: Final = {
    Operation.SUPPLY_RESTORE: ("isolated",),
    Operation.DEVICE_UNLOCK: ("locked",),
    Operation.TRUCK_RELEASE: ("speed", "lift"),
}
HOLDS: Final = ("isolated", "locked")
NEVER_BEGAN: Final = frozenset(
    {
        CommandState.CREATED,
        CommandState.SENT,
        CommandState.REJECTED,
        CommandState.EXPIRED,
        CommandState.SUPERSEDED,
    }
)
ENDED: Final = frozenset({CommandState.ACCEPTED, CommandState.APPLIED, CommandState.FAILED, CommandState.VERIFIED})


@dataclass(frozen=True, slots=True)
class Said:
    """One command about one device, as it stands in the ledger."""

    device: str
    op: Operation
    state: CommandState
    command: str
    seq: int
    who: str
    issued_ms: int
    expires_ms: int
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Carried:
    """What is to be carried over to another box."""

    holds: tuple[Held, ...] = ()
    owed: tuple[Owed, ...] = ()


def by_gateway(connection: Connection) -> Mapping[str, Carried]:
    """What every gateway would have to be told, those with nothing left out."""
    request, command, part = store.request_table.c, store.command_table.c, store.part_table.c
    query = (
        select(
            command.gateway,
            part.device,
            request.op,
            part.state,
            command.id,
            command.seq,
            request.who,
            request.issued_ms,
            request.expires_ms,
            request.args,
        )
        .join_from(store.request_table, store.command_table, command.request == request.id)
        .join(store.part_table, part.command == command.id)
        .where(request.op.in_([*BEGINS, *ENDS]))
        .order_by(command.gateway, command.seq)
    )
    found: defaultdict[str, list[Said]] = defaultdict(list)
    for gateway, device, op, state, identity, seq, who, issued_ms, expires_ms, args in connection.execute(query):
        said = Said(
            device,
            Operation(op),
            CommandState(state),
            identity,
            seq,
            who,
            issued_ms,
            expires_ms,
            msgspec.json.decode(args),
        )
        found[gateway].append(said)
    return {gateway: carried(said) for gateway, said in found.items()}


def carried(said: Iterable[Said]) -> Carried:
    """What stands after commands in the order of their numbers. Pure; in doubt, a hold stands and a limit is owed.

    A restore that was never confirmed leaves the circuit isolated: the person on site says it again. An end of a limit
    counts only when the truck has proven it; until then it is owed.
    """
    holds: dict[tuple[str, str], Held] = {}
    owed: dict[tuple[str, str], Owed] = {}
    for one in said:
        if one.op in BEGINS and one.state not in NEVER_BEGAN:
            what = BEGINS[one.op]
            if what in HOLDS:
                holds.setdefault((one.device, what), _held(one, what))
            else:
                owed[one.device, what] = _owed(one, what)
        for what in ENDS.get(one.op, ()):
            if what in HOLDS and one.state in ENDED:
                holds.pop((one.device, what), None)
            elif one.args.get("what") in {None, what} and one.state not in NEVER_BEGAN:
                _release(owed, (one.device, what), proven=one.state is CommandState.VERIFIED)
    return Carried(tuple(holds.values()), tuple(owed.values()))


def also_told(its: Carried, isolated: Iterable[str], locked: Iterable[str]) -> Carried:
    """With what the box before said of itself, whoever had ordered it."""
    known = {(held.device, held.kind) for held in its.holds}
    told = [*((device, "isolated") for device in isolated), *((device, "locked") for device in locked)]
    more = [Held(device, kind, "unknown", "", 0, 0) for device, kind in told if (device, kind) not in known]  # type: ignore[arg-type]  # one of both words
    return Carried((*its.holds, *more), its.owed)


def _release(owed: dict[tuple[str, str], Owed], key: tuple[str, str], *, proven: bool) -> None:
    if proven:
        owed.pop(key, None)
    elif key in owed:
        owed[key] = msgspec.structs.replace(owed[key], released=True)


def _held(one: Said, kind: str) -> Held:
    holder = str(one.args.get("holder", one.who))
    return Held(one.device, kind, holder, one.command, one.seq, one.issued_ms)  # type: ignore[arg-type]  # one of both words


def _owed(one: Said, what: str) -> Owed:
    target = float(one.args.get("limit_kmh", 1))
    return Owed(one.device, what, target, int(one.args["until"]), one.expires_ms, one.command, one.seq)  # type: ignore[arg-type]  # one of both words
