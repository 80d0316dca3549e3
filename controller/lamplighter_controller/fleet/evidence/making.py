"""Packages: what is known of a violation now, signed, anchored in the audit trail, put on the shelf."""

import asyncio
import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection

from lamplighter_controller.fleet.evidence import archive, gathering, records
from lamplighter_controller.fleet.evidence.binding import record
from lamplighter_controller.fleet.evidence.ground import Around
from lamplighter_controller.fleet.evidence.manifest import ANCHOR, MANIFEST, Manifest, sign_anchor, sign_manifest
from lamplighter_controller.fleet.evidence.packing import FRAMES, SUFFIXES, TRACK, File, Packed, packed
from lamplighter_controller.fleet.evidence.records import Package, Part
from lamplighter_controller.security import audit


async def make_package(around: Around, violation: str, who: str, reason: str) -> Package | None:
    """The next package of a violation, None when there is no such violation; one at a time for each.

    Raises:
        LedgerUnavailable: there is no package.
        Damaged: a file on the shelf is not what it was.
        ShelfFull: there is no room left.
    """

    def look(connection: Connection) -> tuple[gathering.Known | None, list[Part], int]:
        known = gathering.known(connection, violation)
        return known, records.parts_of(connection, violation), records.next_number(connection, violation)

    known, kept, number = await around.ledger.read(look)
    if known is None:
        return None
    made = await asyncio.to_thread(_packed, around, known, kept, number)
    time_ms = around.clock.wall_ms()
    entries, missing = tuple(made.entries), tuple(made.missing)
    manifest = Manifest(violation, number, around.controller, time_ms, who, known.violation.rules, entries, missing)
    signed = sign_manifest(manifest, around.signer)
    digest = hashlib.sha256(signed).hexdigest()

    def anchor(connection: Connection) -> tuple[int, bytes]:
        detail = {"package": number, "manifest_sha256": digest, "parts": len(entries)}
        record(connection, "violation.package", violation, who, reason, time_ms, detail)
        row = audit.last_row(connection)
        return row["number"], sign_anchor(row, around.signer)

    audit_number, anchored = await around.ledger.write(anchor)
    file = await asyncio.to_thread(archive.pack, {MANIFEST: signed, ANCHOR: anchored, **made.parts})
    sha256 = await asyncio.to_thread(around.shelf.put, file)
    package = Package(violation, number, sha256, len(file), digest, audit_number, len(entries), missing, time_ms, who)
    await around.ledger.write(lambda connection: records.add_package(connection, package))
    return package


def _packed(around: Around, known: gathering.Known, kept: Sequence[Part], number: int) -> Packed:
    shelf = around.shelf
    files = [(part, File(shelf.read(part.sha256), part.media_type, part.source, _note(part))) for part in kept]
    tracks = [file for part, file in files if part.name == TRACK]
    frames = [file for part, file in files if part.name == FRAMES]
    photos = [file for part, file in files if part.media_type in SUFFIXES]
    facts = {**known.facts, "package": number}
    slice_csv = tracks[-1].content.decode() if tracks else None
    return packed(facts, slice_csv, frames, photos, around.keys(), around.zone)


def _note(part: Part) -> str:
    return f"{part.note} ({part.added_by})" if part.note else part.added_by
