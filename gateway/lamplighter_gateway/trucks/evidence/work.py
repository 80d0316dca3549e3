"""`truck.evidence`: what was kept of a truck in a time goes into the spool, piece by piece, ahead of its result."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

from lamplighter_contract.commands.command import Command
from lamplighter_contract.commands.results import DeviceResult
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.frame import piece_body
from lamplighter_contract.wire.limits import MAX_PARCEL_BYTES
from lamplighter_contract.wire.pieces import DIGEST, Piece, pieces_of
from lamplighter_gateway.spool.frames import Class
from lamplighter_gateway.trucks.evidence import export
from lamplighter_gateway.trucks.evidence.recorder import Recorder


class Durable(Protocol):
    """What is needed of the spool."""

    async def put(self, of: Class, body: bytes) -> bool:
        """Return once it is on disk; False when that takes too long."""


class EvidenceWork:
    """Brings up what is asked for. A second asking gives the same files, which the centre knows by their digest."""

    def __init__(self, gateway: str, recorder: Recorder, photos: Path, spool: Durable) -> None:
        """`photos` is the folder in which each photo stands under its digest."""
        self._gateway, self._recorder, self._photos, self._spool = gateway, recorder, photos, spool

    async def carry_out(self, command: Command, device: str) -> DeviceResult:
        """Verified once everything that was kept is in the spool; failed where nothing was."""
        wanted = [str(digest) for digest in command.args.get("photos", ())]
        brought = 0
        found: set[str] = set()
        async for name, file in self._files(command, device, wanted):
            for piece in pieces_of(str(command.args["violation"]), device, name, file):
                if not await self._put(piece):
                    return DeviceResult(device, CommandState.FAILED, "no room on the disk")
            brought += 1
            found.add(name)
        if not brought:
            return DeviceResult(device, CommandState.FAILED, "nothing is kept of that time")
        missing = sum(digest not in found for digest in wanted)
        reading: dict[str, float | int | bool | str | None] = {
            "files": brought,
            "frames": export.FILE_NAME in found,
            "photos_missing": missing,
        }
        return DeviceResult(device, CommandState.VERIFIED, "", reading)

    async def _files(self, command: Command, device: str, photos: Sequence[str]) -> AsyncIterator[tuple[str, bytes]]:
        start_ms, end_ms = int(command.args["from"]), int(command.args["to"])
        frames = await self._recorder.find(device, start_ms, end_ms)
        if frames:
            trusted = self._recorder.trusted
            file = await asyncio.to_thread(
                export.file_of, frames, self._gateway, device, start_ms, end_ms, trusted=trusted
            )
            yield export.FILE_NAME, file
        for digest in photos:
            photo = await asyncio.to_thread(self._photo, digest)
            if photo is not None:
                yield digest, photo

    def _photo(self, digest: str) -> bytes | None:
        if not DIGEST.fullmatch(digest):
            return None
        try:
            content = (self._photos / f"{digest}.jpg").read_bytes()
        except FileNotFoundError:
            return None
        return content if len(content) <= MAX_PARCEL_BYTES else None

    async def _put(self, piece: Piece) -> bool:
        return await self._spool.put(Class.EVENT, piece_body(piece))
