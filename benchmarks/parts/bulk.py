"""What the parts could do alone: each store's own bulk load, and a bare aiomqtt loop."""

import asyncio
import http.client
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiomqtt
import duckdb
import numpy as np
from numpy.typing import NDArray

from benchmarks.parts.fleet import Plan
from benchmarks.parts.frames import QUANTITIES, ROWS, columns, lamp_ids
from benchmarks.parts.worker import Counter, counter, worker
from lamplighter_contract.wire import topics

_DATABASE: Final = "bulk"
_TIME: Final = b"TTTTTTTTTTTTT"
_STEP_MS: Final = 60_000
_FLAGS: Final = ("switched_on",)

Load = Iterator[tuple[SpawnProcess, Counter]]
Column = NDArray[Any]


def _table(blocks: int) -> dict[str, Column]:
    parts = [columns(seed) for seed in range(blocks)]
    values = {name: np.concatenate([np.array(part[name], np.float64) for part in parts]) for name in QUANTITIES}
    rows = blocks * ROWS
    fixed: dict[str, Column] = {"code": np.arange(rows, dtype=np.int32), "time_ms": np.zeros(rows, np.int64)}
    return fixed | {"quality": np.zeros(rows, np.uint8)} | values


def _load_duckdb(path: str, blocks: int, loaded: Counter) -> None:
    connection, incoming = duckdb.connect(path), _table(blocks)
    fixed = "code INTEGER NOT NULL, time_ms BIGINT NOT NULL, quality UTINYINT NOT NULL"
    connection.execute(f"CREATE TABLE lamp ({fixed}, {', '.join(f'{name} DOUBLE' for name in QUANTITIES)})")
    while True:
        incoming["time_ms"] += _STEP_MS
        connection.register("incoming", incoming)
        connection.execute("BEGIN; INSERT INTO lamp SELECT * FROM incoming; COMMIT")
        connection.unregister("incoming")
        loaded.value += blocks * ROWS


@contextmanager
def duckdb_load(folder: Path, blocks: int) -> Load:
    """DuckDB takes ready numpy columns, `blocks` frames' worth of rows per commit; counts rows committed."""
    loaded = counter()
    with worker(_load_duckdb, str(folder / "bulk.duckdb"), blocks, loaded) as process:
        yield process, loaded


def _lines(blocks: Sequence[tuple[int, int]]) -> bytes:
    lines = []
    for gateway, block in blocks:
        values = columns(block)
        for row, lamp in enumerate(lamp_ids(gateway, block)):
            fields = ",".join(f"{name}={_cell(values[name][row])}" for name in QUANTITIES)
            lines.append(f"lamp,device={lamp} {fields},quality=0 {_TIME.decode()}\n")
    return "".join(lines).encode()


def _cell(value: float) -> str:
    return repr(float(value))


def _load_influx(port: int, plan: Plan, blocks: int, loaded: Counter) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    _post(connection, f"/query?{urlencode({'q': f'CREATE DATABASE {_DATABASE}'})}", b"")
    every = [(gateway, block) for gateway in range(plan.gateways) for block in range(plan.blocks)]
    bodies = [(_lines(some), len(some)) for some in (every[at : at + blocks] for at in range(0, len(every), blocks))]
    now_ms = time.time_ns() // 1_000_000
    while True:
        now_ms += _STEP_MS
        for lines, frames in bodies:
            _post(connection, f"/write?db={_DATABASE}&precision=ms", lines.replace(_TIME, b"%d" % now_ms))
            loaded.value += frames * ROWS


def _post(connection: http.client.HTTPConnection, path: str, body: bytes) -> None:
    connection.request("POST", path, body)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"influxd answers {answer.status}: {text[:200]!r}")


@contextmanager
def influx_load(port: int, plan: Plan, blocks: int) -> Load:
    """influxd takes ready lines of the plan's lamps, `blocks` frames' worth of them per request; counts lines taken."""
    loaded = counter()
    with worker(_load_influx, port, plan, blocks, loaded) as process:
        yield process, loaded


async def _receive(port: int, taken: Counter) -> None:
    async with aiomqtt.Client("127.0.0.1", port, identifier="bare") as client:
        await client.subscribe(topics.UP_FILTER, qos=1, timeout=10)
        async for message in client.messages:
            if message.topic.value.endswith(topics.Up.LIVE):
                taken.value += ROWS


def _run_receiver(port: int, taken: Counter) -> None:
    asyncio.run(_receive(port, taken))


@contextmanager
def bare_loop(port: int) -> Load:
    """An aiomqtt loop that does nothing with frames but count their readings."""
    taken = counter()
    with worker(_run_receiver, port, taken) as process:
        yield process, taken
