"""Which profile fits what a unit's registers hold, and where one does not. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lamplighter_contract.quality import Quality
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.drivers.modbus.planner import Span
from lamplighter_gateway.drivers.modbus.values import block_decoder
from lamplighter_gateway.drivers.port import Value
from lamplighter_gateway.profiles.model import Profile, RegisterField, Table, Type

_CODES: Final = {1: "illegal function", 2: "illegal data address", 3: "illegal data value"}


@dataclass(frozen=True, slots=True)
class Refused:
    """A register that the unit refused to give, and by which exception."""

    code: int


Place = tuple[Table, int]
Image = Mapping[Place, int | Refused]  # raw registers or bits as far as they were read


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One quantity of a profile that the device does not bear out, by address and expected type."""

    profile: str
    quantity: str
    table: Table
    address: int
    type: Type
    found: str
    unit: int = 0

    def text(self, language: Language) -> str:
        """One line for a person."""
        if language is Language.ZH:
            return (
                f"从站 {self.unit}：模板 {self.profile} 的 {self.quantity} 在 {self.table} 寄存器 {self.address}，"
                f"应为 {self.type}，实际 {self.found}"
            )
        return (
            f"unit {self.unit}: {self.quantity} of profile {self.profile} at {self.table} register {self.address}, "
            f"expected {self.type}, found {self.found}"
        )

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        names = ("unit", "profile", "quantity", "table", "address", "type", "found")
        return {name: getattr(self, name) for name in names}


def contradictions(profile: Profile, image: Image, offset: int = 0, unit: int = 0) -> Iterator[Contradiction]:
    """Every quantity that is not there, or whose value is none; registers that were not read contradict nothing."""
    for field in profile.modbus.read if profile.modbus else ():
        found = _doubt(field, image, offset)
        if found:
            register = field.register
            address = register.address + offset
            yield Contradiction(profile.name, field.quantity.name, register.table, address, register.type, found, unit)


def recognised(profiles: Sequence[Profile], image: Image) -> Profile | None:
    """The profile that explains most of a unit's registers and is contradicted by none; None when none fits."""
    fitting = [profile for profile in profiles if _covered(profile, image) and not any(contradictions(profile, image))]
    return max(fitting, key=lambda profile: _covered(profile, image), default=None)


def addresses(profile: Profile, offset: int = 0) -> Iterator[Place]:
    """Every register that a profile reads."""
    for field in profile.modbus.read if profile.modbus else ():
        for index in range(field.register.type.registers):
            yield field.register.table, field.register.address + offset + index


def _covered(profile: Profile, image: Image) -> int:
    return sum(isinstance(image.get(place), int) for place in addresses(profile))


def _doubt(field: RegisterField, image: Image, offset: int) -> str:
    register = field.register
    start = register.address + offset
    cells = [image.get((register.table, start + index)) for index in range(register.type.registers)]
    refused = next((cell for cell in cells if isinstance(cell, Refused)), None)
    if refused is not None:
        return _CODES.get(refused.code, f"exception {refused.code}")
    raw = [cell for cell in cells if isinstance(cell, int)]
    if len(raw) < len(cells):
        return ""
    if register.type is Type.FLAG:
        return "" if raw[0] in (0, 1, field.not_read) else f"{raw[0]} (0x{raw[0]:04X})"
    values: dict[str, Value] = {}
    decode = block_decoder(Span(start, len(raw)), [(field, start)])
    quality = decode(b"".join(cell.to_bytes(2, "big") for cell in raw), values)
    hexadecimal = " ".join(f"0x{cell:04X}" for cell in raw)
    limits = f"{field.quantity.minimum:g} to {field.quantity.maximum:g} {field.quantity.unit}".strip()
    return f"{hexadecimal}, outside {limits}" if quality & Quality.OUT_OF_RANGE else ""
