"""The catalogue's entries, read from the package's own files and checked as they are read."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import msgspec
import yaml

from lamplighter_controller.diagnosis.findings import ElementKind

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Told = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

FILES: Final = ("luminaire.yaml", "supply.yaml", "instruments.yaml")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in English and Chinese."""

    en: Told
    zh: Told

    def in_language(self, language: str) -> str:
        """Chinese for `zh`, English for anything else."""
        return self.zh if language == "zh" else self.en


class Trip(StrEnum):
    """When it is worth sending somebody."""

    AT_ONCE = "at_once"
    SECOND_NIGHT = "second_night"  # or after an active test
    OFFICE = "office"  # nobody needs to go there
    NEVER = "never"  # it is no fault


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One class.

    Args:
        element: what it is a fault of; a class of lamps can also be told of the pole they stand on.
        severity: 1 information, 2 planned, 3 next night, 4 same day, 5 now.
        talq: event name of TALQ 2.7.1, empty where none is known.
    """

    id: Id
    element: ElementKind
    name: Words
    severity: Annotated[int, msgspec.Meta(ge=1, le=5)]
    trip: Trip
    signature: Told
    evidence: Told
    confounders: Told
    action: Words
    part: Words
    talq: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_]{0,40}$")]


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How evidence lines are called, and what would settle a doubt, by key."""

    evidence: dict[Id, Words]
    settle: dict[Id, Words]


@cache
def catalogue() -> Mapping[str, Fault]:
    """Every class by its id, in the order of the files."""
    read = [fault for name in FILES for fault in msgspec.convert(_document(name), list[Fault])]
    return {fault.id: fault for fault in read}


@cache
def wording() -> Wording:
    """How evidence and doubts are told."""
    return msgspec.convert(_document("wording.yaml"), Wording)


def _document(name: str) -> object:
    return yaml.safe_load(files(__package__).joinpath(name).read_text("utf-8"))
