"""Queries of courses and trials; policies themselves stand in the register."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, desc, select, update

from lamplighter_controller.fleet.policies.policy import Course, Stage, Trial
from lamplighter_controller.fleet.store import course_table, trial_table


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial of one version of a policy; `start_ms` and `end_ms` civil, `tried_ms` real."""

    policy: str
    policy_version: int
    start_ms: int
    end_ms: int
    trial: Trial
    tried_ms: int


def add_course(connection: Connection, course: Course) -> None:
    """One that begins."""
    connection.execute(course_table.insert().values(**_row(course)))


def save_course(connection: Connection, course: Course) -> None:
    """One that went on."""
    connection.execute(update(course_table).where(course_table.c.id == course.id).values(**_row(course)))


def open_courses(connection: Connection) -> list[Course]:
    """Those that are not over."""
    rows = connection.execute(select(course_table).where(course_table.c.stage != Stage.OVER.value))
    return [_course(row) for row in rows]


def courses(connection: Connection, policy: str, limit: int) -> Sequence[Course]:
    """The newest of a policy."""
    table = course_table
    query = select(table).where(table.c.policy == policy).order_by(desc(table.c.began_ms)).limit(limit)
    return [_course(row) for row in connection.execute(query)]


def put_trial(connection: Connection, tried: Tried) -> None:
    """The latest trial of a version."""
    table = trial_table
    here = (table.c.policy == tried.policy) & (table.c.policy_version == tried.policy_version)
    values: dict[str, Any] = {
        "start_ms": tried.start_ms,
        "end_ms": tried.end_ms,
        "trucks": tried.trial.trucks,
        "times": tried.trial.times,
        "detail": msgspec.json.encode((tried.trial.warnings, tried.trial.limits)).decode(),
        "tried_ms": tried.tried_ms,
    }
    if not connection.execute(update(table).where(here).values(**values)).rowcount:
        connection.execute(table.insert().values(policy=tried.policy, policy_version=tried.policy_version, **values))


def trial_of(connection: Connection, policy: str, version: int) -> Tried | None:
    """The trial of a version."""
    table = trial_table
    row = connection.execute(
        select(table).where((table.c.policy == policy) & (table.c.policy_version == version))
    ).first()
    if row is None:
        return None
    warnings, limits = msgspec.json.decode(row.detail, type=tuple[int, tuple[tuple[str, int], ...]])
    return Tried(policy, version, row.start_ms, row.end_ms, Trial(warnings, limits), row.tried_ms)


def _row(course: Course) -> dict[str, Any]:
    return {name: getattr(course, name) for name in Course.__slots__} | {"stage": course.stage.value}


def _course(row: Row[Any]) -> Course:
    return Course(**{**row._asdict(), "stage": Stage(row.stage)})
