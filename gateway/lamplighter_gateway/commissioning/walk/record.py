"""What has been found in one commissioning, told entry by entry. Pure.

Entries are only added; what was found is what all of them together say, so a kill between two of them loses nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import msgspec

Text = Annotated[str, msgspec.Meta(max_length=200)]


class What(StrEnum):
    """What an entry tells."""

    BEGUN = "begun"
    EXPECTED = "expected"
    SAW = "saw"
    OPENED = "opened"
    CLOSED = "closed"
    FED = "fed"
    NOTE = "note"
    ENDED = "ended"


class Saw(msgspec.Struct, frozen=True):
    """A person saw this lamp blink at a pole; None: nothing blinked."""

    device: Text
    pole: Text | None


class Fed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What switching a circuit showed: the phase whose current fell, by how much, and the lamps that lost power.

    `phase` is empty where the meter does not tell; `lamps` is None where the lamps do not count their losses.
    """

    circuit: Text
    phase: Text = ""
    drop_a: float = 0.0
    lamps: tuple[Text, ...] | None = None
    why: Text = ""


class LampRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A lamp as the inventory has it."""

    device: Text
    pole: Text = ""
    circuit: Text = ""
    phase: Text = ""


class CircuitRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A circuit as the inventory has it."""

    circuit: Text
    phase: Text = ""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the record; `time` is civil epoch ms, `by` the person."""

    what: What
    time: int
    by: Text
    subject: Text = ""
    saw: Saw | None = None
    fed: Fed | None = None
    lamps: tuple[LampRow, ...] = ()
    circuits: tuple[CircuitRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest answer about one lamp."""

    pole: str | None
    by: str
    time_ms: int


@dataclass(slots=True)
class Record:
    """One commissioning as it stands. `open_circuits`: opened for a test and not yet closed again."""

    job: str = ""
    begun_ms: int = 0
    begun_by: str = ""
    ended_ms: int = 0
    lamps: dict[str, LampRow] = field(default_factory=dict)
    circuits: dict[str, CircuitRow] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    fed: dict[str, Fed] = field(default_factory=dict)
    open_circuits: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """True between its beginning and its end."""
        return bool(self.job) and not self.ended_ms

    def take(self, entry: Entry) -> None:
        """One more entry."""
        match entry.what:
            case What.BEGUN:
                self.job, self.begun_ms, self.begun_by = entry.subject, entry.time, entry.by
            case What.EXPECTED:
                self.lamps |= {row.device: row for row in entry.lamps}
                self.circuits |= {row.circuit: row for row in entry.circuits}
            case What.SAW if entry.saw is not None:
                self.seen[entry.saw.device] = Seen(entry.saw.pole, entry.by, entry.time)
            case What.OPENED:
                self.open_circuits[entry.subject] = entry.by
            case What.CLOSED:
                self.open_circuits.pop(entry.subject, None)
            case What.FED if entry.fed is not None:
                self.fed[entry.fed.circuit] = entry.fed
            case What.NOTE:
                self.notes.append(entry.subject)
            case What.ENDED:
                self.ended_ms = entry.time


def folded(entries: Iterable[Entry]) -> Record:
    """What all entries together say."""
    record = Record()
    for entry in entries:
        record.take(entry)
    return record


def as_json(record: Record) -> dict[str, Any]:
    """For the control socket and for files."""
    seen = {device: {"pole": its.pole, "by": its.by, "time": its.time_ms} for device, its in record.seen.items()}
    return {
        "job": record.job,
        "begun": record.begun_ms,
        "begun_by": record.begun_by,
        "ended": record.ended_ms,
        "lamps": [msgspec.to_builtins(row) for row in record.lamps.values()],
        "circuits": [msgspec.to_builtins(row) for row in record.circuits.values()],
        "seen": seen,
        "fed": [msgspec.to_builtins(fed) for fed in record.fed.values()],
        "open_circuits": list(record.open_circuits),
        "notes": list(record.notes),
    }


def told(gateway: str, record: Record, lamps: Sequence[str], circuits: Sequence[str]) -> dict[str, Any]:
    """A record with the lamps and contactors that its gateway serves, for whoever makes a sheet of it."""
    return {"gateway": gateway, "served": list(lamps), "contactors": list(circuits), "record": as_json(record)}


def from_json(told: Mapping[str, Any]) -> Record:
    """The record that `as_json` told."""
    record = Record(str(told["job"]), int(told["begun"]), str(told["begun_by"]), int(told["ended"]))
    record.lamps = {row.device: row for row in msgspec.convert(told["lamps"], list[LampRow])}
    record.circuits = {row.circuit: row for row in msgspec.convert(told["circuits"], list[CircuitRow])}
    record.seen = {device: Seen(its["pole"], its["by"], its["time"]) for device, its in told["seen"].items()}
    record.fed = {fed.circuit: fed for fed in msgspec.convert(told["fed"], list[Fed])}
    record.open_circuits = dict.fromkeys(told["open_circuits"], "")
    record.notes = list(told["notes"])
    return record
