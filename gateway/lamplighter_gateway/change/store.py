"""Configurations on disk: the one that proved good, the one on trial, and those that were taken back."""

import logging
from pathlib import Path
from typing import Any, Final

import msgspec

from lamplighter_gateway.change.trial import Answers
from lamplighter_gateway.config.candidate import Candidate
from lamplighter_gateway.disk import write_durably

log = logging.getLogger(__name__)

FILE_NAME: Final = "config.json"
MOST_STARTS: Final = 3  # process starts in one trial: a configuration that nobody survives is taken back, too
MOST_TAKEN_BACK: Final = 16


class Kept(msgspec.Struct, frozen=True):
    """What is known of configurations.

    Args:
        good: the last one that proved good.
        answers: what has answered under it.
        trial: the one on trial, None between trials.
        before: what answered before the trial.
        starts: process starts of the trial.
        taken_back: versions that did not prove good; a process start does not try them again by itself.
    """

    good: Candidate | None = None
    answers: Answers = Answers()
    trial: Candidate | None = None
    before: Answers = Answers()
    starts: int = 0
    taken_back: tuple[str, ...] = ()

    @property
    def central(self) -> dict[str, Any] | None:
        """What the centre said last that is still to be followed."""
        its = self.trial or self.good
        return its.central if its is not None else None

    def tries(self, candidate: Candidate, before: Answers) -> "Kept":
        """This one is on trial from now on; asked for again, it gets another chance."""
        others = tuple(version for version in self.taken_back if version != candidate.version)
        return msgspec.structs.replace(self, trial=candidate, before=before, starts=1, taken_back=others)

    def starts_again(self) -> "Kept":
        """Another process start in the same trial."""
        return msgspec.structs.replace(self, starts=self.starts + 1)

    def proves(self, answers: Answers) -> "Kept":
        """The one on trial is good."""
        return Kept(good=self.trial or self.good, answers=answers, taken_back=self.taken_back)

    def takes_back(self) -> "Kept":
        """The one on trial is not good; the good one goes on."""
        bad = (self.trial.version,) if self.trial is not None else ()
        return Kept(good=self.good, answers=self.answers, taken_back=(*self.taken_back, *bad)[-MOST_TAKEN_BACK:])


class ConfigStore:
    """The file in the data folder; one that cannot be read is forgotten, and that is said."""

    def __init__(self, folder: Path) -> None:
        """Nothing is touched before it is asked for."""
        self._path = folder / FILE_NAME

    def load(self) -> Kept:
        """What was kept, nothing where there is no file of ours."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Kept()
        except (OSError, msgspec.DecodeError) as error:
            log.error("%s cannot be read (%s): no earlier configuration is known", self._path, error)  # noqa: TRY400 - a spoilt file is expected trouble, no trace wanted
            return Kept()

    def save(self, kept: Kept) -> bool:
        """Keep it durably, whole or not at all; False when the disk does not take it."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(self._path, msgspec.json.encode(kept))
        except OSError as error:
            log.error("%s cannot be written: %s", self._path, error)  # noqa: TRY400 - expected trouble, no trace wanted
            return False
        return True
