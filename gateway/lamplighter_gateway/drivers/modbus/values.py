"""Registers into canonical values and back. Pure.

A block's decoder is put together once from the profile; then one `struct.unpack` reads the whole answer.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, isnan
from typing import Final

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Form
from lamplighter_gateway.drivers.modbus.planner import Span
from lamplighter_gateway.drivers.port import Value
from lamplighter_gateway.profiles.model import Order, Register, RegisterField, Type

Decode = Callable[[bytes, dict[str, Value]], int]
Raw = int | float

_CODES: Final = {
    Type.FLAG: "H",
    Type.UINT16: "H",
    Type.INT16: "h",
    Type.UINT32: "I",
    Type.INT32: "i",
    Type.FLOAT32: "f",
    Type.BITS: "H",
}
_OUT_OF_RANGE: Final = int(Quality.OUT_OF_RANGE)


def block_decoder(block: Span, fields: Sequence[tuple[RegisterField, int]]) -> Decode:
    """A function that reads the answer to a read of `block` registers into values, and says what quality bits to set.

    Args:
        block: the registers that are read.
        fields: each field with the address it has on this unit, all inside the block.
    """
    unpack, position = _layout(block, fields)
    scaled, others = _split(fields, position)

    def decode(answer: bytes, values: dict[str, Value]) -> int:
        raw = unpack(answer)
        quality = 0
        for name, index, not_read, divisor, low, high in scaled:
            if raw[index] == not_read:
                values[name] = None
                continue
            value = raw[index] / divisor if divisor != 1 else raw[index]
            if low <= value <= high:
                values[name] = value
            else:
                values[name] = None
                quality = _OUT_OF_RANGE
        for field, index, convert in others:
            values[field.quantity.name], good = convert(raw[index])
            if not good:
                quality = _OUT_OF_RANGE
        return quality

    return decode


def bits_decoder(block: Span, fields: Sequence[tuple[RegisterField, int]]) -> Decode:
    """The same for a read of coils or discrete inputs, which come eight to a byte, lowest first."""
    places = [(field.quantity.name, *divmod(address - block.start, 8)) for field, address in fields]

    def decode(answer: bytes, values: dict[str, Value]) -> int:
        for name, byte, bit in places:
            values[name] = bool(answer[byte] >> bit & 1)
        return 0

    return decode


def encode(register: Register, value: float) -> list[int] | None:
    """The raw registers of a canonical value, highest word first unless the order says otherwise; None if none fit."""
    raw: Raw = (value - register.offset) / register.scale
    if register.type is not Type.FLOAT32:
        raw = round(raw)
    try:
        packed = struct.pack(">" + _CODES[register.type], raw)
    except (struct.error, OverflowError):
        return None
    ordered = _reordered(packed, register.order)
    return list(struct.unpack(f">{len(ordered) // 2}H", ordered))


_Scaled = tuple[str, int, Raw | None, int, float, float]
_Other = tuple[RegisterField, int, Callable[[Raw | bytes], tuple[Value, bool]]]
_Place = Mapping[tuple[int, str], int]


def _layout(
    block: Span, fields: Iterable[tuple[RegisterField, int]]
) -> tuple[Callable[[bytes], tuple[Raw, ...]], _Place]:
    """The block as one struct, and where each (address, code) lands in what it unpacks."""
    wanted = sorted({(address, _code(field.register)) for field, address in fields})
    parts, at = [">"], block.start
    for address, code in wanted:
        parts += [f"{2 * (address - at)}x", code]
        at = address + struct.calcsize(">" + code) // 2
    parts.append(f"{2 * (block.end - at)}x")
    return struct.Struct("".join(parts)).unpack, {place: index for index, place in enumerate(wanted)}


def _code(register: Register) -> str:
    if register.order is Order.ABCD or (register.order is Order.CDAB and register.type.registers == 1):
        return _CODES[register.type]
    return f"{2 * register.type.registers}s"


def _split(fields: Iterable[tuple[RegisterField, int]], position: _Place) -> tuple[list[_Scaled], list[_Other]]:
    """Plain scaled numbers for the fast loop; everything else with a converter of its own."""
    scaled: list[_Scaled] = []
    others: list[_Other] = []
    for field, address in fields:
        register, quantity = field.register, field.quantity
        code = _code(register)
        index = position[address, code]
        divisor = round(1 / register.scale)
        plain = register.type not in (Type.FLAG, Type.FLOAT32, Type.BITS) and quantity.form is not Form.FLAG
        if plain and code in "HhIi" and register.offset == 0 and divisor and abs(divisor * register.scale - 1) < 1e-12:
            scaled.append((quantity.name, index, _sentinel(field), divisor, quantity.minimum, quantity.maximum))
        else:
            others.append((field, index, _converter(field)))
    return scaled, others


def _sentinel(field: RegisterField) -> Raw | None:
    """The raw value that means "not available", as `struct` will show it."""
    if field.not_read is None:
        return None
    every = struct.pack(">H", field.not_read) * field.register.type.registers
    raw: Raw = struct.unpack(">" + _CODES[field.register.type], every)[0]
    return raw


def _converter(field: RegisterField) -> Callable[[Raw | bytes], tuple[Value, bool]]:
    register, quantity = field.register, field.quantity
    sentinel = None if register.type is Type.FLOAT32 else _sentinel(field)
    code = ">" + _CODES[register.type]

    def convert(raw: Raw | bytes) -> tuple[Value, bool]:
        number = _number(raw, code, register.order)
        if number == sentinel or isnan(number):
            return None, True
        if register.type is Type.BITS:
            number = int(number) >> register.bit & (1 << register.width) - 1
        if quantity.form is Form.FLAG:
            return number != 0, True
        value = number if register.scale == 1 and register.offset == 0 else _scaled(number, register)
        if isfinite(value) and quantity.minimum <= value <= quantity.maximum:
            return value, True
        return None, False

    return convert


def _number(raw: Raw | bytes, code: str, order: Order) -> Raw:
    if not isinstance(raw, bytes):
        return raw
    number: Raw = struct.unpack(code, _reordered(raw, order))[0]
    return number


def _scaled(raw: Raw, register: Register) -> float:
    return round(raw * register.scale + register.offset, 9)


def _reordered(packed: bytes, order: Order) -> bytes:
    """Between the wire's order and ABCD; its own inverse."""
    if order is Order.ABCD:
        return packed
    if order is Order.DCBA:
        return packed[::-1]
    swapped = packed if order is Order.CDAB else b"".join(packed[i : i + 2][::-1] for i in range(0, len(packed), 2))
    return swapped[2:] + swapped[:2] if order is Order.CDAB else swapped
