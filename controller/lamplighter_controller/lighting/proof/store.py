"""Tables of the proof, and what is kept of a night."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    desc,
    func,
    insert,
    select,
    update,
)

from lamplighter_controller.ledger.tables import metadata
from lamplighter_controller.lighting.proof.light.listing import LampNight
from lamplighter_controller.lighting.proof.light.tally import By, Proof, Tally
from lamplighter_controller.lighting.proof.power.energy import CabinetNight
from lamplighter_controller.lighting.proof.power.tariff import Used

NAME: Final = String(64)
LABEL: Final = String(120)
DAY: Final = String(10)
ROWS_AT_ONCE: Final = 5_000
AROUND_MS: Final = 24 * 3_600_000  # meters are read so far around a night, for readings that enclose its ends

night_table: Final = Table(
    "proof_night",
    metadata,
    Column("night", DAY, primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("through_ms", BigInteger, nullable=False),
    Column("computed_ms", BigInteger, nullable=False),
    Column("passes", Integer, nullable=False),
    Column("due", Boolean, nullable=False),
)
_TIMES: Final = ("required_ms", "lit_ms", "dark_ms", "unknown_ms", "own_ms", "patrol_ms", "meter_ms")
tally_table: Final = Table(
    "proof_night_tally",
    metadata,
    Column("night", DAY, primary_key=True),
    Column("grouped", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("lamps", Integer, nullable=False),
    *(Column(name, Float, nullable=False) for name in _TIMES),
    Column("dark_lamps", Integer, nullable=False),
    Column("unknown_lamps", Integer, nullable=False),
)
lamp_table: Final = Table(
    "proof_night_lamp",
    metadata,
    Column("night", DAY, primary_key=True),
    Column("lamp", NAME, primary_key=True),
    Column("device", NAME),
    Column("road", NAME, nullable=False),
    Column("road_class", NAME, nullable=False),
    Column("district", NAME, nullable=False),
    Column("cabinet", NAME, nullable=False),
    Column("proof", NAME, nullable=False),
    Column("since_ms", BigInteger),
    *(Column(name, Float, nullable=False) for name in ("required_ms", "lit_ms", "dark_ms", "unknown_ms")),
)
energy_table: Final = Table(
    "proof_night_energy",
    metadata,
    Column("night", DAY, primary_key=True),
    Column("cabinet", NAME, primary_key=True),
    Column("account", LABEL, nullable=False),
    Column("tariff", LABEL, nullable=False),
    Column("lamps", Integer, nullable=False),
    Column("without_model", Integer, nullable=False),
    Column("metered", Float),
    Column("gap_ms", BigInteger, nullable=False),
    Column("bands", Text, nullable=False),
    *(Column(name, Float, nullable=False) for name in ("base", "full", "hours", "planned", "dark", "standby")),
    Column("undated", Float, nullable=False, server_default="0"),
)
patrol_table: Final = Table(
    "proof_patrol",
    metadata,
    Column("lamp", NAME, primary_key=True),
    Column("time_ms", BigInteger, primary_key=True),
    Column("lit", Boolean, nullable=False),
    Column("seen_by", Text, nullable=False),
    Index(None, "time_ms"),
)
burning_table: Final = Table(
    "proof_burning",
    metadata,
    Column("lamp", NAME, primary_key=True),
    Column("device", NAME),
    Column("source", NAME, nullable=False),
    Column("as_of_ms", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("counter_h", Float),
    Column("counter_starts", Float),
    Column("burning_h", Float, nullable=False),
    Column("starts", Float, nullable=False),
    Column("from_h", Float, nullable=False),
    Column("from_starts", Float, nullable=False),
)
burned_table: Final = Table(
    "proof_burned",
    metadata,
    Column("night", DAY, primary_key=True),
    Column("lamp", NAME, primary_key=True),
    Column("burned_ms", Float, nullable=False),
    Column("starts", Integer, nullable=False),
)
setting_table: Final = Table(
    "proof_setting",
    metadata,
    Column("kind", NAME, primary_key=True),
    Column("id", NAME, primary_key=True),
    Column("valid_from", DAY, primary_key=True),
    Column("body", Text, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Night:
    """A night that was worked out: `through_ms` is as far as readings were looked at (civil), `due`: more came since.

    Meters are looked at for a day longer, so that their readings enclose its end. `computed_ms` is real time.
    """

    day: date
    start_ms: int
    end_ms: int
    through_ms: int
    computed_ms: int
    passes: int
    due: bool

    @property
    def complete_ms(self) -> int:
        """When all that counts for it has happened."""
        return self.end_ms + AROUND_MS

    @property
    def over(self) -> bool:
        """True when all of it was looked at."""
        return self.through_ms >= self.end_ms


def nights(connection: Connection, limit: int, before: str | None = None) -> list[Night]:
    """The newest nights first."""
    query = select(night_table).order_by(desc(night_table.c.night)).limit(limit)
    if before is not None:
        query = query.where(night_table.c.night < before)
    return [_night(row) for row in connection.execute(query)]


def night(connection: Connection, day: date) -> Night | None:
    """One night, None when it was not worked out."""
    row = connection.execute(select(night_table).where(night_table.c.night == day.isoformat())).first()
    return _night(row) if row else None


def put_night(connection: Connection, one: Night) -> None:
    """Keep when a night was worked out."""
    connection.execute(delete(night_table).where(night_table.c.night == one.day.isoformat()))
    values = {name: getattr(one, name) for name in ("start_ms", "end_ms", "through_ms", "computed_ms", "passes", "due")}
    connection.execute(insert(night_table).values(night=one.day.isoformat(), **values))


def now_due(connection: Connection, days: Iterable[date]) -> None:
    """More has come in of these nights since they were worked out."""
    names = [day.isoformat() for day in days]
    connection.execute(update(night_table).where(night_table.c.night.in_(names)).values(due=True))


def put_tallies(connection: Connection, day: date, tallies: Mapping[By, Sequence[Tally]]) -> None:
    """Put a night's figures in place of those of an earlier pass."""
    rows = [
        {"night": day.isoformat(), "grouped": by.value} | {name: getattr(one, name) for name in Tally.__slots__}
        for by, those in tallies.items()
        for one in those
    ]
    _replaced(connection, tally_table, day, rows)


