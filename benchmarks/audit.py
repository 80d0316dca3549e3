"""Following the hashes of a long audit trail from its first row to its last, in the ledger and in an exported file."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import BenchmarkError
from lamplighter_contract.commands.signing import KeysDocument, PublicKey, Signer, encode_key
from lamplighter_controller.ledger.engine import Ledger, open_ledger
from lamplighter_controller.security import trail
from lamplighter_controller.security.audit import Entry, record_all
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.security.trail_file import check

FULL: Final = 1_000_000
QUICK: Final = 50_000
AT_ONCE: Final = 10_000
WRITE_S: Final = 120.0


def run(effort: Effort) -> Iterator[Figure]:
    """The figure of audit."""
    yield asyncio.run(_measure(round(effort.pick(FULL, QUICK)), quick=effort.quick))


async def _measure(rows: int, *, quick: bool) -> Figure:
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        ledger = await open_ledger(f"sqlite:///{Path(folder) / 'ledger.sqlite'}")
        try:
            written_s = await _written(ledger, rows)
            begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
            tampered = await trail.verify(ledger)
            spent_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
            if tampered is not None:
                raise BenchmarkError(f"row {tampered.number}: {tampered.what}")
            offline_s = await _offline(ledger, Path(folder) / "trail.ndjson")
        finally:
            await ledger.close()
    config = {
        "rows": rows,
        "cpu_s": round(cpu_s, 2),
        "rows_per_s": round(rows / spent_s),
        "written_s": round(written_s, 1),
        "exported_file_s": round(offline_s, 2),
        "quick": quick,
        "versions": versions("lamplighter-controller", "SQLAlchemy", "msgspec"),
    }
    return Figure("audit.verify_s", spent_s, "s", {}, config)


async def _written(ledger: Ledger, rows: int) -> float:
    begun_s = time.perf_counter()
    for first in range(0, rows, AT_ONCE):
        entries = [
            Entry(
                "user:wang", "command.create", f"command:{n}", "WO-0007 灯", "created", n, {"op": "light.set", "n": n}
            )
            for n in range(first, min(first + AT_ONCE, rows))
        ]
        await ledger.write(partial(record_all, entries=entries), WRITE_S)
    return time.perf_counter() - begun_s


async def _offline(ledger: Ledger, file: Path) -> float:
    signer, root = Signer("centre-1", bytes(32)), Signer("root", bytes(range(32)))
    document = root.sign(KeysDocument(1, (PublicKey(signer.kid, encode_key(signer.public), 0, 2**52),)).as_json())
    with file.open("wb") as target:
        async for part in trail.exported(ledger, "centre", Keys(signer, document, root.public), 1):
            target.write(part)
    begun_s = time.perf_counter()
    with file.open("rb") as lines:
        checked = check(lines, root.public)
    if checked.wrong or not checked.signer_known:
        raise BenchmarkError(f"the exported trail: {checked.wrong}")
    return time.perf_counter() - begun_s
