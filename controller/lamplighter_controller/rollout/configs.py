"""What the centre has gateways serve: signed, versioned, retained; one whose own file rules refuses it and says so."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy import BigInteger, Column, Connection, String, Table, Text, select

from lamplighter_contract.clock import Clock
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.config import ConfigDocument
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.ledger.tables import metadata, storable
from lamplighter_controller.link.port import Link, LinkDown, PublishDenied
from lamplighter_controller.security import audit

log = logging.getLogger(__name__)

LOOK_S: Final = 30.0
QUIET_S: Final = 600.0

table: Final = Table(
    "gateway_config",
    metadata,
    Column("gateway", String(64), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)


def put(connection: Connection, document: ConfigDocument) -> None:
    """Keep the newest of a gateway."""
    values = {"version": document.version, "document": storable(msgspec.json.encode(document).decode())}
    changed = connection.execute(table.update().where(table.c.gateway == document.gateway).values(**values))
    if changed.rowcount == 0:
        connection.execute(table.insert().values(gateway=document.gateway, **values))


def every(connection: Connection) -> list[ConfigDocument]:
    """The newest of every gateway that has one."""
    texts = connection.scalars(select(table.c.document).order_by(table.c.gateway))
    return [msgspec.json.decode(text, type=ConfigDocument) for text in texts]


def find(connection: Connection, gateway: str) -> ConfigDocument | None:
    """The newest of one gateway."""
    text = connection.scalar(select(table.c.document).where(table.c.gateway == gateway))
    return msgspec.json.decode(text, type=ConfigDocument) if text is not None else None


class ConfigKeeper:
    """Keeps the newest configuration before every gateway that has one at the centre; nobody while the hold lasts."""

    def __init__(
        self,
        link: Link,
        ledger: Ledger,
        signer: Signer,
        gateways: Gateways,
        alarms: Alarms,
        clock: Clock,
        held: Callable[[], bool],
    ) -> None:
        """Tell what the ledger holds; `run` does it."""
        self._link, self._ledger, self._signer = link, ledger, signer
        self._gateways, self._alarms, self._clock, self._held = gateways, alarms, clock, held
        self._told: dict[str, int] = {}
        self._wake = asyncio.Event()

    async def give(self, wanted: ConfigDocument, *, who: str, reason: str) -> ConfigDocument | Refusal:
        """Keep another configuration for its gateway, with a version above every one before; then it is told.

        Raises:
            LedgerUnavailable: it is not known to be kept.
        """
        if len(msgspec.json.encode(wanted)) > MAX_DOCUMENT_BYTES // 2:
            return Refusal(Reason.TOO_LARGE, f"more than {MAX_DOCUMENT_BYTES // 2} bytes")
        wall_ms = self._clock.wall_ms()

        def work(connection: Connection) -> ConfigDocument:
            before = find(connection, wanted.gateway)
            document = msgspec.structs.replace(wanted, version=max(wall_ms, before.version + 1 if before else 1))
            put(connection, document)
            audit.record(
                connection,
                who=who,
                action="gateway.config",
                subject=f"gateway:{document.gateway}",
                reason=reason,
                result="done",
                detail={"version": document.version, "devices": len(document.devices)},
                time_ms=wall_ms,
            )
            return document

        given = await self._ledger.write(work)
        self._wake.set()
        return given

    async def given(self, gateway: str) -> ConfigDocument | None:
        """What a gateway was given last, None when it never was."""
        return await self._ledger.read(lambda connection: find(connection, gateway))

    async def connected(self) -> None:
        """The broker may have forgotten everything."""
        self._told.clear()
        self._wake.set()

    async def run(self) -> None:
        """Tell whoever was not told; look again from time to time, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()
            with contextlib.suppress(LedgerUnavailable, LinkDown):  # both are told by their rooms; we look again
                await self.look()

    async def look(self) -> None:
        """Tell whoever was not told, once.

        Raises:
            LedgerUnavailable: the database does not answer.
            LinkDown: the connection to the broker was lost.
        """
        if self._held() or not self._link.up:
            return
        for document in await self._ledger.read(every):
            name = document.gateway
            if name in self._gateways.enrolled and self._told.get(name) != document.version:
                await self._tell(document)

    async def _tell(self, document: ConfigDocument) -> None:
        payload = self._signer.sign(document.as_json())
        try:
            await self._link.publish(down(document.gateway, Down.CONFIG), payload, retain=True)
        except PublishDenied as error:
            self._alarms.raised("config-denied", f"the broker refuses our configurations: {error}", quiet_s=QUIET_S)
        else:
            log.info("configuration %d is before %s", document.version, document.gateway)
        self._told[document.gateway] = document.version
