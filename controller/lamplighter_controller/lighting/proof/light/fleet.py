"""The lamps of a city as columns, with what the plans in force through one night have for each of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.light.plans.nightly import DARK_DEG
from lamplighter_contract.light.plans.programs import RoadClass, Span
from lamplighter_contract.light.sky.nights import Night, Place, night
from lamplighter_contract.light.view import View
from lamplighter_controller.lighting.inventory import District, Inventory, Luminaire, Model, power_w
from lamplighter_controller.lighting.proof.light.by_hand import Stretch, overlaid
from lamplighter_controller.lighting.proof.light.curves import Step
from lamplighter_controller.lighting.proof.light.evidence import DARK_BELOW_W, Rows
from lamplighter_controller.series.port import Floats

NEAR_DECIMALS = 1  # lamps without a plan share a dusk within some ten km
Steps = tuple[Step, ...]
_Schedule = tuple[str, RoadClass | None]  # calendar, class of road


@dataclass(frozen=True, slots=True)
class Lamp:
    """One lamp as it is judged; ids are empty where the inventory does not say."""

    id: str
    device: str | None = None
    gateway: str | None = None
    road: str = ""
    road_class: str = ""
    district: str = ""
    cabinet: str = ""
    circuit: str | None = None
    model: Model | None = None
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A plan that a gateway had from one instant until another."""

    start_ms: int
    end_ms: int
    view: View


@dataclass(frozen=True)
class Fleet:
    """Columns of length n.

    Args:
        lamps: the lamps by row.
        profile: (n,) which of `profiles` each lamp follows.
        profiles: the levels of a night: (from ms, percent) steps.
        draw: (n,) which of `draws` each lamp draws by plan; -1 where its model is not known.
        draws: (profile, model, with a controller) of each.
        dark_below_w: (n,) power below which it gives no light.
    """

    lamps: Sequence[Lamp]
    profile: Rows
    profiles: Sequence[Steps]
    draw: Rows
    draws: Sequence[tuple[int, Model, bool]]
    dark_below_w: Floats
    rows: Mapping[str, int] = field(default_factory=dict)

    def required(self) -> list[Steps]:
        """1 while a profile has light, else 0."""
        return [tuple((time_ms, float(level > 0)) for time_ms, level in steps) for steps in self.profiles]

    def drawn_w(self) -> list[Steps]:
        """Power by plan of each of `draws`; a lamp without a controller is at full power whenever it is on."""
        return [
            tuple((time_ms, _drawn_w(model, level, dimmed=dimmed)) for time_ms, level in self.profiles[profile])
            for profile, model, dimmed in self.draws
        ]

    def full_w(self) -> NDArray[np.float64]:
        """(n,) power at full level; NaN where the model is not known."""
        return np.array([power_w(one.model, 100.0) if one.model else np.nan for one in self.lamps])


@dataclass(frozen=True, slots=True)
class Served:
    """What gateways serve: lamp -> gateway, contactor -> gateway, and where gateways say that lamps stand."""

    lamps: Mapping[str, str]
    contactors: Mapping[str, str]
    places: Mapping[str, tuple[float, float]]


def lamps_of(inventory: Inventory, districts: Iterable[District], served: Served) -> list[Lamp]:
    """All luminaires, and served lamps that no luminaire has; by supply point.

    A luminaire without a controller belongs to the gateway that serves its contactor.
    """
    known = {one.id for one in districts}
    found = [_of_luminaire(one, inventory, known, served) for one in inventory.luminaires.values()]
    found.extend(
        Lamp(
            f"device-{device}"[:64] if device in inventory.luminaires else device,
            device,
            gateway,
            place=served.places.get(device),
        )
        for device, gateway in served.lamps.items()
        if device not in inventory.by_device
    )
    return sorted(found, key=lambda lamp: (lamp.cabinet, lamp.id))


def fleet_of(
    lamps: Sequence[Lamp],
    given: Mapping[str, Sequence[Given]],
    during: Night,
    by_hand: Mapping[str, Sequence[Stretch]] = MappingProxyType({}),
) -> Fleet:
    """Columns of lamps; `given`: gateway -> its plans through the night, in order of time.

    `by_hand`: device -> levels by hand and of shows, the strongest last.
    """
    building = _Building(given, during, by_hand)
    profile = np.array([building.profile(lamp) for lamp in lamps], np.int64)
    draws: dict[tuple[int, str, bool], int] = {}
    models: list[tuple[int, Model, bool]] = []
    draw = np.full(len(lamps), -1, np.int64)
    for row, lamp in enumerate(lamps):
        if lamp.model is not None:
            key = (int(profile[row]), lamp.model.id, lamp.device is not None)
            if key not in draws:
                draws[key] = len(models)
                models.append((key[0], lamp.model, key[2]))
            draw[row] = draws[key]
    profiles = list(building.profiles)
    least = [_dark_below_w(model, profiles[profile], dimmed=dimmed) for profile, model, dimmed in models]
    below = np.array([least[each] if each >= 0 else DARK_BELOW_W for each in draw.tolist()])
    return Fleet(lamps, profile, profiles, draw, models, below, {lamp.id: row for row, lamp in enumerate(lamps)})


