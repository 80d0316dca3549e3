"""Where in a JSON text a value stands, so that a mistake in it can be told by line and column."""

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # public by use, not in the stubs
from typing import Final

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()
_PART: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")

Path = tuple[str | int, ...]


def path_of(written: str) -> Path:
    """`$.cabinets[3].meter` as its parts."""
    return tuple(name or int(number) for name, number in _PART.findall(written))


def line_and_column(text: str, path: Path) -> tuple[int, int]:
    """Where the value at `path` begins, both from 1; of a path that leads nowhere, where its last known part does."""
    at = _SPACE.match(text, 0).end()  # type: ignore[union-attr]  # it matches nothing, too
    for part in path:
        found = _member(text, at, part) if text[at : at + 1] == "{" else _item(text, at, part)
        if found is None:
            break
        at = found
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1


def _skipped(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too


def _member(text: str, at: int, name: str | int) -> int | None:
    at = _skipped(text, at + 1)
    while text[at] == '"':
        key, at = scanstring(text, at + 1)
        at = _skipped(text, _skipped(text, at) + 1)
        if key == name:
            return at
        at = _beyond(text, at)
    return None


def _item(text: str, at: int, number: str | int) -> int | None:
    if text[at : at + 1] != "[" or not isinstance(number, int):
        return None
    at = _skipped(text, at + 1)
    for _ in range(number):
        if text[at] == "]":
            return None
        at = _beyond(text, at)
    return None if text[at] == "]" else at


def _beyond(text: str, at: int) -> int:
    """The next value, or what closes."""
    _, at = _DECODER.raw_decode(text, at)
    at = _skipped(text, at)
    return _skipped(text, at + 1) if text[at] == "," else at
