"""What the kernel says of the system clock: disciplined by NTP and how well, or only set from a hardware clock."""

import ctypes
from pathlib import Path
from typing import Final

from lamplighter_contract.wire.documents import ClockState

UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC of adjtimex(2)
US_PER_MS: Final = 1000.0
SYSTEM_UNCERTAINTY_MS: Final = 1000.0  # somebody set it, nobody says how
RTC_UNCERTAINTY_MS: Final = 60_000.0  # a common quartz drifts 20 ppm: a minute in five weeks without NTP
_RTC: Final = Path("/sys/class/rtc")


class _Timex(ctypes.Structure):
    """The head of `struct timex`; the kernel writes more than it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def system_clock() -> ClockState:
    """Where the system has its time from, and how far it may be off."""
    timex = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        answer = -1
    if answer >= 0 and not timex.status & UNSYNCHRONISED:
        return ClockState("ntp", timex.maxerror / US_PER_MS)
    return ClockState("rtc", RTC_UNCERTAINTY_MS) if _set_from_rtc() else ClockState("system", SYSTEM_UNCERTAINTY_MS)


def _set_from_rtc() -> bool:
    """True when the kernel took its time from a hardware clock at boot (`hctosys`)."""
    try:
        return any((clock / "hctosys").read_text().strip() == "1" for clock in _RTC.iterdir())
    except OSError:
        return False
