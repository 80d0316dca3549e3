"""Bodies of the messages a terminal says (JT/T 808-2013 and -2019, chapter 8). Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from struct import Struct
from typing import Final

REGISTER: Final = 0x0100
LOG_IN: Final = 0x0102
HEARTBEAT: Final = 0x0002
ANSWER: Final = 0x0001
POSITION: Final = 0x0200
POSITION_ANSWER: Final = 0x0201
CONTROL_ANSWER: Final = 0x0500
BATCH: Final = 0x0704
WAYBILL: Final = 0x0701
DRIVER_CARD: Final = 0x0702
PHOTO: Final = 0x0801
PARAMETERS: Final = 0x0104

OK: Final = 0
BAD: Final = 2
UNSUPPORTED: Final = 3

ASKED_FOR: Final = 0
TIMED: Final = 1
_BEIJING: Final = timezone(timedelta(hours=8))
_BASICS: Final = Struct(">IIIIHHH")
_MOST: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Fix:
    """What one position report says. `status` and `alarm` are whole words, `vendor` an item the standard has not."""

    civil_ms: int
    latitude: float
    longitude: float
    speed_kmh: float
    heading_deg: float
    odometer_km: float
    alarm: int
    status: int
    satellites: int = 12
    vendor: bytes = b""


def moment(civil_ms: int) -> bytes:
    """BCD YYMMDDhhmmss of GMT+8."""
    return bytes.fromhex(datetime.fromtimestamp(civil_ms / 1000, UTC).astimezone(_BEIJING).strftime("%y%m%d%H%M%S"))


def position(fix: Fix) -> bytes:
    """Body of 0x0200 with odometer, signal and satellites, and the maker's own item where there is one."""
    status = fix.status | (fix.latitude < 0) << 2 | (fix.longitude < 0) << 3
    basics = _BASICS.pack(
        fix.alarm,
        status,
        round(abs(fix.latitude) * 1e6),
        round(abs(fix.longitude) * 1e6),
        30,
        min(_MOST, round(fix.speed_kmh * 10)),
        round(fix.heading_deg) % 360,
    )
    items = _item(0x01, round(fix.odometer_km * 10).to_bytes(4)) + _item(0x30, b"\x18")
    items += _item(0x31, fix.satellites.to_bytes(1))
    return basics + moment(fix.civil_ms) + items + (_item(0xE7, fix.vendor) if fix.vendor else b"")


def batch(fixes: list[bytes], *, blind_area: bool) -> bytes:
    """Body of 0x0704 of position bodies."""
    return len(fixes).to_bytes(2) + bytes((blind_area,)) + b"".join(len(one).to_bytes(2) + one for one in fixes)


def register(plate: str, terminal: str, *, new: bool) -> bytes:
    """Body of 0x0100 from Jinan (37, 0100)."""
    maker, model, identity = (11, 30, 30) if new else (5, 20, 7)
    words = ("SIMLL".ljust(maker, "\0"), "SIM-808".ljust(model, "\0"), terminal[-7:].ljust(identity, "\0"))
    return (37).to_bytes(2) + (100).to_bytes(2) + "".join(words).encode() + b"\x02" + plate.encode("gbk")


def log_in(code: str, *, new: bool) -> bytes:
    """Body of 0x0102."""
    raw = code.encode()
    return bytes((len(raw),)) + raw + b"860000000000000" + b"sim".ljust(20, b"\0") if new else raw


def answer(serial: int, message: int, result: int) -> bytes:
    """Body of 0x0001."""
    return serial.to_bytes(2) + message.to_bytes(2) + bytes((result,))


def waybill(text: str) -> bytes:
    """Body of 0x0701."""
    raw = text.encode("gbk", "replace")
    return len(raw).to_bytes(4) + raw


def driver_card(name: str, licence: str, civil_ms: int, *, new: bool) -> bytes:
    """Body of 0x0702: a card was put in, and could be read."""
    agency = b"Jinan"
    words = bytes((len(name.encode("gbk")),)) + name.encode("gbk") + licence.encode().ljust(20, b"\0")
    rest = bytes((len(agency),)) + agency + bytes.fromhex("20301231")
    return b"\x01" + moment(civil_ms) + b"\x00" + words + rest + (licence.encode().ljust(20, b"\0") if new else b"")


def photo(number: int, fix: Fix, picture: bytes, why: int = ASKED_FOR) -> bytes:
    """Body of 0x0801: a JPEG taken by camera 1, that the platform asked for or that was due."""
    return number.to_bytes(4) + bytes((0, 0, why, 1)) + position(fix)[:28] + picture


def _item(number: int, value: bytes) -> bytes:
    return bytes((number, len(value))) + value
