"""The lane of pieces: files that gateways bring go to a disk of their own, and hold up neither readings nor results."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lamplighter_contract.wire.pieces import Piece
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.intake.acks import Acker, Sender
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.waiting import WaitingRoom
from lamplighter_controller.link.backoff import Backoff

ROOM_BYTES: Final = 32 * 1_048_576
BATCH_BYTES: Final = 1_048_576
PIECE_BYTES: Final = 1_000
ALARM: Final = "evidence"
QUIET_S: Final = 3_600.0


class TakesPieces(Protocol):
    """Whoever keeps files."""

    async def take(self, gateway: str, pieces: Sequence[Piece]) -> int:
        """Keep pieces durably; how many nobody had asked for.

        Raises:
            ControllerError: nothing is known to be kept; they may be given again.
            OSError: the disk does not take them.
        """


class Nobody:
    """Keeps no files: where there are no trucks, nothing was asked for."""

    async def take(self, gateway: str, pieces: Sequence[Piece]) -> int:  # noqa: ARG002 - whoever brings it
        """Nothing is kept."""
        return len(pieces)


@dataclass(frozen=True, slots=True)
class Brought:
    """What one frame brought."""

    sender: Sender
    pieces: tuple[Piece, ...]

    @property
    def bytes(self) -> int:
        """About how much memory it holds."""
        return sum(PIECE_BYTES + len(piece.content) for piece in self.pieces)


class PiecesLane:
    """One way to the shelf of files; what cannot be kept is not acknowledged, so the gateway keeps it."""

    def __init__(self, keeper: TakesPieces, alarms: Alarms, acker: Acker) -> None:
        """Hand everything to `keeper`."""
        self._keeper, self._alarms, self._acker = keeper, alarms, acker
        self._filled = asyncio.Event()
        self.room: WaitingRoom[Brought] = WaitingRoom(ROOM_BYTES, self._filled)
        self._backoff = Backoff(random.random, base_s=0.2, cap_s=30.0)

    async def run(self) -> None:
        """Keep what comes; for ever."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while batch := self.room.take(BATCH_BYTES) if len(self.room) else []:
                for one in batch:
                    await self._until_kept(one)

    async def _until_kept(self, one: Brought) -> None:
        gateway = one.sender.gateway
        while True:
            try:
                strange = await self._keeper.take(gateway, one.pieces)
            except (ControllerError, OSError) as error:
                self._alarms.raised(ALARM, f"evidence is not taken, gateways keep theirs: {error}")
                await asyncio.sleep(self._backoff.next_s())
            else:
                self._alarms.cleared(ALARM)
                self._backoff.reset()
                self._acker.note([one.sender])
                if strange:
                    text = f"{gateway} brings evidence that nobody asked for, of devices or violations not its own"
                    self._alarms.raised(f"evidence-strange:{gateway}", text, quiet_s=QUIET_S)
                return
