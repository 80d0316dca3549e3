"""Learned baselines on nine features: a random forest that was shown faults, an isolation forest that was not."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.diagnosis.course import Course, course_of
from benchmarks.diagnosis.episodes import Episode
from benchmarks.diagnosis.seeds import DEVELOPMENT
from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.replay.stream import Rows
from lamplighter_firmware_sim.campaign.generate import Order, generate
from lamplighter_firmware_sim.campaign.network import Size
from lamplighter_firmware_sim.campaign.recipes import What

Floats = NDArray[np.float64]
Index = NDArray[np.int64]

_SHOWN: Final = DEVELOPMENT[-3:]
_TREES: Final = 25
_IN_A_ROW: Final = 2
_WELL: Final = ""
_HEALTHY_SHOWN: Final = 60_000
_CONTAMINATION: Final = 2e-4


@dataclass(frozen=True)
class Learned:
    """Both models, fitted on development seeds."""

    forest: Any
    isolation: Any


def learn() -> Learned:
    """Fit both.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    from sklearn.ensemble import IsolationForest, RandomForestClassifier

    features, labels = [], []
    for seed in _SHOWN:
        campaign = generate(np.random.default_rng([seed, 7]), Order(what=What.SINGLES, size=Size(cabinets=16), each=8))
        course = course_of(campaign)
        features.append(_features(course))
        labels.append(_labels(course))
    x, y = np.concatenate(features), np.concatenate(labels)
    random = np.random.default_rng(0)
    healthy = random.choice(np.flatnonzero(y == _WELL), _HEALTHY_SHOWN, replace=False)
    shown = np.concatenate((healthy, np.flatnonzero(y != _WELL)))
    forest = RandomForestClassifier(n_estimators=_TREES, min_samples_leaf=3, n_jobs=1, random_state=0).fit(
        x[shown], y[shown]
    )
    isolation = IsolationForest(n_estimators=100, contamination=_CONTAMINATION, n_jobs=1, random_state=0).fit(
        x[healthy]
    )
    return Learned(forest, isolation)


def random_forest(course: Course, learned: Learned) -> list[Episode]:
    """The forest's class of each reading, told when it stands twice in a row."""
    told = learned.forest.predict(_features(course))
    return _in_a_row(course, told)


def isolation_forest(course: Course, learned: Learned) -> list[Episode]:
    """Odd readings twice in a row; which fault it is it cannot say, so it says the most usual one."""
    odd = learned.isolation.predict(_features(course)) < 0
    return _in_a_row(course, np.where(odd, "lamp_dead", _WELL))


def _features(course: Course) -> Floats:
    rows = course.stream.rows[Kind.LAMP]
    value, topology = rows.values, course.topology
    told, since_ms = course.told.lamps.at(rows.place, rows.time_ms)
    rated = np.array([course.models[name].rated_w for name in topology.models])[topology.lamp_model[rows.place]]
    hps = np.array([course.models[name].discharge for name in topology.models])[topology.lamp_model[rows.place]]
    columns = (
        value["power_w"] / rated,
        value["voltage_v"],
        value["current_a"] * 230 / rated,
        np.nan_to_num(value["power_factor"], nan=-1),
        value["temperature_c"],
        told,
        np.minimum(rows.time_ms - since_ms, 7_200_000) / 1000,
        np.log1p(value["leakage_ma"]),
        hps,
    )
    return np.nan_to_num(np.stack(columns, axis=1).astype(np.float64))


def _labels(course: Course) -> NDArray[np.str_]:
    rows = course.stream.rows[Kind.LAMP]
    labels = np.full(len(rows), _WELL, dtype="<U24")
    for fault in course.campaign.truth.faults:
        seen_ms = fault.first_observable_ms
        if fault.element_kind == "lamp" and seen_ms is not None:
            own = rows.place == course.row[fault.lamps[0]]
            labels[own & (rows.time_ms >= seen_ms)] = fault.kind
    return labels


def _in_a_row(course: Course, told: NDArray[np.str_]) -> list[Episode]:
    rows = course.stream.rows[Kind.LAMP]
    order = np.lexsort((rows.arrived_ms, rows.place))
    place, name = rows.place[order], told[order]
    again = np.zeros(len(order), np.bool_)
    again[1:] = (place[1:] == place[:-1]) & (name[1:] == name[:-1]) & (name[1:] != _WELL)
    begins = again & ~np.concatenate(([False], again[:-1] & (place[1:] == place[:-1])))
    return [_episode(course, rows, order, name, int(at)) for at in np.flatnonzero(begins)]


def _episode(course: Course, rows: Rows, order: Index, name: NDArray[np.str_], at: int) -> Episode:
    end = at
    while end + 1 < len(order) and rows.place[order[end + 1]] == rows.place[order[at]] and name[end + 1] == name[at]:
        end += 1
    lamp = course.topology.lamps[rows.place[order[at]]]
    said = [(int(rows.arrived_ms[order[at]]), str(name[at]), 1.0)]
    return Episode("lamp", lamp, said, int(rows.arrived_ms[order[end]]) + 900_000)
