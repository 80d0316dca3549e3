"""Terminal parameters of 0x8103 and 0x0104 (JT/T 808-2019 table 12, JT/T 1078-2016 table 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lamplighter_gateway.drivers.jt808.codec import values
from lamplighter_gateway.drivers.jt808.codec.fields import BYTE, DWORD, Reader

HEARTBEAT_S: Final = 0x0001
REPORT_S: Final = 0x0029
MAX_SPEED_KMH: Final = 0x0055
OVERSPEED_S: Final = 0x0056

_TEXTS: Final = frozenset(
    (*range(0x10, 0x18), 0x1A, 0x1D, 0x23, 0x24, 0x25, 0x26, *range(0x40, 0x45), 0x48, 0x49, 0x83)
)
_NUMBERS: Final[Mapping[int, int]] = {
    **dict.fromkeys((*range(0x01, 0x08), 0x18, 0x19, 0x1B, 0x1C, 0x20, 0x21, 0x22, *range(0x27, 0x2A)), 4),
    **dict.fromkeys((*range(0x2C, 0x31), 0x45, 0x46, 0x47, *range(0x50, 0x5B), *range(0x64, 0x66)), 4),
    **dict.fromkeys((*range(0x70, 0x75), 0x80, 0x93, 0x95, 0x100, 0x102), 4),
    **dict.fromkeys((0x31, *range(0x5B, 0x5F), 0x81, 0x82, 0x101, 0x103), 2),
    **dict.fromkeys((0x84, 0x90, 0x91, 0x92, 0x94), 1),
}


@dataclass(frozen=True, slots=True)
class _Parameters:
    """A list of parameters: `value` where its meaning and length are known, `hex` otherwise."""

    def read(self, reader: Reader) -> list[dict[str, Any]]:
        """The parameters in order."""
        found = []
        for _ in range(BYTE.read(reader)):
            parameter = DWORD.read(reader)
            found.append(_told(parameter, reader.take(BYTE.read(reader))))
        return found

    def write(self, value: Sequence[Mapping[str, Any]]) -> bytes:
        """Their bytes."""
        parts = [BYTE.write(len(value))]
        for told in value:
            parameter = int(told["id"], 16)
            raw = _raw(parameter, told)
            parts.append(DWORD.write(parameter) + BYTE.write(len(raw)) + raw)
        return b"".join(parts)


PARAMETERS: Final = _Parameters()


def _told(parameter: int, raw: bytes) -> dict[str, Any]:
    told: dict[str, Any] = {"id": f"0x{parameter:04x}"}
    if _NUMBERS.get(parameter) == len(raw):
        return told | {"value": int.from_bytes(raw, "big")}
    if parameter in _TEXTS and _is_text(raw):
        return told | {"value": raw.decode(values.TEXT)}
    return told | {"hex": raw.hex()}


def _is_text(raw: bytes) -> bool:
    try:
        return raw.decode(values.TEXT).encode(values.TEXT) == raw
    except UnicodeError:
        return False


def _raw(parameter: int, told: Mapping[str, Any]) -> bytes:
    if "hex" in told:
        return bytes.fromhex(told["hex"])
    value = told["value"]
    if isinstance(value, str):
        return value.encode(values.TEXT)
    number: int = value
    return number.to_bytes(_NUMBERS.get(parameter, 4), "big")
