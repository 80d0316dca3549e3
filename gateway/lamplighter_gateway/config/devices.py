"""The `devices` part of the configuration: rows expanded, every device checked against its profile and its bus."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lamplighter_contract.ids import is_id
from lamplighter_gateway.config.model import Bus, Device, Wire
from lamplighter_gateway.config.section import Section
from lamplighter_gateway.profiles.model import Profile, Register

_PLACEHOLDER: Final = re.compile(r"\{n(?::0(\d))?\}")
_RANGE: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_LAST_UNIT: Final = {Wire.MODBUS_TCP: 255, Wire.MODBUS_RTU: 247} | dict.fromkeys(
    (Wire.MQTT, Wire.JT808, Wire.RELAY), 99_999
)
_MAX_ROW: Final = 10_000
_MAX_NAME: Final = 200
_PHONE_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Placed:
    """A device and the line of the file it came from."""

    device: Device
    line: Section


def read_devices(section: Section, buses: Sequence[Bus], profiles: Mapping[str, Profile]) -> tuple[Device, ...]:
    """Every device of every row; what is wrong is noted."""
    wires = {bus.id: bus.wire for bus in buses}
    placed = [one for line in section.sections("devices") for one in _read_line(line, wires, profiles)]
    _check_identities(placed)
    _check_registers(placed)
    _check_addresses(placed, wires)
    return tuple(one.device for one in placed)


def _read_line(line: Section, wires: Mapping[str, Wire], profiles: Mapping[str, Profile]) -> Iterator[Placed]:
    bus = line.text("bus", expected="the id of a bus in this file")
    if bus and bus not in wires:
        line.wrong("bus", "the id of a bus in this file")
    name = line.text("profile", expected="the name of a profile")
    if name and name not in profiles:
        line.wrong("profile", f"one of {', '.join(profiles)}" if profiles else "a profile in the folder of profiles")
    units = _units(line, wires.get(bus))
    addresses = line.text("address", "")
    position = line.optional("latitude", -90, 90), line.optional("longitude", -180, 180)
    offset = line.integer("offset", 0, 65_535, 0)
    poll_s = line.number("poll_s", 0, 86_400, 10)
    identities = line.text("id", expected="an id")
    names = _names(line)
    _check_row(line, units)
    line.close()
    if name in profiles and bus in wires:
        _check_wire(line, profiles[name], wires[bus])
        for n in units:
            identity, address = _fill(identities, n), _fill(addresses, n)
            title = {language: _fill(text, n) for language, text in names.items()}
            yield Placed(Device(identity, bus, profiles[name], n, offset, address, poll_s, *position, title), line)


def _names(line: Section) -> Mapping[str, str]:
    """What people call the device, by language."""
    names = line.section("name")
    found = {language: names.text(language) for language in names.names()}
    for language, text in found.items():
        if len(text) > _MAX_NAME:
            names.wrong(language, f"at most {_MAX_NAME} characters")
    return found


def _units(line: Section, wire: Wire | None) -> Sequence[int]:
    last = _LAST_UNIT[wire or Wire.MODBUS_TCP]
    if line.has("unit") and line.has("units"):
        line.wrong("units", "unit or units, not both")
    if not line.has("units"):
        addressed = wire in (Wire.MQTT, Wire.JT808, Wire.RELAY)
        return [line.integer("unit", 0 if addressed else 1, last, 0 if addressed else None)]
    text = str(line.raw("units")).replace(" ", "")
    parts = [_RANGE.fullmatch(part) for part in text.split(",")]
    spans = [range(int(part[1]), int(part[2] or part[1]) + 1) for part in parts if part]
    units = [n for span in spans for n in span[: _MAX_ROW + 1]]
    if len(spans) != len(parts) or any(not span or span[0] < 1 or span[-1] > last for span in spans):
        line.wrong("units", f"units and ranges such as 1-92 or 1-40,45, each 1 to {last}")
        return []
    return units


def _check_row(line: Section, units: Sequence[int]) -> None:
    many = len(units) > 1
    for key in ("id", "address"):
        value = line.raw(key)
        if many and isinstance(value, str) and not _PLACEHOLDER.search(value):
            line.wrong(key, "a text with {n} or {n:03} in it, because the line stands for several devices")
    if many and line.has("latitude"):
        line.wrong("latitude", "no position on a line that stands for several devices")
    if line.has("latitude") != line.has("longitude"):
        line.wrong("longitude", "latitude and longitude together, or neither")


def _fill(text: str, n: int) -> str:
    return _PLACEHOLDER.sub(lambda match: str(n).zfill(int(match[1] or 0)), text)


def _check_wire(line: Section, profile: Profile, wire: Wire) -> None:
    if wire.is_modbus and profile.modbus is None:
        line.wrong("profile", f"a profile with a modbus part, because the bus is {wire}")
    if wire is Wire.MQTT and profile.mqtt is None:
        line.wrong("profile", "a profile with an mqtt part, because the bus is mqtt")
    if wire is Wire.MQTT and not line.has("address"):
        line.wrong("address", "the device's name in its topics")
    if wire is Wire.JT808 and profile.jt808 is None:
        line.wrong("profile", "a profile with a jt808 part, because the bus is jt808")
    if wire is Wire.JT808 and not line.has("address"):
        line.wrong("address", "the terminal's phone number")
    if wire is Wire.RELAY and profile.relay is None:
        line.wrong("profile", "a profile with a relay part, because the bus is relay")
    if wire is Wire.RELAY and not line.has("address"):
        line.wrong("address", "what the other platform calls the truck, its plate as a rule")


def _check_identities(placed: Sequence[Placed]) -> None:
    seen: set[str] = set()
    for one in placed:
        name = one.device.id
        if not is_id(name):
            one.line.wrong("id", f"an id of lower-case letters, digits and hyphens ({name!r} is none)")
        elif name in seen:
            one.line.wrong("id", f"an id that no other device has ({name} stands twice)")
        seen.add(name)


def _check_registers(placed: Sequence[Placed]) -> None:
    units: dict[tuple[str, int], list[Placed]] = {}
    for one in placed:
        if one.device.profile.modbus is not None:
            units.setdefault((one.device.bus, one.device.unit), []).append(one)
    for (bus, unit), together in units.items():
        used: dict[tuple[str, int], str] = {}
        for one in together:
            clash = next((used[key] for key in _registers(one.device) if key in used), None)
            if clash is not None:
                one.line.wrong("unit", f"registers of unit {unit} on {bus} that {clash} does not use")
            used.update(dict.fromkeys(_registers(one.device), one.device.id))


def _registers(device: Device) -> set[tuple[str, int]]:
    profile = device.profile.modbus
    if profile is None:
        return set()
    every: list[Register] = [field.register for field in profile.read]
    every += [write.register for write in profile.write.values()]
    return {
        (register.table, register.address + device.offset + i)
        for register in every
        for i in range(register.type.registers)
    }


def _check_addresses(placed: Sequence[Placed], wires: Mapping[str, Wire]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for one in placed:
        device, mqtt = one.device, one.device.profile.mqtt
        if wires[device.bus] is Wire.RELAY:
            _check_single(one, device.address, seen)
        if wires[device.bus] is Wire.JT808:
            _check_phone(one, seen)
        if wires[device.bus] is not Wire.MQTT or mqtt is None or not device.address:
            continue
        if any(mark in device.address for mark in "/+#$\0"):
            one.line.wrong("address", "one topic level without wildcards")
        key = (device.bus, mqtt.state_topic.replace("{address}", device.address))
        if key in seen:
            one.line.wrong("address", f"an address that {seen[key]} does not have")
        seen[key] = device.id


def _check_phone(one: Placed, seen: dict[tuple[str, str], str]) -> None:
    phone = one.device.address
    if not (phone.isascii() and phone.isdigit() and len(phone) <= _PHONE_DIGITS):
        one.line.wrong("address", f"a phone number of at most {_PHONE_DIGITS} digits")
    _check_single(one, phone.lstrip("0"), seen)


def _check_single(one: Placed, address: str, seen: dict[tuple[str, str], str]) -> None:
    key = (one.device.bus, address)
    if key in seen:
        one.line.wrong("address", f"an address that {seen[key]} does not have")
    seen[key] = one.device.id
