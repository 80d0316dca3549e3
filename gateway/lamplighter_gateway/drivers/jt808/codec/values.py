"""BCD, times and text as JT/T 808 writes them."""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Malformed

BEIJING: Final = timezone(timedelta(hours=8), "+08:00")
CENTURY: Final = 2000
TEXT: Final = "gbk"

_MS: Final = 1000
_MINUTE_S: Final = 60


@lru_cache(maxsize=4096)
def _minute_ms(bcd: bytes) -> int | None:
    found = bcd.hex()
    try:
        year, month, day, hour, minute = (int(found[at : at + 2]) for at in range(0, 10, 2))
        moment = datetime(CENTURY + year, month, day, hour, minute, tzinfo=BEIJING)
    except ValueError:
        return None
    return round(moment.timestamp()) * _MS


_SECOND_MS: Final = {tens << 4 | ones: (tens * 10 + ones) * _MS for tens in range(6) for ones in range(10)}


def time_ms(bcd: bytes) -> int | None:
    """Epoch ms of six BCD bytes YYMMDDhhmmss at +08:00; None where they are no time."""
    minute_ms = _minute_ms(bcd[:5])
    second_ms = _SECOND_MS.get(bcd[5])
    return None if minute_ms is None or second_ms is None else minute_ms + second_ms


@lru_cache(maxsize=4096)
def _minute_bcd(minute: int) -> bytes:
    return bytes.fromhex(datetime.fromtimestamp(minute * _MINUTE_S, BEIJING).strftime("%y%m%d%H%M"))


_SECOND_BCD: Final = tuple(bytes((second,)) for second in sorted(_SECOND_MS))


def time_bcd(moment_ms: int) -> bytes:
    """Six BCD bytes at +08:00; parts of a second are cut off."""
    minute, second = divmod(moment_ms // _MS, _MINUTE_S)
    return _minute_bcd(minute) + _SECOND_BCD[second]


def utc_bcd(moment_ms: int) -> bytes:
    """Six BCD bytes in UTC, as the answer to 0x0004 alone has them (JT/T 808-2019, 8.5)."""
    return bytes.fromhex(datetime.fromtimestamp(moment_ms / _MS, UTC).strftime("%y%m%d%H%M%S"))


def time_text(bcd: bytes) -> str:
    """ISO 8601 of six BCD bytes; the hour alone where the date is zero, which means every day.

    Raises:
        Malformed: there is no such time.
    """
    if bcd[:3] == b"\0\0\0":
        digits = bcd[3:].hex()
        if digits.isdecimal() and digits[:2] < "24" and digits[2:4] < "60" and digits[4:] < "60":
            return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"
    else:
        moment_ms = time_ms(bcd)
        if moment_ms is not None:
            return datetime.fromtimestamp(moment_ms / _MS, BEIJING).isoformat()
    raise Malformed(Fault.TIME, f"{bcd.hex()} is no time")


def time_from_text(text: str) -> bytes:
    """Six BCD bytes from what `time_text` gives; a time without a zone is one at +08:00.

    Raises:
        ValueError: the text is no time.
    """
    if "T" not in text and " " not in text:
        hour = datetime.strptime(text, "%H:%M:%S").replace(tzinfo=BEIJING)
        return b"\0\0\0" + bytes.fromhex(hour.strftime("%H%M%S"))
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=BEIJING)
    if not CENTURY <= moment.astimezone(BEIJING).year < CENTURY + 100:
        raise ValueError(f"{text} is out of the century that two digits can tell")
    return time_bcd(round(moment.timestamp() * _MS))


def text(raw: bytes) -> str:
    """GBK text without the zeros that fill it up; what is no GBK is shown as escapes, never a reason to refuse."""
    return raw.rstrip(b"\0").decode(TEXT, "backslashreplace")


def digits(raw: bytes) -> str:
    """BCD as digits.

    Raises:
        Malformed: a digit is above nine.
    """
    found = raw.hex()
    if not found.isdecimal():
        raise Malformed(Fault.BCD, f"{found} has a digit above nine")
    return found