def _of_luminaire(one: Luminaire, inventory: Inventory, districts: set[str], served: Served) -> Lamp:
    road = inventory.road_of(one)
    circuit = inventory.circuits.get(one.circuit or "")
    district = road.district if road and road.district in districts else None
    return Lamp(
        one.id,
        one.device,
        served.lamps.get(one.device or "") or served.contactors.get(one.circuit or ""),
        road.id if road else "",
        road.road_class.value if road else "",
        district or "",
        one.cabinet or (circuit.cabinet if circuit else ""),
        one.circuit,
        inventory.models.get(one.model or ""),
        (one.latitude, one.longitude),
    )


class _Building:
    """Finds the levels of each lamp's night; lamps with the same night share one profile."""

    def __init__(
        self, given: Mapping[str, Sequence[Given]], during: Night, by_hand: Mapping[str, Sequence[Stretch]]
    ) -> None:
        self._by_hand = by_hand
        self.profiles: dict[Steps, int] = {}
        self._given, self._night = given, during
        self._known: dict[object, int] = {}

    def profile(self, lamp: Lamp) -> int:
        pieces = self._given.get(lamp.gateway or "", ())
        schedules = tuple(self._schedule(piece.view, lamp) for piece in pieces)
        near = None if lamp.place is None else tuple(round(each, NEAR_DECIMALS) for each in lamp.place)
        scales = tuple(_scale(piece.view, lamp.device) for piece in pieces)
        stretches = tuple(self._by_hand.get(lamp.device or "", ()))
        key = (lamp.gateway, schedules, scales, near if not pieces or None in schedules else None, stretches)
        if key not in self._known:
            planned = self._steps(pieces, schedules, scales, near)
            steps = overlaid(planned, stretches, scales[-1] if scales else 1.0, self._night.end_ms)
            self._known[key] = self.profiles.setdefault(steps, len(self.profiles))
        return self._known[key]

    def _schedule(self, view: View, lamp: Lamp) -> _Schedule | None:
        """Calendar and class of road; a lamp without a controller is lit as its circuit is."""
        road_class = RoadClass(lamp.road_class) if lamp.road_class else None
        if lamp.device is not None:
            its = view.member(lamp.device).assignment
            return (its.calendar, its.road_class) if its else None
        planned = view.circuits.get(lamp.circuit or "")
        if planned is None:
            return None
        if planned.calendar is not None:
            return planned.calendar, road_class
        first = next((its for name in planned.lamps if (its := view.member(name).assignment)), None)
        return (first.calendar, first.road_class) if first else None

    def _steps(
        self,
        pieces: Sequence[Given],
        schedules: Sequence[_Schedule | None],
        scales: Sequence[float],
        near: tuple[float, ...] | None,
    ) -> Steps:
        """Levels through the night; while no plan says anything, full light is required in the dark."""
        found: list[Step] = []
        at_ms = self._night.start_ms
        for piece, schedule, scale in zip(pieces, schedules, scales, strict=True):
            if piece.start_ms > at_ms:
                found.extend(_clipped(self._default(near, pieces[0].view), at_ms, piece.start_ms))
            spans = self._spans(piece.view, schedule, near)
            scaled = tuple((time_ms, level * scale) for time_ms, level in spans)
            found.extend(_clipped(scaled, piece.start_ms, piece.end_ms))
            at_ms = piece.end_ms
        if at_ms < self._night.end_ms:
            found.extend(_clipped(self._default(near, pieces[0].view if pieces else None), at_ms, self._night.end_ms))
        return tuple(found)

    def _spans(self, view: View, schedule: _Schedule | None, near: tuple[float, ...] | None) -> Steps:
        if schedule is None:
            return self._default(near, view)
        spans: Sequence[Span] = view.on(schedule[0], self._night.date).spans(schedule[1])
        return tuple((span.start_ms, span.level_percent) for span in spans)

    def _default(self, near: tuple[float, ...] | None, view: View | None) -> Steps:
        """Full light while nobody sees by daylight; without any place, by the city's night."""
        during = self._night
        if near is not None:
            during = night(during.date, Place(near[0], near[1], during.place.zone))
        elif view is not None:
            during = view.night(during.date)
        darkness = during.darkness(DARK_DEG)
        if darkness.never:
            return ((during.start_ms, 0.0),)
        return ((during.start_ms, 0.0), (darkness.dusk_ms, 100.0), (darkness.dawn_ms, 0.0))


def _scale(view: View, device: str | None) -> float:
    """Constant light and virtual output, as the gateway applies them last."""
    output = view.member(device).output if device is not None else None
    return (output.virtual_percent / 100) * (output.constant_percent / 100) if output else 1.0


def _clipped(steps: Steps, from_ms: int, until_ms: int) -> list[Step]:
    """Steps within a stretch of time, the first at its begin."""
    inside = [(time_ms, level) for time_ms, level in steps if from_ms < time_ms < until_ms]
    before = [level for time_ms, level in steps if time_ms <= from_ms]
    return [(from_ms, before[-1] if before else 0.0), *inside]


def _drawn_w(model: Model, level_percent: float, *, dimmed: bool) -> float:
    if level_percent <= 0:
        return 0.0
    return power_w(model, level_percent if dimmed else 100.0)


def _dark_below_w(model: Model, steps: Steps, *, dimmed: bool) -> float:
    """Half of what it draws at its lowest level, for lamps so small that a driver's own share is near it."""
    least = min((_drawn_w(model, level, dimmed=dimmed) for _, level in steps if level > 0), default=model.rated_w)
    return min(DARK_BELOW_W, least / 2)
