"""Where photos and signatures are added to an order."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import Connection

from lamplighter_controller.maintenance import keys
from lamplighter_controller.maintenance.around import Around
from lamplighter_controller.maintenance.orders import records
from lamplighter_controller.maintenance.orders.order import OPEN
from lamplighter_controller.maintenance.orders.photos import MOST_PER_ORDER, Photo, media_type_of
from lamplighter_controller.maintenance.orders.safety import Signature
from lamplighter_controller.maintenance.refused import Refused, not_now
from lamplighter_controller.security import audit


@dataclass(frozen=True, slots=True)
class Upload:
    """A photo as it came; `taken_ms` civil, 0 = not told."""

    content: bytes
    taken_ms: int = 0
    latitude: float | None = None
    longitude: float | None = None
    note: str = ""


class Attachments:
    """Photos and signatures of orders. Every method raises LedgerUnavailable; asking again is safe."""

    def __init__(self, around: Around) -> None:
        """Keep files on the shelf, all else in the ledger."""
        self._around = around

    async def attach(self, identity: str, upload: Upload, who: str, key: str | None = None) -> Photo | Refused | None:
        """Bind a photo; the same bytes twice are one. None when there is no such order.

        Raises:
            ShelfFull: there is no room left.
        """
        around = self._around
        known = await around.ledger.read(lambda connection: self._known(connection, identity, upload, who, key))
        if known is None or isinstance(known, Refused | Photo):
            return known
        media_type = media_type_of(upload.content, upload.note)
        if isinstance(media_type, Refused):
            return media_type
        digest = await asyncio.to_thread(around.shelf.put, upload.content)
        photo = Photo(
            digest,
            media_type,
            len(upload.content),
            who,
            around.clock.wall_ms(),
            upload.taken_ms,
            upload.latitude,
            upload.longitude,
            upload.note,
        )
        return await around.ledger.write(lambda connection: self._bound(connection, identity, photo, who, key))

    async def content(self, identity: str, digest: str) -> tuple[str, bytes] | None:
        """Media type and bytes of a photo; None when the order has none of that digest.

        Raises:
            Damaged: it is gone or was changed on disk.
        """
        found = await self._around.ledger.read(lambda connection: records.photos_of(connection, identity))
        photo = next((one for one in found if one.sha256 == digest), None)
        if photo is None:
            return None
        return photo.media_type, await asyncio.to_thread(self._around.shelf.read, digest)

    async def sign(self, identity: str, signature: Signature, key: str | None = None) -> bool | Refused | None:
        """Keep who signed which safety steps; False for a repeat, None when there is no such order."""
        around = self._around
        content = keys.content_of(f"{identity} sign", {"steps": list(signature.steps), "name": signature.name})

        def work(connection: Connection) -> bool | Refused | None:
            answer = keys.answered(connection, signature.who, key, content)
            if answer is not None:
                return answer if isinstance(answer, Refused) else False
            order = records.find(connection, identity)
            if order is None:
                return None
            if order.state not in OPEN:
                return not_now(f"the order is {order.state}")
            records.add_signature(connection, identity, signature)
            keys.remember(connection, signature.who, key, content, identity, around.clock.wall_ms())
            detail = {"steps": [one.value for one in signature.steps], "at_ms": signature.at_ms}
            self._audit(connection, identity, signature.who, "order.safety-signed", signature.name, detail)
            return True

        return await around.ledger.write(work)

    def _known(
        self, connection: Connection, identity: str, upload: Upload, who: str, key: str | None
    ) -> Photo | Refused | bool | None:
        photos = records.photos_of(connection, identity)
        content = keys.content_of(f"{identity} photo", {"bytes": len(upload.content), "note": upload.note})
        answer = keys.answered(connection, who, key, content)
        if isinstance(answer, Refused):
            return answer
        if answer is not None:
            return next(one for one in photos if one.sha256 == answer)
        if records.find(connection, identity) is None:
            return None
        if len(photos) >= MOST_PER_ORDER:
            return not_now(f"an order has at most {MOST_PER_ORDER} photos")
        return True

    def _bound(self, connection: Connection, identity: str, photo: Photo, who: str, key: str | None) -> Photo:
        known = {one.sha256: one for one in records.photos_of(connection, identity)}
        content = keys.content_of(f"{identity} photo", {"bytes": photo.bytes, "note": photo.note})
        if keys.answered(connection, who, key, content) is None:
            keys.remember(connection, who, key, content, photo.sha256, self._around.clock.wall_ms())
        if photo.sha256 in known:
            return known[photo.sha256]
        records.add_photo(connection, identity, photo)
        detail = {"sha256": photo.sha256, "bytes": photo.bytes, "media_type": photo.media_type}
        self._audit(connection, identity, who, "order.photo", photo.note, detail)
        return photo

    def _audit(
        self, connection: Connection, order: str, who: str, action: str, reason: str, detail: dict[str, object]
    ) -> None:
        audit.record(
            connection,
            who=who,
            action=action,
            subject=f"order:{order}",
            reason=reason,
            result="done",
            time_ms=self._around.clock.wall_ms(),
            detail=detail,
        )
