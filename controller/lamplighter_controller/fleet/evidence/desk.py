"""Where evidence is bound to violations, packed, held and handed out."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.pieces import Piece
from lamplighter_controller.commands.model import CommandRequest, Submitted
from lamplighter_controller.fleet.evidence import archive, gathering, records, track
from lamplighter_controller.fleet.evidence.manifest import ANCHOR, MANIFEST, Manifest, sign_anchor, sign_manifest
from lamplighter_controller.fleet.evidence.packing import FRAMES, JSON, SUFFIXES, TRACK, File, Packed, packed
from lamplighter_controller.fleet.evidence.records import Hold, Package, Part
from lamplighter_controller.fleet.evidence.shelf import Shelf
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.security import audit
from lamplighter_controller.series.port import Series

MOST_PHOTO_BYTES: Final = 16 * 1_048_576
MOST_PARTS: Final = 100
MOST_NOTE: Final = 500
SOURCES: Final = ("phone", "drone", "camera", "scan")
TERMINAL: Final = "terminal"
GATEWAY: Final = "gateway"
COLLECT_S: Final = 86_400.0
MAGIC: Final = {
    "image/jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "image/png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/webp": lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
}


class Asks(Protocol):
    """Takes requests for commands; the dispatch is one."""

    async def submit(self, wanted: CommandRequest, who: str) -> Submitted | Refusal:
        """Store a request and have it sent; a repeat under the same key changes nothing."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the desk stands on; `keys` is the signed document of public keys, which goes into every package."""

    controller: str
    ledger: Ledger
    series: Series
    shelf: Shelf
    commands: Asks
    signer: Signer
    keys: bytes
    clock: Clock
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Photo:
    """An image that somebody hands in; `taken_ms` civil."""

    content: bytes
    source: str
    taken_ms: int | None = None
    note: str = ""


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
        if not await around.ledger.read(lambda connection: _exists(connection, violation)):
            return None
        media_type = _image(photo)
        if isinstance(media_type, Refusal):
            return media_type
        digest = await asyncio.to_thread(around.shelf.put, photo.content)
        name = f"{digest[:16]}.{SUFFIXES[media_type]}"
        size = len(photo.content)
        part = Part(violation, digest, name, media_type, size, photo.source, photo.taken_ms, time_ms, who, photo.note)
        return await around.ledger.write(lambda connection: _bind(connection, part))

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
            return await self._pack(violation, who, reason)

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
            if not _exists(connection, violation):
                return None
            before = records.hold_of(connection, violation)
            if before is not None:
                return before
            hold = Hold(violation, time_ms, who, reason)
            records.place_hold(connection, hold)
            _record(connection, "violation.hold", violation, who, reason, time_ms)
            return hold

        return await self._around.ledger.write(work)

    async def release(self, violation: str, who: str, reason: str) -> bool:
        """End a hold; False when there is none."""
        time_ms = self._around.clock.wall_ms()

        def work(connection: Connection) -> bool:
            ended = records.end_hold(connection, violation, who, time_ms)
            if ended:
                _record(connection, "violation.hold-end", violation, who, reason, time_ms)
            return ended

        return await self._around.ledger.write(work)

    async def _known(self, violation: str) -> gathering.Known | None:
        return await self._around.ledger.read(lambda connection: gathering.known(connection, violation))

    async def _bring(self, gateway: str, piece: Piece) -> None:
        around = self._around
        content = await asyncio.to_thread(around.shelf.read, piece.sha256)
        media_type = JSON if piece.name == FRAMES else _image(Photo(content, TERMINAL))
        if isinstance(media_type, Refusal):
            media_type = "application/octet-stream"
        source = GATEWAY if piece.name == FRAMES else TERMINAL
        name = FRAMES if piece.name == FRAMES else piece.name
        time_ms = around.clock.wall_ms()
        part = Part(
            piece.violation, piece.sha256, name, media_type, piece.size, source, None, time_ms, f"gateway:{gateway}"
        )
        await around.ledger.write(lambda connection: _bind(connection, part))

    async def _pack(self, violation: str, who: str, reason: str) -> Package | None:
        around = self._around

        def look(connection: Connection) -> tuple[gathering.Known | None, list[Part], int]:
            known = gathering.known(connection, violation)
            return known, records.parts_of(connection, violation), records.next_number(connection, violation)

        known, kept, number = await around.ledger.read(look)
        if known is None:
            return None
        made = await asyncio.to_thread(self._packed, known, kept, number)
        time_ms = around.clock.wall_ms()
        entries, missing = tuple(made.entries), tuple(made.missing)
        manifest = Manifest(violation, number, around.controller, time_ms, who, known.violation.rules, entries, missing)
        signed = sign_manifest(manifest, around.signer)
        digest = hashlib.sha256(signed).hexdigest()

        def anchor(connection: Connection) -> tuple[int, bytes]:
            detail = {"package": number, "manifest_sha256": digest, "parts": len(entries)}
            _record(connection, "violation.package", violation, who, reason, time_ms, detail)
            row = audit.last_row(connection)
            return row["number"], sign_anchor(row, around.signer)

        audit_number, anchored = await around.ledger.write(anchor)
        file = await asyncio.to_thread(archive.pack, {MANIFEST: signed, ANCHOR: anchored, **made.parts})
        sha256 = await asyncio.to_thread(around.shelf.put, file)
        package = Package(
            violation, number, sha256, len(file), digest, audit_number, len(entries), missing, time_ms, who
        )
        await around.ledger.write(lambda connection: records.add_package(connection, package))
        return package

    def _packed(self, known: gathering.Known, kept: Sequence[Part], number: int) -> Packed:
        shelf = self._around.shelf
        files = [(part, File(shelf.read(part.sha256), part.media_type, part.source, _note(part))) for part in kept]
        tracks = [file for part, file in files if part.name == TRACK]
        frames = [file for part, file in files if part.name == FRAMES]
        photos = [file for part, file in files if part.media_type in SUFFIXES]
        facts = {**known.facts, "package": number}
        slice_csv = tracks[-1].content.decode() if tracks else None
        return packed(facts, slice_csv, frames, photos, self._around.keys, self._around.zone)


