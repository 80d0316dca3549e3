"""The handover: what a gateway without a memory has to know before it may energise anything, signed and retained.

A box that takes over an identity, or has lost its ledger, takes it once for its generation; one with a memory goes by
its own. Isolations and locks end only by the person on site, so they pass from box to box.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import are_ids
from lamplighter_contract.wire.fields import Count, Text
from lamplighter_contract.wire.version import WIRE_VERSION

MOST: Final = 10_000


class Held(msgspec.Struct, frozen=True):
    """A circuit isolated or a device locked; `since` in civil epoch ms, `command` and `seq` of what began it."""

    device: str
    kind: Literal["isolated", "locked"]
    holder: Text
    command: Text
    seq: Count
    since: Count


class Owed(msgspec.Struct, frozen=True):
    """A limit of a truck whose end nobody has confirmed; `released`: it is to be over now."""

    device: str
    what: Literal["speed", "lift"]
    target: float
    until: Count
    expires: Count
    command: Text
    seq: Count
    released: bool = False


class HandoverDocument(msgspec.Struct, frozen=True):
    """The content of `down/<gateway>/handover`; `generation` rises each time another box takes over the identity."""

    gateway: str
    generation: Annotated[int, msgspec.Meta(gt=0, lt=2**31)]
    holds: Annotated[tuple[Held, ...], msgspec.Meta(max_length=MOST)] = ()
    owed: Annotated[tuple[Owed, ...], msgspec.Meta(max_length=MOST)] = ()
    v: int = WIRE_VERSION

    def as_json(self) -> Any:
        """The document as plain JSON values, ready to be signed."""
        return msgspec.to_builtins(self)


def read_handover(document: Mapping[str, Any]) -> HandoverDocument | Refusal:
    """A typed handover from the raw object (its signature already checked)."""
    if document.get("v") != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {str(document.get('v'))[:20]}")
    try:
        handover = msgspec.convert(document, HandoverDocument)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"handover: {error}")
    if not are_ids([*(its.device for its in handover.holds), *(its.device for its in handover.owed)]):
        return Refusal(Reason.MALFORMED, "handover: a device id is not well-formed")
    return handover
