"""Where evidence is bound to violations, packed, held and handed out."""

import asyncio
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.pieces import Piece
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.fleet.evidence import gathering, records, track
from lamplighter_controller.fleet.evidence.binding import bind, exists, record
from lamplighter_controller.fleet.evidence.ground import Around
from lamplighter_controller.fleet.evidence.making import make_package
from lamplighter_controller.fleet.evidence.packing import FRAMES, JSON, SUFFIXES, TRACK
from lamplighter_controller.fleet.evidence.photos import TERMINAL, Photo, image_type
from lamplighter_controller.fleet.evidence.records import Hold, Package, Part

GATEWAY: Final = "gateway"
COLLECT_S: Final = 86_400.0


class EvidenceDesk:
    """Evidence of violations. Every method may raise LedgerUnavailable; what it was asked is then safe to ask again."""

    def __init__(self, around: Around) -> None:
        """Work with these."""
        self._around = around
        self._packing = asyncio.Lock()

    async def attach(self, violation: str, photo: Photo, who: str) -> Part | Refusal | None:
        """Bind an image to a violation by hand; None when there is no such violation.

        Raises:
            ShelfFull: there is no room left.
        """
        around, time_ms = self._around, self._around.clock.wall_ms()
        if not await around.ledger.read(lambda connection: exists(connection, violation)):
            return None
        media_type = image_type(photo)
        if isinstance(media_type, Refusal):
            return media_type
        digest = await asyncio.to_thread(around.shelf.put, photo.content)
        name = f"{digest[:16]}.{SUFFIXES[media_type]}"
        size = len(photo.content)
        part = Part(violation, digest, name, media_type, size, photo.source, photo.taken_ms, time_ms, who, photo.note)
        return await around.ledger.write(lambda connection: bind(connection, part))

    async def collect(self, violation: str, who: str, key: str | None = None) -> Submitted | Refusal | None:
        """Have the gateway bring raw frames and photos; None when there is no such violation."""
        around, now_ms = self._around, self._around.clock.civil_ms()

        def look(connection: Connection) -> CommandRequest | None:
            known = gathering.known(connection, violation)
            if known is None:
                return None
            start_ms, end_ms = gathering.window(known.violation, now_ms)
            photos = gathering.photos(connection, known.device, start_ms, end_ms)
            args = {"from": start_ms, "to": end_ms, "violation": violation, "photos": photos}
            return CommandRequest(
                Operation.TRUCK_EVIDENCE,
                (known.device,),
                args,
                reason=f"evidence of {violation}",
                expires_s=COLLECT_S,
                key=key,
            )

        wanted = await around.ledger.read(look)
        return None if wanted is None else await around.commands.submit(wanted, who)

    async def take(self, gateway: str, pieces: Sequence[Piece]) -> int:
        """Keep pieces that a gateway brought; on return they are durable. How many nobody had asked for.

        Raises:
            LedgerUnavailable: nothing is known to be bound; they may be given again.
            ShelfFull: there is no room left.
            OSError: the disk does not take them.
        """
        strange = 0
        for piece in pieces:
            of = await self._known(piece.violation)
            if of is None or of.device != piece.device:
                strange += 1
            elif await asyncio.to_thread(self._around.shelf.take, piece):
                await self._bring(gateway, piece)
        return strange

    async def freeze(self, violation: str) -> bool:
        """Keep the track of a violation beyond the retention of the series; False when there is nothing to keep.

        Raises:
            SeriesUnavailable: the series store does not answer.
        """
        around = self._around
        known = await self._known(violation)
        if known is None:
            return False
        start_ms, end_ms = gathering.window(known.violation, around.clock.civil_ms())
        readings = await gathering.track_of(around.series, known.device, start_ms, end_ms)
        if not len(readings.time_ms):
            return False
        content = track.csv_of(readings).encode()
        digest = await asyncio.to_thread(around.shelf.put, content)
        time_ms = around.clock.wall_ms()
        part = Part(violation, digest, TRACK, "text/csv", len(content), "controller", start_ms, time_ms, "controller")
        await around.ledger.write(lambda connection: records.add_part(connection, part))
        return True

    async def make(self, violation: str, who: str, reason: str) -> Package | None:
        """Pack everything that is known now, sign it, anchor it; None when there is no such violation.

        Raises:
            SeriesUnavailable: the series store does not answer.
            Damaged: a file on the shelf is not what it was.
            ShelfFull: there is no room left.
        """
        around = self._around
        kept = await around.ledger.read(lambda connection: records.parts_of(connection, violation))
        if not any(part.name == TRACK for part in kept):
            await self.freeze(violation)
        async with self._packing:  # packages of a violation are numbered one after the other
            return await make_package(self._around, violation, who, reason)

    async def open(self, violation: str, number: int) -> bytes | None:
        """A package as it was made, None when there is none of that number.

        Raises:
            Damaged: the file is not what it was.
        """
        packages = await self._around.ledger.read(lambda connection: records.packages_of(connection, violation))
        for package in packages:
            if package.number == number:
                return await asyncio.to_thread(self._around.shelf.read, package.sha256)
        return None

    async def hold(self, violation: str, who: str, reason: str) -> Hold | None:
        """Keep everything of a violation until the hold ends; None when there is no such violation."""
        time_ms = self._around.clock.wall_ms()

        def work(connection: Connection) -> Hold | None:
            if not exists(connection, violation):
                return None
            before = records.hold_of(connection, violation)
            if before is not None:
                return before
            hold = Hold(violation, time_ms, who, reason)
            records.place_hold(connection, hold)
            record(connection, "violation.hold", violation, who, reason, time_ms)
            return hold

        return await self._around.ledger.write(work)

    async def release(self, violation: str, who: str, reason: str) -> bool:
        """End a hold; False when there is none."""
        time_ms = self._around.clock.wall_ms()

        def work(connection: Connection) -> bool:
            ended = records.end_hold(connection, violation, who, time_ms)
            if ended:
                record(connection, "violation.hold-end", violation, who, reason, time_ms)
            return ended

        return await self._around.ledger.write(work)

    async def _known(self, violation: str) -> gathering.Known | None:
        return await self._around.ledger.read(lambda connection: gathering.known(connection, violation))

    async def _bring(self, gateway: str, piece: Piece) -> None:
        around = self._around
        content = await asyncio.to_thread(around.shelf.read, piece.sha256)
        media_type = JSON if piece.name == FRAMES else image_type(Photo(content, TERMINAL))
        if isinstance(media_type, Refusal):
            media_type = "application/octet-stream"
        source = GATEWAY if piece.name == FRAMES else TERMINAL
        name = FRAMES if piece.name == FRAMES else piece.name
        time_ms = around.clock.wall_ms()
        part = Part(
            piece.violation, piece.sha256, name, media_type, piece.size, source, None, time_ms, f"gateway:{gateway}"
        )
        await around.ledger.write(lambda connection: bind(connection, part))
