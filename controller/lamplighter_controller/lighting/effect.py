"""What a new plan changes in one night, against the one in force: lamps, light, power."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from itertools import groupby, pairwise
from typing import Final

from lamplighter_contract.light.plans.plan import Plan
from lamplighter_contract.light.plans.programs import Span
from lamplighter_contract.light.view import View
from lamplighter_controller.lighting.inventory import Inventory, Luminaire, Model, Structure, power_w

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Effect:
    """One night before and after; light in hours of full light, energy and power of lamps whose model is known.

    `dark`: lamps that go off, or under the floor of their road, at a time they are above it now. `dark_roads`: roads
    all of whose lamps are among them, or dark all night already; `structures`: what those are built as that are more
    than a road. `adjacent`: the most of them, and of lamps between them that are dark already, that stand next to each
    other along a road, else along a feeder; those of which nobody knows where count as neighbours.
    """

    lamps: int = 0
    changed: int = 0
    dark: int = 0
    dark_roads: tuple[str, ...] = ()
    light_before_h: float = 0.0
    light_after_h: float = 0.0
    energy_before_kwh: float = 0.0
    energy_after_kwh: float = 0.0
    peak_before_kw: float = 0.0
    peak_after_kw: float = 0.0
    without_model: int = 0
    adjacent: int = 0
    structures: Mapping[str, Structure] = field(default_factory=dict)


class _Light(IntEnum):
    """What becomes of a lamp; those that matter to their neighbours come first."""

    DARKENS = 0
    STAYS_DARK = 1
    STAYS = 2


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the night with one level before and one after; ramps count as done."""

    hours: float
    before_percent: float
    after_percent: float


def effect(before: Iterable[Plan], after: Iterable[Plan], inventory: Inventory, day: date) -> Effect:
    """The night of a date under two sets of plans; lamps that only one of them knows are left out."""
    old, new = _spans(before, day), _spans(after, day)
    luminaires = inventory.by_device
    pieces: dict[tuple[int, int], tuple[_Piece, ...]] = {}
    total = _Sum()
    for lamp in sorted(old.keys() & new.keys()):
        was, will = old[lamp], new[lamp]
        key = (id(was), id(will))
        if key not in pieces:
            pieces[key] = tuple(_pieces(was, will))
        luminaire = luminaires.get(lamp)
        total.add(
            pieces[key],
            luminaire,
            inventory.models.get(luminaire.model or "") if luminaire else None,
            max(was[2], will[2]),
        )
    return total.effect(inventory)


_Night = tuple[tuple[Span, ...], int, float]  # spans, end, and the floor of the road


def _spans(plans: Iterable[Plan], day: date) -> dict[str, _Night]:
    """Lamp -> its night; lamps with one schedule share one object."""
    found: dict[str, _Night] = {}
    for plan in plans:
        view = View(plan)
        known: dict[object, _Night] = {}
        for lamp, member in view.members.items():
            its = member.assignment
            if its is not None and lamp not in view.circuits:
                key = (its.calendar, its.road_class)
                if key not in known:
                    tonight = view.on(its.calendar, day)
                    floor = view.programs[tonight.program].floors.of(its.road_class)
                    known[key] = tonight.spans(its.road_class), view.night(day).end_ms, floor
                found[lamp] = known[key]
    return found


def _pieces(before: _Night, after: _Night) -> Iterable[_Piece]:
    (old, old_end_ms, _), (new, new_end_ms, _) = before, after
    start_ms, end_ms = max(old[0].start_ms, new[0].start_ms), min(old_end_ms, new_end_ms)
    times = sorted({start_ms, end_ms, *(span.start_ms for span in (*old, *new) if start_ms < span.start_ms < end_ms)})
    for from_ms, until_ms in pairwise(times):
        yield _Piece((until_ms - from_ms) / HOUR_MS, _level(old, from_ms), _level(new, from_ms))


def _level(spans: tuple[Span, ...], time_ms: int) -> float:
    return next((span.level_percent for span in reversed(spans) if span.start_ms <= time_ms), 0.0)