def _exists(connection: Connection, violation: str) -> bool:
    return gathering.known(connection, violation) is not None


def _bind(connection: Connection, part: Part) -> Part | Refusal:
    parts = records.parts_of(connection, part.violation)
    before = next((one for one in parts if one.sha256 == part.sha256), None)
    if before is not None:
        return before
    if len(parts) >= MOST_PARTS:
        return Refusal(Reason.OUT_OF_BOUNDS, f"a violation has at most {MOST_PARTS} files")
    records.add_part(connection, part)
    detail = {"sha256": part.sha256, "name": part.name, "bytes": part.bytes, "source": part.source}
    _record(connection, "violation.evidence", part.violation, part.added_by, part.note, part.added_ms, detail)
    return part


def _image(photo: Photo) -> str | Refusal:
    """The media type by the bytes themselves, whatever was said of it."""
    if not 0 < len(photo.content) <= MOST_PHOTO_BYTES:
        return Refusal(Reason.TOO_LARGE, f"a photo has 1 to {MOST_PHOTO_BYTES} bytes, this one {len(photo.content)}")
    if photo.source not in (*SOURCES, TERMINAL):
        return Refusal(Reason.ARGUMENT, f"source is {photo.source[:40]!r}, expected one of {', '.join(SOURCES)}")
    if len(photo.note) > MOST_NOTE:
        return Refusal(Reason.TOO_LARGE, f"a note has at most {MOST_NOTE} characters")
    for media_type, fits in MAGIC.items():
        if _fits(fits, photo.content[:16]):
            return media_type
    return Refusal(Reason.MALFORMED, f"it is no image; taken are {', '.join(MAGIC)}")


def _fits(fits: Callable[[bytes], bool], head: bytes) -> bool:
    return fits(head)


def _note(part: Part) -> str:
    return f"{part.note} ({part.added_by})" if part.note else part.added_by


def _record(
    connection: Connection,
    action: str,
    violation: str,
    who: str,
    reason: str,
    time_ms: int,
    detail: dict[str, object] | None = None,
) -> None:
    audit.record(
        connection,
        who=who,
        action=action,
        subject=f"violation:{violation}",
        reason=reason,
        result="done",
        time_ms=time_ms,
        detail=detail,
    )
