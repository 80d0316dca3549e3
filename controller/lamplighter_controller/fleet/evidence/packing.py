"""From what is known and kept to the parts of a package, in their order. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from lamplighter_controller.fleet.evidence import track
from lamplighter_controller.fleet.evidence.manifest import KEYS, Entry, Missing, entry
from lamplighter_controller.fleet.evidence.page import Page
from lamplighter_controller.fleet.evidence.words import LANGUAGES

TRACK: Final = "track.csv"
FRAMES: Final = "frames.jsonl"
FACTS: Final = "violation.json"
JSON: Final = "application/json"
SUFFIXES: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class File:
    """A file that was kept: its content and what is on record of it."""

    content: bytes
    media_type: str
    source: str
    note: str = ""


@dataclass(slots=True)
class Packed:
    """Parts by name in the order of the package, an entry for each, and what is missing."""

    parts: dict[str, bytes] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def add(self, name: str, file: File) -> None:
        """One part more."""
        self.parts[name] = file.content
        self.entries.append(entry(name, file.media_type, file.content, file.source, file.note))


def packed(
    facts: Mapping[str, Any],
    slice_csv: str | None,
    frames: Sequence[File],
    photos: Sequence[File],
    keys: bytes,
    zone: ZoneInfo,
) -> Packed:
    """All parts but the manifest; what should be there and is not is told with its reason."""
    readings = track.from_csv(slice_csv) if slice_csv else None
    whole = {
        **facts,
        "quality": track.quality_of(readings) if readings else {},
        "states": track.states_of(readings) if readings else [],
        "clock_offset_ms": _offset(frames),
    }
    out = Packed(missing=list(_missing(whole, slice_csv, frames)))
    out.add(FACTS, File(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2), JSON, "controller"))
    if slice_csv:
        out.add(TRACK, File(slice_csv.encode(), "text/csv", "controller"))
    for number, file in enumerate(frames, start=1):
        out.add(FRAMES if number == 1 else f"frames-{number}.jsonl", file)
    for number, file in enumerate(photos, start=1):
        out.add(f"photos/{number:02}-{file.source}.{SUFFIXES[file.media_type]}", file)
    out.add(KEYS, File(keys, JSON, "controller", "public keys, signed by the root key"))
    points = track.points_of(readings) if readings else []
    listed, missing = tuple(out.entries), tuple(out.missing)
    for language in LANGUAGES:
        page = Page(whole, language, zone).html(listed, missing, points)
        out.add(f"{language}.html", File(page, "text/html", "controller"))
    return out


def _offset(frames: Sequence[File]) -> int | None:
    """The terminal's clock less the gateway's, as the first line of the raw frames tells it."""
    for file in frames:
        try:
            offset = orjson.loads(file.content.split(b"\n", 1)[0]).get("clock_offset_ms")
        except (orjson.JSONDecodeError, AttributeError):
            continue
        if isinstance(offset, int):
            return offset
    return None


def _missing(facts: Mapping[str, Any], slice_csv: str | None, frames: Sequence[File]) -> list[Missing]:
    violation, truck = facts["violation"], facts["truck"]
    found = [
        (slice_csv, TRACK, "no reports of that time are kept any more"),
        (frames, FRAMES, "the gateway has brought none, or keeps none of that time any more"),
        (truck, "truck", "the truck is not on record"),
        (truck.get("installation"), "installation", "the installation of the terminal is not on record"),
        (truck.get("calibration"), "calibration", "no calibration of the terminal is on record"),
        (facts["place"] or not violation["place"], "place", "this version of the place is not on record"),
        (facts["permit"] or not violation["permit"], "permit", "this version of the permit is not on record"),
        (facts["place"].get("basis") or not facts["place"], "basis", "the place has no legal basis on record"),
    ]
    return [Missing(part, why) for there, part, why in found if not there]
