"""Bundles that gateways bring for whoever helps from afar: kept for a while, one per command that asked for one."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.ids import is_id
from lamplighter_contract.wire.pieces import SUPPORT_NAME, Piece
from lamplighter_controller.commands import store
from lamplighter_controller.fleet.evidence.shelf import Damaged, Shelf
from lamplighter_controller.intake.pieces import TakesPieces
from lamplighter_controller.ledger.engine import Ledger

FOLDER: Final = "support"
MOST_BYTES: Final = 64 * 1_048_576
LARGEST_BYTES: Final = 262_144
KEPT: Final = 200  # bundles; the oldest go


class SupportDesk:
    """The shelf of support bundles; what is evidence goes on to `others`."""

    def __init__(self, data: Path, ledger: Ledger, others: TakesPieces) -> None:
        """Files are in a folder of `data`; `open` comes first."""
        self._names = data / FOLDER / "by-command"
        self._shelf = Shelf(data / FOLDER / "files", MOST_BYTES)
        self._ledger, self._others = ledger, others

    def open(self) -> None:
        """Make the folders where they are not."""
        self._names.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._shelf.open()

    async def take(self, gateway: str, pieces: Sequence[Piece]) -> int:
        """Keep pieces durably; how many nobody had asked for.

        Raises:
            ControllerError: nothing is known to be kept; they may be given again.
            OSError: the disk does not take them.
        """
        others = [piece for piece in pieces if piece.name != SUPPORT_NAME]
        strange = await self._others.take(gateway, others) if others else 0
        for piece in pieces:
            if piece.name != SUPPORT_NAME:
                continue
            if piece.size > LARGEST_BYTES or not await self._asked(gateway, piece):
                strange += 1
            elif await asyncio.to_thread(self._shelf.take, piece):
                await asyncio.to_thread(self._name, piece)
        return strange

    async def find(self, gateway: str, command: str) -> bytes | None:
        """The bundle that a command brought, None while it is not whole or no longer kept."""
        if not is_id(command):
            return None
        orders = await self._ledger.read(lambda connection: store.orders(connection, [command]))
        order = orders.get(command)
        if order is None or order.gateway != gateway:
            return None
        return await asyncio.to_thread(self._read, command)

    async def _asked(self, gateway: str, piece: Piece) -> bool:
        orders = await self._ledger.read(lambda connection: store.orders(connection, [piece.violation]))
        order = orders.get(piece.violation)
        mine = order is not None and order.gateway == gateway == piece.device
        return mine and order is not None and order.request.op is Operation.GATEWAY_SUPPORT

    def _name(self, piece: Piece) -> None:
        (self._names / piece.violation).write_text(piece.sha256)
        known = sorted(self._names.iterdir(), key=lambda name: name.stat().st_mtime)
        for old in known[:-KEPT]:
            self._shelf.remove([old.read_text()])
            old.unlink()

    def _read(self, command: str) -> bytes | None:
        try:
            return self._shelf.read((self._names / command).read_text())
        except (FileNotFoundError, Damaged):
            return None
