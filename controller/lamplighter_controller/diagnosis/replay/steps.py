"""From readings in order of arrival to the steps that diagnosis takes: one report period of the city after another."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.replay.inferring import inferred_percent
from lamplighter_controller.diagnosis.replay.levels import NO_LEVELS, Levels
from lamplighter_controller.diagnosis.replay.stream import KINDS, Rows, Stream
from lamplighter_controller.diagnosis.samples import Columns, Samples
from lamplighter_controller.diagnosis.topology import NONE, Topology

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

_GRACE: Final = 0.05  # of a period: what comes in so much after its step is still of it
_USUAL_RATED_W: Final = 100.0
Excused = Callable[[int], Mask | None]
Rain = Callable[[int], float]


def _nobody(_: int) -> None:
    """Nobody works on any lamp."""


def _unknown(_: int) -> float:
    """Nobody measured the rain."""
    return nan


@dataclass(frozen=True, slots=True)
class Told:
    """What was commanded, and what else is known from outside the telemetry, each by time in epoch ms."""

    lamps: Levels = NO_LEVELS
    circuits: Levels = NO_LEVELS
    excused: Excused = _nobody
    rain_mm_h: Rain = _unknown


@dataclass(frozen=True, slots=True)
class Step:
    """What diagnosis is given, and the civil time at which it is."""

    samples: Samples
    now_ms: int


@dataclass
class _Kind:
    """Readings of one kind, sorted by the step they count for; `late` holds what missed its own."""

    size: int
    rows: Rows
    step: Index
    late: Mask
    heard: Mask = field(init=False)

    def __post_init__(self) -> None:
        self.heard = np.zeros(self.size, np.bool_)
        self._order = np.lexsort((self.rows.arrived_ms, self.late, self.step))
        self._sorted = self.step[self._order]

    def of(self, step: int) -> tuple[Index, Index]:
        """Rows that count for a step: live, and late ones that came in during it."""
        first, last = np.searchsorted(self._sorted, (step, step + 1))
        rows = self._order[first:last]
        late = self.late[rows]
        return rows[~late], rows[late]

    def columns(self, rows: Index, asked: Mask) -> Columns:
        """These rows as columns; of several of one device the last counts."""
        place = self.rows.place[rows]
        answered, time_ms = np.zeros(self.size, np.bool_), np.zeros(self.size, np.int64)
        answered[place], time_ms[place] = True, self.rows.time_ms[rows]
        quality = None
        if self.rows.quality is not None:
            quality = np.zeros(self.size, np.uint8)
            quality[place] = self.rows.quality[rows]
        return Columns(asked | answered, answered, time_ms, self._values(rows, place), quality)

    def _values(self, rows: Index, place: Index) -> dict[str, Floats]:
        values = {}
        for name, column in self.rows.values.items():
            dense = np.full(self.size, np.nan, np.float32)
            dense[place] = column[rows]
            values[name] = dense
        return values


class Steps:
    """All steps of a stream over one topology, in order."""

    def __init__(self, stream: Stream, topology: Topology, models: Mapping[str, LampModel], told: Told) -> None:
        """Nothing is read yet."""
        self._topology, self._told = topology, told
        self._period_ms = round(stream.period_s * 1000)
        self._rated_w = _rated_w(topology, models)
        first = [int(rows.arrived_ms.min()) for rows in stream.rows.values() if len(rows)]
        self._start_ms = min(first, default=0) // self._period_ms * self._period_ms
        sizes = (len(topology.lamps), len(topology.cabinets), len(topology.circuits))
        self._kinds = {kind: self._placed(stream.rows[kind], size) for kind, size in zip(KINDS, sizes, strict=True)}

    def __iter__(self) -> Iterator[Step]:
        """Each period's live readings, then what came in late during it; a period nobody wrote down is left out."""
        numbers = np.unique(np.concatenate([one.step for one in self._kinds.values()])).tolist()
        last = max((int(one.step[~one.late].max(initial=0)) for one in self._kinds.values()), default=0)
        for number in numbers:
            now_ms = self._start_ms + (number + 1) * self._period_ms
            rows = {kind: one.of(number) for kind, one in self._kinds.items()}
            live = {kind: some for kind, (some, _) in rows.items()}
            if any(len(some) for some in live.values()):
                yield Step(self._live(live, now_ms, whole=number < last), now_ms)
            late = {kind: behind for kind, (_, behind) in rows.items()}
            while any(len(behind) for behind in late.values()):
                now, late = self._split(late)
                yield Step(self._late(now), now_ms)

    def _placed(self, rows: Rows, size: int) -> _Kind:
        """Every row at its own step if it came in time for it, else at the step in which it came."""
        own = (rows.time_ms - self._start_ms) // self._period_ms
        came = (rows.arrived_ms - self._start_ms) // self._period_ms
        in_time = rows.arrived_ms < self._start_ms + (own + 1) * self._period_ms + _GRACE * self._period_ms
        ahead = rows.time_ms > rows.arrived_ms + self._period_ms
        if rows.quality is not None and ahead.any():
            quality = rows.quality | np.where(ahead, np.uint8(Quality.CLOCK_UNTRUSTED), np.uint8(0))
            rows = Rows(rows.place, rows.time_ms, rows.arrived_ms, rows.values, quality)
        live = in_time | ahead
        return _Kind(size, rows, np.clip(np.where(live, np.minimum(own, came), came), 0, None), ~live)

    def _live(self, rows: dict[Kind, Index], now_ms: int, *, whole: bool) -> Samples:
        """What came in time. The last period may be cut off: nobody is silent in it."""
        for kind, one in self._kinds.items():
            one.heard[one.rows.place[rows[kind]]] = True
        circuits = self._circuits(self._kinds[Kind.CIRCUIT], rows[Kind.CIRCUIT], now_ms)
        cabinets = self._kinds[Kind.CABINET]
        lamps = self._kinds[Kind.LAMP]
        asked = lamps.heard & ~self._dead_by_plan(circuits, now_ms) & whole
        return Samples(
            self._commanded(lamps.columns(rows[Kind.LAMP], asked), now_ms),
            cabinets.columns(rows[Kind.CABINET], cabinets.heard & whole),
            circuits,
            excused=self._told.excused(now_ms),
            rain_mm_h=self._told.rain_mm_h(now_ms),
        )

    def _late(self, rows: dict[Kind, Index]) -> Samples:
        none = {kind: np.zeros(one.size, np.bool_) for kind, one in self._kinds.items()}
        made = {kind: one.columns(rows[kind], none[kind]) for kind, one in self._kinds.items()}
        lamps = self._commanded(made[Kind.LAMP], 0)
        excused = self._told.excused(int(lamps.time_ms.max(initial=0)))
        return Samples(lamps, made[Kind.CABINET], made[Kind.CIRCUIT], excused=excused, late=True)

    def _split(self, rows: dict[Kind, Index]) -> tuple[dict[Kind, Index], dict[Kind, Index]]:
        """The first row of each device, and the rest."""
        now, later = {}, {}
        for kind, some in rows.items():
            _, first = np.unique(self._kinds[kind].rows.place[some], return_index=True)
            now[kind], later[kind] = some[first], np.delete(some, first)
        return now, later

    def _circuits(self, kind: _Kind, rows: Index, now_ms: int) -> Columns:
        columns = kind.columns(rows, kind.heard)
        everyone = np.arange(kind.size)
        level, since = self._told.circuits.at(everyone, np.full(kind.size, now_ms))
        values = {**columns.values, "desired_percent": level}
        return Columns(columns.asked, columns.answered, columns.time_ms, values, columns.quality, since)

    def _dead_by_plan(self, circuits: Columns, now_ms: int) -> Mask:
        """(n,) the lamp's circuit is open and was not told to be closed, now or a moment ago."""
        topology = self._topology
        if not len(topology.circuits):
            return np.zeros(len(topology.lamps), np.bool_)
        before, _ = self._told.circuits.at(np.arange(len(circuits)), np.full(len(circuits), now_ms - self._period_ms))
        told = np.fmin(circuits.column("desired_percent"), before)
        dead = np.where(np.isnan(told), circuits.column("contactor_closed") == 0, told == 0)
        circuit = topology.feeder_circuit[topology.lamp_feeder]
        return np.where(circuit == NONE, False, dead[circuit])

    def _commanded(self, lamps: Columns, now_ms: int) -> Columns:
        """With what every lamp was told at the moment of its reading, or now if it said nothing."""
        when = np.where(lamps.answered, np.minimum(lamps.time_ms, now_ms or lamps.time_ms), now_ms)
        told, since = self._told.lamps.at(np.arange(len(lamps)), np.maximum(when, 0))
        if np.isnan(told).any():
            told = np.where(np.isnan(told), inferred_percent(lamps, self._topology, self._rated_w), told)
        values = {**lamps.values, "desired_percent": told.astype(np.float32)}
        return Columns(lamps.asked, lamps.answered, lamps.time_ms, values, lamps.quality, since)


def _rated_w(topology: Topology, models: Mapping[str, LampModel]) -> Floats:
    """(n,) rated power of each lamp; of an unknown model what lamps usually have."""
    known = [models[name].rated_w if name in models else _USUAL_RATED_W for name in topology.models]
    return np.array([*known, _USUAL_RATED_W], np.float32)[topology.lamp_model]
