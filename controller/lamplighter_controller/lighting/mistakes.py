"""Everything wrong with an item as it was written: where it stands and what is expected, not only the first thing."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import structs

MOST: Final = 100
PLAIN: Final = {"Invalid RFC3339 encoded time": "Expected a time such as 22:30:00"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong; `where` counts from 0 in lists."""

    where: str
    what: str


def mistakes(value: Any, kind: Any, where: str) -> Iterator[Mistake]:
    """What keeps a value from being of a kind, down to the smallest part that is wrong; unknown names count."""
    inner = list(_inside(value, kind, where))
    yield from inner
    if not inner:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            said = str(error).partition(" - at ")[0]
            yield Mistake(where, PLAIN.get(said, said))


def _inside(value: Any, kind: Any, where: str) -> Iterator[Mistake]:
    kind = _plain(kind, value)
    arguments = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, Mapping):
        yield from _of_struct(value, kind, where)
    elif get_origin(kind) in {tuple, list, frozenset} and isinstance(value, list) and arguments:
        for number, one in enumerate(value):
            yield from mistakes(one, arguments[0], f"{where}.{number}")
    elif get_origin(kind) is dict and isinstance(value, Mapping):
        for name, one in value.items():
            yield from mistakes(one, arguments[1], f"{where}.{str(name)[:64]}")


def _of_struct(value: Mapping[str, Any], kind: type[msgspec.Struct], where: str) -> Iterator[Mistake]:
    known = {field.encode_name: field for field in structs.fields(kind)}
    tag = kind.__struct_config__.tag_field
    for name, field in known.items():
        if name in value:
            yield from mistakes(value[name], field.type, f"{where}.{name}")
        elif field.required:
            yield Mistake(f"{where}.{name}", "is missing")
    for name in value:
        if name not in known and name != tag:
            yield Mistake(f"{where}.{str(name)[:64]}", f"is unknown. Expected some of {', '.join(known)}.")


def _plain(kind: Any, value: Any) -> Any:
    """A kind without its annotations; of several kinds the one that the value says it is."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) not in {Union, types.UnionType}:
        return kind
    for one in get_args(kind):
        if _means(_plain(one, value), value):
            return _plain(one, value)
    return kind


def _means(kind: Any, value: Any) -> bool:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, Mapping)):
        return get_origin(kind) in {tuple, list} and isinstance(value, list)
    tag = kind.__struct_config__
    return tag.tag_field is None or value.get(tag.tag_field) == tag.tag
