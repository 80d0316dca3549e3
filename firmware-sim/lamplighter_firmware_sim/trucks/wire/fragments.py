"""Long messages as a terminal keeps them: what the platform misses it sends again (JT/T 808-2013, 4.4.3). Pure."""

from collections.abc import Sequence
from struct import iter_unpack
from typing import Final

MOST_KEPT: Final = 8


class Kept:
    """The frames of the newest fragmented messages; `resent` counts those that were asked for again."""

    def __init__(self) -> None:
        """Nothing has been sent."""
        self._messages: dict[int, Sequence[bytes]] = {}
        self.resent = 0

    def keep(self, first_serial: int, frames: Sequence[bytes]) -> None:
        """A message that the platform may not get whole; the oldest one is forgotten."""
        self._messages.pop(first_serial, None)
        self._messages[first_serial] = frames
        if len(self._messages) > MOST_KEPT:
            del self._messages[next(iter(self._messages))]

    def again(self, body: bytes, *, new: bool) -> list[bytes]:
        """The frames that 0x8003 asks for, as they were; it counts them in a byte, since 2019 in a word."""
        start = 4 if new else 3
        frames = self._messages.get(int.from_bytes(body[:2]), ())
        wanted = body[start : start + 2 * int.from_bytes(body[2:start])]
        numbers = [number for (number,) in iter_unpack(">H", wanted[: len(wanted) // 2 * 2])]
        found = [frames[number - 1] for number in numbers if 1 <= number <= len(frames)]
        self.resent += len(found)
        return found
