"""What probing and scanning see of a line."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lamplighter_gateway.config.model import Parity


@dataclass(frozen=True, slots=True)
class Setting:
    """How a serial line is spoken to."""

    baud: int
    parity: Parity
    stop_bits: int

    def __str__(self) -> str:
        """As installers write it: 9600 8E1."""
        return f"{self.baud} 8{self.parity.value}{self.stop_bits}"

    @property
    def character_s(self) -> float:
        """Seconds of one character: start bit, eight data bits, parity, stop bits."""
        return (9 + (self.parity is not Parity.NONE) + self.stop_bits) / self.baud


class Trouble(StrEnum):
    """Why a line cannot be opened."""

    MISSING = "missing"
    DENIED = "denied"
    BUSY = "busy"
    UNSUPPORTED = "unsupported"  # this port does not take the setting
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NotOpened:
    """A line that cannot be opened, and what the system said."""

    trouble: Trouble
    detail: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything that came after a question; `after_s`: until its first byte, None when nothing came.

    `closed`: the other end hung up.
    """

    data: bytes
    after_s: float | None = None
    closed: bool = False


class Line(Protocol):
    """One serial port or TCP endpoint; used by one task at a time."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def is_serial(self) -> bool:
        """True for a serial port: frames there carry a checksum and no number."""

    async def open(self, setting: Setting | None) -> NotOpened | None:
        """Open it, anew if it is open; None = it is. A TCP endpoint has no setting."""

    async def ask(self, unit: int, pdu: bytes, timeout_s: float) -> Heard:
        """Send one request and listen until its answer is whole, the line falls quiet, or the time is over."""

    async def listen(self, seconds: float) -> bytes:
        """What comes without being asked."""

    def close(self) -> None:
        """Let go of it."""
