"""Two kinds of time from one injected clock.

Civil time (may run faster than real: a night in minutes) dates plans, `until`, energy and every stored reading. Real
time measures polls, time-outs, staleness, supervision and the length of `expires`. In a city the rate is 1.
"""

import time
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec


class Clock(Protocol):
    """The only way any of our programs learns the time."""

    def civil_ms(self) -> int:
        """Civil time, epoch ms UTC."""

    def wall_ms(self) -> int:
        """Real time, epoch ms UTC."""

    def monotonic_s(self) -> float:
        """Real seconds that never go back, for intervals."""


class CivilScale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How civil time follows real time; one shared file holds it for every program of a demo."""

    rate: float = 1.0
    civil_origin_ms: int = 0
    wall_origin_ms: int = 0

    def __post_init__(self) -> None:
        """Refuse a clock that stands still or runs back."""
        if not 0 < self.rate <= 3600:
            raise ValueError(f"rate is {self.rate}, expected more than 0 and at most 3600")

    def civil_ms(self, wall_ms: int) -> int:
        """Civil epoch ms at real epoch ms."""
        return self.civil_origin_ms + round((wall_ms - self.wall_origin_ms) * self.rate)

    def real_s(self, civil_ms: float) -> float:
        """Real seconds that a span of civil ms lasts."""
        return civil_ms / 1000 / self.rate


REAL_TIME: Final = CivilScale()


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock: the one place where our programs read it."""

    scale: CivilScale = REAL_TIME

    def civil_ms(self) -> int:
        """Civil time, epoch ms UTC."""
        return self.scale.civil_ms(self.wall_ms())

    def wall_ms(self) -> int:
        """Real time, epoch ms UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Real seconds that never go back."""
        return time.monotonic()


@dataclass(slots=True)
class ManualClock:
    """A clock that a test moves by hand; both kinds of time advance together, civil by `rate`."""

    now_ms: int = 1_763_650_000_000
    rate: float = 1.0
    elapsed_s: float = 0.0

    def advance(self, seconds: float) -> None:
        """Let real seconds pass."""
        self.elapsed_s += seconds

    def civil_ms(self) -> int:
        """Civil time, epoch ms UTC."""
        return self.now_ms + round(self.elapsed_s * 1000 * self.rate)

    def wall_ms(self) -> int:
        """Real time, epoch ms UTC."""
        return self.now_ms + round(self.elapsed_s * 1000)

    def monotonic_s(self) -> float:
        """Real seconds since the test began."""
        return self.elapsed_s


def decode_scale(payload: bytes) -> CivilScale:
    """Read the shared clock file's bytes.

    Raises:
        ValueError: the bytes are no such document; the message names the field.
    """
    try:
        return msgspec.json.decode(payload, type=CivilScale)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def encode_scale(scale: CivilScale) -> bytes:
    """The shared clock file's bytes."""
    return msgspec.json.encode(scale)
