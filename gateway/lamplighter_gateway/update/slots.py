"""Which of two slots runs: the good one, or one on trial that has to prove itself. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

MOST_STARTS: Final = 3  # of a version on trial; one that falls over more often is left
MOST_FAILED: Final = 16


class Slot(StrEnum):
    """Where a version is installed; `BASE` is what the machine came with, and is never written."""

    BASE = "base"
    A = "a"
    B = "b"


@dataclass(frozen=True, slots=True)
class Installed:
    """A version in its slot, named by the digest of its bundle."""

    slot: Slot
    version: str
    sha256: str


class Slots(msgspec.Struct, frozen=True):
    """What is known of versions.

    Args:
        good: the version that runs when none is on trial.
        trial: the version on trial.
        before: whether a bus and the uplink answered before it.
        health_s: how long it has to prove itself after each start.
        starts: how often it was started.
        failed: digests of bundles that did not prove themselves, the newest last, with why.
        asked: id of the command that asked for the last trial, empty when a person beside it did.
        untold: True until the centre was told of the last one of them.
    """

    good: Installed
    trial: Installed | None = None
    before: tuple[bool, bool] = (False, False)
    health_s: float = 600.0
    starts: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    asked: str = ""
    untold: bool = False

    @property
    def spare(self) -> Slot:
        """Where the next version goes."""
        return Slot.B if self.good.slot is Slot.A else Slot.A

    def tries(self, installed: Installed, before: tuple[bool, bool], health_s: float, asked: str = "") -> "Slots":
        """This one is on trial from the next start on."""
        return msgspec.structs.replace(self, trial=installed, before=before, health_s=health_s, starts=0, asked=asked)

    def starts_again(self) -> "Slots":
        """One more start of the trial; one start too many ends it."""
        again = msgspec.structs.replace(self, starts=self.starts + 1)
        return (
            again.takes_back(f"it did not live through {MOST_STARTS} starts") if again.starts > MOST_STARTS else again
        )

    def proves(self) -> "Slots":
        """The trial is good."""
        return Slots(self.trial or self.good, failed=self.failed, asked=self.asked)

    def takes_back(self, why: str) -> "Slots":
        """The trial is not good; the version before it runs again."""
        bad = ((self.trial.sha256, why),) if self.trial is not None else ()
        return Slots(self.good, failed=(*self.failed, *bad)[-MOST_FAILED:], asked=self.asked, untold=bool(bad))


def runs(slots: Slots) -> Installed:
    """What is to be started now."""
    return slots.trial or slots.good
