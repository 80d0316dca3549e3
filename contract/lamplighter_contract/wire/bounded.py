"""Reading JSON from a wire within bounds, compressed or not."""

import zlib
from typing import Any, Final

import orjson

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.limits import MAX_DEPTH
from lamplighter_contract.wire.packing import PRESET

ZLIB_FIRST_BYTE: Final = 0x78  # no JSON document begins with it (RFC 1950 clause 2.2, window of 32 KiB)


def inflate(payload: bytes, limit: int) -> bytes | Refusal:
    """The payload, decompressed when it is zlib, with the wire's dictionary or without; at most `limit` bytes."""
    if len(payload) > limit:
        return Refusal(Reason.TOO_LARGE, f"{len(payload)} bytes, at most {limit} are taken")
    if not payload or payload[0] != ZLIB_FIRST_BYTE:
        return payload
    machine = zlib.decompressobj(zdict=PRESET)
    try:
        plain = machine.decompress(payload, limit)
    except zlib.error as error:
        return Refusal(Reason.MALFORMED, f"not zlib: {error}")
    if machine.unconsumed_tail:
        return Refusal(Reason.TOO_LARGE, f"more than {limit} bytes when decompressed")
    if not machine.eof:
        return Refusal(Reason.MALFORMED, "zlib stream is cut off")
    return plain


def deep(value: object, depth: int = MAX_DEPTH) -> bool:
    """True when lists and objects nest deeper than `depth`."""
    level: list[Any] = [value]
    for _ in range(depth + 1):
        level = [child for box in level for child in _containers(box)]
        if not level:
            return False
    return True


def _containers(box: Any) -> list[Any]:
    children = box.values() if isinstance(box, dict) else box
    if {dict, list}.isdisjoint(map(type, children)):
        return []
    return [child for child in children if isinstance(child, dict | list)]


def _flat(plain: bytes, value: dict[str, Any]) -> bool:
    """True when there are no more brackets than those of the object and its own lists: a frame needs no closer look."""
    boxes = sum(isinstance(child, dict | list) for child in value.values())
    return plain.count(b"[") + plain.count(b"{") <= 1 + boxes


def read_object(payload: bytes, limit: int) -> dict[str, Any] | Refusal:
    """One JSON object within size and depth."""
    plain = inflate(payload, limit)
    if isinstance(plain, Refusal):
        return plain
    try:
        value = orjson.loads(plain)
    except orjson.JSONDecodeError as error:
        return Refusal(Reason.MALFORMED, f"not JSON: {error}")
    if not isinstance(value, dict):
        return Refusal(Reason.MALFORMED, f"a JSON object is expected, not {type(value).__name__}")
    if not _flat(plain, value) and deep(value):
        return Refusal(Reason.MALFORMED, f"nested deeper than {MAX_DEPTH}")
    return value
