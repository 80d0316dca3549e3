"""The `modbus` part of a profile: checked key by key, every mistake noted."""

from itertools import pairwise
from typing import Final

from lamplighter_contract.quantities import Form, Kind
from lamplighter_gateway.config.section import Section
from lamplighter_gateway.drivers.port import Point
from lamplighter_gateway.profiles.model import (
    Order,
    ReadBack,
    Register,
    RegisterField,
    RegisterMap,
    RegisterWrite,
    Table,
    Type,
)
from lamplighter_gateway.profiles.quantities import read_quantity

MAX_REGISTERS: Final = 125  # Modbus application protocol 1.1b3, 6.3
LAST_UNIT: Final = 247  # Modbus over serial line 1.02, 2.2

_FORMS: Final[dict[Form, frozenset[Type]]] = {
    Form.FLAG: frozenset({Type.FLAG, Type.BITS}),
    Form.NUMBER: frozenset(Type) - {Type.FLAG},
    Form.BITS: frozenset({Type.UINT16, Type.UINT32, Type.BITS}),
    Form.CHOICE: frozenset(),
}


def read_register_map(section: Section, kind: Kind) -> RegisterMap:
    """Decode the part; what is wrong is noted in the section."""
    not_read = section.integer("not_read", 0, 0xFFFF) if section.has("not_read") else None
    fields = tuple(_read_field(item, kind, not_read) for item in section.sections("read", 500))
    if not fields:
        section.wrong("read", "a list of at least one quantity")
    budget = section.integer("max_registers", 2, MAX_REGISTERS, MAX_REGISTERS)
    writes = section.section("write")
    names = {field.quantity.name for field in fields}
    write = {point: _read_write(writes.section(point), names) for point in Point if writes.has(point)}
    writes.close()
    deaf = not section.flag("hears_broadcast", default=True)
    if deaf and any(one.broadcast for one in write.values()):
        section.wrong("hears_broadcast", "true, as it is written by broadcast")
    number = _read_number(section.section("unit_number"), names) if section.has("unit_number") else None
    section.close()
    _check_overlaps(section, fields)
    return RegisterMap(budget, fields, write, deaf, number)


def _read_number(section: Section, names: set[str]) -> RegisterWrite:
    """Where the unit's own number is written: one holding register, as function 6 takes it."""
    written = _read_write(section, names)
    if written.register.table is not Table.HOLDING or written.register.type is not Type.UINT16:
        section.wrong("type", "uint16 in table holding")
    if written.minimum < 1 or written.maximum > LAST_UNIT:
        section.wrong("maximum", f"numbers from 1 to {LAST_UNIT}")
    return written


def _read_field(section: Section, kind: Kind, not_read: int | None) -> RegisterField:
    quantity = read_quantity(section, kind)
    register = _read_register(section)
    if quantity.form is Form.CHOICE:
        section.wrong("quantity", "a number, flag or bit field: Modbus carries no words")
    elif register.type not in _FORMS[quantity.form]:
        section.wrong("type", f"one of {', '.join(sorted(_FORMS[quantity.form]))} for {quantity.name}")
    if quantity.form is Form.FLAG and register.type is Type.BITS and register.width != 1:
        section.wrong("width", f"1 for {quantity.name}")
    if quantity.form is not Form.NUMBER and (register.scale != 1 or register.offset != 0):
        section.wrong("scale", f"no scale and no offset for {quantity.name}")
    own = section.integer("not_read", 0, 0xFFFF) if section.has("not_read") else not_read
    deadband = section.optional("deadband", 0, 1e9)
    section.close()
    return RegisterField(quantity, register, own, deadband)


def _read_register(section: Section) -> Register:
    table = section.word("table", Table, Table.HOLDING)
    kind = section.word("type", Type, Type.FLAG if table.is_bits else None)
    if table.is_bits and kind is not Type.FLAG:
        section.wrong("type", f"flag in table {table}")
    bit = section.integer("bit", 0, 15, 0) if kind is Type.BITS else 0
    width = section.integer("width", 1, 16 - bit, 1 if section.has("bit") else 16) if kind is Type.BITS else 16
    scale = section.number("scale", -1e6, 1e6, 1)
    if scale == 0:
        section.wrong("scale", "a number other than 0")
    return Register(
        table,
        section.integer("register", 0, 65536 - kind.registers),
        kind,
        scale or 1,
        section.number("offset", -1e9, 1e9, 0),
        section.word("order", Order, Order.ABCD),
        bit,
        width,
    )


def _read_write(section: Section, names: set[str]) -> RegisterWrite:
    register = _read_register(section)
    if register.table not in (Table.HOLDING, Table.COIL):
        section.wrong("table", "holding or coil: the others cannot be written")
    if register.type is Type.BITS:
        section.wrong("type", "a whole register: single bits cannot be written safely")
    value = section.optional("value", -1e9, 1e9)
    minimum = section.number("minimum", -1e9, 1e9, value if value is not None else None)
    maximum = section.number("maximum", -1e9, 1e9, value if value is not None else None)
    if minimum > maximum:
        section.wrong("maximum", f"at least the minimum, {minimum:g}")
    read_back = read_read_back(section, names)
    broadcast = section.flag("broadcast", default=False)
    section.close()
    return RegisterWrite(register, minimum, maximum, value, read_back, broadcast)


def read_read_back(section: Section, names: set[str]) -> ReadBack | None:
    """How a write is proven, or None where the profile has no read-back."""
    tolerance = section.number("tolerance", 0, 1e9, 0)
    settle_s = section.number("settle_s", 0, 60, 2)
    dark_below_w = section.optional("dark_below_w", 0, 1e6)
    if not section.has("read_back"):
        return None
    quantity = section.text("read_back")
    if quantity not in names:
        section.wrong("read_back", "a quantity this profile reads")
    if dark_below_w is not None and "power_w" not in names:
        section.wrong("dark_below_w", "a profile that reads power_w")
    return ReadBack(quantity, tolerance, settle_s, dark_below_w)


def _check_overlaps(section: Section, fields: tuple[RegisterField, ...]) -> None:
    placed = sorted(
        ((field.register.table, field.register.address, index) for index, field in enumerate(fields)),
        key=lambda place: (place[0], place[1]),
    )
    for (table, _, first), (other, _, second) in pairwise(placed):
        left, right = fields[first].register, fields[second].register
        if table is other and _overlap(left, right):
            item = Section(f"{section.file}", f"{section.path('read')}[{second}]", {"register": right.address}, [])
            item.wrong("register", f"a register that {fields[first].quantity.name} does not use")
            section.problems.extend(item.problems)
    names = [field.quantity.name for field in fields]
    for index, name in enumerate(names):
        if name and name in names[:index]:
            item = Section(section.file, f"{section.path('read')}[{index}]", {"quantity": name}, section.problems)
            item.wrong("quantity", "a quantity that is not read twice")


def _overlap(left: Register, right: Register) -> bool:
    if left.type is Type.BITS and right.type is Type.BITS and left.address == right.address:
        ours = ((1 << left.width) - 1) << left.bit
        return left.order is not right.order or bool(ours & (((1 << right.width) - 1) << right.bit))
    return right.address < left.address + left.type.registers and left.address < right.address + right.type.registers
