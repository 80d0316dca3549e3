"""What a probe has tried and heard. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from lamplighter_gateway.commissioning.wire.frames import Kind, Said
from lamplighter_gateway.commissioning.wire.port import NotOpened, Setting


@dataclass(frozen=True, slots=True)
class Attempt:
    """One question: to whom, at which setting (None on TCP), what was heard, and after how long.

    `patience_s` is how long the probe waited at most.
    """

    setting: Setting | None
    unit: int
    said: Said
    heard: bytes = b""
    after_s: float | None = None
    patience_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything one probe saw. `configured` is what the line was believed to be; `unasked`: what came by itself.

    `timeout_s`: what the configuration grants a unit. `cut`: the time was over before all was asked.
    """

    name: str
    is_serial: bool
    configured: Setting | None
    timeout_s: float
    attempts: tuple[Attempt, ...] = ()
    unasked: bytes = b""
    not_opened: NotOpened | None = None
    unsupported: tuple[Setting, ...] = ()
    cut: bool = False

    def at(self, setting: Setting | None) -> Sequence[Attempt]:
        """What was tried at one setting."""
        return [attempt for attempt in self.attempts if attempt.setting == setting]

    @property
    def settings(self) -> Sequence[Setting | None]:
        """Settings tried, in order."""
        return list(dict.fromkeys(attempt.setting for attempt in self.attempts))


def count(attempts: Sequence[Attempt], *kinds: Kind) -> int:
    """How many ended in one of the kinds."""
    return sum(attempt.said.kind in kinds for attempt in attempts)


def units(attempts: Sequence[Attempt]) -> Sequence[int]:
    """Units asked, in order."""
    return list(dict.fromkeys(attempt.unit for attempt in attempts))


def of_unit(attempts: Sequence[Attempt], unit: int) -> Sequence[Attempt]:
    """What one unit was asked."""
    return [attempt for attempt in attempts if attempt.unit == unit]
