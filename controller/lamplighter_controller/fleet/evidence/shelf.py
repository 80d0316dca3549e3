"""Files on disk under the SHA-256 of their content; what comes in pieces waits beside them until it is whole."""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lamplighter_contract.wire.pieces import DIGEST, Piece
from lamplighter_controller.errors import ControllerError

INCOMING: Final = "incoming"


class ShelfFull(ControllerError):
    """The room that evidence may take is used up."""


class Damaged(ControllerError):
    """A file on the shelf is gone or no longer what its name says."""


@dataclass(slots=True)
class Shelf:
    """One folder; every call does input and output and belongs into a thread. `max_bytes` bounds all of it."""

    folder: Path
    max_bytes: int
    used_bytes: int = field(init=False, default=0)
    _lock: threading.RLock = field(init=False, default_factory=threading.RLock)

    def open(self) -> None:
        """Make the folder and count what is there."""
        (self.folder / INCOMING).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.used_bytes = sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    def put(self, content: bytes) -> str:
        """Keep a file durably; its digest.

        Raises:
            ShelfFull: there is no room left for it.
            OSError: the disk does not take it.
        """
        digest = hashlib.sha256(content).hexdigest()
        place = self._place(digest)
        with self._lock:
            if not place.exists():
                self._room(len(content))
                place.parent.mkdir(mode=0o700, exist_ok=True)
                _write(place, content)
                self.used_bytes += len(content)
        return digest

    def read(self, digest: str) -> bytes:
        """A file, checked against its name.

        Raises:
            Damaged: it is gone or was changed.
        """
        try:
            content = self._place(digest).read_bytes()
        except OSError as error:
            raise Damaged(f"{digest} cannot be read: {error}") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise Damaged(f"{digest} was changed on disk")
        return content

    def take(self, piece: Piece) -> bool:
        """Keep a piece durably; True once the file it belongs to is whole and on the shelf.

        Raises:
            ShelfFull: there is no room left for it.
            OSError: the disk does not take it.
        """
        with self._lock:
            if self._place(piece.sha256).exists():
                return True
            folder = self.folder / INCOMING / piece.sha256
            kept = folder / str(piece.number)
            if not kept.exists():
                content = piece.read()
                self._room(len(content))
                folder.mkdir(mode=0o700, exist_ok=True)
                _write(kept, content)
                self.used_bytes += len(content)
            return self._joined(folder, piece)

    def remove(self, digests: Iterable[str]) -> None:
        """Delete files for good."""
        with self._lock:
            for place in map(self._place, digests):
                if place.exists():
                    self.used_bytes -= place.stat().st_size
                    place.unlink()

    def forget_incoming(self, before_s: float) -> int:
        """Drop files of which nothing has come since then (epoch s) and that never became whole; how many."""
        with self._lock:
            stale = [folder for folder in (self.folder / INCOMING).iterdir() if folder.stat().st_mtime < before_s]
            for folder in stale:
                self._drop(folder)
        return len(stale)

    def _joined(self, folder: Path, piece: Piece) -> bool:
        parts = [folder / str(number) for number in range(1, piece.total + 1)]
        if not all(part.exists() for part in parts):
            return False
        content = b"".join(part.read_bytes() for part in parts)
        if hashlib.sha256(content).hexdigest() == piece.sha256:
            self._drop(folder)
            self.put(content)
            return True
        self._drop(folder)  # whoever cut it lied about the whole: nothing of it can be used
        return False

    def _drop(self, folder: Path) -> None:
        self.used_bytes -= sum(file.stat().st_size for file in folder.iterdir())
        shutil.rmtree(folder)

    def _room(self, wanted: int) -> None:
        if self.used_bytes + wanted > self.max_bytes:
            raise ShelfFull(f"evidence takes {self.used_bytes} of {self.max_bytes} bytes")

    def _place(self, digest: str) -> Path:
        assert DIGEST.fullmatch(digest), "only digests name files"
        return self.folder / digest[:2] / digest


def _write(place: Path, content: bytes) -> None:
    """Durably, and never half."""
    partial = place.with_name(place.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
