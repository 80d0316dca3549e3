"""The `mqtt` part of a profile: checked key by key, every mistake noted."""

from typing import Final

from lamplighter_contract.quantities import Form, Kind
from lamplighter_gateway.config.section import Section
from lamplighter_gateway.drivers.port import Point
from lamplighter_gateway.profiles.modbus import read_read_back
from lamplighter_gateway.profiles.model import JsonField, JsonMap, JsonWrite
from lamplighter_gateway.profiles.quantities import read_quantity

ADDRESS: Final = "{address}"


def read_json_map(section: Section, kind: Kind) -> JsonMap:
    """Decode the part; what is wrong is noted in the section."""
    fields = read_json_fields(section, kind)
    names = {field.quantity.name for field in fields}
    writes = section.section("write")
    write = {point: _read_write(writes.section(point), names) for point in Point if writes.has(point)}
    writes.close()
    result = JsonMap(
        _topic(section, "state_topic"),
        _topic(section, "ask_topic") if section.has("ask_topic") else None,
        section.text("time_field") if section.has("time_field") else None,
        section.number("heartbeat_s", 1, 86_400, 60),
        fields,
        write,
        section.integer("time_scale", 1, 1000, 1),
        section.flag("ends_limits", default=False),
    )
    section.close()
    return result


def read_json_fields(section: Section, kind: Kind) -> tuple[JsonField, ...]:
    """The list `read`; what is wrong is noted in the section."""
    fields = tuple(_read_field(item, kind) for item in section.sections("read", 500))
    if not fields:
        section.wrong("read", "a list of at least one quantity")
    return fields


def _topic(section: Section, key: str) -> str:
    topic = section.text(key)
    levels = topic.split("/")
    if topic and (levels.count(ADDRESS) != 1 or any(mark in topic for mark in "+#$\0")):
        section.wrong(key, f"a topic without wildcards that holds {ADDRESS} as one whole level")
    return topic


def _read_field(section: Section, kind: Kind) -> JsonField:
    quantity = read_quantity(section, kind)
    scale = section.number("scale", -1e6, 1e6, 1)
    offset = section.number("offset", -1e9, 1e9, 0)
    if scale == 0:
        section.wrong("scale", "a number other than 0")
    if quantity.form is not Form.NUMBER and (scale != 1 or offset != 0):
        section.wrong("scale", f"no scale and no offset for {quantity.name}")
    field = JsonField(quantity, section.text("field"), scale, offset, section.optional("deadband", 0, 1e9))
    section.close()
    return field


def _read_write(section: Section, names: set[str]) -> JsonWrite:
    value = section.raw("value")
    if section.has("value") and not isinstance(value, bool | int | float | str):
        section.wrong("value", "true, false, a number or a text")
    fixed = value if isinstance(value, bool | int | float | str) else None
    bounds = None if fixed is None else 0.0
    write = JsonWrite(
        _topic(section, "topic"),
        section.text("field"),
        section.number("minimum", -1e9, 1e9, bounds),
        section.number("maximum", -1e9, 1e9, bounds),
        section.number("scale", -1e6, 1e6, 1) or 1,
        section.number("offset", -1e9, 1e9, 0),
        fixed,
        read_read_back(section, names),
    )
    if fixed is not None and write.read_back is not None:
        section.wrong("read_back", "no read-back where the value is fixed")
    if write.minimum > write.maximum:
        section.wrong("maximum", f"at least the minimum, {write.minimum:g}")
    section.close()
    return write
