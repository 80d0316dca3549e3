"""How a terminal fails its truck: it lies, loses its link, jumps, is jammed, sends what nobody asked for. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_firmware_sim.trucks.wire.frames import MOST_BODY
from lamplighter_firmware_sim.trucks.wire.messages import Fix

_HOUR_MS: Final = 3_600_000
_LONGEST_BLIND_MS: Final = 600_000
JUMP_DEG: Final = 0.4
SHORT_FRAME_BYTES: Final = 512
LONG_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Quirks:
    """One terminal's ways. Shares are of its reports; losses of the link happen so often in a civil hour."""

    lies: bool = False  # it acknowledges limits and does nothing
    losses_per_hour: float = 0.0
    jumps: float = 0.0
    vendor_items: bool = False
    jammed: bool = False  # its position stands still at speed 0 while the truck drives
    shy: bool = False  # it takes long to answer
    frame_bytes: int = MOST_BODY  # of body; what is longer goes in fragments
    batch: int = 20  # stored positions in one message
    photo_every_s: float = 0.0  # civil; 0: only when asked for
    fragments_lost: float = 0.0  # share of its fragmented messages that lose a fragment on the way


def quirks(seed: int, truck: int) -> Quirks:
    """What is wrong with a truck's terminal; most have little."""
    rng = np.random.default_rng((seed, truck, 0x0200))
    chance = rng.random(5)
    wordy = np.random.default_rng((seed, truck, 0x0801))
    fragments = bool(wordy.random() < 0.25)
    return Quirks(
        lies=bool(chance[0] < 0.03),
        losses_per_hour=float(rng.uniform(0.1, 0.6)) if chance[1] < 0.2 else 0.02,
        jumps=0.002 if chance[2] < 0.1 else 0.0,
        vendor_items=bool(chance[3] < 0.4),
        jammed=bool(chance[4] < 0.01),
        frame_bytes=SHORT_FRAME_BYTES if fragments else MOST_BODY,
        batch=LONG_BATCH if fragments else 20,
        photo_every_s=float(wordy.uniform(4, 12)) * 3600 if fragments else 0.0,
        fragments_lost=0.3 if fragments else 0.0,
    )


@dataclass(slots=True)
class Sickness:
    """The quirks of one terminal as they strike."""

    quirks: Quirks
    rng: np.random.Generator
    blind_until_ms: int = 0
    looked_ms: int = 0
    held: Fix | None = None
    photo_ms: int = 0

    def blind(self, civil_ms: int) -> bool:
        """Whether there is no link now; each loss lasts minutes."""
        elapsed_ms = civil_ms - self.looked_ms if self.looked_ms else 0
        self.looked_ms = civil_ms
        if civil_ms >= self.blind_until_ms and self.rng.random() < self.quirks.losses_per_hour * elapsed_ms / _HOUR_MS:
            self.blind_until_ms = civil_ms + int(self.rng.integers(60_000, _LONGEST_BLIND_MS))
        return civil_ms < self.blind_until_ms

    def photographs(self, civil_ms: int) -> bool:
        """Whether a photo is due that nobody asked for; the first comes somewhere within one interval."""
        every_ms = self.quirks.photo_every_s * 1000
        if not every_ms:
            return False
        if not self.photo_ms:
            self.photo_ms = civil_ms + round(self.rng.random() * every_ms)
        if civil_ms < self.photo_ms:
            return False
        self.photo_ms = civil_ms + round(every_ms)
        return True

    def loses(self, fragments: int) -> int | None:
        """The place of the fragment that gets lost, if one of so many does."""
        if fragments < 2 or self.rng.random() >= self.quirks.fragments_lost:
            return None
        return int(self.rng.integers(fragments))

    def spoil(self, fix: Fix) -> Fix:
        """The report as this terminal makes it."""
        latitude, longitude, speed_kmh = fix.latitude, fix.longitude, fix.speed_kmh
        if self.quirks.jammed:
            self.held = self.held or fix
            latitude, longitude, speed_kmh = self.held.latitude, self.held.longitude, 0.0
        elif self.rng.random() < self.quirks.jumps:
            latitude += JUMP_DEG
        vendor = b"SIM\x00\x01" if self.quirks.vendor_items else b""
        return Fix(
            fix.civil_ms,
            latitude,
            longitude,
            speed_kmh,
            fix.heading_deg,
            fix.odometer_km,
            fix.alarm,
            fix.status,
            fix.satellites,
            vendor,
        )
