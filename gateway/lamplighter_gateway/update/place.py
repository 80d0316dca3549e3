"""The folder of slots on the data partition: what is installed where, on disk."""

import fcntl
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from lamplighter_gateway.disk import write_durably
from lamplighter_gateway.update.slots import Installed, Slot, Slots, runs

log = logging.getLogger(__name__)

FOLDER: Final = "slots"
STATE: Final = "slots.json"
LOCK: Final = "lock"


class Place:
    """Slots of one data folder. `base_version` is what the machine came with."""

    def __init__(self, data: Path, base_version: str) -> None:
        """Nothing is touched before it is asked for."""
        self.folder = data / FOLDER
        self._base = Slots(Installed(Slot.BASE, base_version, ""))

    def load(self) -> Slots:
        """What is known; what the machine came with where nothing can be read, or what should run is not there."""
        try:
            slots = msgspec.json.decode((self.folder / STATE).read_bytes(), type=Slots)
        except FileNotFoundError:
            return self._base
        except (OSError, msgspec.DecodeError) as error:
            log.error("%s cannot be read (%s): the version that the machine came with runs", self.folder / STATE, error)  # noqa: TRY400 - expected trouble, no trace wanted
            return self._base
        if not self._is_there(slots.good):
            log.error("slot %s is empty: the version that the machine came with runs", slots.good.slot)
            return msgspec.structs.replace(slots, good=self._base.good)
        if slots.trial is not None and not self._is_there(slots.trial):
            return slots.takes_back("its slot is empty")
        return slots

    def save(self, slots: Slots) -> None:
        """Keep it durably.

        Raises:
            OSError: the disk does not take it.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(self.folder / STATE, msgspec.json.encode(slots))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One update at a time.

        Raises:
            BlockingIOError: another one is at it.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield

    def path(self, slot: Slot) -> Path:
        """The folder of a slot."""
        return self.folder / slot

    def command(self, slots: Slots, arguments: Sequence[str]) -> list[str]:
        """The command line of the version that runs now."""
        its = runs(slots)
        python = sys.executable if its.slot is Slot.BASE else str(self.path(its.slot) / "bin" / "python")
        return [python, "-m", "lamplighter_gateway", *arguments]

    def _is_there(self, installed: Installed) -> bool:
        return installed.slot is Slot.BASE or (self.path(installed.slot) / "bin" / "python").exists()
