"""The files of a replay: read together, so that everything wrong with any of them is told at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO, TypeVar

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.replay import levels, stream
from lamplighter_controller.diagnosis.replay.csv_columns import Table, read_csv
from lamplighter_controller.diagnosis.replay.mistakes import Mistakes
from lamplighter_controller.diagnosis.replay.places_file import Place, read_places
from lamplighter_controller.diagnosis.replay.steps import Told

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Course:
    """What was read. `unknown`: devices of the telemetry that the topology does not have."""

    place: Place
    stream: stream.Stream
    told: Told
    unknown: tuple[str, ...]


def read_course(
    telemetry: Path, topology: Path, levels_path: Path | None, period_s: float
) -> Course | tuple[Mistakes, ...]:
    """The files as a course, or their mistakes."""
    wrong = [Mistakes(str(path)) for path in (topology, telemetry, levels_path) if path is not None]
    place = _opened(topology, wrong[0], lambda file: read_places(file.read(), wrong[0]))
    table = _opened(telemetry, wrong[1], lambda file: read_csv(file, stream.KNOWN, wrong[1]))
    commands = None
    if levels_path is not None:
        commands = _opened(levels_path, wrong[2], lambda file: read_csv(file, levels.KNOWN, wrong[2], levels.BOUNDS))
    if place is None or table is None or any(one.found for one in wrong):
        return tuple(one for one in wrong if one.found)
    made, unknown = stream.stream_of(table, place.topology, period_s)
    if not any(len(rows) for rows in made.rows.values()):
        wrong[1].add(0, "device", ", ".join(unknown[:5]), "at least one device of the topology")
        return (wrong[1],)
    return Course(_with_controllers(place, made), made, _told(place, commands), unknown)


def _with_controllers(place: Place, made: stream.Stream) -> Place:
    """Lamps that never speak have no controller; the meter alone knows of them."""
    topology = place.topology
    speaks = np.zeros(len(topology.lamps), np.bool_)
    speaks[made.rows[Kind.LAMP].place] = True
    devices = tuple(name if its else "" for name, its in zip(topology.lamp_device, speaks.tolist(), strict=True))
    return replace(place, topology=replace(topology, lamp_device=devices))


def _opened(path: Path, mistakes: Mistakes, read: Callable[[TextIO], Read]) -> Read | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return read(file)
    except OSError as error:
        mistakes.add(0, "", str(path), f"a file that can be read ({error.strerror})")
    except UnicodeDecodeError as error:
        mistakes.add(0, "", "", f"UTF-8 ({error.reason} at byte {error.start})")
    return None


def _told(place: Place, commands: Table | None) -> Told:
    if commands is None:
        return Told()
    topology = place.topology
    return Told(
        lamps=levels.levels_in(commands, topology.row_of_lamp),
        circuits=levels.levels_in(commands, topology.row_of_circuit),
    )
