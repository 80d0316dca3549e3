"""A centre that only signs: its key is made known to a gateway, and commands are timed until they are verified."""

import asyncio
import secrets
import time
from typing import Any, Final

import aiomqtt

from benchmarks.meter import BenchmarkError
from benchmarks.parts.observer import Seen
from lamplighter_contract.commands.command import Command, Operation, Target
from lamplighter_contract.commands.signing import KeysDocument, PublicKey, Signer, encode_key
from lamplighter_contract.ids import uuid7
from lamplighter_contract.wire.topics import Down, down

ROOT: Final = Signer("root", bytes(range(32)))
_KEY: Final = Signer("bench-1", bytes(range(1, 33)))
_PATIENCE_S: Final = 30.0
_HOUR_MS: Final = 3_600_000


class Orders:
    """Levels for one gateway's lamps."""

    def __init__(self, client: aiomqtt.Client, gateway: str, seen: Seen) -> None:
        self._client, self._gateway, self._seen = client, gateway, seen
        self._seq = round(time.time() * 1000)

    async def introduce(self) -> None:
        """Publish the key that commands are signed with."""
        keys = KeysDocument(1, (PublicKey(_KEY.kid, encode_key(_KEY.public), 0, 2**52),))
        await self._publish(Down.KEYS, ROOT.sign(keys.as_json()), retain=True)

    async def level(self, lamp: str, percent: int) -> float:
        """Bring a lamp to a level; seconds until the gateway's word that it was read back."""
        command = self._command(lamp, percent)
        payload, begun_s = _KEY.sign(command.as_json()), time.monotonic()
        await self._publish(Down.COMMAND, payload)
        while command.id not in self._seen.verified_s:
            if time.monotonic() - begun_s > _PATIENCE_S:
                raise BenchmarkError(f"a command for {lamp} was not verified within {_PATIENCE_S:g} s")
            await asyncio.sleep(0.001)
        return self._seen.verified_s[command.id] - begun_s

    async def _publish(self, channel: Down, payload: bytes, *, retain: bool = False) -> None:
        await self._client.publish(down(self._gateway, channel), payload, qos=1, retain=retain, timeout=10)

    def _command(self, lamp: str, percent: int) -> Command:
        self._seq += 1
        now_ms = round(time.time() * 1000)
        args: dict[str, Any] = {"level_percent": percent, "until": now_ms + _HOUR_MS}
        return Command(
            id=uuid7(now_ms, secrets.token_bytes(10)),
            seq=self._seq,
            gateway=self._gateway,
            issued=now_ms,
            expires=now_ms + 60_000,
            by="user:bench",
            reason="benchmark",
            target=Target((lamp,)),
            op=Operation.LIGHT_SET,
            args=args,
        )
