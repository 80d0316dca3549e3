"""Which manual level is in force for a lamp, as far as the centre was told. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.commands.model import Order

_TAKEN: Final = frozenset({CommandState.ACCEPTED, CommandState.APPLIED, CommandState.VERIFIED})
LEVELS: Final = frozenset({Operation.LIGHT_SET, Operation.LIGHT_RESUME})


@dataclass(frozen=True, slots=True)
class InForce:
    """A level asked for by hand; `until_ms` in civil epoch ms."""

    level_percent: float
    until_ms: int
    request: str
    who: str


def in_force(order: Order, civil_ms: int) -> InForce | None:
    """What a level command that was taken asks for, None when it resumes or its time is over."""
    args = order.request.args
    if order.request.op is not Operation.LIGHT_SET or args["until"] <= civil_ms:
        return None
    return InForce(args["level_percent"], args["until"], order.request.id, order.request.who)


def taken(orders: Iterable[Order], device: str) -> Order | None:
    """The command among these that a gateway took for this device and that decides its level, None when none does."""
    return next((order for order in orders if _decides(order, device)), None)


def _decides(order: Order, device: str) -> bool:
    return order.request.op in LEVELS and device in order.parts and order.parts[device].state in _TAKEN
