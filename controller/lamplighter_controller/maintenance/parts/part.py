"""Parts and material: kinds, moves, stock by batch, warranty. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

from lamplighter_controller.maintenance.refused import Refused, not_now

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Label = Annotated[str, msgspec.Meta(max_length=120)]

DAY_MS = 86_400_000


class PartKind(StrEnum):
    """What it is."""

    LAMP = "lamp"
    DRIVER = "driver"
    CONTROLLER = "controller"
    CABLE = "cable"
    PROTECTOR = "protector"
    POLE = "pole"
    OTHER = "other"


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One kind of part; cable counts in metres. `least`: below it there is too little in store."""

    id: Id
    kind: PartKind
    name: Label = ""
    unit: Annotated[str, msgspec.Meta(max_length=16)] = "piece"
    model: Id | None = None
    warranty_days: Annotated[int, msgspec.Meta(ge=0, le=20_000)] = 0
    least: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0


class Move(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something came into the store (`quantity` above 0) or left it; `at_ms` civil."""

    part: str
    quantity: float
    batch: str = ""
    order: str = ""
    at_ms: int = 0
    who: str = ""
    reason: str = ""


class Fitted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A part that was put in somewhere: a row of the history of its element and pole.

    `warranty_until_ms` civil, 0 = none; `old_device`, `new_device`: the controllers, where they were exchanged.
    """

    element_kind: str
    element: str
    pole: str
    part: str
    at_ms: int
    who: str
    order: str = ""
    batch: str = ""
    serial: str = ""
    model: str = ""
    quantity: float = 1.0
    old_device: str = ""
    new_device: str = ""
    warranty_until_ms: int = 0


def stock_of(moves: Iterable[Move]) -> Mapping[tuple[str, str], float]:
    """What is in store by part and batch."""
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for move in moves:
        found[move.part, move.batch] += move.quantity
    return {key: round(quantity, 6) for key, quantity in found.items()}


def cannot_take(part: str, batch: str, quantity: float, in_store: float) -> Refused | None:
    """Why that much of a batch cannot leave the store; there is never less than nothing in it."""
    if not 0 < quantity <= 1e6:
        return Refused("body.quantity", "out-of-bounds", f"quantity is {quantity:g}: expected more than 0")
    if quantity > in_store + 1e-9:
        return not_now(f"{in_store:g} of {part}, batch {batch or 'none'}, are in store; {quantity:g} are asked for")
    return None


def warranty_until_ms(part: Part, fitted_ms: int) -> int:
    """Until when its maker stands for it, 0 = not at all."""
    return fitted_ms + part.warranty_days * DAY_MS if part.warranty_days else 0
