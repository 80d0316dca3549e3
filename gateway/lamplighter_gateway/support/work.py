"""`gateway.support`: the bundle goes into the spool, piece by piece, ahead of its result."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from lamplighter_contract.commands.command import Command
from lamplighter_contract.commands.results import DeviceResult
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire.frame import piece_body
from lamplighter_contract.wire.pieces import SUPPORT_NAME, pieces_of
from lamplighter_gateway.config.model import Config
from lamplighter_gateway.spool.frames import Class
from lamplighter_gateway.support.collect import bundle
from lamplighter_gateway.support.ring import Ring
from lamplighter_gateway.support.secrets import secrets_of

OWN_SECRETS: Final = ("terminal.key",)


class Durable(Protocol):
    """What is needed of the spool."""

    async def put(self, of: Class, body: bytes) -> bool:
        """Return once it is on disk; False when that takes too long."""


class SupportWork:
    """Brings up what somebody far away has to see."""

    def __init__(
        self,
        config: Callable[[], tuple[Config, Mapping[str, Any]]],
        status: Callable[[], Awaitable[Mapping[str, Any]]],
        ring: Ring,
        spool: Durable,
    ) -> None:
        """`config` in force, and its tree as it was read."""
        self._config, self._status, self._ring, self._spool = config, status, ring, spool

    async def carry_out(self, command: Command) -> DeviceResult:
        """Verified once every piece is in the spool."""
        file = await self.collect()
        for piece in pieces_of(command.id, command.gateway, SUPPORT_NAME, file):
            if not await self._spool.put(Class.EVENT, piece_body(piece)):
                return DeviceResult("", CommandState.FAILED, "no room on the disk")
        return DeviceResult("", CommandState.VERIFIED, "", {"detail": f"{len(file)} bytes"})

    async def collect(self) -> bytes:
        """The bundle as it is now."""
        config, tree = self._config()
        own = [Path(config.data) / name for name in OWN_SECRETS]
        status, log = await self._status(), self._ring.text()
        return await asyncio.to_thread(lambda: bundle(status, tree, log, secrets_of(config, own)))
