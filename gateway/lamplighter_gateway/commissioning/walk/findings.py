"""What was found against what the inventory says. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lamplighter_gateway.commissioning.walk.inventory import PHASES, Row
from lamplighter_gateway.commissioning.walk.record import Record


class Finding(StrEnum):
    """How street and inventory differ."""

    WRONG_POLE = "wrong-pole"
    NOT_SEEN = "not-seen"
    TWO_AT_POLE = "more-at-pole"
    WRONG_PHASE = "wrong-phase"
    WRONG_CIRCUIT = "wrong-circuit"
    NOT_IN_INVENTORY = "not-in-inventory"
    NOT_ON_GATEWAY = "not-on-gateway"
    NOT_ASKED = "not-asked"
    NOT_MEASURED = "not-measured"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One difference: of what, what was expected, what was found."""

    finding: Finding
    subject: str
    expected: str = ""
    found: str = ""


def conflicts(record: Record, served: Sequence[str], circuits: Sequence[str]) -> list[Conflict]:
    """Every difference; `served`: the lamps of this gateway, `circuits`: its contactors."""
    return [*_lamps(record, served), *_poles(record), *_circuits(record, circuits), *_feeding(record)]


def _lamps(record: Record, served: Sequence[str]) -> Iterator[Conflict]:
    here = frozenset(served)
    for device in served:
        row, seen = record.lamps.get(device), record.seen.get(device)
        if record.lamps and row is None:
            yield Conflict(Finding.NOT_IN_INVENTORY, device, found=(seen.pole or "") if seen else "")
        if seen is None:
            yield Conflict(Finding.NOT_ASKED, device, row.pole if row else "")
        elif seen.pole is None:
            yield Conflict(Finding.NOT_SEEN, device, row.pole if row else "")
        elif row is not None and row.pole and seen.pole != row.pole:
            yield Conflict(Finding.WRONG_POLE, device, row.pole, seen.pole)
    yield from (Conflict(Finding.NOT_ON_GATEWAY, one, row.pole) for one, row in record.lamps.items() if one not in here)


def _poles(record: Record) -> Iterator[Conflict]:
    """Poles at which more lamps were seen than the inventory has there."""
    expected, found = _count(row.pole for row in record.lamps.values()), _count(s.pole for s in record.seen.values())
    for pole, number in found.items():
        if pole in expected and number > expected[pole]:
            yield Conflict(Finding.TWO_AT_POLE, pole, str(expected[pole]), str(number))


def _circuits(record: Record, circuits: Sequence[str]) -> Iterator[Conflict]:
    for circuit in circuits:
        fed, row = record.fed.get(circuit), record.circuits.get(circuit)
        expected = row.phase if row else ""
        if fed is None or not fed.phase:
            yield Conflict(Finding.NOT_MEASURED, circuit, expected, fed.why if fed else "")
        elif expected in PHASES and fed.phase != expected:
            yield Conflict(Finding.WRONG_PHASE, circuit, expected, fed.phase)


def _feeding(record: Record) -> Iterator[Conflict]:
    """Lamps that lost power with another circuit than the inventory feeds them from."""
    feeds = feeds_of(record)
    for device, row in record.lamps.items():
        circuit = feeds.get(device)
        if circuit is not None and row.circuit and circuit != row.circuit:
            yield Conflict(Finding.WRONG_CIRCUIT, device, row.circuit, circuit)


def feeds_of(record: Record) -> Mapping[str, str]:
    """The circuit that each lamp was found on."""
    return {lamp: fed.circuit for fed in record.fed.values() for lamp in fed.lamps or ()}


def corrected_luminaires(rows: Sequence[Row], record: Record) -> tuple[list[Row], list[str]]:
    """The inventory's rows with each controller at the place where it was seen, and who found no place.

    A place is a luminaire on the pole that was seen, whose own controller was seen elsewhere or that has none.
    """
    wrong = {
        device: seen.pole
        for device, seen in record.seen.items()
        if seen.pole is not None and device in record.lamps and seen.pole != record.lamps[device].pole
    }
    feeds, fed = feeds_of(record), record.fed
    result: list[dict[str, str]] = [dict(row) for row in rows]
    for row in result:
        if row.get("device") in wrong:
            row["device"] = ""
    homeless = [device for device, pole in wrong.items() if not _settled(result, device, pole)]
    for row in result:
        circuit = feeds.get(row.get("device", ""))
        if circuit is not None:
            row["circuit"] = circuit
            row["phase"] = fed[circuit].phase or row.get("phase", "")
    return list(result), homeless


def corrected_circuits(rows: Sequence[Row], record: Record) -> list[Row]:
    """The inventory's circuits with the phases that were measured."""
    found = {circuit: fed.phase for circuit, fed in record.fed.items() if fed.phase}
    return [{**row, "phase": found.get(row.get("id", ""), row.get("phase", ""))} for row in rows]


def _settled(rows: Sequence[dict[str, str]], device: str, pole: str) -> bool:
    place = next((row for row in rows if row.get("pole") == pole and not row.get("device")), None)
    if place is not None:
        place["device"] = device
    return place is not None


def _count(poles: Iterator[str | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for pole in poles:
        if pole:
            found[pole] = found.get(pole, 0) + 1
    return found
