"""The slave's side of Modbus, bytes in and bytes out; sockets and lines live elsewhere."""

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, Protocol

MOST_REGISTERS: Final = 64  # what the simulated controllers answer in one request
BROADCAST: Final = 0


class ExceptionCode(IntEnum):
    """Why a slave refuses."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3


class Unit(Protocol):
    """One slave on a bus."""

    @property
    def hears_broadcast(self) -> bool:
        """Whether a message to everybody is for it, too."""

    def answers(self) -> bool:
        """Whether it has supply and a sound wire."""

    def strength(self, fault: str) -> float:
        """How strongly a fault of its wire befalls it, 0 where all is well."""

    def read(self, address: int, count: int) -> bytes | ExceptionCode:
        """Registers as they go over the wire."""

    def write(self, address: int, values: Sequence[int]) -> ExceptionCode | None:
        """Take all values, or none and say why."""


def respond(unit: Unit, pdu: bytes) -> bytes:
    """The slave's answer to one request."""
    function = pdu[0]
    if function in {3, 4}:
        return _read(unit, pdu)
    if function == 6:
        return _write_one(unit, pdu)
    if function == 16:
        return _write_many(unit, pdu)
    return _refusal(function, ExceptionCode.ILLEGAL_FUNCTION)


def _refusal(function: int, code: ExceptionCode) -> bytes:
    return bytes((function | 0x80, code))


def _read(unit: Unit, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        return _refusal(pdu[0], ExceptionCode.ILLEGAL_VALUE)
    _, address, count = struct.unpack(">BHH", pdu)
    if not 1 <= count <= MOST_REGISTERS:
        return _refusal(pdu[0], ExceptionCode.ILLEGAL_VALUE)
    registers = unit.read(address, count)
    if isinstance(registers, ExceptionCode):
        return _refusal(pdu[0], registers)
    return bytes((pdu[0], len(registers))) + registers


def _write_one(unit: Unit, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        return _refusal(6, ExceptionCode.ILLEGAL_VALUE)
    _, address, value = struct.unpack(">BHH", pdu)
    refused = unit.write(address, (value,))
    return pdu if refused is None else _refusal(6, refused)


def _write_many(unit: Unit, pdu: bytes) -> bytes:
    if len(pdu) < 8:
        return _refusal(16, ExceptionCode.ILLEGAL_VALUE)
    _, address, count, length = struct.unpack(">BHHB", pdu[:6])
    if not 1 <= count <= MOST_REGISTERS or length != 2 * count or len(pdu) != 6 + length:
        return _refusal(16, ExceptionCode.ILLEGAL_VALUE)
    refused = unit.write(address, struct.unpack(f">{count}H", pdu[6:]))
    return pdu[:5] if refused is None else _refusal(16, refused)


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC: Final = _crc_table()


def crc16(frame: bytes) -> bytes:
    """The two check bytes of a serial frame, low byte first."""
    crc = 0xFFFF
    for byte in frame:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return crc.to_bytes(2, "little")