def tallies(connection: Connection, day: date, by: By) -> list[Tally]:
    """A night's figures by group."""
    table = tally_table
    query = select(table).where(table.c.night == day.isoformat(), table.c.grouped == by.value).order_by(table.c.key)
    return [Tally(**{name: getattr(row, name) for name in Tally.__slots__}) for row in connection.execute(query)]


def put_lamps(connection: Connection, day: date, lamps: Sequence[LampNight]) -> None:
    """Put the list behind a night's figures in place of that of an earlier pass."""
    rows = [
        {"night": day.isoformat()}
        | {name: getattr(one, name) for name in LampNight.__slots__}
        | {"proof": one.proof.value}
        for one in lamps
    ]
    _replaced(connection, lamp_table, day, rows)


def lamps(
    connection: Connection, day: date, where: Mapping[str, str], longest: str | None, offset: int, limit: int
) -> tuple[list[LampNight], int]:
    """A page of the list, those with most lost time first; only lamps with some `longest` time when it is named."""
    table = lamp_table
    wanted = [table.c.night == day.isoformat(), *(table.c[name] == value for name, value in where.items())]
    if longest is not None:
        wanted.append(table.c[longest] > 0)
    order = table.c[longest] if longest is not None else table.c.dark_ms + table.c.unknown_ms
    total = connection.scalar(select(func.count()).select_from(table).where(*wanted)) or 0
    rows = connection.execute(
        select(table).where(*wanted).order_by(desc(order), table.c.lamp).offset(offset).limit(limit)
    )
    return [_lamp(row) for row in rows], total


def put_energy(connection: Connection, day: date, cabinets: Sequence[CabinetNight]) -> None:
    """Put a night's energy in place of that of an earlier pass."""
    rows = [
        {"night": day.isoformat()}
        | {name: getattr(one, name) for name in CabinetNight.__slots__}
        | {"bands": msgspec.json.encode(one.bands, order="deterministic").decode()}
        for one in cabinets
    ]
    _replaced(connection, energy_table, day, rows)


def energy(connection: Connection, first: date, last: date) -> list[CabinetNight]:
    """Energy of all supply points in some nights, the first and the last included."""
    table = energy_table
    query = select(table).where(table.c.night.between(first.isoformat(), last.isoformat()))
    return [_cabinet(row) for row in connection.execute(query.order_by(table.c.night, table.c.cabinet))]


def retire(connection: Connection, lists_before: date, burned_before: date) -> None:
    """Let go of lists and contributions of old nights; their figures and energy stay."""
    connection.execute(delete(lamp_table).where(lamp_table.c.night < lists_before.isoformat()))
    connection.execute(delete(burned_table).where(burned_table.c.night < burned_before.isoformat()))


def _replaced(connection: Connection, table: Table, day: date, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(delete(table).where(table.c.night == day.isoformat()))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        connection.execute(insert(table), list(rows[start : start + ROWS_AT_ONCE]))


def _night(row: Row[Any]) -> Night:
    return Night(
        date.fromisoformat(row.night), row.start_ms, row.end_ms, row.through_ms, row.computed_ms, row.passes, row.due
    )


def _lamp(row: Row[Any]) -> LampNight:
    values = {name: getattr(row, name) for name in LampNight.__slots__}
    return LampNight(**values | {"proof": Proof(row.proof)})


def _cabinet(row: Row[Any]) -> CabinetNight:
    values = {name: getattr(row, name) for name in CabinetNight.__slots__}
    return CabinetNight(**values | {"bands": msgspec.json.decode(row.bands, type=tuple[Used, ...])})
