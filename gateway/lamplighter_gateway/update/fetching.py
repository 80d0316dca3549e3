"""A bundle over the uplink: asked for piece by piece, kept as it comes, gone on with after any interruption."""

import asyncio
import hashlib
import logging
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.files import MOST_PIECES, FileName, Wants, decode_part
from lamplighter_contract.wire.limits import MAX_PIECE_BYTES
from lamplighter_gateway.watch.counters import Counters

log = logging.getLogger(__name__)

FOLDER: Final = "updates"
PATIENCE_S: Final = 20.0  # for the next piece; then it is asked for again

Ask = Callable[[bytes], Awaitable[bool]]


class Fetching:
    """The folder of what comes; one file at a time, so that it never grows beyond one bundle."""

    def __init__(self, data: Path, ask: Ask, counters: Counters, patience_s: float = PATIENCE_S) -> None:
        """`ask` sends what is wanted to the centre; False when there is no connection."""
        self._folder, self._ask, self._counters, self._patience_s = data / FOLDER, ask, counters, patience_s
        self._name: FileName | None = None
        self._came = asyncio.Event()
        self._next = 0

    async def take(self, payload: bytes, _retained: bool) -> None:
        """A piece as it came; one that is not the next is of no use, and asked for again."""
        part = decode_part(payload)
        if isinstance(part, Refusal) or self._name is None or part[0] != self._name.sha256 or part[1] != self._next:
            self._counters.add("file_pieces_unwanted")
            return
        if len(part[2]) != self._wanted_bytes():
            self._counters.add("file_pieces_unwanted")
            return
        await asyncio.to_thread(self._append, self._name, part[2])
        self._next += 1
        self._came.set()

    async def fetch(self, name: FileName) -> Path:
        """The whole file, however long that takes; what came of another one before is dropped.

        Raises:
            OSError: the disk does not take it.
        """
        await asyncio.to_thread(self._begin, name)
        self._name = name
        while True:
            while self._next < name.pieces:
                await self._ask_next(name)
            whole = self._part(name)
            if await asyncio.to_thread(_digest, whole) == name.sha256:
                self._name = None
                return whole
            log.error("what came is not the file that was asked for; it is asked for anew")
            whole.unlink()
            self._next = 0

    def drop(self) -> None:
        """Forget what came."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _ask_next(self, name: FileName) -> None:
        count = min(MOST_PIECES, name.pieces - self._next)
        wanted = self._next + count
        await self._ask(Wants(name.sha256, self._next, count).encode())
        while self._next < wanted:
            self._came.clear()
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._came.wait()
            except TimeoutError:
                return

    def _begin(self, name: FileName) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._part(name)
        for other in self._folder.iterdir():
            if other != part:
                other.unlink()
        part.touch()
        self._next = min(part.stat().st_size, name.size) // MAX_PIECE_BYTES
        if part.stat().st_size != name.size:
            with part.open("r+b") as file:
                file.truncate(self._next * MAX_PIECE_BYTES)
        else:
            self._next = name.pieces

    def _wanted_bytes(self) -> int:
        assert self._name is not None, "only while something is fetched"
        return min(MAX_PIECE_BYTES, self._name.size - self._next * MAX_PIECE_BYTES)

    def _append(self, name: FileName, content: bytes) -> None:
        with self._part(name).open("ab") as file:
            file.write(content)

    def _part(self, name: FileName) -> Path:
        return self._folder / f"{name.sha256}.part"


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