class _Sum:
    def __init__(self) -> None:
        self._lamps = self._changed = self._dark = self._without_model = 0
        self._light, self._energy = [0.0, 0.0], [0.0, 0.0]
        self._roads: dict[str, list[_Light]] = {}
        self._rows: dict[str, list[tuple[int, str, _Light]]] = {}
        self._draws: dict[tuple[tuple[_Piece, ...], Model | None], int] = {}

    def add(
        self, pieces: tuple[_Piece, ...], luminaire: Luminaire | None, model: Model | None, floor_percent: float
    ) -> None:
        self._lamps += 1
        self._changed += any(piece.before_percent != piece.after_percent for piece in pieces)
        light = _light(pieces, floor_percent)
        self._dark += light is _Light.DARKENS
        if luminaire is not None and luminaire.road is not None:
            self._roads.setdefault(luminaire.road, []).append(light)
        self._rows.setdefault(_row(luminaire), []).append((*_place(luminaire, light), light))
        self._light[0] += sum(piece.hours * piece.before_percent for piece in pieces) / 100
        self._light[1] += sum(piece.hours * piece.after_percent for piece in pieces) / 100
        self._without_model += model is None
        self._draws[pieces, model] = self._draws.get((pieces, model), 0) + 1

    def effect(self, inventory: Inventory) -> Effect:
        energy, peak = self._power()
        dark = [road for road, lights in sorted(self._roads.items()) if _whole(lights)]
        return Effect(
            self._lamps,
            self._changed,
            self._dark,
            tuple(dark),
            round(self._light[0], 3),
            round(self._light[1], 3),
            round(energy[0], 3),
            round(energy[1], 3),
            round(peak[0], 3),
            round(peak[1], 3),
            self._without_model,
            max((_longest(row) for row in self._rows.values()), default=0),
            {
                name: road.structure
                for name in dark
                if (road := inventory.roads.get(name)) is not None and road.structure is not Structure.NONE
            },
        )

    def _power(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Energies, and the sums of every lamp's highest power."""
        energy, peak = [0.0, 0.0], [0.0, 0.0]
        for (pieces, model), lamps in self._draws.items():
            if model is None:
                continue
            for side, name in enumerate(("before_percent", "after_percent")):
                drawn = [(piece.hours, power_w(model, getattr(piece, name)) * lamps / 1000) for piece in pieces]
                energy[side] += sum(hours * kw for hours, kw in drawn)
                peak[side] += max(kw for _, kw in drawn)
        return (energy[0], energy[1]), (peak[0], peak[1])


def _light(pieces: tuple[_Piece, ...], floor_percent: float) -> _Light:
    if any(_darkens(piece, floor_percent) for piece in pieces):
        return _Light.DARKENS
    return _Light.STAYS_DARK if all(_is_dark(piece.after_percent, floor_percent) for piece in pieces) else _Light.STAYS


def _darkens(piece: _Piece, floor_percent: float) -> bool:
    """True when light falls to nothing, or through the floor."""
    before, after = piece.before_percent, piece.after_percent
    return after < before and (after == 0 or after < floor_percent <= before)


def _is_dark(level_percent: float, floor_percent: float) -> bool:
    return level_percent == 0 or level_percent < floor_percent


def _whole(lights: Iterable[_Light]) -> bool:
    found = set(lights)
    return _Light.DARKENS in found and _Light.STAYS not in found


def _row(luminaire: Luminaire | None) -> str:
    """Lamps with one answer stand in one row."""
    if luminaire is None or luminaire.pole_order is None:
        return ""
    return f"road {luminaire.road}" if luminaire.road else f"feeder {luminaire.cabinet}/{luminaire.feeder}"


def _place(luminaire: Luminaire | None, light: _Light) -> tuple[int, str]:
    """Where it stands in its row; lamps without a place stand together by what becomes of them."""
    if luminaire is None or luminaire.pole_order is None:
        return light, ""
    return luminaire.pole_order, luminaire.id


def _longest(row: list[tuple[int, str, _Light]]) -> int:
    """The longest run of dark lamps in which one goes dark, in the order of their poles."""
    longest = 0
    for dark, run in groupby((light for _, _, light in sorted(row)), lambda light: light is not _Light.STAYS):
        lights = list(run)
        if dark and _Light.DARKENS in lights:
            longest = max(longest, len(lights))
    return longest
