"""What must hold of a city whatever was done to it, read from the programs' own files and API."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from lamplighter_contract.commands.states import FINAL, CommandState
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.frame import ReadingsFrame, decode_body
from lamplighter_gateway.spool.frames import Class
from tests.system.servers import Influxd
from tests.system.world import World
from tests.system.world_api import Api, eventually
from tests.system.world_programs import Kept

Key = tuple[Kind, str, int]  # kind, device, civil ms
Values = dict[str, float]
TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Audited:
    """What the comparison found, for a test to see that it compared something."""

    acknowledged: int
    waiting: int


def readings_of(frames: Iterable[Kept]) -> dict[Key, Values]:
    """The readings in frames; of two with one key, the later one's values win where it has any."""
    found: dict[Key, Values] = {}
    for frame in frames:
        if frame.of is not Class.READING:
            continue
        content = decode_body(frame.body)
        assert isinstance(content, ReadingsFrame), f"frame {frame.seq}: {content}"
        for row, (device, time_ms) in enumerate(zip(content.device, content.time_ms, strict=True)):
            values = {name: column[row] for name, column in content.columns.items()}
            known = {name: float(value) for name, value in values.items() if value is not None}
            found.setdefault((content.kind, device, time_ms), {}).update(known)
    return found


def stored_in_duckdb(file: Path) -> dict[Key, Values]:
    """Every reading in a DuckDB store that nobody has open; fails when one is there twice."""
    found: dict[Key, Values] = {}
    with duckdb.connect(str(file), read_only=True) as database:
        tables = {row[0] for row in database.execute("SELECT table_name FROM information_schema.tables").fetchall()}
        for kind in Kind:
            if kind not in tables:
                continue
            rows = database.execute(f"SELECT device.id, {kind}.* FROM {kind} JOIN device USING (code)")
            names = [column[0] for column in rows.description or ()]
            for row in rows.fetchall():
                values = dict(zip(names, row, strict=True))
                key = (kind, values.pop("id"), values.pop("time_ms"))
                assert key not in found, f"stored twice: {key}"
                found[key] = {name: value for name, value in values.items() if value is not None}
    return found


def stored_in_influx(server: Influxd, database: str) -> dict[Key, Values]:
    """Every reading in an InfluxDB; one key has one row by its nature."""
    found: dict[Key, Values] = {}
    for kind in Kind:
        answer: Any = server.query(f'SELECT * FROM "{kind}"', database)
        for series in answer["results"][0].get("series", []):
            for row in series["values"]:
                values = dict(zip(series["columns"], row, strict=True))
                key = (kind, values.pop("device"), values.pop("time"))
                found[key] = {name: value for name, value in values.items() if value is not None}
    return found


def dead_letters_in(file: Path) -> dict[Key, Values]:
    """Readings on the dead-letter list of an SQLite ledger that nobody has open."""
    with closing(sqlite3.connect(file)) as database:
        bodies = [body for (body,) in database.execute("SELECT body FROM dead_letter WHERE body LIKE '{%'")]
    frames = [Kept(0, Class.READING, stored=True, body=bytes(body)) for body in bodies]
    return readings_of(frame for frame in frames if isinstance(decode_body(frame.body), ReadingsFrame))


def nothing_lost(world: World, stored: Mapping[Key, Values] | None = None, *, also: Iterable[Kept] = ()) -> Audited:
    """Every reading acknowledged to a gateway is stored, or on the dead-letter list, with its values. The programs are
    stopped for it; `stored` is given where the store is not the controller's own DuckDB, `also` holds frames of
    spools that are gone.
    """
    world.stop_programs()
    data = world.controller.data
    kept = stored_in_duckdb(data / "series.duckdb") if stored is None else dict(stored)
    letters = dead_letters_in(data / "ledger.sqlite") if (data / "ledger.sqlite").exists() else {}
    frames = [*also, *(frame for gateway in world.gateways.values() for frame in gateway.spool())]
    promised = readings_of(frame for frame in frames if frame.stored)
    missing = [key for key in promised if key not in kept and key not in letters]
    assert not missing, f"{len(missing)} readings were acknowledged and are not stored: {missing[:3]}"
    for key, values in promised.items():
        _same(key, values, kept.get(key, letters.get(key, {})))
    return Audited(len(promised), sum(not frame.stored for frame in frames))


def _same(key: Key, sent: Values, stored: Values) -> None:
    for name, value in sent.items():
        assert name in stored, f"{key}: {name} is not stored"
        assert abs(stored[name] - value) <= TOLERANCE * max(1, abs(value)), f"{key}: {name} {value} -> {stored[name]}"


def identified_once(world: World, allowed: Iterable[tuple[str, int]]) -> Counter[tuple[str, int]]:
    """No lamp was told twice to blink for the same seconds, and none that nobody asked for; returns what happened."""
    seen = Counter((write.device, round(write.value)) for write in world.city.writes() if write.what == "identify")
    twice = [key for key, times in seen.items() if times > 1]
    assert not twice, f"acted more than once: {twice}"
    strange = set(seen) - set(allowed)
    assert not strange, f"acted without being asked: {strange}"
    return seen


def all_ended(api: Api, requests: Iterable[str], timeout_s: float) -> dict[str, CommandState]:
    """Every request comes to one final state, and its commands tell in the audit trail how; returns the states."""
    wanted = set(requests)

    def look() -> dict[str, str] | None:
        states = {found["request"]: found["state"] for found in api.requests() if found["request"] in wanted}
        assert set(states) == wanted, f"forgotten: {wanted - set(states)}"
        return states if all(state in FINAL for state in states.values()) else None

    states = eventually(look, timeout_s, f"all {len(wanted)} requests end") if wanted else {}
    for request in wanted:
        for order in api.request(request)["commands"]:
            _told(order, api.audit(f"command:{order['id']}"))
    return {request: CommandState(state) for request, state in states.items()}


def _told(order: Mapping[str, Any], trail: list[Any]) -> None:
    assert trail, f"no audit row for command {order['id']}"
    assert trail[-1]["action"] == "command.create"
    assert trail[0]["result"] == order["state"], (
        f"the trail of {order['id']} ends at {trail[0]}, it is {order['state']}"
    )
    ends = [row for row in trail if row["result"] in FINAL - {CommandState.UNCONFIRMED}]
    assert len({row["result"] for row in ends}) <= 1, f"two ends of {order['id']}: {ends}"
