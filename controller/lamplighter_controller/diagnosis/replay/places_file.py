"""The topology of a replay, checked as a whole: every mistake with its line and column."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from lamplighter_controller.diagnosis.assembling import assemble
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.replay.json_place import Path, line_and_column, path_of
from lamplighter_controller.diagnosis.replay.mistakes import MOST, Mistakes
from lamplighter_controller.diagnosis.topology import PHASES, Topology
from lamplighter_controller.diagnosis.topology_file import (
    CabinetEntry,
    FeederEntry,
    LampEntry,
    ModelEntry,
    PoleEntry,
    ProtectorEntry,
    TopologyFile,
    places_of,
)

_TOP: Final = ("models", "cabinets")
_INNER: Final[dict[type, dict[str, type]]] = {
    CabinetEntry: {"feeders": FeederEntry, "protectors": ProtectorEntry},
    FeederEntry: {"poles": PoleEntry},
    PoleEntry: {"lamps": LampEntry},
}


@dataclass(frozen=True, slots=True)
class Place:
    """What hangs where, and of which models."""

    topology: Topology
    models: dict[str, LampModel]


def read_places(text: str, mistakes: Mistakes) -> Place | None:
    """The topology in `text`; None when it is not to be taken, and `mistakes` say why."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        mistakes.add(error.lineno, str(error.colno), text[error.pos : error.pos + 20], f"JSON: {error.msg}")
        return None
    except RecursionError:
        mistakes.add(1, "", "", "JSON that is nested no deeper than cabinets, feeders, poles and lamps")
        return None
    checked = _Checked(text, mistakes)
    checked.document(document)
    if mistakes.found:
        return None
    file = msgspec.convert(document, TopologyFile)
    checked.names(file)
    if mistakes.found:
        return None
    models = {one.id: LampModel(one.id, one.rated_w, one.source, tuple(sorted(one.curve))) for one in file.models}
    return Place(assemble(places_of(file)), models)


class _Checked:
    def __init__(self, text: str, mistakes: Mistakes) -> None:
        self._text, self._mistakes = text, mistakes

    def wrong(self, path: Path, value: object, expected: str) -> None:
        if len(self._mistakes.found) >= MOST:
            self._mistakes.more += 1
            return
        line, column = line_and_column(self._text, path)
        shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        self._mistakes.add(line, f"{column} ({shown})" if shown else str(column), _brief(value), expected)

    def document(self, document: object) -> None:
        if not isinstance(document, dict):
            self.wrong((), document, "an object with models and cabinets")
            return
        for name, kind in zip(_TOP, (ModelEntry, CabinetEntry), strict=True):
            self._list(document.get(name, []), kind, (name,))

    def _list(self, items: object, kind: type, path: Path) -> None:
        if not isinstance(items, list):
            self.wrong(path, items, "a list")
            return
        for number, item in enumerate(items):
            self._entry(item, kind, (*path, number))

    def _entry(self, item: object, kind: type, path: Path) -> None:
        """The entry without what hangs below it, then each of those, so that one mistake hides no other."""
        if not isinstance(item, dict):
            self.wrong(path, item, "an object")
            return
        inner = _INNER.get(kind, {})
        alone = {name: value for name, value in item.items() if name not in inner}
        try:
            msgspec.convert(alone, kind)
        except msgspec.ValidationError as error:
            said, _, where = str(error).partition(" - at `$")
            deeper = (*path, *path_of(where.rstrip("`")))
            self.wrong(deeper, _at(item, deeper[len(path) :]), said.removeprefix("Expected "))
        for name, below in inner.items():
            self._list(item.get(name, []), below, (*path, name))

    def names(self, file: TopologyFile) -> None:
        """Ids that stand twice, models nobody describes, phases that are none."""
        models = {one.id for one in file.models}
        seen: dict[tuple[str, str], Path] = {}
        for what, id_, path in _named(file):
            if (what, id_) in seen:
                self.wrong((*path, "id"), id_, f"an id that no other {what} has")
            seen[what, id_] = path
        for lamp, path in _lamps(file):
            if lamp.model and lamp.model not in models:
                self.wrong((*path, "model"), lamp.model, "the id of one of the models")
        for cabinet, one in enumerate(file.cabinets):
            for feeder, cable in enumerate(one.feeders):
                if cable.phase.lower() not in {"", *PHASES}:
                    at: Path = ("cabinets", cabinet, "feeders", feeder, "phase")
                    self.wrong(at, cable.phase, f"one of {', '.join(PHASES)}, or nothing")


def _named(file: TopologyFile) -> Iterator[tuple[str, str, Path]]:
    for number, model in enumerate(file.models):
        yield "model", model.id, ("models", number)
    for number, cabinet in enumerate(file.cabinets):
        yield "cabinet", cabinet.id, ("cabinets", number)
    for lamp, path in _lamps(file):
        yield "lamp", lamp.id, path


def _lamps(file: TopologyFile) -> Iterator[tuple[LampEntry, Path]]:
    for i, cabinet in enumerate(file.cabinets):
        for j, feeder in enumerate(cabinet.feeders):
            for k, pole in enumerate(feeder.poles):
                for m, lamp in enumerate(pole.lamps):
                    yield lamp, ("cabinets", i, "feeders", j, "poles", k, "lamps", m)


def _at(value: Any, path: Path) -> object:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return ""
    return value


def _brief(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
