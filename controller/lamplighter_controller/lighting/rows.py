"""Things of the inventory as rows of the ledger and back; whole cities of them, so every microsecond counts."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final, get_args, get_type_hints

import msgspec

from lamplighter_controller.ledger.tables import storable
from lamplighter_controller.lighting.inventory import Thing

LISTS: Final = frozenset({"curve", "clo", "luminaires", "road_classes", "districts", "roads"})  # kept as JSON

Decoder = Callable[[Any], Any]


def as_row(thing: Thing) -> dict[str, Any]:
    """Column -> value."""
    values: dict[str, Any] = msgspec.to_builtins(thing)
    return {
        name: storable(value) if isinstance(value, str) else _list(value) if name in LISTS else value
        for name, value in values.items()
    }


def as_thing(kind: type[Thing], row: Sequence[Any]) -> Thing:
    """A thing of a row whose values stand in the order of the kind's fields."""
    values = list(row)
    for at, decode in _decoders(kind):
        if values[at] is not None:
            values[at] = decode(values[at])
    return kind(*values)


def _list(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@cache
def _decoders(kind: type[Thing]) -> tuple[tuple[int, Decoder], ...]:
    """What a column keeps in another form than its field has it: words of a choice, lists."""
    hints: Mapping[str, Any] = get_type_hints(kind)
    found: list[tuple[int, Decoder]] = []
    for at, name in enumerate(kind.__struct_fields__):
        if name in LISTS:
            found.append((at, msgspec.json.Decoder(hints[name]).decode))
        else:
            choices = (one for one in (hints[name], *get_args(hints[name])) if isinstance(one, type))
            found += [(at, one) for one in choices if issubclass(one, Enum)]
    return tuple(found)
