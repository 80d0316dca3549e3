"""The record on disk: one JSON line per entry, durable before anybody is told that it was taken."""

import asyncio
import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from lamplighter_gateway.commissioning.walk.record import Entry, Record, folded
from lamplighter_gateway.disk import DiskFullError

log = logging.getLogger(__name__)

FILE_NAME: Final = "commission.jsonl"
_PRIVATE: Final = 0o600


class RecordFile:
    """The record of the newest commissioning; older ones are kept beside it by their job's name."""

    def __init__(self, folder: Path) -> None:
        """Nothing is touched before `open`."""
        self._path = folder / FILE_NAME
        self.record = Record()

    async def open(self) -> None:
        """Read what there is; a file that cannot be read is told of, and the gateway goes on without it."""
        try:
            self.record = await asyncio.to_thread(self._read)
        except OSError as error:
            log.error("%s cannot be read, so no commissioning goes on: %s", self._path, error)  # noqa: TRY400 - no trace wanted
            self.record = Record()

    async def add(self, entry: Entry) -> None:
        """Make one entry durable, then know it.

        Raises:
            DiskFullError: it could not be written; nothing is known of it.
        """
        try:
            await asyncio.to_thread(self._append, entry)
        except OSError as error:
            raise DiskFullError(f"{self._path.name} cannot be written: {error}") from error
        self.record.take(entry)

    async def lay_aside(self) -> None:
        """Make room for another commissioning; this one is kept under its own name."""
        if self.record.job:
            await asyncio.to_thread(self._path.rename, self._path.with_name(f"commission-{self.record.job}.jsonl"))
        self.record = Record()

    def _append(self, entry: Entry) -> None:
        fresh = not self._path.exists()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE)
        try:
            size = os.fstat(descriptor).st_size
            line = msgspec.json.encode(entry) + b"\n"
            if os.write(descriptor, line) < len(line):
                os.ftruncate(descriptor, size)
                raise OSError("no room on the disk")
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if fresh:
            _sync_folder(self._path.parent)

    def _read(self) -> Record:
        """Every whole line; a torn last one was never answered for, so it is cut off."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return Record()
        entries, good = [], 0
        for line in data.splitlines(keepends=True):
            try:
                if not line.endswith(b"\n"):
                    break
                entries.append(msgspec.json.decode(line, type=Entry))
            except msgspec.MsgspecError:
                log.warning("%s: a line that cannot be read is left out", self._path.name)
            good += len(line)
        if good < len(data):
            os.truncate(self._path, good)
        return folded(entries)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
