"""Time that passes as fast as nothing happens: an event loop and a clock for stories of hours."""

import asyncio
import selectors
from dataclasses import dataclass
from typing import Any

BEGIN_MS = 1_795_000_000_000


class _Skipping(selectors.SelectSelector):
    """Waits by moving the loop's time on."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen again"
        self.loop.now_s += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """For stories without sockets and threads."""

    def __init__(self) -> None:
        selector = _Skipping()
        selector.loop = self
        self.now_s = 0.0
        super().__init__(selector)

    def time(self) -> float:
        return self.now_s


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """The loop's time as both kinds of ours."""

    loop: VirtualLoop

    def civil_ms(self) -> int:
        return self.wall_ms()

    def wall_ms(self) -> int:
        return BEGIN_MS + round(self.loop.time() * 1000)

    def monotonic_s(self) -> float:
        return self.loop.time()
