"""Which levels by hand are in force at a gateway, as far as the commands for them tell; and how far a plan may speak.

A command that a gateway has taken is desired state there, whether or not a lamp could be reached. One of which nobody
knows whether it was taken is left to the gateway: a plan says nothing about its number or any later one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.level import Override
from lamplighter_controller.commands.model import Order, Part

LEVELS: Final = frozenset({Operation.LIGHT_SET, Operation.LIGHT_RESUME})

_SHOWN: Final = frozenset({CommandState.ACCEPTED, CommandState.APPLIED, CommandState.VERIFIED})
_KEPT: Final = _SHOWN | {CommandState.FAILED, CommandState.UNCONFIRMED}  # taken, and the lamp did not show it
_MAY_COME: Final = frozenset({CommandState.CREATED, CommandState.SENT, CommandState.UNCONFIRMED})


@dataclass(frozen=True, slots=True)
class Standing:
    """One gateway: overrides it has taken, those it may have taken, and up to which number both are known for sure."""

    as_of_seq: int = 0
    taken: tuple[Override, ...] = ()
    doubtful: tuple[Override, ...] = ()


def standing(orders: Iterable[Order], highest_seq: int, now_ms: int) -> Standing:
    """The state of one gateway from its level commands of the longest life of an override; `now_ms` is civil."""
    mine = sorted((order for order in orders if order.request.op in LEVELS), key=lambda order: order.seq)
    resumed: dict[str, int] = {}
    for order in mine:
        if order.request.op is Operation.LIGHT_RESUME:
            resumed.update((part.device, order.seq) for part in order.parts.values() if is_taken(order, part))
    taken, doubtful = [], []
    for order in mine:
        for part, record in _records(order, now_ms):
            if record.seq > resumed.get(record.device, -1):
                if is_taken(order, part):
                    taken.append(record)
                elif part.state in _MAY_COME:
                    doubtful.append(record)
    as_of_seq = min((record.seq - 1 for record in doubtful), default=highest_seq)
    return Standing(max(min(as_of_seq, highest_seq), 0), tuple(taken), tuple(doubtful))


def is_taken(order: Order, part: Part) -> bool:
    """True when the gateway keeps this part as desired state."""
    return part.state in _SHOWN or (order.accepted and part.state in _KEPT)


def _records(order: Order, now_ms: int) -> Iterator[tuple[Part, Override]]:
    args = order.request.args
    if order.request.op is not Operation.LIGHT_SET or args["until"] <= now_ms:
        return
    for part in order.parts.values():
        yield (
            part,
            Override(
                order.id,
                order.seq,
                order.request.issued_ms,
                part.device,
                args["level_percent"],
                args["until"],
                bool(args.get("emergency", False)),
            ),
        )
