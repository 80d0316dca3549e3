"""Tables of the embedded store and the statements on them.

One wide table per kind holds readings, two hold its summaries; a column per quantity appears when it is first stored.
Devices are numbered inside the file, which makes joins and high-water marks arrays; ids stay the only outside key.
"""

# ruff: noqa: S608 - statements are put together from enumerations, checked quantity names and numbers only

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb
import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Aggregate, Times
from lamplighter_controller.series.rollup import DAY_MS, QUARTER_HOUR_MS, summary

INCOMING: Final = "incoming"  # as the parameter of Session.execute_with is called
BEFORE_EVERYTHING: Final = np.iinfo(np.int64).min
STEP_TABLES: Final = {QUARTER_HOUR_MS: "15m", DAY_MS: "1d"}

# No keys are declared: there is one writer, and an index would still refuse a row deleted under an older reader.
FIXED_TABLES: Final = """
CREATE TABLE IF NOT EXISTS device (code INTEGER NOT NULL, id VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS progress (
    kind VARCHAR NOT NULL, rolled_ms BIGINT NOT NULL, raw_from_ms BIGINT NOT NULL, quarter_hour_from_ms BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS due (kind VARCHAR NOT NULL, step_ms BIGINT NOT NULL, start_ms BIGINT NOT NULL);
"""


@dataclass(slots=True)
class Catalogue:
    """What the writer knows of the file without asking it; loaded at open, changed only after a commit."""

    codes: dict[str, int] = field(default_factory=dict)
    columns: dict[Kind, list[str]] = field(default_factory=dict)
    newest_ms: dict[Kind, Times] = field(default_factory=dict)
    rolled_ms: dict[Kind, int] = field(default_factory=dict)

    def newest(self, kind: Kind) -> Times:
        """Per device code, the newest time stored for that kind."""
        known = self.newest_ms.get(kind, np.empty(0, np.int64))
        if len(known) < len(self.codes):
            grown = np.full(max(2 * len(known), len(self.codes)), BEFORE_EVERYTHING, np.int64)
            grown[: len(known)] = known
            self.newest_ms[kind] = known = grown
        return known


def load_catalogue(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    """Make the fixed tables where they are missing, and read what is known."""
    connection.execute(FIXED_TABLES)
    catalogue = Catalogue(codes=dict(connection.execute("SELECT id, code FROM device").fetchall()))
    names = "SELECT table_name, column_name FROM information_schema.columns ORDER BY table_name, ordinal_position"
    columns = connection.execute(names).fetchall()
    for kind in Kind:
        of_kind = [column for table, column in columns if table == kind]
        if not of_kind:
            continue
        catalogue.columns[kind] = [column for column in of_kind if column not in {"code", "time_ms", "quality"}]
        newest = connection.execute(f"SELECT code, max(time_ms) AS newest FROM {kind} GROUP BY code").fetchnumpy()
        catalogue.newest(kind)[newest["code"]] = newest["newest"]
    for kind, rolled_ms in connection.execute("SELECT kind, rolled_ms FROM progress").fetchall():
        catalogue.rolled_ms[Kind(kind)] = rolled_ms
    return catalogue


def create_kind(kind: Kind) -> str:
    """Statements that make a kind's three tables, still without quantities."""
    raw = (
        f"CREATE TABLE {kind} (code INTEGER NOT NULL, time_ms BIGINT NOT NULL, quality UTINYINT NOT NULL);"
        f"INSERT INTO progress VALUES ('{kind}', {BEFORE_EVERYTHING}, {BEFORE_EVERYTHING}, {BEFORE_EVERYTHING});"
    )
    summaries = (
        f"CREATE TABLE {kind}_{step} (code INTEGER NOT NULL, start_ms BIGINT NOT NULL, readings BIGINT NOT NULL);"
        for step in STEP_TABLES.values()
    )
    return raw + "".join(summaries)


def add_quantity(kind: Kind, name: str) -> str:
    """Statements that add a quantity to a kind's three tables."""
    raw = f"ALTER TABLE {kind} ADD COLUMN {quoted(name)} DOUBLE;"
    summaries = (
        f"ALTER TABLE {kind}_{step} ADD COLUMN {quoted(summary(name, statistic))} DOUBLE;"
        for step in STEP_TABLES.values()
        for statistic in Aggregate
    )
    return raw + "".join(summaries)


def append(kind: Kind, names: Sequence[str], with_gaps: Iterable[str]) -> str:
    """Insert the incoming rows, of which no key is stored yet."""
    gaps = set(with_gaps)
    values = (_null_for_nan(name) if name in gaps else quoted(name) for name in names)
    return (
        f"INSERT INTO {kind} ({_list('code', 'time_ms', 'quality', *names)}) "
        f"SELECT code, time_ms, quality{''.join(f', {value}' for value in values)} FROM {INCOMING}"
    )


def merge(kind: Kind, names: Sequence[str], first_ms: int, last_ms: int) -> str:
    """Insert the incoming rows or, where the key is stored, let what was read replace what is there."""
    sets = "".join(f", {quoted(name)} = coalesce({_null_for_nan(name)}, {kind}.{quoted(name)})" for name in names)
    values = "".join(f", {_null_for_nan(name)}" for name in names)
    return (
        f"MERGE INTO {kind} USING {INCOMING} ON {kind}.code = {INCOMING}.code AND {kind}.time_ms = {INCOMING}.time_ms "
        f"AND {kind}.time_ms BETWEEN {first_ms} AND {last_ms} "
        f"WHEN MATCHED THEN UPDATE SET quality = {INCOMING}.quality{sets} "
        f"WHEN NOT MATCHED THEN INSERT ({_list('code', 'time_ms', 'quality', *names)}) "
        f"VALUES ({INCOMING}.code, {INCOMING}.time_ms, {INCOMING}.quality{values})"
    )


def quoted(name: str) -> str:
    """A column name as SQL writes it."""
    return f'"{name}"'


def _list(*names: str) -> str:
    return ", ".join(quoted(name) for name in names)


def _null_for_nan(name: str) -> str:
    return f"nullif({INCOMING}.{quoted(name)}, 'nan'::DOUBLE)"
