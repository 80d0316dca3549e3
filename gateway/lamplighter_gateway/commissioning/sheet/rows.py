"""The rows of a sheet, the same for paper and screen. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime

from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.sheet.model import Sheet
from lamplighter_gateway.commissioning.sheet.words import FINDINGS, WORDS

Cells = tuple[str, ...]


def clock_text(time_ms: int) -> str:
    """A moment in this machine's own zone, to the minute."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M") if time_ms else ""


def head(made: Sheet, language: Language) -> Iterator[Cells]:
    """Name and value of what stands on top."""
    words, record, counts = WORDS[language], made.record, made.counts
    yield words["gateway"], made.gateway
    yield words["job"], record.job
    yield words["begun"], f"{clock_text(record.begun_ms)} ({words['begun_by']} {record.begun_by})"
    yield words["ended"], clock_text(record.ended_ms) or words["open"]
    told = ", ".join(f"{words[name]} {counts[name]}" for name in ("right", "wrong", "dark", "left"))
    yield words["lamps"], f"{counts['lamps']}: {told}"


def circuit_names(language: Language) -> Cells:
    """Column names of circuits."""
    return tuple(WORDS[language][name] for name in ("circuit", "expected", "measured", "drop", "fed", "remark"))


def circuits(made: Sheet, language: Language) -> Iterator[Cells]:
    """Circuits as measured."""
    for circuit in made.circuits:
        row, fed = made.record.circuits.get(circuit), made.record.fed.get(circuit)
        lamps = "" if fed is None else WORDS[language]["unknown"] if fed.lamps is None else str(len(fed.lamps))
        drop = f"{fed.drop_a:.2f} A" if fed and fed.drop_a else ""
        measured, why = (fed.phase, fed.why) if fed else ("", "")
        yield circuit, (row.phase if row else "").upper(), measured.upper(), drop, lamps, why


def conflict_names(language: Language) -> Cells:
    """Column names of differences."""
    return tuple(WORDS[language][name] for name in ("subject", "finding", "expected", "found"))


def conflicts(made: Sheet, language: Language) -> Iterator[Cells]:
    """Differences."""
    for one in made.conflicts:
        yield one.subject, FINDINGS[language][one.finding], one.expected, one.found


def lamp_names(language: Language) -> Cells:
    """Column names of lamps."""
    return tuple(WORDS[language][name] for name in ("lamp", "pole", "seen", "by", "at"))


def lamps(made: Sheet, language: Language) -> Iterator[Cells]:
    """Every lamp."""
    for lamp in made.lamps:
        row, seen = made.record.lamps.get(lamp), made.record.seen.get(lamp)
        if seen is None:
            yield lamp, row.pole if row else "", "", "", ""
        else:
            where = WORDS[language]["not_seen"] if seen.pole is None else seen.pole
            yield lamp, row.pole if row else "", where, seen.by, clock_text(seen.time_ms)
