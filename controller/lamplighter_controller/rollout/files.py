"""Bundles at the centre, by digest, and the pieces of them that gateways ask for."""

import asyncio
import hashlib
import logging
import shutil
from pathlib import Path
from typing import Final

from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.files import MOST_BYTES, FileName, Wants, decode_wants, encode_part
from lamplighter_contract.wire.limits import MAX_PIECE_BYTES
from lamplighter_contract.wire.topics import Down, Up, down, parse_up
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.link.port import Link, LinkDown, Message, PublishDenied

log = logging.getLogger(__name__)

FOLDER: Final = "bundles"
SEND_S: Final = 10.0


class NotABundle(ControllerError):
    """A file that is given to be brought to gateways is none; the message says what was expected."""


class Bundles:
    """One folder; a file in it is named by its digest."""

    def __init__(self, data: Path) -> None:
        """Nothing is touched before it is asked for."""
        self._folder = data / FOLDER

    def add(self, path: Path) -> FileName:
        """Keep a file.

        Raises:
            NotABundle: it is empty, or too large to be brought.
            OSError: it cannot be read, or the disk does not take it.
        """
        size = path.stat().st_size
        if not 0 < size <= MOST_BYTES:
            raise NotABundle(f"{path} has {size} bytes, expected 1 to {MOST_BYTES}")
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self._folder / f"{digest}.partial"
        shutil.copyfile(path, partial)
        partial.replace(self._folder / digest)
        return FileName(digest, size)

    def has(self, name: FileName) -> bool:
        """True when it is here, whole."""
        path = self._folder / name.sha256
        return path.exists() and path.stat().st_size == name.size

    def read(self, wants: Wants) -> list[bytes]:
        """The pieces that are wanted, as far as there are any."""
        try:
            with (self._folder / wants.sha256).open("rb") as file:
                file.seek(wants.first * MAX_PIECE_BYTES)
                pieces = [file.read(MAX_PIECE_BYTES) for _ in range(wants.count)]
        except FileNotFoundError:
            return []
        return [piece for piece in pieces if piece]


class FileServer:
    """Brings pieces to whoever asked, one gateway after the other; a newer asking takes an older one's place."""

    def __init__(self, link: Link, gateways: Gateways, bundles: Bundles) -> None:
        """Nothing is brought before `run`."""
        self._link, self._gateways, self._bundles = link, gateways, bundles
        self._wanted: dict[str, Wants] = {}
        self._wake = asyncio.Event()

    def receive(self, message: Message) -> bool:
        """Take an asking; False when the message is none."""
        parsed = parse_up(message.topic)
        if parsed is None or parsed[1] is not Up.WANTS:
            return False
        wants = decode_wants(message.payload)
        if isinstance(wants, Wants) and parsed[0] in self._gateways.enrolled:
            self._wanted[parsed[0]] = wants
            self._wake.set()
        elif isinstance(wants, Refusal):
            log.warning("%s asks for pieces of a file in a way that nobody understands: %s", parsed[0], wants.detail)
        return True

    async def run(self) -> None:
        """Bring what is wanted; for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                gateway = next(iter(self._wanted))
                await self._bring(gateway, self._wanted.pop(gateway))

    async def _bring(self, gateway: str, wants: Wants) -> None:
        pieces = await asyncio.to_thread(self._bundles.read, wants)
        for number, piece in enumerate(pieces, start=wants.first):
            try:
                async with asyncio.timeout(SEND_S):
                    await self._link.publish(down(gateway, Down.FILE), encode_part(wants.sha256, number, piece))
            except (LinkDown, PublishDenied, TimeoutError) as error:
                log.info("a piece for %s was not brought (%s); it will ask again", gateway, error or "no answer")
                return
