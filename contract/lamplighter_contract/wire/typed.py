"""Readings in which everything is in order, read in one typed pass; anything else is left to the piecewise reader.

Nearly every frame is in order, and reading it this way takes a third of the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, Union

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lamplighter_contract.ids import are_ids
from lamplighter_contract.quantities import QUANTITIES, Form, Kind, Quantity
from lamplighter_contract.wire.columns import Number
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS, LATEST_TIME_MS, MAX_FRAME_ROWS
from lamplighter_contract.wire.version import WIRE_VERSION

_FIXED: Final[list[tuple[str, Any]]] = [
    ("v", Literal[WIRE_VERSION]),
    ("seq", Annotated[int, Meta(ge=0, lt=2**53)]),
    ("boot", Annotated[str, Meta(min_length=1, max_length=64)]),
    ("sent", Annotated[int, Meta(ge=0, lt=2**53)]),
    ("device", Annotated[list[str], Meta(max_length=MAX_FRAME_ROWS)]),
    ("time", list[Annotated[int, Meta(ge=EARLIEST_TIME_MS, lt=LATEST_TIME_MS)]]),
]


@dataclass(frozen=True, slots=True)
class Typed:
    """A frame of readings without anything to refuse; columns are those of `ReadingsFrame`."""

    seq: int
    boot: str
    sent_ms: int
    kind: Kind
    device: list[str]
    time_ms: list[int]
    columns: dict[str, list[Number]]
    quality: list[int]


def read_typed(plain: bytes) -> Typed | None:
    """The frame, or None if it is of another sort or anything in it is not as it should be."""
    try:
        found = _DECODER.decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    kind = Kind(found.__struct_config__.tag)
    rows = len(found.device)
    columns = dict(_columns(kind, found))
    quality = [0] * rows if found.quality is UNSET else found.quality
    lengths = {len(found.time), len(quality), *map(len, columns.values())}
    if lengths != {rows} or not are_ids(found.device):
        return None
    return Typed(found.seq, found.boot, found.sent, kind, found.device, found.time, columns, quality)


def _columns(kind: Kind, found: Any) -> Iterator[tuple[str, list[Number]]]:
    for name, known in QUANTITIES[kind].items():
        column = getattr(found, name)
        if column is UNSET:
            continue
        if known.form is Form.CHOICE:
            index = {word: position for position, word in enumerate(known.choices)}
            column = [None if word is None else index[word] for word in column]
        yield name, column


def _struct(kind: Kind) -> type[msgspec.Struct]:
    optional = [(name, _maybe_list(_cell(known) | None)) for name, known in QUANTITIES[kind].items()]
    optional.append(("quality", _maybe_list(Annotated[int, Meta(ge=0, le=255)])))
    fields: list[Any] = [*_FIXED, *((name, form, UNSET) for name, form in optional)]
    return msgspec.defstruct(
        f"{kind.title()}Frame", fields, tag_field="kind", tag=kind.value, forbid_unknown_fields=True, kw_only=True
    )


def _maybe_list(cell: Any) -> Any:
    return GenericAlias(list, (cell,)) | UnsetType


def _cell(known: Quantity) -> Any:
    """Type of one value; a sensor's quantities are not known beforehand, so its frames are read piecewise."""
    if known.form is Form.FLAG:
        return bool
    if known.form is Form.BITS:
        return Annotated[int, Meta(ge=int(known.minimum), le=int(known.maximum))]
    if known.form is Form.CHOICE:
        return Literal[known.choices]
    return Annotated[float, Meta(ge=known.minimum, le=known.maximum)]


_DECODER: Final = msgspec.json.Decoder(Union[tuple(_struct(kind) for kind in Kind if QUANTITIES[kind])])  # noqa: UP007 - made at run time
