"""What the judge has seen so far, taken out as arrays and put into another judge: over a restart, over a new truck."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.fleet.judging.fixes import Rows
from lamplighter_controller.fleet.judging.judge import Judge

State = dict[str, NDArray[Any]]
GIVEN: Final = frozenset({"places", "plane", "bounds", "zone", "routes"})  # what the judge is told, not what it saw


def state_of(judge: Judge) -> State:
    """Every column of the judge by name, its first axis the trucks."""
    return {path: getattr(owner, name).copy() for path, owner, name in _columns(judge, "", judge.trucks)}


def put_state(judge: Judge, state: Mapping[str, NDArray[Any]], rows: Rows) -> None:
    """Fill a judge: truck n of it was `rows[n]` in `state`, -1 = it is new. What has another shape begins anew."""
    known = np.flatnonzero(rows >= 0)
    for path, owner, name in _columns(judge, "", judge.trucks):
        column, before = getattr(owner, name), state.get(path)
        if before is not None and before.dtype == column.dtype and before.shape[1:] == column.shape[1:]:
            column[known] = before[rows[known]]


def _columns(owner: Any, path: str, trucks: int) -> Iterator[tuple[str, Any, str]]:
    for one in fields(owner):
        value = getattr(owner, one.name)
        if one.name in GIVEN:
            continue
        if isinstance(value, np.ndarray) and value.ndim and len(value) == trucks:
            yield f"{path}{one.name}", owner, one.name
        elif isinstance(value, dict):
            for key, inner in value.items():
                if is_dataclass(inner):
                    yield from _columns(inner, f"{path}{one.name}.{key}.", trucks)
        elif is_dataclass(value) and not isinstance(value, type):
            yield from _columns(value, f"{path}{one.name}.", trucks)
