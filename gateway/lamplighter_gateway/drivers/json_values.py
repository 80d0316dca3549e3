"""JSON objects of devices into canonical values and back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from lamplighter_contract.errors import Reason
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Form, Quantity
from lamplighter_gateway.drivers.port import Value
from lamplighter_gateway.profiles.model import JsonField, JsonMap, JsonWrite, RelayMap

OLDEST_MS: Final = 24 * 3_600_000
NEWEST_MS: Final = 10 * 60_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one object says; `refused` are the reasons why parts of it were not taken."""

    values: dict[str, Value]
    quality: int
    time_ms: int
    refused: tuple[Reason, ...]


def decode(shape: JsonMap | RelayMap, found: Mapping[str, Any], now_ms: int) -> Decoded:
    """Read an object; absent keys are not read, wrong and absurd ones neither, and are named."""
    values: dict[str, Value] = {}
    refused: list[Reason] = []
    quality = 0
    for field in shape.read:
        value = _value(field, found.get(field.key))
        if isinstance(value, Reason):
            refused.append(value)
            quality |= Quality.OUT_OF_RANGE if value is Reason.OUT_OF_BOUNDS else 0
            value = None
        values[field.quantity.name] = value
    time_ms = found.get(shape.time_key) if shape.time_key is not None else None
    if isinstance(time_ms, int | float) and not isinstance(time_ms, bool):
        time_ms *= shape.time_scale
    if time_ms is not None and not _plausible(time_ms, now_ms):
        refused.append(Reason.ABSURD_TIME)
        time_ms = None
    return Decoded(values, int(quality), int(time_ms) if time_ms is not None else now_ms, tuple(refused))


def encode(write: JsonWrite, value: float, text: str = "") -> dict[str, float | bool | str] | None:
    """The object that brings a point to a canonical value, or None if the profile does not allow the value.

    A text goes as it is.
    """
    if text:
        return {write.key: text}
    if write.value is not None:
        return {write.key: write.value}
    if not write.minimum <= value <= write.maximum:
        return None
    raw = round((value - write.offset) / write.scale, 9)
    return {write.key: int(raw) if raw == int(raw) else raw}


def _plausible(time_ms: object, now_ms: int) -> bool:
    if isinstance(time_ms, bool) or not isinstance(time_ms, int | float) or not isfinite(time_ms):
        return False
    return now_ms - OLDEST_MS <= time_ms <= now_ms + NEWEST_MS


def _value(field: JsonField, raw: object) -> Value | Reason:
    if raw is None:
        return None
    form = field.quantity.form
    if form is Form.FLAG:
        return bool(raw) if raw in (0, 1) else Reason.WRONG_TYPE
    if form is Form.CHOICE:
        return raw if isinstance(raw, str) and raw in field.quantity.choices else Reason.WRONG_TYPE
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return Reason.WRONG_TYPE
    if form is Form.BITS and not isinstance(raw, int):
        return Reason.WRONG_TYPE
    value = raw if field.scale == 1 and field.offset == 0 else round(raw * field.scale + field.offset, 9)
    return value if _fits(field.quantity, value) else Reason.OUT_OF_BOUNDS


def _fits(quantity: Quantity, value: float) -> bool:
    return isfinite(value) and quantity.minimum <= value <= quantity.maximum
