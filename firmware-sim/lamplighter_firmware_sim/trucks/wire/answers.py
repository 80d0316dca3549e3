"""What a terminal waits to hear from the platform, by the serial numbers of what it sent."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lamplighter_firmware_sim.trucks.wire.messages import OK


@dataclass(slots=True)
class _Awaited:
    reply: asyncio.Future[int]
    left: int


class Answers:
    """A message is confirmed when as many answers have come as it has frames, whichever they name last."""

    def __init__(self) -> None:
        """Nothing is awaited."""
        self._awaited: dict[int, _Awaited] = {}

    @contextlib.contextmanager
    def to(self, serials: Sequence[int]) -> Iterator[asyncio.Future[int]]:
        """The result of the message that took these frames, to be waited for inside the block."""
        reply: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._awaited |= dict.fromkeys(serials, _Awaited(reply, len(serials)))
        try:
            yield reply
        finally:
            for serial in serials:
                self._awaited.pop(serial, None)

    def came(self, serial: int, result: int) -> None:
        """An answer; one that refuses a frame refuses its message."""
        awaited = self._awaited.get(serial)
        if awaited is None or awaited.reply.done():
            return
        awaited.left -= 1
        if result != OK or not awaited.left:
            awaited.reply.set_result(result)
