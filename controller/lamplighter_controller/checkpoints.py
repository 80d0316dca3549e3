"""What a room has learned, kept in one file that is whole or not there."""

import logging
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

TIME: Final = "checkpoint.time_ms"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state as of `time_ms` (civil): everything stored before then has been judged."""

    time_ms: int
    state: dict[str, NDArray[Any]]


class Checkpoints:
    """The file of one room in the data folder."""

    def __init__(self, folder: Path, room: str) -> None:
        """Keep it there."""
        self._room, self._path = room, folder / f"{room}.npz"

    def write(self, checkpoint: Checkpoint) -> None:
        """Replace the file; blocks.

        Raises:
            OSError: it could not be written; the former one stands.
        """
        partial = self._path.with_suffix(".part")
        arrays: dict[str, Any] = {**checkpoint.state, TIME: np.array(checkpoint.time_ms)}
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)

    def read(self) -> Checkpoint | None:
        """The last one written, None when there is none that can be read; blocks."""
        try:
            with self._path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                state = {name: file[name] for name in file.files}
                return Checkpoint(int(state.pop(TIME)), state)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            log.warning("what %s had learned cannot be read and is learned anew: %s", self._room, error)
            return None
