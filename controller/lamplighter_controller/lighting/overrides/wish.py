"""A level by hand as somebody wishes it, and what would be wrong with it whoever it is for."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from lamplighter_contract.commands.command import FULL_PERCENT
from lamplighter_contract.wire.limits import MAX_OVERRIDE_MS
from lamplighter_controller.lighting.overrides.target import Target, Wrong

DEFAULT_MS: Final = 2 * 3_600_000  # civil (fail-safe rule L-3)
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for; `until_ms` civil, None: the usual time. An emergency is full light and names its end."""

    target: Target
    reason: str
    level_percent: float = FULL_PERCENT
    until_ms: int | None = None
    emergency: bool = False
    key: str | None = None

    def content(self) -> str:
        """What two wishes under one key must have in common."""
        essence = (self.target, self.reason, self.level_percent, self.until_ms, self.emergency)
        return hashlib.sha256(msgspec.json.encode(essence, order="deterministic")).hexdigest()

    def end_ms(self, now_ms: int) -> int:
        """When it ends."""
        return now_ms + DEFAULT_MS if self.until_ms is None else self.until_ms


def wrong_with(wish: Wish, now_ms: int) -> Iterator[Wrong]:
    """Everything wrong with its end and its level; `now_ms` is civil."""
    if wish.until_ms is not None and wish.until_ms <= now_ms:
        yield Wrong("until", f"{wish.until_ms} has passed: it is {now_ms} now")
    if wish.until_ms is not None and wish.until_ms > now_ms + MAX_OVERRIDE_MS:
        what = f"{wish.until_ms} is more than {MAX_OVERRIDE_MS // HOUR_MS} h after now, which is {now_ms}"
        yield Wrong("until", what)
    if not 0 <= wish.level_percent <= FULL_PERCENT:
        yield Wrong("level_percent", f"{wish.level_percent:g}, expected 0 to {FULL_PERCENT}")
    if wish.emergency and wish.until_ms is None:
        yield Wrong("until", "an emergency names its end")
    if wish.emergency and wish.level_percent != FULL_PERCENT:
        yield Wrong("level_percent", f"{wish.level_percent:g}, expected {FULL_PERCENT}: an emergency is full light")
